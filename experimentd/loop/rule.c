#include "experimentd/loop/rule.h"

#include <assert.h>
#include <stddef.h>

#include "base/mem.h"

const char *const loop_state_names[] = {
    [LOOP_IDLE] = "idle", [LOOP_TRYING] = "trying", [LOOP_AWAITING] = "awaiting", [LOOP_PAUSED] = "paused"
};
static_assert(COUNT_OF(loop_state_names) == LOOP_STATE_COUNT, "a name for every state");

const char *const loop_wish_names[] = {
    [LOOP_NO_WISH] = "", [LOOP_APPROVE] = "approve", [LOOP_REJECT] = "reject", [LOOP_STOP] = "stop"
};
static_assert(COUNT_OF(loop_wish_names) == LOOP_WISH_COUNT, "a name for every wish");

const char *const loop_act_names[] = {
    [LOOP_WAIT] = "wait",
    [LOOP_TRY] = "try",
    [LOOP_PARK] = "park",
    [LOOP_TAKE_NEXT] = "take_next",
    [LOOP_AGAIN] = "again",
    [LOOP_ADOPT] = "adopt",
    [LOOP_PAUSE] = "pause",
    [LOOP_ASK] = "ask",
    [LOOP_PROMOTE] = "promote",
    [LOOP_PROMOTE_BY_HAND] = "promote_by_hand",
    [LOOP_RECORD] = "record",
    [LOOP_DROP] = "drop",
    [LOOP_ROLL_BACK] = "roll_back",
    [LOOP_TIME_OUT] = "time_out",
    [LOOP_LET_GO] = "let_go",
    [LOOP_REFUSE] = "refuse",
    [LOOP_END] = "end",
};
static_assert(COUNT_OF(loop_act_names) == LOOP_ACT_COUNT, "a name for every action");

/* ---- events ---- */

static bool is_tried(enum loop_state state)
{
    return state != LOOP_IDLE;
}

static bool wants_stop(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->wish == LOOP_STOP;
}

static bool wants_approval(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->wish == LOOP_APPROVE;
}

static bool wants_rejection(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->wish == LOOP_REJECT;
}

static bool made_champion(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->champion == s->tried;
}

static bool challenger_gone(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && (s->challenger == 0 || s->challenger == s->champion);
}

static bool challenger_moved(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->champion && s->challenger != s->tried;
}

static bool champion_gone(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->champion == 0;
}

static bool champion_moved(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->champion != s->against;
}

static bool experiment_ended(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->experiment != LOOP_EXPERIMENT_RUNS;
}

static bool other_phase(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->other_phase;
}

static bool has_challenger(enum loop_state state, const struct loop_seen *s)
{
    return state == LOOP_IDLE && s->champion && s->challenger && s->challenger != s->champion &&
           s->challenger != s->parked;
}

static bool has_next(enum loop_state state, const struct loop_seen *s)
{
    return state == LOOP_IDLE && s->champion && s->next && s->next != s->champion;
}

static bool no_double(enum loop_state state, const struct loop_seen *s)
{
    return state == LOOP_IDLE && s->champion && s->challenger != s->champion &&
           (s->challenger == 0 || s->challenger == s->parked);
}

static bool says_spoilt(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->verdict == LOOP_SPOILT && s->alarm_ends;
}

static bool says_harm(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->verdict == LOOP_HARM;
}

static bool says_worse(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->verdict == LOOP_WORSE;
}

static bool says_better(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->verdict == LOOP_BETTER && !s->asks;
}

static bool says_better_asks(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->verdict == LOOP_BETTER;
}

static bool cannot_tell(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->verdict == LOOP_CANNOT_TELL;
}

static bool is_over(enum loop_state state, const struct loop_seen *s)
{
    return is_tried(state) && s->over;
}

static bool always(enum loop_state state, const struct loop_seen *s)
{
    (void)state;
    (void)s;
    return true;
}

