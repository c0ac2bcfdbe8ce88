/* What the loop does: each action is one transaction that looks once more at what was seen, edits the experiment as a person would, moves aliases, and writes
 * the step of the story with its revision. */
#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "experimentd/config/life.h"
#include "experimentd/loop/parts.h"

enum { STATE_MAX = 8192, BODY_MAX = 16 << 10, REASON_MAX = 1500, NUMBER_MAX = 24 };
static const char loop_actor[] = "loop";

static const char *number(const struct loop_case *c, int64_t v)
{
    return arena_printf(c->arena, "%lld", (long long)v).p;
}

static const char *cstr(const struct loop_case *c, struct str s)
{
    return s.p ? arena_cstr(c->arena, s) : NULL;
}

/* Who did by hand what is told. */
static const char *person(const struct loop_case *c, struct str by)
{
    return by.n ? cstr(c, by) : "somebody";
}

/* ---- the pieces of a transaction ---- */

static bool run(const struct loop_case *c, enum loop_stmt stmt, const char *const *params, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(c->pg, &loop_statements[stmt], params, err);
    return r != NULL;
}

/* Nobody moves an alias from here on; what was decided was decided on this. */
static bool is_as_seen(const struct loop_case *c, struct err *err)
{
    const char *model[] = { cstr(c, c->model) };
    AUTO(pg_result_free)
    PGresult *r = run(c, LOOP_LOCK, model, err) ? pg_run(c->pg, &loop_statements[LOOP_SEEN], model, err) : NULL;
    if (!r)
        return false;
    return (PQntuples(r) == 1 && str_eq(pg_get(r, 0, LC_FINGERPRINT), c->fingerprint)) ||
           err_set(err, ERR_BUSY, "model \"" STR_FMT "\" was changed meanwhile", STR_ARG(c->model));
}

static const char *state_json(const struct loop_case *c, enum loop_state state, const struct loop_trial *t,
                              struct str held)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, STATE_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "phase", loop_state_names[state]);
    if (state == LOOP_IDLE) {
        jsonw_i64(&w, "parked", t->against);
    } else {
        jsonw_i64(&w, "version", t->version);
        jsonw_i64(&w, "against", t->against);
        jsonw_str(&w, "experiment", t->experiment);
        jsonw_i64(&w, "experiment_phase", t->phase);
        jsonw_i64(&w, "since_us", t->since_us);
    }
    if (held.n)
        jsonw_str(&w, "held", held);
    jsonw_close(&w);
    const char *text = arena_cstr(c->arena, buf_str(&b));
    buf_release(&b);
    return text;
}

/* Idle, with the champion's double as alias challenger. */
static const char *idle(const struct loop_case *c, int champion)
{
    struct loop_trial parked = { .against = champion };
    return state_json(c, LOOP_IDLE, &parked, (struct str){ NULL, 0 });
}

struct step {
    const char *name;
    int version; /* 0: none */
    const char *who;
    struct str reason;
    bool proven; /* the evidence goes with it */
};

static bool add_step(struct loop_case *c, struct step s, const struct loop_trial *t, const char *state, struct err *err)
{
    struct str reason = str_cut(s.reason, REASON_MAX);
    const char *params[] = { cstr(c, c->model),
                             s.name,
                             s.version ? number(c, s.version) : NULL,
                             t->experiment.n ? cstr(c, t->experiment) : NULL,
                             t->phase ? number(c, t->phase) : NULL,
                             s.who,
                             cstr(c, reason),
                             s.proven ? cstr(c, c->evidence.json) : "{}",
                             state };
    if (!run(c, LOOP_STEP, params, err))
        return false;
    assert(c->done_count < sizeof c->done / sizeof *c->done);
    c->done[c->done_count++] = s.name;
    return true;
}

static bool point(const struct loop_case *c, const char *alias, int version, const char *who, struct err *err)
{
    const char *params[] = { cstr(c, c->model), alias, number(c, version), who };
    AUTO(pg_result_free) PGresult *r = pg_run(c->pg, &loop_statements[LOOP_POINT], params, err);
    if (r && !PQgetisnull(r, 0, 0))
        return err_set(err, ERR_CONFLICT, "alias %s cannot point to version %d (%s)", alias, version,
                       PQgetvalue(r, 0, 0));
    return r != NULL;
}

static bool drop_alias(const struct loop_case *c, const char *alias, int version, const char *who, struct err *err)
{
    const char *params[] = { cstr(c, c->model), alias, version ? number(c, version) : NULL, who };
    return run(c, LOOP_DROP_ALIAS, params, err);
}

