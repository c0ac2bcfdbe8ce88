/* "serps.merge@1": the records of all days of a part of the queries → the records of each query. Units that are marked are left out here, so that a mark
 * that is set or taken back counts for all days at once. */
#include "base/clock.h"
#include "base/json.h"
#include "trainer/kernels/serps/serp_log.h"
#include "trainer/kernels/task_blocks.h"

struct writing {
    struct task *task;
    struct buf record;
};

static bool add_block(void *merge, int32_t day, struct str block, uint64_t *out_rows, struct err *err)
{
    return serp_merge_add(merge, day * US_PER_DAY, block, out_rows, err);
}

static bool emit(void *arg, struct str record, struct err *err)
{
    struct writing *w = arg;
    return task_emit(w->task, 0, record, err);
}

static bool emit_query(void *arg, const struct serp_query *q, struct err *err)
{
    struct writing *w = arg;
    return serp_query_write(q, &w->record, emit, w, err);
}

static bool read_rules(struct task *t, struct serp_merge_rules *out, struct err *err)
{
    json_auto_t *root = json_parse(task_params(t), err);
    struct json_reader r;
    int64_t positions = 0;
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "positions", JSON_REQUIRED, &positions);
    (void)json_get_double(&r, "holdout_share", JSON_REQUIRED, &out->holdout_share);
    (void)json_get_i64(&r, "held_from_us", JSON_REQUIRED, &out->held_from_us);
    out->positions = (uint32_t)positions;
    return json_reader_close(&r, err);
}

static bool run(struct task *t, struct err *err)
{
    enum { RECORD_MAX = 2 << 20 };
    struct marked_hashes marked;
    struct serp_merge_rules rules = { .marked = &marked };
    struct serp_totals totals;
    if (!read_rules(t, &rules, err) || !marked_of_run(t, &marked, err))
        return false;
    AUTO(serp_merge_free) struct serp_merge *m = serp_merge_new(&rules);
    struct writing w = { .task = t };
    buf_init(&w.record, RECORD_MAX);
    bool ok = task_blocks_by_day(t, add_block, m, err) && serp_merge_finish(m, emit_query, &w, &totals, err) &&
              task_collect(t, (struct str){ (const char *)&totals, sizeof totals }, err);
    buf_release(&w.record);
    return ok;
}

const struct kernel kernel_serps_merge = { SERP_MERGE_KERNEL, run };
