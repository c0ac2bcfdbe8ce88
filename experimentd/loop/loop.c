#include "experimentd/loop/loop.h"

#include <pthread.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "experimentd/loop/parts.h"

enum { TURN_ARENA_BYTES = 64 << 10, COUNTERS_MAX = 2000 };

/* A model as it was looked at last. */
struct known {
    struct known *next;
    char *model, *fingerprint;
    enum loop_state state;
    bool seen; /* in this turn */
    struct err logged;
};

struct counter {
    struct counter *next;
    char *model;
    const char *step;
    uint64_t n;
};

struct loops {
    struct arena arena; /* of one turn */
    struct known *known;
    pthread_mutex_t lock; /* of what follows, and of the states above: workers read them for /metrics */
    struct counter *counters;
    size_t counters_count;
};

struct loops *loops_new(void)
{
    struct loops *l = mem_zalloc(sizeof *l);
    arena_init(&l->arena, TURN_ARENA_BYTES);
    (void)pthread_mutex_init(&l->lock, NULL);
    return l;
}

static void drop_known(struct known **at)
{
    struct known *k = *at;
    *at = k->next;
    mem_free(k->model);
    mem_free(k->fingerprint);
    mem_free(k);
}

void loops_free(struct loops *l)
{
    if (!l)
        return;
    while (l->known)
        drop_known(&l->known);
    for (struct counter *c; (c = l->counters); mem_free(c)) {
        l->counters = c->next;
        mem_free(c->model);
    }
    (void)pthread_mutex_destroy(&l->lock);
    arena_release(&l->arena);
    mem_free(l);
}

/* ---- what is known ---- */

static struct known *known_get(struct loops *l, struct str model)
{
    struct known *k = l->known;
    while (k && !str_eq_c(model, k->model))
        k = k->next;
    if (k)
        return k;
    k = mem_zalloc(sizeof *k);
    *k = (struct known){ .next = l->known, .model = mem_strndup(model.p, model.n), .fingerprint = mem_strdup("") };
    l->known = k;
    return k;
}

static void remember(struct known *k, struct str fingerprint)
{
    mem_free(k->fingerprint);
    k->fingerprint = mem_strndup(fingerprint.p, fingerprint.n);
}

static void forget_gone(struct loops *l)
{
    for (struct known **at = &l->known; *at;) {
        if ((*at)->seen) {
            (*at)->seen = false;
            at = &(*at)->next;
        } else {
            drop_known(at);
        }
    }
}

static void count(struct loops *l, struct str model, const char *step)
{
    struct counter *c = l->counters;
    while (c && !(str_eq_c(model, c->model) && strcmp(step, c->step) == 0))
        c = c->next;
    if (!c && l->counters_count < COUNTERS_MAX) {
        c = mem_zalloc(sizeof *c);
        *c = (struct counter){ .next = l->counters, .model = mem_strndup(model.p, model.n), .step = step };
        l->counters = c;
        l->counters_count++;
    }
    if (c)
        c->n++;
}

static void count_done(struct loops *l, const struct loop_case *c)
{
    (void)pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < c->done_count; i++)
        count(l, c->model, c->done[i]);
    (void)pthread_mutex_unlock(&l->lock);
}

/* ---- one loop ---- */

static enum loop_state state_of(const char *name)
{
    for (size_t i = 0; name && i < LOOP_STATE_COUNT; i++)
        if (strcmp(name, loop_state_names[i]) == 0)
            return (enum loop_state)i;
    return LOOP_IDLE;
}

static enum loop_wish wish_of(const char *name)
{
    for (size_t i = 1; name && i < LOOP_WISH_COUNT; i++)
        if (strcmp(name, loop_wish_names[i]) == 0)
            return (enum loop_wish)i;
    return LOOP_NO_WISH;
}

static struct str member(const json_t *object, const char *name, struct arena *arena)
{
    const json_t *v = json_object_get(object, name);
    return json_is_string(v) ? arena_str(arena, str_of(json_string_value(v))) : (struct str){ NULL, 0 };
}

