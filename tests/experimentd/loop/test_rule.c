/* Every state with every event, and which of several events goes first. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/loop/rule.h"

/* What is to be done in each state, written a second time as a person would say it; a cell that is not named waits. */
static const struct {
    enum loop_state state;
    enum loop_event event;
    const char *act;
} wanted[] = {
    { LOOP_IDLE, LOOP_EV_CHALLENGER, "try" },
    { LOOP_IDLE, LOOP_EV_NEXT, "take_next" },
    { LOOP_IDLE, LOOP_EV_NO_DOUBLE, "park" },

    { LOOP_TRYING, LOOP_EV_STOP, "end" },
    { LOOP_TRYING, LOOP_EV_MADE_CHAMPION, "record" },
    { LOOP_TRYING, LOOP_EV_CHALLENGER_GONE, "let_go" },
    { LOOP_TRYING, LOOP_EV_CHALLENGER_MOVED, "again" },
    { LOOP_TRYING, LOOP_EV_CHAMPION_GONE, "pause" },
    { LOOP_TRYING, LOOP_EV_CHAMPION_MOVED, "again" },
    { LOOP_TRYING, LOOP_EV_EXPERIMENT_ENDED, "pause" },
    { LOOP_TRYING, LOOP_EV_OTHER_PHASE, "adopt" },
    { LOOP_TRYING, LOOP_EV_SPOILT, "roll_back" },
    { LOOP_TRYING, LOOP_EV_HARM, "roll_back" },
    { LOOP_TRYING, LOOP_EV_WORSE, "drop" },
    { LOOP_TRYING, LOOP_EV_BETTER, "promote" },
    { LOOP_TRYING, LOOP_EV_BETTER_ASKS, "ask" },
    { LOOP_TRYING, LOOP_EV_CANNOT_TELL, "drop" },
    { LOOP_TRYING, LOOP_EV_OVER, "time_out" },

    { LOOP_AWAITING, LOOP_EV_STOP, "end" },
    { LOOP_AWAITING, LOOP_EV_APPROVE, "promote_by_hand" },
    { LOOP_AWAITING, LOOP_EV_REJECT, "refuse" },
    { LOOP_AWAITING, LOOP_EV_MADE_CHAMPION, "record" },
    { LOOP_AWAITING, LOOP_EV_CHALLENGER_GONE, "let_go" },
    { LOOP_AWAITING, LOOP_EV_CHALLENGER_MOVED, "again" },
    { LOOP_AWAITING, LOOP_EV_CHAMPION_GONE, "pause" },
    { LOOP_AWAITING, LOOP_EV_CHAMPION_MOVED, "again" },
    { LOOP_AWAITING, LOOP_EV_OTHER_PHASE, "adopt" },
    { LOOP_AWAITING, LOOP_EV_SPOILT, "roll_back" },
    { LOOP_AWAITING, LOOP_EV_HARM, "roll_back" },
    { LOOP_AWAITING, LOOP_EV_WORSE, "drop" },

    { LOOP_PAUSED, LOOP_EV_STOP, "end" },
    { LOOP_PAUSED, LOOP_EV_APPROVE, "promote_by_hand" },
    { LOOP_PAUSED, LOOP_EV_REJECT, "refuse" },
    { LOOP_PAUSED, LOOP_EV_MADE_CHAMPION, "record" },
    { LOOP_PAUSED, LOOP_EV_CHALLENGER_GONE, "let_go" },
    { LOOP_PAUSED, LOOP_EV_CHALLENGER_MOVED, "again" },
};

static const char *wanted_act(enum loop_state state, enum loop_event event)
{
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (wanted[i].state == state && wanted[i].event == event)
            return wanted[i].act;
    return "wait";
}

Test(rule, of_every_state_and_event)
{
    for (int state = 0; state < LOOP_STATE_COUNT; state++) {
        for (int event = 0; event < LOOP_EVENT_COUNT; event++) {
            enum loop_act act = loop_rule((enum loop_state)state, (enum loop_event)event);
            cr_assert_str_eq(loop_act_names[act], wanted_act((enum loop_state)state, (enum loop_event)event), "%s, %s",
                             loop_state_names[state], loop_event_name((enum loop_event)event));
        }
    }
}

/* Version 5 is tried against version 3, and nothing has happened. */
static const struct loop_seen quiet = {
    .champion = 3, .challenger = 5, .tried = 5, .against = 3, .experiment = LOOP_EXPERIMENT_RUNS, .alarm_ends = true
};

