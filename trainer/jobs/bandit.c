/* The job "bandit": moments of running bandits → weights of their variants, in the payload that every SDK follows.
 *
 * Reads what the job "metrics" has published, believes (stats/bandit.h), decides, and publishes with config_set_weights(): only where
 * the experiment is still the one that was read, so that an edit or another run that came between wins. Weights are kept, with the reason
 * on standard error, until every arm has its burn-in. Units are compared within days of first exposure (CELL_COHORT). */
#include <math.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "stats/bandit.h"
#include "trainer/jobs/job.h"
#include "trainer/kernels/unit_cells.h"

enum { WEIGHTS_BYTES_MAX = 64 << 10 };

enum stmt { BANDITS, ARMS, CELLS, STMT_COUNT };
static const struct pg_stmt read_statements[STMT_COUNT] = {
    /* $1: a key, or '' for all. Moments of a run that began before the phase are of other units, or of other variants. */
    [BANDITS] = { "bandits", 1,
                  "select e.key, e.version, b->>'policy', (b->>'floor')::float8, (b->>'epsilon')::float8, "
                  "(b->>'beta')::float8, (b->>'burn_in_units')::bigint, m.key, m.kind, m.direction, "
                  "coalesce(r.started_at >= coalesce(e.phase_started_at, e.started_at), false) "
                  "from experiments e cross join lateral (select e.spec->'bandit' as b) s "
                  "left join metrics m on m.key = coalesce(b->>'metric', "
                  "(select x.metric from experiment_metrics x where x.experiment = e.key and x.role = 'primary' "
                  "order by x.position limit 1)) "
                  "left join moments_current c on c.experiment = e.key left join runs r on r.id = c.run "
                  "where e.kind = 'bandit' and e.status = 'running' and ($1 = '' or e.key = $1) order by e.key" },
    [ARMS] = { "bandit_arms", 1,
               "select v.key, coalesce((e.state->'weights'->>v.position::int)::float8, v.weight) "
               "from variants v join experiments e on e.key = v.experiment where e.key = $1 order by v.position" },
    [CELLS] = { "bandit_cells", 2,
                "select day - date '1970-01-01', variant, n, mean_x, m2_x, coalesce(mean_y, 0), coalesce(m2_y, 0), "
                "coalesce(cxy, 0) from moments where experiment = $1 and metric = $2 and segment = '" CELL_COHORT
                "' order by day" },
};
/* Every edit of the configuration begins with this lock, so nothing moves between the check of the version and the write. */
static const struct pg_stmt lock_config = { "bandit_lock", 0, "select version from config_version for update" };
static const struct pg_stmt set_weights = {
    "bandit_set", 3,
    "select config_set_weights(e.key, $2::jsonb, 'job:bandit') from experiments e where e.key = $1 and e.version = "
    "$3::int"
};

struct bandit {
    struct str key, version, metric;
    enum metric_kind kind;
    bool known, smaller_is_better, fresh, moved; /* fresh: the moments are of the present phase */
    struct bandit_rule rule;
    int64_t burn_in;
    size_t n;
    struct str *arms;
    double *weights; /* as they are served now */
    struct moments2 *cells;
    size_t periods;
    struct bandit_beliefs beliefs;
    struct bandit_decision decision;
};

struct bandits {
    struct arena arena;
    struct bandit *list;
    size_t count;
};

/* ---- reading ---- */

static bool read_policy(struct str name, enum bandit_policy *out)
{
    for (int p = 0; p < BANDIT_POLICY_COUNT; p++) {
        if (str_eq_c(name, bandit_policy_names[p])) {
            *out = (enum bandit_policy)p;
            return true;
        }
    }
    return false;
}