static bool edit_experiment(const struct loop_case *c, const char *action, edit_make_fn make, struct str body,
                            struct err *err)
{
    struct edit e = {
        .arena = c->arena, .kind = "experiment", .action = action, .key = c->spec.experiment, .make = make, .body = body
    };
    if (c->state != LOOP_IDLE)
        e.key = c->trial.experiment;
    return edit_run_blocking(&e, c->pg, c->s, loop_actor, err);
}

/* ---- the experiment ---- */

/* Its phase ends with what was found. One that a person has concluded stays as it is. */
static bool conclude(const struct loop_case *c, const char *winner, struct str reason, struct err *err)
{
    struct buf b;
    struct jsonw w;
    if (!c->e || (c->e->status != EXPERIMENT_RUNNING && c->e->status != EXPERIMENT_STOPPED))
        return true;
    buf_init(&b, BODY_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    if (winner)
        jsonw_text(&w, "winner", winner);
    jsonw_str(&w, "reason", str_cut(reason, REASON_MAX));
    jsonw_close(&w);
    struct str body = arena_str(c->arena, buf_str(&b));
    buf_release(&b);
    return edit_experiment(c, "conclude", life_conclude, body, err);
}

/* A phase of its own for the challenger as it is now: made, started, or begun anew. */
static bool begin(const struct loop_case *c, struct err *err)
{
    if (c->seen.experiment == LOOP_EXPERIMENT_DRAFT)
        return edit_experiment(c, "start", life_start, STR("{}"), err);
    return edit_experiment(c, "new phase", life_reopen, loop_spec_document(&c->spec, true, c->arena), err);
}

static struct loop_trial trial_now(const struct loop_case *c)
{
    bool starts = c->seen.experiment == LOOP_EXPERIMENT_DRAFT;
    return (struct loop_trial){ .version = c->seen.challenger,
                                .against = c->seen.champion,
                                .experiment = c->state == LOOP_IDLE ? c->spec.experiment : c->trial.experiment,
                                .phase = starts ? c->e->phase : c->e->phase + 1,
                                .since_us = clock_now_us() };
}

/* ---- actions ---- */

typedef bool (*act_fn)(struct loop_case *c, enum loop_event event, struct err *err);

static bool start(struct loop_case *c, struct str why, struct err *err)
{
    struct loop_trial t = trial_now(c);
    struct step s = { "started", t.version, loop_actor,
                      arena_printf(c->arena, "version %d against version %d, with %g %% of the units" STR_FMT,
                                   t.version, t.against, c->spec.traffic * 100, STR_ARG(why)),
                      false };
    return begin(c, err) && add_step(c, s, &t, state_json(c, LOOP_TRYING, &t, (struct str){ NULL, 0 }), err);
}

static bool is_job(struct str by)
{
    return str_starts(by, STR("job ")) || str_eq_c(by, loop_actor);
}

/* Making the draft is a transaction of its own: the start needs a configuration that has it. */
static bool act_try(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    if (c->seen.experiment == LOOP_EXPERIMENT_NONE)
        return edit_experiment(c, "create", life_create, loop_spec_document(&c->spec, false, c->arena), err);
    if (!loop_spec_fits(&c->spec, c->e, c->arena, err))
        return false;
    return start(c,
                 is_job(c->challenger_by)
                     ? STR("")
                     : arena_printf(c->arena, "; alias challenger was set by %s", person(c, c->challenger_by)),
                 err);
}

/* No step: nothing is decided by it. */
static bool act_park(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    const char *params[] = { cstr(c, c->model), idle(c, c->seen.champion) };
    return point(c, "challenger", c->seen.champion, loop_actor, err) && run(c, LOOP_STATE, params, err);
}

static bool act_take_next(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    struct loop_trial none = { .version = 0 };
    struct step s = { "challenger", c->seen.next, loop_actor, STR("it has waited for its turn"), false };
    return point(c, "challenger", c->seen.next, loop_actor, err) &&
           drop_alias(c, "next", c->seen.next, loop_actor, err) && add_step(c, s, &none, NULL, err);
}

static struct str moved(const struct loop_case *c, enum loop_event event)
{
    if (event == LOOP_EV_CHAMPION_MOVED)
        return arena_printf(
            c->arena,
            "alias champion was moved from version %d to %d by %s: what was measured was measured against another one",
            c->trial.against, c->seen.champion, person(c, c->champion_by));
    return arena_printf(c->arena, "alias challenger was moved from version %d to %d by %s", c->trial.version,
                        c->seen.challenger, person(c, c->challenger_by));
}

static bool act_again(struct loop_case *c, enum loop_event event, struct err *err)
{
    struct str by = event == LOOP_EV_CHAMPION_MOVED ? c->champion_by : c->challenger_by;
    struct step s = { "noticed", c->trial.version, person(c, by), moved(c, event), true };
    return add_step(c, s, &c->trial, NULL, err) && start(c, STR("; it begins anew"), err);
}

static bool act_adopt(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    struct loop_trial t = c->trial;
    t.phase = c->e->phase;
    t.since_us = c->e->phase_started_us;
    struct step s = { "noticed", t.version, person(c, c->experiment_by),
                      arena_printf(c->arena, "phase %d of the experiment was begun by %s: from here on it counts",
                                   t.phase, person(c, c->experiment_by)),
                      false };
    return add_step(c, s, &t, state_json(c, LOOP_TRYING, &t, (struct str){ NULL, 0 }), err);
}

static bool act_pause(struct loop_case *c, enum loop_event event, struct err *err)
{
    bool alias = event == LOOP_EV_CHAMPION_GONE;
    const char *who = person(c, alias ? c->champion_by : c->experiment_by);
    struct str why = alias  ? arena_printf(c->arena, "alias champion was taken away by %s", who)
                     : c->e ? arena_printf(c->arena, "the experiment was ended by %s%s" STR_FMT, who,
                                           c->e->stop_reason.n ? ": " : "", STR_ARG(c->e->stop_reason))
                            : arena_printf(c->arena, "the experiment was deleted by %s", who);
    struct step s = { "paused", c->trial.version, who,
                      arena_printf(c->arena,
                                   STR_FMT "; approve or reject the version, or point alias challenger to another one",
                                   STR_ARG(why)),
                      true };
    return add_step(c, s, &c->trial, state_json(c, LOOP_PAUSED, &c->trial, (struct str){ NULL, 0 }), err);
}

static bool act_ask(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    struct step s = { "awaiting", c->trial.version, loop_actor, c->evidence.reason, true };
    return add_step(c, s, &c->trial, state_json(c, LOOP_AWAITING, &c->trial, (struct str){ NULL, 0 }), err);
}

/* ---- how it ends ---- */

/* What is served as challenger from now on. An alias that a person moved or took away stays as it is. */
static bool park(const struct loop_case *c, int champion, const char *who, struct err *err)
{
    if (c->seen.challenger != c->trial.version)
        return true;
    return champion ? point(c, "challenger", champion, who, err)
                    : drop_alias(c, "challenger", c->trial.version, who, err);
}

/* The experiment's phase ends, and the loop is idle. */
static bool end(struct loop_case *c, struct step s, const char *winner, int champion, struct err *err)
{
    s.version = c->trial.version;
    s.proven = true;
    return conclude(c, winner, s.reason, err) && park(c, champion, s.who, err) &&
           add_step(c, s, &c->trial, idle(c, champion), err);
}

/* It is not champion in the end: the one that is stays. */
static bool end_without(struct loop_case *c, struct step s, const char *winner, struct err *err)
{
    return end(c, s, winner, c->seen.champion, err);
}

static bool act_promote(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    return point(c, "champion", c->trial.version, loop_actor, err) &&
           end(c, (struct step){ .name = "promoted", .who = loop_actor, .reason = c->evidence.reason }, "challenger",
               c->trial.version, err);
}

/* What was said of it so far, where something was. */
static struct str with_verdict(const struct loop_case *c, const char *what, const char *who)
{
    return arena_printf(c->arena, "%s by %s%s" STR_FMT, what, who, c->evidence.reason.n ? ". " : "",
                        STR_ARG(c->evidence.reason));
}

static bool act_promote_by_hand(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    const char *who = person(c, c->wished_by);
    struct step approved = { "approved", c->trial.version, who, with_verdict(c, "approved", who), true };
    return add_step(c, approved, &c->trial, NULL, err) && point(c, "champion", c->trial.version, who, err) &&
           end(c, (struct step){ .name = "promoted", .who = who, .reason = with_verdict(c, "approved", who) },
               "challenger", c->trial.version, err);
}

static bool act_record(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    const char *who = person(c, c->champion_by);
    return end(c,
               (struct step){ .name = "promoted", .who = who, .reason = with_verdict(c, "made champion by hand", who) },
               "challenger", c->trial.version, err);
}

static bool act_drop(struct loop_case *c, enum loop_event event, struct err *err)
{
    return end_without(c, (struct step){ .name = "dropped", .who = loop_actor, .reason = c->evidence.reason },
                       event == LOOP_EV_WORSE ? "champion" : NULL, err);
}

static bool act_roll_back(struct loop_case *c, enum loop_event event, struct err *err)
{
    return end_without(c, (struct step){ .name = "rolled_back", .who = loop_actor, .reason = c->evidence.reason },
                       event == LOOP_EV_HARM ? "champion" : NULL, err);
}

static bool act_time_out(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    struct str reason = arena_printf(c->arena, "%lld days have passed without a verdict%s" STR_FMT,
                                     (long long)c->spec.max_days, c->evidence.reason.n ? ". " : "",
                                     STR_ARG(c->evidence.reason));
    return end_without(c, (struct step){ .name = "timed_out", .who = loop_actor, .reason = reason }, NULL, err);
}

static bool act_let_go(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    const char *who = person(c, c->challenger_by);
    return end_without(c,
                       (struct step){ .name = "dropped",
                                      .who = who,
                                      .reason = with_verdict(c, "alias challenger was taken away", who) },
                       NULL, err);
}

static bool act_refuse(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    const char *who = person(c, c->wished_by);
    return end_without(c, (struct step){ .name = "rejected", .who = who, .reason = with_verdict(c, "rejected", who) },
                       NULL, err);
}

static bool act_end(struct loop_case *c, enum loop_event event, struct err *err)
{
    (void)event;
    const char *who = person(c, c->wished_by);
    return drop_alias(c, "next", 0, who, err) &&
           end_without(c, (struct step){ .name = "stopped", .who = who, .reason = with_verdict(c, "stopped", who) },
                       NULL, err);
}

static const act_fn acts[] = {
    [LOOP_WAIT] = NULL,
    [LOOP_TRY] = act_try,
    [LOOP_PARK] = act_park,
    [LOOP_TAKE_NEXT] = act_take_next,
    [LOOP_AGAIN] = act_again,
    [LOOP_ADOPT] = act_adopt,
    [LOOP_PAUSE] = act_pause,
    [LOOP_ASK] = act_ask,
    [LOOP_PROMOTE] = act_promote,
    [LOOP_PROMOTE_BY_HAND] = act_promote_by_hand,
    [LOOP_RECORD] = act_record,
    [LOOP_DROP] = act_drop,
    [LOOP_ROLL_BACK] = act_roll_back,
    [LOOP_TIME_OUT] = act_time_out,
    [LOOP_LET_GO] = act_let_go,
    [LOOP_REFUSE] = act_refuse,
    [LOOP_END] = act_end,
};
static_assert(sizeof acts / sizeof *acts == LOOP_ACT_COUNT, "a function for every action");

/* ---- one transaction ---- */

bool loop_act_run(struct loop_case *c, enum loop_act act, enum loop_event event, bool *out_changed, struct err *err)
{
    c->done_count = 0;
    if (pg_begin(c->pg, err) && is_as_seen(c, err) && acts[act](c, event, err) && pg_commit(c->pg, err)) {
        *out_changed = true;
        return true;
    }
    c->done_count = 0;
    pg_rollback(c->pg);
    return false;
}

bool loop_act_hold(struct loop_case *c, enum loop_act act, const struct err *why, bool *out_changed, struct err *err)
{
    struct str held = str_of(why->text);
    struct loop_trial t = c->trial;
    t.against = c->state == LOOP_IDLE ? c->seen.parked : t.against;
    struct step s = { "noticed", c->state == LOOP_IDLE ? c->seen.challenger : c->trial.version, loop_actor,
                      arena_printf(c->arena, "cannot go on (%s): %s", loop_act_names[act], why->text), false };
    if (str_eq(held, c->held))
        return true;
    c->done_count = 0;
    if (pg_begin(c->pg, err) && is_as_seen(c, err) &&
        add_step(c, s, &c->trial, state_json(c, c->state, &t, held), err) && pg_commit(c->pg, err)) {
        *out_changed = true;
        return true;
    }
    c->done_count = 0;
    pg_rollback(c->pg);
    *out_changed = err->kind == ERR_BUSY;
    return err->kind == ERR_BUSY;
}
