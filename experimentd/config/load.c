/* snapshot_load: the whole configuration read in one transaction and built into one arena (compile.c makes of it what is evaluated). */
#include "experimentd/config/load.h"

#include <assert.h>

#include "base/log.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/object.h"
#include "experimentd/config/snapshot_parts.h"
#include "experimentd/config/state.h"
#include "experimentd/ingest/schema.h"
#include "metric/metric.h"

enum stmt { VERSION, EXPERIMENTS, OBJECTS, METRICS, KEYS, STMT_COUNT };
static_assert((int)STMT_COUNT == (int)CONFIG_STMT_COUNT, "a row for every statement");
enum { SNAPSHOT_ARENA_BYTES = 64 << 10 };

const struct pg_stmt config_statements[] = {
    [VERSION] = { "config_version", 0, "select version, us(updated_at) from config_version" },
    [EXPERIMENTS] = { "config_experiments", 0,
                      "select key, spec::text, state::text, status, version, phase, us(created_at), us(started_at), "
                      "us(stopped_at), us(concluded_at), us(phase_started_at) "
                      "from experiments order by key collate \"C\"" },
    [OBJECTS] = { "config_objects", 0,
                  "select kind, key, spec::text, state::text, version, us(created_at), us(updated_at) "
                  "from config_objects order by kind, key collate \"C\"" },
    [METRICS] = { "config_metrics", 0,
                  "select key, spec::text, builtin, version, us(created_at), us(updated_at) from metrics "
                  "order by key collate \"C\"" },
    [KEYS] = { "config_keys", 0,
               "select encode(hash, 'hex'), scope, label, schema::text from api_keys where revoked_at is null" },
};

static struct str text(struct snapshot_whole *w, const PGresult *r, int row, int column)
{
    return arena_str(&w->arena, pg_get(r, row, column));
}

static enum experiment_status status_of(struct str s)
{
    for (int i = 0; i < EXPERIMENT_STATUS_COUNT; i++)
        if (str_eq_c(s, experiment_status_names[i]))
            return (enum experiment_status)i;
    return EXPERIMENT_STOPPED;
}

static bool read_experiment(struct snapshot_whole *w, const PGresult *r, int row, struct snapshot_experiment *e,
                            struct err *err)
{
    json_auto_t *spec = json_parse(pg_get(r, row, 1), err), *state = spec ? json_parse(pg_get(r, row, 2), err) : NULL;
    if (!spec || !state || !experiment_read(spec, &w->arena, e, err))
        return false;
    e->spec_json = text(w, r, row, 1);
    e->state_json = text(w, r, row, 2);
    e->status = status_of(pg_get(r, row, 3));
    e->version = pg_get_i64(r, row, 4);
    e->phase = (int)pg_get_i64(r, row, 5);
    e->created_us = pg_get_i64(r, row, 6);
    e->started_us = pg_get_i64(r, row, 7);
    e->stopped_us = pg_get_i64(r, row, 8);
    e->concluded_us = pg_get_i64(r, row, 9);
    e->phase_started_us = pg_get_i64(r, row, 10);
    state_read(state, &w->arena, e);
    return true;
}

/* What another program wrote must not take the rest down: it is left out, and said. */
static void read_experiments(struct snapshot_whole *w, const PGresult *r)
{
    w->s.experiments = arena_zalloc(&w->arena, (size_t)PQntuples(r) * sizeof *w->s.experiments);
    for (int i = 0; i < PQntuples(r); i++) {
        struct err err;
        if (read_experiment(w, r, i, &w->s.experiments[w->s.experiments_count], &err))
            w->s.experiments_count++;
        else
            log_error("experiment_not_read", "experiment=%.*s " LOG_ERR, STR_ARG(pg_get(r, i, 0)), LOG_ERR_ARG(&err));
    }
}

static bool kind_of(struct str name, enum object_kind *out)
{
    for (int k = 0; k < OBJECT_KIND_COUNT; k++) {
        if (!str_eq_c(name, object_kind_names[k]))
            continue;
        *out = (enum object_kind)k;
        return true;
    }
    return false;
}

static bool read_object(struct snapshot_whole *w, const PGresult *r, int row, enum object_kind kind, struct err *err)
{
    struct snapshot_objects *list = &w->s.objects[kind];
    struct snapshot_object *o = &list->p[list->n];
    json_auto_t *spec = json_parse(pg_get(r, row, 2), err), *state = spec ? json_parse(pg_get(r, row, 3), err) : NULL;
    if (!spec || !state || !object_read(spec, kind, &w->arena, o, err))
        return false;
    slots_read(json_object_get(state, "slots"), &w->arena, &o->slots);
    o->spec_json = text(w, r, row, 2);
    o->version = pg_get_i64(r, row, 4);
    o->created_us = pg_get_i64(r, row, 5);
    o->updated_us = pg_get_i64(r, row, 6);
    list->n++;
    return true;
}

