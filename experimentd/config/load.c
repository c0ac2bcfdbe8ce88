/* snapshot_load: the whole configuration read in one transaction and built into one arena. */
#include "experimentd/config/load.h"

#include <assert.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "experimentd/config/snapshot_parts.h"

enum stmt { VERSION, EXPERIMENTS, VARIANTS, EXPERIMENT_METRICS, METRICS, KEYS, STMT_COUNT };
static_assert((int)STMT_COUNT == (int)CONFIG_STMT_COUNT, "a row for every statement");
enum { SNAPSHOT_ARENA_BYTES = 64 << 10, FRAGMENT_MAX = 1 << 20 };

static const char *const unassigned_names[] = {
    [NOT_RUNNING] = "not_running",
    [NOT_IN_COVERAGE] = "not_in_coverage",
    [NO_UNIT] = "no_unit",
};
static_assert(sizeof unassigned_names / sizeof *unassigned_names == UNASSIGNED_COUNT, "a name for every reason");

#define US(column) "(extract(epoch from " column ") * 1000000)::bigint"

const struct pg_stmt config_statements[] = {
    [VERSION] = { "config_version", 0, "select version from config_version" },
    [EXPERIMENTS] = { "config_experiments", 0,
                      "select key, name, hypothesis, status, hash_attribute, hash_version, seed, coverage, origin, "
                      "version, " US("created_at") ", " US("started_at") ", " US(
                          "stopped_at") " from experiments order by key collate \"C\"" },
    [VARIANTS] = { "config_variants", 0,
                   "select experiment, key, name, weight, value::text from variants order by experiment collate \"C\", "
                   "position" },
    [EXPERIMENT_METRICS] = { "config_experiment_metrics", 0,
                             "select experiment, metric, role from experiment_metrics order by experiment collate "
                             "\"C\", position" },
    [METRICS] = { "config_metrics", 0,
                  "select key, name, description, kind, direction, display from metrics order by key collate \"C\"" },
    [KEYS] = { "config_keys", 0, "select encode(hash, 'hex'), scope, label from api_keys where revoked_at is null" },
};

static struct str text(struct snapshot_whole *w, const PGresult *r, int row, int column)
{
    return arena_str(&w->arena, pg_get(r, row, column));
}

static enum experiment_status status_of(struct str s)
{
    return str_eq(s, STR("running")) ? EXPERIMENT_RUNNING
           : str_eq(s, STR("draft")) ? EXPERIMENT_DRAFT
                                     : EXPERIMENT_STOPPED;
}

static void read_experiments(struct snapshot_whole *w, const PGresult *r)
{
    size_t n = (size_t)PQntuples(r);
    w->s.experiments = arena_zalloc(&w->arena, n * sizeof *w->s.experiments);
    w->s.experiments_count = n;
    for (int i = 0; i < (int)n; i++) {
        w->s.experiments[i] = (struct snapshot_experiment){
            .key = text(w, r, i, 0),
            .name = text(w, r, i, 1),
            .hypothesis = text(w, r, i, 2),
            .status = status_of(pg_get(r, i, 3)),
            .hash_attribute = text(w, r, i, 4),
            .hash_version = (int)pg_get_i64(r, i, 5),
            .seed = text(w, r, i, 6),
            .coverage = pg_get_double(r, i, 7),
            .origin = text(w, r, i, 8),
            .version = pg_get_i64(r, i, 9),
            .created_us = pg_get_i64(r, i, 10),
            .started_us = pg_get_i64(r, i, 11),
            .stopped_us = pg_get_i64(r, i, 12),
        };
    }
}

/* Rows of r from *row on that belong to the experiment; both are ordered by its key. */
static int rows_of(const PGresult *r, int row, struct str key)
{
    int n = 0;
    while (row + n < PQntuples(r) && str_eq(pg_get(r, row + n, 0), key))
        n++;
    return n;
}

static void read_variants(struct snapshot_whole *w, const PGresult *r)
{
    int row = 0;
    for (size_t i = 0; i < w->s.experiments_count; i++) {
        struct snapshot_experiment *e = &w->s.experiments[i];
        int n = rows_of(r, row, e->key);
        e->variants = arena_zalloc(&w->arena, (size_t)n * sizeof *e->variants);
        e->variants_count = (size_t)n;
        for (int k = 0; k < n; k++, row++)
            e->variants[k] = (struct snapshot_variant){ text(w, r, row, 1), text(w, r, row, 2),
                                                        pg_get_double(r, row, 3), text(w, r, row, 4) };
    }
}

static void read_experiment_metrics(struct snapshot_whole *w, const PGresult *r)
{
    int row = 0;
    for (size_t i = 0; i < w->s.experiments_count; i++) {
        struct snapshot_experiment *e = &w->s.experiments[i];
        int n = rows_of(r, row, e->key);
        e->metrics = arena_zalloc(&w->arena, (size_t)n * sizeof *e->metrics);
        e->metrics_count = (size_t)n;
        for (int k = 0; k < n; k++, row++) {
            e->metrics[k].metric = text(w, r, row, 1);
            e->metrics[k].role = text(w, r, row, 2);
        }
    }
}

