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

const struct pg_stmt queries[] = {
    [QUERY_RESULTS_LATEST] = { "results_latest", 1,
                               RESULTS_ROWS
                               "and m.day = (select max(l.day) from moments l where l.experiment = c.experiment) "
                               "where c.experiment = any($1::text[]) order by c.experiment, m.metric, m.day" },
    [QUERY_RESULTS_DAYS] = { "results_days", 1,
                             RESULTS_ROWS
                             "where c.experiment = any($1::text[]) order by c.experiment, m.metric, m.day" },
    [QUERY_CONFIG_EDIT] = { "config_edit", 3, "select config_edit($1::bigint, $2::json, $3)" },
    [QUERY_REVISIONS] = { "revisions", 3,
                          "select id, us(at), actor, action, before::text, after::text from revisions "
                          "where subject = $1 and id < $2::bigint order by id desc limit $3::int" },
};
static_assert(sizeof queries / sizeof *queries == QUERY_COUNT, "a statement for every query");
