#include "experimentd/schedule/schedule.h"

#include <assert.h>

#include "base/log.h"
#include "base/pg.h"
#include "experimentd/config/life.h"
#include "experimentd/queries.h"
#include "experimentd/results/guardrail.h"
#include "experimentd/results/looks.h"

enum { BACK_OFF_MAX_S = 60, TURN_ARENA_BYTES = 16 << 10 };
#define WATCHED_AFTER_STOP_US (7 * 24 * 3600 * US_PER_SECOND) /* when the last signals have long been counted */

const char *const schedule_kind_names[] = {
    [SCHEDULE_NOTHING] = "nothing",     [SCHEDULE_START] = "start", [SCHEDULE_STOP] = "stop", [SCHEDULE_RAMP] = "ramp",
    [SCHEDULE_GUARDRAIL] = "guardrail", [SCHEDULE_HOLD] = "hold",   [SCHEDULE_LOOK] = "look",
};
static_assert(COUNT_OF(schedule_kind_names) == SCHEDULE_KIND_COUNT, "a name for every kind");

/* As the revision tells it: what was done, and by whom. */
static const struct {
    const char *action, *actor;
    edit_make_fn make;
} edits[] = {
    [SCHEDULE_START] = { "start", "schedule", life_start }, [SCHEDULE_STOP] = { "stop", "schedule", life_stop },
    [SCHEDULE_RAMP] = { "ramp", "ramp", life_ramp },        [SCHEDULE_GUARDRAIL] = { "stop", "guardrail", life_stop },
    [SCHEDULE_HOLD] = { "hold", "schedule", life_hold },    [SCHEDULE_LOOK] = { "look", "schedule", life_look },
};
static_assert(COUNT_OF(edits) == SCHEDULE_KIND_COUNT, "a row for every kind");

/* What failed for one experiment: until when it is left alone, and what was logged. */
struct attempt {
    struct attempt *next;
    struct str key;  /* owned */
    int64_t version; /* of the experiment: another one is tried at once */
    int64_t retry_mono_us;
    unsigned failures;
    struct err logged;
};

struct schedule {
    struct schedule_counters counters;
    struct attempt *attempts; /* at most one an experiment of the snapshot */
    int64_t look_mono_us;     /* when guardrails are looked at next */
    struct arena arena;       /* of one turn */
    bool used_pg;
};

/* ---- what is due ---- */

static bool is_due(int64_t at_us, int64_t now_us)
{
    return at_us && at_us <= now_us;
}

struct schedule_due schedule_due(const struct snapshot_experiment *e, int64_t now_us)
{
    if (e->status == EXPERIMENT_DRAFT && is_due(e->start_at_us, now_us))
        return (struct schedule_due){ SCHEDULE_START, e->start_at_us };
    if (e->status != EXPERIMENT_RUNNING)
        return (struct schedule_due){ SCHEDULE_NOTHING, 0 };
    if (is_due(e->stop_at_us, now_us))
        return (struct schedule_due){ SCHEDULE_STOP, e->stop_at_us };
    if (e->ramp_step + 1 < e->ramp_count && is_due(e->ramp_since_us + e->ramp[e->ramp_step].hold_us, now_us))
        return (struct schedule_due){ SCHEDULE_RAMP, e->ramp_since_us + e->ramp[e->ramp_step].hold_us };
    return (struct schedule_due){ SCHEDULE_NOTHING, 0 };
}

bool schedule_is_guarded(const struct snapshot_experiment *e)
{
    return e->status == EXPERIMENT_RUNNING && e->guardrail_stop && guardrail_has(e);
}

bool schedule_is_watched(const struct snapshot_experiment *e, int64_t now_us)
{
    bool lately = e->status == EXPERIMENT_STOPPED && now_us - e->stopped_us < WATCHED_AFTER_STOP_US;
    return e->analysis.method == ANALYSIS_GROUP_SEQUENTIAL && (e->status == EXPERIMENT_RUNNING || lately) &&
           looks_next(e).any;
}

/* ---- what failed ---- */

static struct attempt **find_attempt(struct schedule *t, struct str key)
{
    struct attempt **at = &t->attempts;
    while (*at && !str_eq((*at)->key, key))
        at = &(*at)->next;
    return at;
}

static void drop_attempt(struct attempt **at)
{
    struct attempt *a = *at;
    *at = a->next;
    mem_free((char *)(uintptr_t)a->key.p);
    mem_free(a);
}

