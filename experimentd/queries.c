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

/* What every edit answers with. */
#define EDIT_ANSWER                                         \
    "select b.version, o.status, o.version, b.told from o " \
    "left join (select version, pg_notify('config', version::text) as told from bump) b on true"

/* The end of every edit: the version is raised, the revision written, every daemon told. `o` is the row as it was, `e` as it is now:
 * no row when the edit was refused. Answers with the configuration's new version (null: refused), and status and version before. */
#define EDIT_END(action, actor, after)                                                                             \
    "bump as (update config_version set version = version + 1 where exists (select 1 from e) returning version), " \
    "rev as (insert into revisions (actor, subject, action, before, after) "                                       \
    "select " actor ", 'experiment:' || e.key, '" action "', (select to_jsonb(o) from o), " after                  \
    " from e) " EDIT_ANSWER

/* The row as it was, with its variants; locked, so that of two edits the second sees what the first made. */
#define OLD_ROW                                                                                                    \
    "with o as (select x.*, (select json_agg(json_build_object('key', v.key, 'name', v.name, 'weight', v.weight, " \
    "'value', v.value) order by v.position) from variants v where v.experiment = x.key) as variants "              \
    "from experiments x where x.key = $1 for update of x), "
#define EDIT_ALLOWED(status) "x.key = o.key and o.status = '" status "' and ($2 = '' or o.version::text = $2) "

const struct pg_stmt queries[] = {
    [QUERY_RESULTS_LATEST] = { "results_latest", 1,
                               RESULTS_ROWS
                               "and m.day = (select max(l.day) from moments l where l.experiment = c.experiment) "
                               "where c.experiment = any($1::text[]) order by c.experiment, m.metric, m.day" },
    [QUERY_RESULTS_DAYS] = { "results_days", 1,
                             RESULTS_ROWS
                             "where c.experiment = any($1::text[]) order by c.experiment, m.metric, m.day" },
    [QUERY_EXPERIMENT_CREATE] = { "experiment_create", 2,
                                  "with j as (select $1::json as j), o as (select 'absent' as status, 0 as version), "
                                  "e as (insert into experiments (key, name, hypothesis, status, hash_attribute, "
                                  "hash_version, seed, coverage, origin) "
                                  "select j->>'key', j->>'name', j->>'hypothesis', 'draft', j->>'hash_attribute', "
                                  "(j->>'hash_version')::smallint, "
                                  "j->>'seed', (j->>'coverage')::float8, j->>'origin' from j on conflict (key) do "
                                  "nothing returning *), "
                                  "v as (insert into variants (experiment, position, key, name, weight, value) "
                                  "select e.key, x.n - 1, x.v->>'key', x.v->>'name', (x.v->>'weight')::float8, "
                                  "x.v->'value' "
                                  "from e, j, json_array_elements(j->'variants') with ordinality as x(v, n)), "
                                  "m as (insert into experiment_metrics (experiment, metric, position, role) "
                                  "select e.key, x.v->>'metric', x.n - 1, x.v->>'role' "
                                  "from e, j, json_array_elements(j->'metrics') with ordinality as x(v, n)), "
                                  "bump as (update config_version set version = version + 1 where exists (select 1 "
                                  "from e) returning version), "
                                  "rev as (insert into revisions (actor, subject, action, after) "
                                  "select $2, 'experiment:' || e.key, 'create', j::jsonb from e, j) " EDIT_ANSWER },
    [QUERY_EXPERIMENT_START] = { "experiment_start", 3,
                                 OLD_ROW "e as (update experiments x set status = 'running', started_at = now(), "
                                         "version = x.version + 1 from o "
                                         "where " EDIT_ALLOWED("draft") "returning x.*), " EDIT_END("start", "$3",
                                                                                                    "to_jsonb(e)") },
    [QUERY_EXPERIMENT_STOP] = { "experiment_stop", 3,
                                OLD_ROW "e as (update experiments x set status = 'stopped', stopped_at = now(), "
                                        "version = x.version + 1 from o "
                                        "where " EDIT_ALLOWED("running") "returning x.*), " EDIT_END("stop", "$3",
                                                                                                     "to_jsonb(e)") },
    [QUERY_EXPERIMENT_DELETE] = { "experiment_delete", 3,
                                  OLD_ROW "e as (delete from experiments x using o where " EDIT_ALLOWED(
                                      "draft") "returning x.*), " EDIT_END("delete", "$3", "null::jsonb") },
};
static_assert(sizeof queries / sizeof *queries == QUERY_COUNT, "a statement for every query");
