#include "experimentd/queries.h"

#include <assert.h>

/* Columns in the order of enum results_column; instants as µs and days as days since 1970, so that no text is parsed. */
#define RESULTS_ROWS                                                                                                   \
    "select c.experiment, m.metric, m.variant, m.day - date '1970-01-01', m.n, m.mean_x, m.m2_x, m.mean_y, m.m2_y, "   \
    "m.cxy, (extract(epoch from c.as_of) * 1000000)::bigint, (extract(epoch from c.published_at) * 1000000)::bigint, " \
    "c.units, c.multiple_exposures, c.run, r.engine, r.workers, r.rows_in, "                                           \
    "extract(epoch from r.finished_at - r.started_at)::float8, r.retries, "                                            \
    "(select coalesce(sum(p.splits), 0) from run_passes p where p.run = r.id) "                                        \
    "from moments_current c join runs r on r.id = c.run "                                                              \
    "left join moments m on m.experiment = c.experiment and m.segment = '' "

/* The end of every edit: the revision is written, the version raised, every daemon told. `e` holds the edited row (after), `o` the
 * row before. */
#define EDIT_END(action, actor)                                                                                        \
    "bump as (update config_version set version = version + 1 where exists (select 1 from e) returning version), "     \
    "rev as (insert into revisions (actor, subject, action, before, after) "                                           \
    "select " actor ", 'experiment:' || e.key, '" action "', "                                                         \
    "(select to_jsonb(o) from o), to_jsonb(e) from e) "                                                                \
    "select version, pg_notify('config', version::text) from bump"

#define OLD_ROW "with o as (select * from experiments where key = $1 for update), "
#define VERSION_FITS "($2 = '' or version::text = $2)"

const struct pg_stmt queries[] = {
    [QUERY_RESULTS_LATEST] = { "results_latest", 1,
        RESULTS_ROWS
        "and m.day = (select max(l.day) from moments l where l.experiment = c.experiment) "
        "where c.experiment = any($1::text[]) order by c.experiment, m.metric, m.day" },
    [QUERY_RESULTS_DAYS] = { "results_days", 1,
        RESULTS_ROWS
        "where c.experiment = any($1::text[]) order by c.experiment, m.metric, m.day" },
    [QUERY_EXPERIMENT_CREATE] = { "experiment_create", 2,
        "with j as (select $1::jsonb as j), o as (select null::jsonb as nothing where false), "
        "e as (insert into experiments (key, name, hypothesis, status, hash_attribute, hash_version, seed, coverage, origin) "
        "select j->>'key', j->>'name', j->>'hypothesis', 'draft', j->>'hash_attribute', (j->>'hash_version')::smallint, "
        "j->>'seed', (j->>'coverage')::float8, j->>'origin' from j returning *), "
        "v as (insert into variants (experiment, position, key, name, weight, value) "
        "select j->>'key', x.n - 1, x.v->>'key', x.v->>'name', (x.v->>'weight')::float8, x.v->'value' "
        "from j, jsonb_array_elements(j->'variants') with ordinality as x(v, n)), "
        "m as (insert into experiment_metrics (experiment, metric, position, role) "
        "select j->>'key', x.v->>'metric', x.n - 1, x.v->>'role' "
        "from j, jsonb_array_elements(j->'metrics') with ordinality as x(v, n)), "
        EDIT_END("create", "$2") },
    [QUERY_EXPERIMENT_START] = { "experiment_start", 3,
        OLD_ROW "e as (update experiments set status = 'running', started_at = now(), version = version + 1 "
        "where key = $1 and status = 'draft' and " VERSION_FITS " returning *), " EDIT_END("start", "$3") },
    [QUERY_EXPERIMENT_STOP] = { "experiment_stop", 3,
        OLD_ROW "e as (update experiments set status = 'stopped', stopped_at = now(), version = version + 1 "
        "where key = $1 and status = 'running' and " VERSION_FITS " returning *), " EDIT_END("stop", "$3") },
    [QUERY_EXPERIMENT_DELETE] = { "experiment_delete", 3,
        OLD_ROW "e as (delete from experiments where key = $1 and status = 'draft' and " VERSION_FITS " returning *), "
        EDIT_END("delete", "$3") },
};
static_assert(sizeof queries / sizeof *queries == QUERY_COUNT, "a statement for every query");