static struct attempt *attempt_get(struct schedule *t, const struct snapshot_experiment *e)
{
    struct attempt **at = find_attempt(t, e->key);
    if (!*at) {
        *at = mem_zalloc(sizeof **at);
        (*at)->key = (struct str){ mem_strndup(e->key.p, e->key.n), e->key.n };
    }
    return *at;
}

static bool must_wait(struct schedule *t, const struct snapshot_experiment *e)
{
    const struct attempt *a = *find_attempt(t, e->key);
    return a && a->version == e->version && clock_mono_us() < a->retry_mono_us;
}

static void failed(struct schedule *t, const struct snapshot_experiment *e, enum schedule_kind kind,
                   const struct err *err)
{
    struct attempt *a = attempt_get(t, e);
    a->failures = a->version == e->version ? a->failures + 1 : 1;
    a->version = e->version;
    int64_t wait_s = a->failures > 6 ? BACK_OFF_MAX_S : INT64_C(1) << (a->failures - 1);
    a->retry_mono_us = clock_mono_us() + wait_s * US_PER_SECOND;
    (void)atomic_fetch_add_explicit(&t->counters.failed[kind], 1, memory_order_relaxed);
    if (strcmp(a->logged.text, err->text) == 0)
        return;
    a->logged = *err;
    log_error("schedule_failed", "experiment=" STR_FMT " action=%s " LOG_ERR, STR_ARG(e->key),
              schedule_kind_names[kind], LOG_ERR_ARG(err));
}

/* Forgets what is no longer due, or no longer there. */
static void sweep(struct schedule *t, const struct snapshot *s, int64_t now_us)
{
    for (struct attempt **at = &t->attempts; *at;) {
        const struct snapshot_experiment *e = snapshot_experiment(s, (*at)->key);
        if (e && (schedule_is_guarded(e) || schedule_is_watched(e, now_us) ||
                  schedule_due(e, now_us).kind != SCHEDULE_NOTHING))
            at = &(*at)->next;
        else
            drop_attempt(at);
    }
}

/* ---- edits ---- */

/* What a turn does after one experiment. */
enum after { GO_ON, END_TURN };

static bool run_edit(struct schedule *t, struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                     enum schedule_kind kind, const void *arg, struct err *err)
{
    struct edit edit = { .arena = &t->arena,
                         .kind = "experiment",
                         .action = edits[kind].action,
                         .key = e->key,
                         .make = edits[kind].make,
                         .arg = arg };
    t->used_pg = true;
    if (!edit_run_blocking(&edit, pg, s, edits[kind].actor, err))
        return false;
    (void)atomic_fetch_add_explicit(&t->counters.edits[kind], 1, memory_order_relaxed);
    return true;
}

/* The experiment tells why; once, for a revision is written. */
static enum after hold(struct schedule *t, struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                       const char *why)
{
    struct err err;
    struct attempt *a = *find_attempt(t, e->key);
    if (str_eq_c(e->held_back, why))
        return GO_ON;
    if (!run_edit(t, pg, s, e, SCHEDULE_HOLD, why, &err)) {
        if (err.kind != ERR_BUSY)
            failed(t, e, SCHEDULE_HOLD, &err);
        return END_TURN;
    }
    if (a)
        a->version = e->version + 1; /* ours: nothing that could have mended it */
    log_info("schedule_held_back", "experiment=" STR_FMT " reason=\"%s\"", STR_ARG(e->key), why);
    return END_TURN;
}

static enum after act(struct schedule *t, struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                      struct schedule_due due, const char *text)
{
    struct err err;
    if (run_edit(t, pg, s, e, due.kind, text, &err)) {
        log_info("schedule_done", "experiment=" STR_FMT " action=%s late_seconds=%.1f%s%s%s", STR_ARG(e->key),
                 schedule_kind_names[due.kind], (double)(clock_now_us() - due.at_us) / 1e6, text ? " reason=\"" : "",
                 text ? text : "", text ? "\"" : "");
        struct attempt **at = find_attempt(t, e->key);
        if (*at)
            drop_attempt(at);
        return END_TURN;
    }
    if (err.kind == ERR_BUSY)
        return END_TURN; /* another edit came first, perhaps another daemon's of the same: the next snapshot tells */
    failed(t, e, due.kind, &err);
    return err.kind == ERR_DB ? END_TURN : hold(t, pg, s, e, err.text);
}

/* ---- guardrails ---- */

static bool read_result(struct schedule *t, struct pg *pg, const struct snapshot *s,
                        const struct snapshot_experiment *e, struct result *out, struct err *err)
{
    const char *params[] = { arena_printf(&t->arena, "{" STR_FMT "}", STR_ARG(e->key)).p,
                             result_wanted_parts(e, &t->arena) };
    t->used_pg = true;
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &queries[QUERY_RESULTS_LATEST], params, err);
    if (!r)
        return false;
    result_read(out, s, e, r, &t->arena);
    return true;
}

