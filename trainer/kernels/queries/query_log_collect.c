/* "query_log.collect@1": records of queries → the coordinator (log_collect.h). */
#include "trainer/kernels/queries/query_log.h"
#include "trainer/kernels/signals/log_collect.h"
#include "trainer/kernels/task_blocks.h"

/* Their lists are not looked at. */
static bool take_block(void *collect, struct str block, uint64_t *out_rows, struct err *err)
{
    for (*out_rows = 0; block.n; ++*out_rows) {
        struct query_record q;
        struct str bytes;
        if (!query_record_read(&block, NULL, &q, &bytes))
            return err_set(err, ERR_SYSTEM, "a record of a query is damaged");
        if (log_collect_wants(collect, q.searches))
            log_collect_add(collect, q.text, q.searches, bytes);
    }
    return true;
}

static bool read_queries(struct task *t, struct log_collect *c, struct err *err)
{
    return task_blocks(t, take_block, c, err);
}

static bool run(struct task *t, struct err *err)
{
    return log_collect_run(t, read_queries, err);
}

const struct kernel kernel_query_log_collect = { QUERY_LOG_COLLECT_KERNEL, run };
