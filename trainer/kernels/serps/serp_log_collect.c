/* "serps.collect@1": queries → the coordinator (log_collect.h). */
#include "trainer/kernels/serps/serp_each.h"
#include "trainer/kernels/serps/serp_log.h"
#include "trainer/kernels/signals/log_collect.h"

struct collecting {
    struct log_collect *out;
    struct buf scratch, bytes;
};

static bool add_bytes(void *arg, struct str record, struct err *err)
{
    struct collecting *c = arg;
    buf_add_str(&c->bytes, record);
    return buf_ok(&c->bytes, "what a query was shown", err);
}

static bool add(void *arg, const struct serp_query *q, struct err *err)
{
    struct collecting *c = arg;
    if (!log_collect_wants(c->out, q->sessions + q->held))
        return true;
    buf_clear(&c->bytes);
    if (!serp_query_write(q, &c->scratch, add_bytes, c, err))
        return false;
    log_collect_add(c->out, q->text, q->sessions + q->held, buf_str(&c->bytes));
    return true;
}

static bool read_queries(struct task *t, struct log_collect *out, struct err *err)
{
    enum { RECORD_MAX = 2 << 20 };
    struct collecting c = { .out = out };
    buf_init(&c.scratch, RECORD_MAX);
    buf_init(&c.bytes, TASK_COLLECT_MAX);
    bool ok = serp_each(t, add, &c, err);
    buf_release(&c.scratch);
    buf_release(&c.bytes);
    return ok;
}

static bool run(struct task *t, struct err *err)
{
    return log_collect_run(t, read_queries, err);
}

const struct kernel kernel_serps_collect = { SERP_COLLECT_KERNEL, run };