static void read_state(struct loop_case *c, const json_t *state)
{
    c->state = state_of(json_string_value(json_object_get(state, "phase")));
    c->trial = (struct loop_trial){ .version = (int)json_integer_value(json_object_get(state, "version")),
                                    .against = (int)json_integer_value(json_object_get(state, "against")),
                                    .experiment = member(state, "experiment", c->arena),
                                    .phase = (int)json_integer_value(json_object_get(state, "experiment_phase")),
                                    .since_us = json_integer_value(json_object_get(state, "since_us")) };
    c->seen.parked = (int)json_integer_value(json_object_get(state, "parked"));
    c->held = member(state, "held", c->arena);
    c->wished_by = member(state, "wished_by", c->arena);
    c->seen.wish = wish_of(json_string_value(json_object_get(state, "wish")));
}

static struct str text(struct loop_case *c, const PGresult *r, int row, enum loop_column column)
{
    return PQgetisnull(r, row, (int)column) ? (struct str){ NULL, 0 }
                                            : arena_str(c->arena, pg_get(r, row, (int)column));
}

static void read_row(struct loop_case *c, const PGresult *r, int row)
{
    c->model = text(c, r, row, LC_MODEL);
    c->fingerprint = text(c, r, row, LC_FINGERPRINT);
    c->champion_by = text(c, r, row, LC_CHAMPION_BY);
    c->challenger_by = text(c, r, row, LC_CHALLENGER_BY);
    c->experiment_by = text(c, r, row, LC_EXPERIMENT_BY);
    c->seen.champion = (int)pg_get_i64(r, row, LC_CHAMPION);
    c->seen.challenger = (int)pg_get_i64(r, row, LC_CHALLENGER);
    c->seen.next = (int)pg_get_i64(r, row, LC_NEXT);
    c->seen.over = pg_get_bool(r, row, LC_OVER);
}

static enum loop_experiment experiment_of(const struct snapshot_experiment *e)
{
    if (!e)
        return LOOP_EXPERIMENT_NONE;
    return e->status == EXPERIMENT_DRAFT     ? LOOP_EXPERIMENT_DRAFT
           : e->status == EXPERIMENT_RUNNING ? LOOP_EXPERIMENT_RUNS
                                             : LOOP_EXPERIMENT_ENDED;
}

/* What is seen of its experiment, and, where something is being tried, what the result says. */
static bool look(struct loop_case *c, struct err *err)
{
    bool tried = c->state != LOOP_IDLE;
    c->e = snapshot_experiment(c->s, tried ? c->trial.experiment : c->spec.experiment);
    c->seen.tried = c->trial.version;
    c->seen.against = c->trial.against;
    c->seen.asks = c->spec.asks;
    c->seen.alarm_ends = c->spec.alarm_ends;
    c->seen.experiment = experiment_of(c->e);
    c->seen.other_phase = tried && c->seen.experiment == LOOP_EXPERIMENT_RUNS && c->e->phase != c->trial.phase;
    c->evidence = (struct loop_evidence){ .json = STR("{}") };
    if (!tried || !c->e || c->seen.experiment == LOOP_EXPERIMENT_DRAFT || c->seen.other_phase)
        return true;
    if (!loop_evidence_read(c->pg, c->s, c->e, c->arena, &c->evidence, err))
        return false;
    c->seen.verdict = c->evidence.verdict;
    return true;
}

static bool decide(struct loop_case *c, bool *out_changed, struct err *err)
{
    enum loop_event event = loop_event_of(c->state, &c->seen);
    enum loop_act act = loop_rule(c->state, event);
    struct err why;
    *out_changed = false;
    if (act == LOOP_WAIT)
        return true;
    if (loop_act_run(c, act, event, out_changed, &why)) {
        log_info("loop_step", "model=" STR_FMT " event=%s action=%s version=%d", STR_ARG(c->model),
                 loop_event_name(event), loop_act_names[act], c->trial.version ? c->trial.version : c->seen.challenger);
        return true;
    }
    if (why.kind == ERR_BUSY) {
        *out_changed = true;
        return true;
    }
    if (why.kind == ERR_DB)
        return err_set(err, why.kind, "%s", why.text);
    return loop_act_hold(c, act, &why, out_changed, err);
}

