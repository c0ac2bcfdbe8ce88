#include "trainer/jobs/rank_judgments.h"

#include "trainer/jobs/judgments_read.h"

bool rank_judgments_each(struct run_context *run, struct arena *arena, rank_judgment_fn fn, void *arg, struct err *err)
{
    struct judgment_set set;
    const char *name = run->param(run, "judgments");
    if (!name)
        return err_set(err, ERR_INVALID, "parameter \"judgments\" is not given: which judgment set has the labels?");
    if (!judgments_read(run, "judgments", name, arena, &set, err))
        return false;
    for (size_t i = 0; i < set.count; i++)
        for (uint32_t k = 0; k < set.queries[i].count; k++)
            fn(arg, set.queries[i].query, set.queries[i].docs[k].doc, set.queries[i].docs[k].grade);
    return true;
}