static void read_bandit(struct bandit *b, const PGresult *r, int row, struct arena *arena)
{
    struct str kind = pg_get(r, row, 8);
    *b = (struct bandit){ .key = arena_str(arena, pg_get(r, row, 0)), .version = arena_str(arena, pg_get(r, row, 1)) };
    b->known = read_policy(pg_get(r, row, 2), &b->rule.policy) && kind.p;
    b->rule.floor = pg_get_double(r, row, 3);
    b->rule.epsilon = pg_get_double(r, row, 4);
    b->rule.beta = pg_get_double(r, row, 5);
    b->burn_in = pg_get_i64(r, row, 6);
    b->metric = arena_str(arena, pg_get(r, row, 7));
    b->kind = METRIC_MEAN;
    if (str_eq(kind, STR("proportion")))
        b->kind = METRIC_PROPORTION;
    else if (str_eq(kind, STR("ratio")))
        b->kind = METRIC_RATIO;
    b->smaller_is_better = str_eq(pg_get(r, row, 9), STR("decrease"));
    b->fresh = pg_get_bool(r, row, 10);
}

static bool read_arms(struct bandit *b, struct pg *pg, struct arena *arena, struct err *err)
{
    const char *params[] = { b->key.p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &read_statements[ARMS], params, err);
    if (!r)
        return false;
    b->n = (size_t)PQntuples(r);
    b->arms = arena_zalloc(arena, b->n * sizeof *b->arms);
    b->weights = arena_zalloc(arena, b->n * sizeof *b->weights);
    for (size_t i = 0; i < b->n; i++) {
        b->arms[i] = arena_str(arena, pg_get(r, (int)i, 0));
        b->weights[i] = pg_get_double(r, (int)i, 1);
    }
    return true;
}

static struct moments2 *cell_of(const struct bandit *b, size_t period, struct str variant)
{
    for (size_t i = 0; i < b->n; i++)
        if (str_eq(b->arms[i], variant))
            return &b->cells[period * b->n + i];
    return NULL;
}

static bool read_cells(struct bandit *b, struct pg *pg, struct arena *arena, uint64_t *rows, struct err *err)
{
    const char *params[] = { b->key.p, b->metric.p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &read_statements[CELLS], params, err);
    if (!r)
        return false;
    size_t count = (size_t)PQntuples(r);
    b->cells = arena_zalloc(arena, (count * b->n + 1) * sizeof *b->cells);
    for (int row = 0; row < (int)count; row++) {
        if (row == 0 || pg_get_i64(r, row, 0) != pg_get_i64(r, row - 1, 0))
            b->periods++;
        struct moments2 *m = cell_of(b, b->periods - 1, pg_get(r, row, 1));
        if (m)
            *m = (struct moments2){ .n = pg_get_i64(r, row, 2),
                                    .mean_x = pg_get_double(r, row, 3),
                                    .m2_x = pg_get_double(r, row, 4),
                                    .mean_y = pg_get_double(r, row, 5),
                                    .m2_y = pg_get_double(r, row, 6),
                                    .cxy = pg_get_double(r, row, 7) };
    }
    *rows += count;
    return true;
}

static bool read_all(struct bandits *all, struct pg *pg, const char *only, uint64_t *rows, struct err *err)
{
    const char *params[] = { only };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &read_statements[BANDITS], params, err);
    if (!r)
        return false;
    all->count = (size_t)PQntuples(r);
    all->list = arena_zalloc(&all->arena, (all->count + 1) * sizeof *all->list);
    for (size_t i = 0; i < all->count; i++) {
        struct bandit *b = &all->list[i];
        read_bandit(b, r, (int)i, &all->arena);
        if (!read_arms(b, pg, &all->arena, err) || !read_cells(b, pg, &all->arena, rows, err))
            return false;
    }
    return true;
}

/* ---- deciding ---- */

static bool burnt_in(const struct bandit *b, struct err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        int64_t units = 0;
        for (size_t p = 0; p < b->periods; p++)
            units += b->cells[p * b->n + i].n;
        if (units < b->burn_in)
            return err_set(err, ERR_CONFLICT, "arm \"" STR_FMT "\" has %lld units, the burn-in asks for %lld",
                           STR_ARG(b->arms[i]), (long long)units, (long long)b->burn_in);
    }
    return true;
}

static bool decide(struct bandit *b, struct err *err)
{
    if (!b->known)
        return err_set(err, ERR_INVALID, "it has no policy or no metric that this program knows");
    if (!b->fresh || b->periods == 0)
        return err_set(err, ERR_CONFLICT,
                       "there are no moments of its present phase; \"trainer run metrics\" makes them");
    return burnt_in(b, err) &&
           bandit_believe(b->kind, b->cells, b->periods, b->n, b->smaller_is_better, &b->beliefs, err) &&
           bandit_decide(&b->rule, &b->beliefs, &b->decision, err);
}