static bool turn_one(struct loops *l, struct loop_case *c, const PGresult *r, int row, struct known *k, struct err *err)
{
    json_auto_t *spec = json_parse(pg_get(r, row, LC_SPEC), err);
    json_auto_t *state = spec ? json_parse(pg_get(r, row, LC_STATE), err) : NULL;
    bool changed;
    if (!state || !loop_spec_read(spec, c->model, c->arena, &c->spec, err))
        return false;
    read_state(c, state);
    (void)pthread_mutex_lock(&l->lock);
    k->state = c->state;
    (void)pthread_mutex_unlock(&l->lock);
    if (!look(c, err) || !decide(c, &changed, err))
        return false;
    count_done(l, c);
    if (!changed)
        remember(k, c->fingerprint);
    return true;
}

/* ---- a turn ---- */

/* Once for each new reason: a turn comes every second. */
static void tell_failed(struct known *k, const struct err *err)
{
    if (strcmp(k->logged.text, err->text) == 0)
        return;
    k->logged = *err;
    log_warn("loop_failed", "model=%s " LOG_ERR, k->model, LOG_ERR_ARG(err));
}

/* The configuration is read when the first loop needs it, and anew behind an edit of ours. */
static bool turn(struct loops *l, struct pg *pg, const PGresult *r, struct snapshot **s, struct err *err)
{
    for (int row = 0; row < PQntuples(r); row++) {
        struct loop_case c = { .pg = pg, .arena = &l->arena };
        struct err failed = { 0 };
        read_row(&c, r, row);
        struct known *k = known_get(l, c.model);
        k->seen = true;
        if (str_eq_c(c.fingerprint, k->fingerprint))
            continue;
        if (!*s && !(*s = snapshot_load_aside(pg, err)))
            return false;
        c.s = *s;
        if (!turn_one(l, &c, r, row, k, &failed)) {
            if (!pg_is_alive(pg))
                return err_set(err, failed.kind, "%s", failed.text);
            tell_failed(k, &failed);
        }
        if (c.done_count) {
            snapshot_free(*s);
            *s = NULL;
        }
    }
    return true;
}

bool loops_turn(struct loops *l, struct pg *pg, struct err *err)
{
    const char *all[] = { NULL };
    struct snapshot *s = NULL;
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &loop_statements[LOOP_SEEN], all, err);
    bool ok = r && turn(l, pg, r, &s, err);
    snapshot_free(s);
    if (ok) {
        (void)pthread_mutex_lock(&l->lock);
        forget_gone(l);
        (void)pthread_mutex_unlock(&l->lock);
    }
    arena_reset(&l->arena);
    return ok;
}

/* ---- /metrics ---- */

void loops_write_metrics(struct loops *l, struct buf *b)
{
    (void)pthread_mutex_lock(&l->lock);
    buf_add_c(b,
              "# HELP experimentd_model_loop_steps_total steps of loops of models that this daemon made while it led\n"
              "# TYPE experimentd_model_loop_steps_total counter\n");
    for (const struct counter *c = l->counters; c; c = c->next)
        buf_addf(b, "experimentd_model_loop_steps_total{model=\"%s\",step=\"%s\"} %llu\n", c->model, c->step,
                 (unsigned long long)c->n);
    buf_add_c(b, "# HELP experimentd_model_loop_state 1 for the state that the loop is in, as the leader sees it\n"
                 "# TYPE experimentd_model_loop_state gauge\n");
    for (const struct known *k = l->known; k; k = k->next)
        buf_addf(b, "experimentd_model_loop_state{model=\"%s\",state=\"%s\"} 1\n", k->model,
                 loop_state_names[k->state]);
    (void)pthread_mutex_unlock(&l->lock);
}
