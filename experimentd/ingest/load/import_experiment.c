#include "experimentd/ingest/load/import_experiment.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "experimentd/config/experiment.h"
#include "metric/metric.h"

enum { METRICS_BYTES_MAX = 1 << 20 };

enum stmt { FIND, THERE, METRICS_MAKE, METRICS_MISSING, MAKE, WIDEN, TELL, STMT_COUNT };
static_assert((int)STMT_COUNT == IMPORT_EXPERIMENT_STATEMENTS, "a row for every statement");

const struct pg_stmt import_experiment_statements[STMT_COUNT] = {
    /* $2: planned weights as a JSON object, or {} for equal ones. */
    [FIND] = { "import_experiment", 2,
               "with x as (select variant, min(at) as first, max(at) as last from exposures where "
               "experiment = $1 group by variant), "
               "n as (select variant, (row_number() over (order by variant collate \"C\"))::int - 1 as "
               "position, "
               "coalesce(($2::jsonb->>variant)::float8, 1.0 / count(*) over ()) as weight from x), "
               "p as (select json_build_object('key', $1, 'origin', 'imported', 'variants', "
               "json_agg(json_build_object('key', variant, 'weight', weight, 'value', variant) order by "
               "position), 'metrics', json_build_array(json_build_object('metric', 'ctr', 'role', "
               "'primary'), json_build_object('metric', 'clicks_per_unit', 'role', 'secondary'), "
               "json_build_object('metric', 'clicks_per_query', 'role', 'secondary'), "
               "json_build_object('metric', 'mrr', 'role', 'secondary'), "
               "json_build_object('metric', 'time_to_first_click', 'role', 'secondary'), "
               "json_build_object('metric', 'zero_result_rate', 'role', 'guardrail'))) as spec "
               "from n having count(*) >= 2) "
               "select config_edit(null, json_build_array(json_build_object('kind', 'experiment', 'key', "
               "$1, "
               "'action', 'import', 'spec', p.spec, 'status', 'stopped', 'started_at', us(x.first), "
               "'stopped_at', us(x.last))), 'import') from p, (select min(first) as first, max(last) as "
               "last "
               "from x) x where not exists (select 1 from experiments where key = $1)" },
    [THERE] = { "import_experiment_there", 1, "select count(*) from experiments where key = $1" },
    /* $1: writes of config_edit. */
    [METRICS_MAKE] = { "import_metrics_make", 1,
                       "select config_edit(null, n.writes, 'import') from (select json_agg(w) as writes from "
                       "json_array_elements($1::json) w where not exists (select 1 from metrics m where m.key = "
                       "w->>'key')) n "
                       "where n.writes is not null" },
    /* $1: the document. */
    [METRICS_MISSING] = { "import_metrics_missing", 1,
                          "select string_agg(quote_ident(m->>'metric'), ', ') from "
                          "json_array_elements($1::json->'metrics') m "
                          "where not exists (select 1 from metrics k where k.key = m->>'metric')" },
    /* $2: the document; $3, $4: from when to when, in microseconds. */
    [MAKE] = { "import_experiment_make", 4,
               "select config_edit(null, json_build_array(json_build_object('kind', 'experiment', 'key', $1::text, "
               "'action', "
               "'import', 'spec', "
               "$2::json, 'status', 'stopped', 'started_at', $3::bigint, 'stopped_at', $4::bigint)), 'import') "
               "where not exists (select 1 from experiments where key = $1)" },
    [WIDEN] = { "import_experiment_widen", 3,
                "update experiments set started_at = least(started_at, to_timestamp($2::float8 / 1e6)), "
                "stopped_at = greatest(stopped_at, to_timestamp($3::float8 / 1e6)) where key = $1 and origin = "
                "'imported'" },
    [TELL] = { "import_experiment_tell", 0, "select config_edit(null, '[]', 'import')" },
};

static void add_weight(struct buf *b, struct str key, double w)
{
    if (b->n > 1)
        buf_add_byte(b, ',');
    buf_add_json_str(b, str_trim(key));
    buf_addf(b, ":%.17g", w);
}

