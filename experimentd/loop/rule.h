/* rule.h - what the loop of a model does next: a table of states and events. Pure.
 *
 *   what is seen (aliases, experiment, result, a person's wish) → loop_event → rule[state][event] → an action (acts.c), which leads to the next state
 *
 * Between trials alias challenger is the champion's double ("parked"), so that a front end that asks for it, early or late, is never without an answer.
 *
 * A model is idle, or a version is being tried, or it was shown better and waits for a person, or a person ended the experiment. What people do by hand
 * comes before what the result says, and is never undone: the loop goes on from where they left it, or waits. */
#pragma once
#include <stdbool.h>

enum loop_state { LOOP_IDLE, LOOP_TRYING, LOOP_AWAITING, LOOP_PAUSED, LOOP_STATE_COUNT };
extern const char *const loop_state_names[LOOP_STATE_COUNT]; /* as model_loops.state has them */

enum loop_experiment { LOOP_EXPERIMENT_NONE, LOOP_EXPERIMENT_DRAFT, LOOP_EXPERIMENT_RUNS, LOOP_EXPERIMENT_ENDED };

/* What the result says of what is being tried. */
enum loop_verdict {
    LOOP_NO_VERDICT,  /* nothing was aggregated of this phase, or not enough */
    LOOP_BETTER,      /* ship: every condition of the decision is met */
    LOOP_WORSE,       /* a primary metric, or the preference, is shown worse */
    LOOP_HARM,        /* a guardrail is shown worse */
    LOOP_SPOILT,      /* the numbers cannot be trusted: sample ratio mismatch, an alarm of its health */
    LOOP_CANNOT_TELL, /* what was planned is used up */
    LOOP_VERDICT_COUNT
};

enum loop_wish { LOOP_NO_WISH, LOOP_APPROVE, LOOP_REJECT, LOOP_STOP, LOOP_WISH_COUNT };
extern const char *const loop_wish_names[LOOP_WISH_COUNT];

struct loop_seen {
    int champion, challenger, next; /* where the aliases point to; 0: nowhere */
    int parked;                     /* idle: where alias challenger was left as the champion's double; 0: nowhere */
    int tried, against;             /* the version that is being tried, and what was champion then */
    enum loop_experiment experiment;
    bool other_phase; /* it runs in another phase than the one that was begun for this version */
    enum loop_verdict verdict;
    bool over;       /* max_days have passed since the start */
    bool asks;       /* a person has to approve */
    bool alarm_ends; /* what the health spoils is ended, not waited for */
    enum loop_wish wish;
};

/* In the order in which they are looked for: the first that holds is the event. */
enum loop_event {
    LOOP_EV_STOP, /* a person wants it ended */
    LOOP_EV_APPROVE,
    LOOP_EV_REJECT,
    LOOP_EV_MADE_CHAMPION,    /* by hand: what is being tried is champion */
    LOOP_EV_CHALLENGER_GONE,  /* by hand */
    LOOP_EV_CHALLENGER_MOVED, /* by hand, to another version */
    LOOP_EV_CHAMPION_GONE,    /* by hand */
    LOOP_EV_CHAMPION_MOVED,   /* by hand, to another version: what was measured was measured against the one before */
    LOOP_EV_EXPERIMENT_ENDED, /* by hand */
    LOOP_EV_OTHER_PHASE,      /* by hand */
    LOOP_EV_CHALLENGER,       /* idle, and there is one */
    LOOP_EV_NEXT,             /* idle, and one waits */
    LOOP_EV_NO_DOUBLE,        /* idle, and alias challenger is not there, or is where the champion was */
    LOOP_EV_SPOILT,
    LOOP_EV_HARM,
    LOOP_EV_WORSE,
    LOOP_EV_BETTER,
    LOOP_EV_BETTER_ASKS, /* shown better, and a person has to approve */
    LOOP_EV_CANNOT_TELL,
    LOOP_EV_OVER,
    LOOP_EV_NOTHING,
    LOOP_EVENT_COUNT
};
const char *loop_event_name(enum loop_event e);

enum loop_act {
    LOOP_WAIT,            /* nothing */
    LOOP_TRY,             /* makes, starts or reopens the experiment; idle → trying */
    LOOP_PARK,            /* alias challenger becomes the champion's double */
    LOOP_TAKE_NEXT,       /* alias next becomes alias challenger */
    LOOP_AGAIN,           /* a new phase: another version or another champion */
    LOOP_ADOPT,           /* the phase that a person began is the one that counts */
    LOOP_PAUSE,           /* → paused, until a person says how it goes on */
    LOOP_ASK,             /* → awaiting */
    LOOP_PROMOTE,         /* it becomes champion; the others end it likewise: → idle */
    LOOP_PROMOTE_BY_HAND, /* a person approved */
    LOOP_RECORD,          /* a person made it champion */
    LOOP_DROP,            /* shown worse, or it cannot be told */
    LOOP_ROLL_BACK,       /* harm */
    LOOP_TIME_OUT,
    LOOP_LET_GO, /* a person took alias challenger away */
    LOOP_REFUSE, /* a person rejected it */
    LOOP_END,    /* a person wants it ended, and what waits forgotten */
    LOOP_ACT_COUNT
};
extern const char *const loop_act_names[LOOP_ACT_COUNT];

enum loop_event loop_event_of(enum loop_state state, const struct loop_seen *s);
enum loop_act loop_rule(enum loop_state state, enum loop_event event);