static void says(enum loop_state state, struct loop_seen s, const char *event)
{
    cr_assert_str_eq(loop_event_name(loop_event_of(state, &s)), event);
}

Test(rule, of_one_thing_that_is_seen)
{
    struct loop_seen s = quiet;
    says(LOOP_TRYING, s, "nothing");
    s.champion = 5;
    says(LOOP_TRYING, s, "made_champion");
    s.champion = 4;
    says(LOOP_TRYING, s, "champion_moved");
    s.champion = 0;
    says(LOOP_TRYING, s, "champion_gone");
    s = quiet;
    s.challenger = 0;
    says(LOOP_AWAITING, s, "challenger_gone");
    s.challenger = 3; /* the champion itself: nothing is left to be tried */
    says(LOOP_TRYING, s, "challenger_gone");
    s.challenger = 6;
    says(LOOP_PAUSED, s, "challenger_moved");
    s = quiet;
    s.experiment = LOOP_EXPERIMENT_ENDED;
    says(LOOP_TRYING, s, "experiment_ended");
    s.experiment = LOOP_EXPERIMENT_NONE;
    says(LOOP_TRYING, s, "experiment_ended");
    s = quiet;
    s.other_phase = true;
    says(LOOP_TRYING, s, "other_phase");
    s = quiet;
    s.over = true;
    says(LOOP_TRYING, s, "over");
}

Test(rule, of_each_verdict)
{
    static const char *const events[LOOP_VERDICT_COUNT] = { "nothing", "better", "worse",
                                                            "harm",    "spoilt", "cannot_tell" };
    struct loop_seen s = quiet;
    for (int v = 0; v < LOOP_VERDICT_COUNT; v++) {
        s.verdict = (enum loop_verdict)v;
        says(LOOP_TRYING, s, events[v]);
    }
    s.asks = true;
    s.verdict = LOOP_BETTER;
    says(LOOP_TRYING, s, "better_asks");
    s.verdict = LOOP_SPOILT;
    s.alarm_ends = false;
    says(LOOP_TRYING, s, "nothing");
    s.over = true;
    says(LOOP_TRYING, s, "over");
}

Test(rule, people_go_before_results)
{
    struct loop_seen s = quiet;
    s.verdict = LOOP_BETTER;
    s.wish = LOOP_STOP;
    says(LOOP_TRYING, s, "stop");
    s.wish = LOOP_REJECT;
    says(LOOP_AWAITING, s, "reject");
    s.wish = LOOP_NO_WISH;
    s.champion = 4;
    says(LOOP_TRYING, s, "champion_moved");
    s = quiet;
    s.verdict = LOOP_BETTER;
    s.experiment = LOOP_EXPERIMENT_ENDED;
    says(LOOP_TRYING, s, "experiment_ended");
}

Test(rule, while_a_person_is_awaited_only_harm_ends_it)
{
    struct loop_seen s = quiet;
    s.asks = true;
    s.verdict = LOOP_BETTER;
    s.over = true;
    says(LOOP_AWAITING, s, "nothing");
    s.experiment = LOOP_EXPERIMENT_ENDED; /* its verdict stands */
    says(LOOP_AWAITING, s, "nothing");
    s = quiet;
    s.verdict = LOOP_HARM;
    says(LOOP_AWAITING, s, "harm");
}

Test(rule, nothing_begins_by_itself_behind_a_person_who_ended_it)
{
    struct loop_seen s = quiet;
    s.experiment = LOOP_EXPERIMENT_ENDED;
    s.verdict = LOOP_BETTER;
    s.over = true;
    s.champion = 4;
    s.next = 7;
    says(LOOP_PAUSED, s, "nothing");
}

Test(rule, an_idle_loop_takes_the_challenger_then_what_waits)
{
    struct loop_seen s = { .champion = 3, .challenger = 5, .next = 6 };
    says(LOOP_IDLE, s, "challenger");
    s.challenger = 0;
    says(LOOP_IDLE, s, "next");
    s.challenger = 3; /* the champion */
    says(LOOP_IDLE, s, "next");
    s.next = 3;
    says(LOOP_IDLE, s, "nothing");
    s = (struct loop_seen){ .champion = 3 }; /* front ends may ask for it */
    says(LOOP_IDLE, s, "no_double");
    s.champion = 2; /* moved by hand: the double follows, and what was champion is not tried again */
    s.challenger = s.parked = 3;
    says(LOOP_IDLE, s, "no_double");
    s = (struct loop_seen){ .challenger = 5, .next = 6 }; /* nothing to be compared with */
    says(LOOP_IDLE, s, "nothing");
}