static enum after take_look(struct schedule *t, struct pg *pg, const struct snapshot *s,
                            const struct snapshot_experiment *e, const struct result *r, double share)
{
    struct experiment_look l;
    struct err err;
    looks_take(&l, r, share, &t->arena);
    if (!l.cells_count)
        return GO_ON;
    if (run_edit(t, pg, s, e, SCHEDULE_LOOK, &l, &err))
        log_info("schedule_look", "experiment=" STR_FMT " look=%zu share=%.4f units=%lld", STR_ARG(e->key),
                 e->looks_count + 1, share, (long long)l.units);
    else if (err.kind != ERR_BUSY)
        failed(t, e, SCHEDULE_LOOK, &err);
    return END_TURN;
}

static enum after guard(struct schedule *t, struct pg *pg, const struct snapshot *s,
                        const struct snapshot_experiment *e, const struct result *r, struct schedule_due due,
                        int64_t now_us)
{
    struct guardrail g;
    guardrail_check(&g, r, &t->arena);
    if (g.state == GUARDRAIL_WORSE)
        return act(t, pg, s, e, (struct schedule_due){ SCHEDULE_GUARDRAIL, now_us }, g.text.p);
    if (due.kind != SCHEDULE_RAMP)
        return GO_ON;
    return g.state == GUARDRAIL_FINE ? act(t, pg, s, e, due, NULL) : hold(t, pg, s, e, g.text.p);
}

/* A planned look goes before a stop by a guardrail: that one comes with the next turn. */
static enum after look(struct schedule *t, struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                       struct schedule_due due, int64_t now_us)
{
    struct result r;
    struct err err;
    if (!read_result(t, pg, s, e, &r, &err)) {
        failed(t, e, SCHEDULE_GUARDRAIL, &err);
        return END_TURN;
    }
    double share = looks_due(&r);
    if (share > 0 && take_look(t, pg, s, e, &r, share) == END_TURN)
        return END_TURN;
    if (schedule_is_guarded(e))
        return guard(t, pg, s, e, &r, due, now_us);
    return due.kind == SCHEDULE_NOTHING ? GO_ON : act(t, pg, s, e, due, NULL);
}

/* ---- a turn ---- */

static enum after consider(struct schedule *t, struct pg *pg, const struct snapshot *s,
                           const struct snapshot_experiment *e, bool looking, int64_t now_us)
{
    struct schedule_due due = schedule_due(e, now_us);
    bool guarded = schedule_is_guarded(e), watched = schedule_is_watched(e, now_us);
    char at[CLOCK_TEXT_MAX];
    if ((due.kind == SCHEDULE_NOTHING && !guarded && !watched) || must_wait(t, e))
        return GO_ON;
    if (due.kind == SCHEDULE_STOP)
        return act(t, pg, s, e, due,
                   arena_printf(&t->arena, "schedule: \"stop_at\" (%s) has come", clock_format(due.at_us, at)).p);
    if (looking && (guarded || watched))
        return look(t, pg, s, e, due, now_us);
    return guarded || due.kind == SCHEDULE_NOTHING ? GO_ON : act(t, pg, s, e, due, NULL);
}

bool schedule_turn(struct schedule *t, struct pg *pg, const struct snapshot *s)
{
    int64_t now_us = clock_now_us();
    bool looking = clock_mono_us() >= t->look_mono_us;
    enum after after = GO_ON;
    t->used_pg = false;
    sweep(t, s, now_us);
    for (size_t i = 0; after == GO_ON && i < s->experiments_count; i++)
        after = consider(t, pg, s, &s->experiments[i], looking, now_us);
    if (looking && after == GO_ON) /* otherwise the next turn goes on looking */
        t->look_mono_us = clock_mono_us() + GUARDRAIL_EVERY_US;
    arena_reset(&t->arena);
    return t->used_pg;
}

struct schedule *schedule_new(void)
{
    struct schedule *t = mem_zalloc(sizeof *t);
    arena_init(&t->arena, TURN_ARENA_BYTES);
    return t;
}

void schedule_free(struct schedule *t)
{
    if (!t)
        return;
    while (t->attempts)
        drop_attempt(&t->attempts);
    arena_release(&t->arena);
    mem_free(t);
}

const struct schedule_counters *schedule_counters(const struct schedule *t)
{
    return &t->counters;
}