static bool weights_json(const char *text, struct buf *out, struct err *err)
{
    struct str rest = str_of(text), pair, key;
    double w;
    buf_add_byte(out, '{');
    while (rest.n && str_split(&rest, ',', &pair)) {
        if (!str_split(&pair, '=', &key) || !parse_double(str_trim(pair), &w, err) || w < 0 || w > 1)
            return err_set(err, ERR_INVALID, "--weights is \"%s\", not VARIANT=WEIGHT,… with weights from 0 to 1",
                           text);
        add_weight(out, key, w);
    }
    buf_add_byte(out, '}');
    return true;
}

bool import_experiment_found(struct pg *pg, const char *key, const char *weights, struct err *err)
{
    struct buf json;
    buf_init(&json, 4096);
    bool ok = weights_json(weights, &json, err) && buf_ok(&json, "--weights", err);
    const char *params[] = { key, json.p };
    AUTO(pg_result_free) PGresult *r = ok ? pg_run(pg, &import_experiment_statements[FIND], params, err) : NULL;
    AUTO(pg_result_free) PGresult *there = r ? pg_run(pg, &import_experiment_statements[THERE], params, err) : NULL;
    buf_release(&json);
    if (there && pg_get_i64(there, 0, 0) == 0)
        return err_set(err, ERR_INVALID,
                       "experiment \"%s\" cannot be made: the log holds fewer than two variants of it", key);
    return there != NULL;
}

bool import_experiment_spec(json_t *document, struct arena *arena, struct str *out, struct err *err)
{
    struct snapshot_experiment e;
    return experiment_read(document, arena, &e, err) && experiment_spec(&e, arena, out, err);
}

static bool metric_write_edit(struct jsonw *w, json_t *document, struct arena *arena, struct err *err)
{
    struct metric_def m;
    if (!metric_read(document, arena, &m, err))
        return false;
    for (size_t i = 0; i < m.facts_count; i++)
        if (m.facts[i].of == FACT_SQL)
            return err_set(err, ERR_INVALID, "metric \"" STR_FMT "\": make metrics of SQL with POST /v1/metrics",
                           STR_ARG(m.key));
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "kind", "metric");
    jsonw_str(w, "key", m.key);
    jsonw_text(w, "action", "import");
    jsonw_open(w, "spec", '{');
    metric_write(w, &m);
    jsonw_close(w);
    jsonw_close(w);
    return true;
}

bool import_metrics_spec(json_t *list, struct arena *arena, struct str *out, struct err *err)
{
    struct buf b;
    struct jsonw w;
    bool ok = true;
    buf_init(&b, METRICS_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; ok && i < json_array_size(list); i++)
        ok = metric_write_edit(&w, json_array_get(list, i), arena, err);
    jsonw_close(&w);
    ok = ok && buf_ok(&b, "the metrics", err);
    if (ok)
        *out = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return ok;
}

bool import_metrics_make(struct pg *pg, struct str writes, struct err *err)
{
    const char *params[] = { writes.p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &import_experiment_statements[METRICS_MAKE], params, err);
    return r != NULL;
}

static bool metrics_known(struct pg *pg, const char *spec, struct err *err)
{
    const char *params[] = { spec };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &import_experiment_statements[METRICS_MISSING], params, err);
    if (!r)
        return false;
    return PQgetisnull(r, 0, 0) ||
           err_set(err, ERR_INVALID, "experiment: metrics that are not known: %.150s", PQgetvalue(r, 0, 0));
}

bool import_experiment_given(struct pg *pg, const char *key, struct str spec, int64_t first_us, int64_t last_us,
                             struct err *err)
{
    char first[24], last[24];
    (void)snprintf(first, sizeof first, "%" PRId64, first_us);
    (void)snprintf(last, sizeof last, "%" PRId64, last_us);
    const char *make[] = { key, spec.p, first, last }, *widen[] = { key, first, last };
    if (!metrics_known(pg, spec.p, err))
        return false;
    AUTO(pg_result_free) PGresult *m = pg_run(pg, &import_experiment_statements[MAKE], make, err);
    AUTO(pg_result_free) PGresult *w = m ? pg_run(pg, &import_experiment_statements[WIDEN], widen, err) : NULL;
    return w != NULL;
}

bool import_experiment_tell(struct pg *pg, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &import_experiment_statements[TELL], NULL, err);
    return r != NULL;
}