static void tell_arms(const struct run_context *run, const struct bandit *b)
{
    run_say(run, "bandit experiment=" STR_FMT " metric=" STR_FMT " policy=%s periods=%zu", STR_ARG(b->key),
            STR_ARG(b->metric), bandit_policy_names[b->rule.policy], b->beliefs.periods);
    for (size_t i = 0; i < b->n; i++)
        run_say(run,
                "bandit experiment=" STR_FMT " arm=" STR_FMT
                " units=%lld mean=%.6g sd=%.2g best=%.4f weight=%.4f was=%.4f",
                STR_ARG(b->key), STR_ARG(b->arms[i]), (long long)b->beliefs.units[i], b->beliefs.values[i],
                b->beliefs.sd[i], b->decision.best.p[i], b->decision.weights[i], b->weights[i]);
}

static void decide_all(const struct run_context *run, struct bandits *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct bandit *b = &all->list[i];
        struct err why = { 0 };
        if (!decide(b, &why)) {
            run_say(run, "bandit experiment=" STR_FMT " weights=kept why=\"%s\"", STR_ARG(b->key), why.text);
            continue;
        }
        for (size_t k = 0; k < b->n; k++)
            b->moved = b->moved || fabs(b->decision.weights[k] - b->weights[k]) > 0.5 / BANDIT_STEPS;
        tell_arms(run, b);
    }
}

/* ---- publishing ---- */

static bool publish_one(struct run_context *run, const struct bandit *b, size_t *out_moved, struct err *err)
{
    struct buf text;
    buf_init(&text, WEIGHTS_BYTES_MAX);
    for (size_t i = 0; i < b->n; i++)
        buf_addf(&text, "%s%.4f", i ? ", " : "[", b->decision.weights[i]);
    buf_add_c(&text, "]");
    const char *params[] = { b->key.p, text.p, b->version.p };
    AUTO(pg_result_free)
    PGresult *r = buf_ok(&text, "the weights", err) ? pg_run(run->pg, &set_weights, params, err) : NULL;
    buf_release(&text);
    if (!r)
        return false;
    if (PQntuples(r) == 0 || PQgetisnull(r, 0, 0))
        run_say(run,
                "bandit experiment=" STR_FMT " weights=kept why=\"it was edited meanwhile, or another run set them\"",
                STR_ARG(b->key));
    else
        run_say(run, "bandit experiment=" STR_FMT " weights=set config_version=%lld", STR_ARG(b->key),
                (long long)pg_get_i64(r, 0, 0));
    *out_moved += PQntuples(r) > 0 && !PQgetisnull(r, 0, 0);
    return true;
}

static bool publish(struct run_context *run, const struct bandits *all, struct err *err)
{
    size_t moved = 0;
    if (!run_publish_begin(run, err))
        return false;
    AUTO(pg_result_free) PGresult *locked = pg_run(run->pg, &lock_config, NULL, err);
    if (!locked)
        return false;
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].moved && !publish_one(run, &all->list[i], &moved, err))
            return false;
    run_result(run, "{\"bandits\":%zu,\"weights_set\":%zu}", all->count, moved);
    return run_publish_end(run, err);
}

/* ---- the job ---- */

static bool weigh(struct run_context *run, struct bandits *all, struct err *err)
{
    const char *only = run->param(run, "experiment");
    if (!pg_exec(run->pg, "begin isolation level repeatable read read only", err) ||
        !read_all(all, run->pg, only ? only : "", &run->rows_in, err) || !pg_commit(run->pg, err))
        return false;
    if (only && all->count == 0)
        return err_set(err, ERR_INVALID, "experiment \"%s\" is not a bandit that runs", only);
    if (all->count == 0)
        run_say(run, "bandit: none runs");
    decide_all(run, all);
    return publish(run, all, err);
}

static bool run_bandit(struct run_context *run, struct err *err)
{
    struct bandits all = { 0 };
    arena_init(&all.arena, 1 << 16);
    bool ok = weigh(run, &all, err);
    arena_release(&all.arena);
    return ok;
}

const struct job job_bandit = { "bandit", run_bandit };