static const struct {
    const char *name;
    bool (*holds)(enum loop_state state, const struct loop_seen *s);
} events[] = {
    [LOOP_EV_STOP] = { "stop", wants_stop },
    [LOOP_EV_APPROVE] = { "approve", wants_approval },
    [LOOP_EV_REJECT] = { "reject", wants_rejection },
    [LOOP_EV_MADE_CHAMPION] = { "made_champion", made_champion },
    [LOOP_EV_CHALLENGER_GONE] = { "challenger_gone", challenger_gone },
    [LOOP_EV_CHALLENGER_MOVED] = { "challenger_moved", challenger_moved },
    [LOOP_EV_CHAMPION_GONE] = { "champion_gone", champion_gone },
    [LOOP_EV_CHAMPION_MOVED] = { "champion_moved", champion_moved },
    [LOOP_EV_EXPERIMENT_ENDED] = { "experiment_ended", experiment_ended },
    [LOOP_EV_OTHER_PHASE] = { "other_phase", other_phase },
    [LOOP_EV_CHALLENGER] = { "challenger", has_challenger },
    [LOOP_EV_NEXT] = { "next", has_next },
    [LOOP_EV_NO_DOUBLE] = { "no_double", no_double },
    [LOOP_EV_SPOILT] = { "spoilt", says_spoilt },
    [LOOP_EV_HARM] = { "harm", says_harm },
    [LOOP_EV_WORSE] = { "worse", says_worse },
    [LOOP_EV_BETTER] = { "better", says_better },
    [LOOP_EV_BETTER_ASKS] = { "better_asks", says_better_asks },
    [LOOP_EV_CANNOT_TELL] = { "cannot_tell", cannot_tell },
    [LOOP_EV_OVER] = { "over", is_over },
    [LOOP_EV_NOTHING] = { "nothing", always },
};
static_assert(COUNT_OF(events) == LOOP_EVENT_COUNT, "a row for every event");

const char *loop_event_name(enum loop_event e)
{
    return events[e].name;
}

/* What the rule of this state has nothing to do about is no event. */
enum loop_event loop_event_of(enum loop_state state, const struct loop_seen *s)
{
    enum loop_event e = 0;
    while (!events[e].holds(state, s) || loop_rule(state, e) == LOOP_WAIT) {
        if (e == LOOP_EV_NOTHING)
            break;
        e++;
    }
    return e;
}

/* ---- the rule ---- */

static const enum loop_act rule[LOOP_STATE_COUNT][LOOP_EVENT_COUNT] = {
    [LOOP_IDLE] = { [LOOP_EV_CHALLENGER] = LOOP_TRY, [LOOP_EV_NEXT] = LOOP_TAKE_NEXT, [LOOP_EV_NO_DOUBLE] = LOOP_PARK },
    [LOOP_TRYING] = {
        [LOOP_EV_STOP] = LOOP_END,
        [LOOP_EV_MADE_CHAMPION] = LOOP_RECORD,
        [LOOP_EV_CHALLENGER_GONE] = LOOP_LET_GO,
        [LOOP_EV_CHALLENGER_MOVED] = LOOP_AGAIN,
        [LOOP_EV_CHAMPION_GONE] = LOOP_PAUSE,
        [LOOP_EV_CHAMPION_MOVED] = LOOP_AGAIN,
        [LOOP_EV_EXPERIMENT_ENDED] = LOOP_PAUSE,
        [LOOP_EV_OTHER_PHASE] = LOOP_ADOPT,
        [LOOP_EV_SPOILT] = LOOP_ROLL_BACK,
        [LOOP_EV_HARM] = LOOP_ROLL_BACK,
        [LOOP_EV_WORSE] = LOOP_DROP,
        [LOOP_EV_BETTER] = LOOP_PROMOTE,
        [LOOP_EV_BETTER_ASKS] = LOOP_ASK,
        [LOOP_EV_CANNOT_TELL] = LOOP_DROP,
        [LOOP_EV_OVER] = LOOP_TIME_OUT,
    },
    /* Its verdict stands while it waits, and users still see it: harm is watched on, time is not. */
    [LOOP_AWAITING] = {
        [LOOP_EV_STOP] = LOOP_END,
        [LOOP_EV_APPROVE] = LOOP_PROMOTE_BY_HAND,
        [LOOP_EV_REJECT] = LOOP_REFUSE,
        [LOOP_EV_MADE_CHAMPION] = LOOP_RECORD,
        [LOOP_EV_CHALLENGER_GONE] = LOOP_LET_GO,
        [LOOP_EV_CHALLENGER_MOVED] = LOOP_AGAIN,
        [LOOP_EV_CHAMPION_GONE] = LOOP_PAUSE,
        [LOOP_EV_CHAMPION_MOVED] = LOOP_AGAIN,
        [LOOP_EV_OTHER_PHASE] = LOOP_ADOPT,
        [LOOP_EV_SPOILT] = LOOP_ROLL_BACK,
        [LOOP_EV_HARM] = LOOP_ROLL_BACK,
        [LOOP_EV_WORSE] = LOOP_DROP,
    },
    /* A person ended the experiment: nothing begins again before a person says so. */
    [LOOP_PAUSED] = {
        [LOOP_EV_STOP] = LOOP_END,
        [LOOP_EV_APPROVE] = LOOP_PROMOTE_BY_HAND,
        [LOOP_EV_REJECT] = LOOP_REFUSE,
        [LOOP_EV_MADE_CHAMPION] = LOOP_RECORD,
        [LOOP_EV_CHALLENGER_GONE] = LOOP_LET_GO,
        [LOOP_EV_CHALLENGER_MOVED] = LOOP_AGAIN,
    },
};

enum loop_act loop_rule(enum loop_state state, enum loop_event event)
{
    return rule[state][event];
}