static void read_metrics(struct snapshot_whole *w, const PGresult *r)
{
    size_t n = (size_t)PQntuples(r);
    w->s.metrics = arena_zalloc(&w->arena, n * sizeof *w->s.metrics);
    w->s.metrics_count = n;
    for (int i = 0; i < (int)n; i++)
        w->s.metrics[i] = (struct snapshot_metric){ text(w, r, i, 0), text(w, r, i, 1), text(w, r, i, 2),
                                                    text(w, r, i, 3), text(w, r, i, 4), text(w, r, i, 5) };
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void read_keys(struct snapshot_whole *w, const PGresult *r)
{
    size_t n = (size_t)PQntuples(r), at;
    for (w->keys_room = 16; w->keys_room < n * 2 + 2;)
        w->keys_room *= 2;
    w->keys = arena_zalloc(&w->arena, w->keys_room * sizeof *w->keys);
    for (int i = 0; i < (int)n; i++) {
        struct str hex = pg_get(r, i, 0), scope = pg_get(r, i, 1);
        struct snapshot_key k = { .label = text(w, r, i, 2) };
        if (hex.n != 2 * sizeof k.hash)
            continue;
        for (size_t b = 0; b < KEY_HASH_BYTES; b++)
            k.hash[b] = (unsigned char)(nibble(hex.p[2 * b]) << 4 | nibble(hex.p[2 * b + 1]));
        k.scope = key_scope_of(scope);
        memcpy(&at, k.hash, sizeof at);
        while (w->keys[at & (w->keys_room - 1)].scope != SCOPE_NONE)
            at++;
        w->keys[at & (w->keys_room - 1)] = k;
    }
}

/* The object of an answer, serialised once. A NULL variant: not assigned, with the reason. */
static bool make_piece(struct snapshot_whole *w, const struct snapshot_experiment *e, const struct snapshot_variant *v,
                       const char *reason, struct str *out, struct err *err)
{
    struct buf b;
    buf_init(&b, FRAGMENT_MAX);
    buf_add_c(&b, "{\"experiment\":");
    buf_add_json_str(&b, e->key);
    buf_add_c(&b, ",\"variant\":");
    if (v) {
        buf_add_json_str(&b, v->key);
        buf_add_c(&b, ",\"value\":");
        buf_add_str(&b, v->value_json);
    } else {
        buf_add_c(&b, "null,\"value\":null");
    }
    buf_addf(&b, ",\"reason\":\"%s\"}", reason);
    bool ok = buf_ok(&b, "a variant's value", err);
    if (ok)
        *out = arena_str(&w->arena, buf_str(&b));
    buf_release(&b);
    return ok;
}

static bool make_ready(struct snapshot_whole *w, struct snapshot_experiment *e, struct err *err)
{
    struct snapshot_assign *a = arena_zalloc(&w->arena, sizeof *a);
    double weights[ASSIGN_VARIANTS_MAX];
    if (e->variants_count > ASSIGN_VARIANTS_MAX)
        return err_set(err, ERR_INVALID, "%zu variants, more than %d", e->variants_count, ASSIGN_VARIANTS_MAX);
    a->identity = hash64(e->key) ^ ((uint64_t)e->created_us << 8);
    a->assigned = arena_zalloc(&w->arena, e->variants_count * sizeof *a->assigned);
    for (size_t i = 0; i < e->variants_count; i++) {
        weights[i] = e->variants[i].weight;
        if (!make_piece(w, e, &e->variants[i], "split", &a->assigned[i], err))
            return false;
    }
    for (int reason = 0; reason < UNASSIGNED_COUNT; reason++)
        if (!make_piece(w, e, NULL, unassigned_names[reason], &a->unassigned[reason], err))
            return false;
    if (!assign_experiment_init(&a->ready, e->seed.p, e->seed.n, e->hash_version, e->coverage, weights,
                                e->variants_count))
        return err_set(err, ERR_INVALID, "hash version %d is not 1 or 2", e->hash_version);
    e->assign = a;
    return true;
}

/* One experiment that cannot be evaluated must not keep the others from being published. */
static void make_all_ready(struct snapshot_whole *w)
{
    for (size_t i = 0; i < w->s.experiments_count; i++) {
        struct err err;
        struct snapshot_experiment *e = &w->s.experiments[i];
        if (!make_ready(w, e, &err))
            log_error("experiment_not_evaluated", "experiment=%.*s " LOG_ERR, STR_ARG(e->key), LOG_ERR_ARG(&err));
    }
}

static bool load(struct pg *pg, struct snapshot_whole *w, struct err *err)
{
    static void (*const readers[])(struct snapshot_whole *, const PGresult *) = {
        [EXPERIMENTS] = read_experiments, [VARIANTS] = read_variants, [EXPERIMENT_METRICS] = read_experiment_metrics,
        [METRICS] = read_metrics,         [KEYS] = read_keys,
    };
    for (int i = 0; i < STMT_COUNT; i++) {
        AUTO(pg_result_free) PGresult *r = pg_run(pg, &config_statements[i], NULL, err);
        if (!r)
            return false;
        if (i == VERSION)
            w->s.version = pg_get_i64(r, 0, 0);
        else
            readers[i](w, r);
    }
    make_all_ready(w);
    return true;
}

struct snapshot *snapshot_load(struct pg *pg, struct err *err)
{
    struct snapshot_whole *w = mem_zalloc(sizeof *w);
    arena_init(&w->arena, SNAPSHOT_ARENA_BYTES);
    bool ok = pg_exec(pg, "begin isolation level repeatable read read only", err) && load(pg, w, err) &&
              pg_commit(pg, err);
    if (!ok) {
        pg_rollback(pg);
        snapshot_free(&w->s);
        return NULL;
    }
    return &w->s;
}