static void read_objects(struct snapshot_whole *w, const PGresult *r)
{
    size_t n = (size_t)PQntuples(r);
    for (int k = 0; k < OBJECT_KIND_COUNT; k++)
        w->s.objects[k].p = arena_zalloc(&w->arena, n * sizeof *w->s.objects[k].p);
    for (int i = 0; i < (int)n; i++) {
        struct err err;
        enum object_kind kind;
        if (kind_of(pg_get(r, i, 0), &kind) && !read_object(w, r, i, kind, &err))
            log_error("object_not_read", "kind=%s key=%.*s " LOG_ERR, object_kind_names[kind], STR_ARG(pg_get(r, i, 1)),
                      LOG_ERR_ARG(&err));
    }
}

static bool read_metric(struct snapshot_whole *w, const PGresult *r, int row, struct snapshot_metric *m,
                        struct err *err)
{
    struct metric_def *def = arena_alloc(&w->arena, sizeof *def);
    if (!metric_parse(pg_get(r, row, 1), &w->arena, def, err))
        return false;
    *m = (struct snapshot_metric){
        .key = def->key,
        .name = def->name,
        .description = def->description,
        .kind = str_of(metric_form_names[def->form]),
        .direction = str_of(metric_direction_names[def->direction]),
        .display = str_of(metric_display_names[def->display]),
        .def = def,
        .builtin = pg_get_bool(r, row, 2),
        .version = pg_get_i64(r, row, 3),
        .created_us = pg_get_i64(r, row, 4),
        .updated_us = pg_get_i64(r, row, 5),
    };
    return true;
}

static void read_metrics(struct snapshot_whole *w, const PGresult *r)
{
    w->s.metrics = arena_zalloc(&w->arena, (size_t)PQntuples(r) * sizeof *w->s.metrics);
    for (int i = 0; i < PQntuples(r); i++) {
        struct err err;
        if (read_metric(w, r, i, &w->s.metrics[w->s.metrics_count], &err))
            w->s.metrics_count++;
        else
            log_error("metric_not_read", "metric=%.*s " LOG_ERR, STR_ARG(pg_get(r, i, 0)), LOG_ERR_ARG(&err));
    }
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* It was checked when it was stored: one that cannot be read any more refuses nothing, and the log says so. */
static const struct signal_schema *read_schema(struct snapshot_whole *w, const PGresult *r, int row, struct str label)
{
    struct err err;
    if (PQgetisnull(r, row, 3))
        return NULL;
    const struct signal_schema *schema = schema_parse(pg_get(r, row, 3), &w->arena, &err);
    if (!schema)
        log_error("schema_not_read", "key=\"" STR_FMT "\" " LOG_ERR, STR_ARG(label), LOG_ERR_ARG(&err));
    return schema;
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
        k.schema = read_schema(w, r, i, k.label);
        memcpy(&at, k.hash, sizeof at);
        while (w->keys[at & (w->keys_room - 1)].scope != SCOPE_NONE)
            at++;
        w->keys[at & (w->keys_room - 1)] = k;
    }
}

static bool load(struct pg *pg, struct snapshot_whole *w, struct err *err)
{
    static void (*const readers[])(struct snapshot_whole *, const PGresult *) = {
        [EXPERIMENTS] = read_experiments,
        [OBJECTS] = read_objects,
        [METRICS] = read_metrics,
        [KEYS] = read_keys,
    };
    for (int i = 0; i < STMT_COUNT; i++) {
        AUTO(pg_result_free) PGresult *r = pg_run(pg, &config_statements[i], NULL, err);
        if (!r)
            return false;
        if (i != VERSION) {
            readers[i](w, r);
            continue;
        }
        w->s.version = pg_get_i64(r, 0, 0);
        w->updated_us = pg_get_i64(r, 0, 1);
    }
    return true;
}

static struct snapshot *load_whole(struct pg *pg, bool published, struct err *err)
{
    struct snapshot_whole *w = mem_zalloc(sizeof *w);
    arena_init(&w->arena, SNAPSHOT_ARENA_BYTES);
    bool ok = pg_exec(pg, "begin isolation level repeatable read read only", err) && load(pg, w, err) &&
              pg_commit(pg, err) && snapshot_compile(w, published, err);
    if (!ok) {
        pg_rollback(pg);
        snapshot_free(&w->s);
        return NULL;
    }
    return &w->s;
}

struct snapshot *snapshot_load(struct pg *pg, struct err *err)
{
    return load_whole(pg, true, err);
}

struct snapshot *snapshot_load_aside(struct pg *pg, struct err *err)
{
    return load_whole(pg, false, err);
}
