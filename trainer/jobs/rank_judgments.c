#include "trainer/jobs/rank_judgments.h"

#include "trainer/jobs/judgments_read.h"

static const struct pg_stmt find = { "rank_judgments_find", 1, "select from judgment_sets where name = $1" };

bool rank_judgments_each(struct run_context *run, struct arena *arena, rank_judgment_fn fn, void *arg, struct err *err)
{
    struct judgment_set set;
    const char *name = run->param(run, "judgments");
    AUTO(pg_result_free) PGresult *found = pg_run(run->pg, &find, &name, err);
    if (!found)
        return false;
    if (PQntuples(found) == 0)
        return rank_set_missing(run, "judgments", "judgment set", err);
    if (!judgments_read(run, "judgments", name, arena, &set, err))
        return false;
    for (size_t i = 0; i < set.count; i++)
        for (uint32_t k = 0; k < set.queries[i].count; k++)
            fn(arg, set.queries[i].query, set.queries[i].docs[k].doc, set.queries[i].docs[k].grade);
    return true;
}
