/* "query_log.merge@1": the records of all days of a part of the queries → a record for each of them. Units that are marked are left out here, so that
 * a mark that is set or taken back counts for all days at once. */
#include "trainer/kernels/queries/query_log.h"
#include "trainer/kernels/task_blocks.h"

struct writing {
    struct task *task;
    struct buf record;
};

static bool add_block(void *merge, struct str block, uint64_t *out_rows, struct err *err)
{
    return query_merge_add(merge, block, out_rows, err);
}

static bool emit(void *arg, const struct query_record *q, struct err *err)
{
    struct writing *w = arg;
    buf_clear(&w->record);
    query_record_write(&w->record, q);
    return buf_ok(&w->record, "a record of a query", err) && task_emit(w->task, 0, buf_str(&w->record), err);
}

static bool run(struct task *t, struct err *err)
{
    enum { RECORD_MAX = 1 << 20 };
    struct marked_hashes marked;
    struct query_totals totals;
    if (!marked_of_run(t, &marked, err))
        return false;
    AUTO(query_merge_free) struct query_merge *m = query_merge_new(&marked);
    struct writing w = { .task = t };
    buf_init(&w.record, RECORD_MAX);
    bool ok = task_blocks(t, add_block, m, err) && query_merge_finish(m, emit, &w, &totals, err) &&
              task_collect(t, (struct str){ (const char *)&totals, sizeof totals }, err);
    buf_release(&w.record);
    return ok;
}

const struct kernel kernel_query_log_merge = { QUERY_LOG_MERGE_KERNEL, run };
