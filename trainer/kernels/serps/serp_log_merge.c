/* "serps.merge@1": the records of all days of a part of the queries → the records of each query. Units that are marked are left out here, so that a mark
 * that is set or taken back counts for all days at once. */
#include "base/clock.h"
#include "base/json.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/serps/serp_log.h"

struct writing {
    struct task *task;
    struct buf record;
};

static bool add_input(struct task *t, struct serp_merge *m, size_t input, int32_t day, struct err *err)
{
    for (;;) {
        struct str block;
        uint64_t searches;
        bool end;
        if (!task_next(t, input, &block, &end, err))
            return false;
        if (end)
            return true;
        if (!serp_merge_add(m, day * US_PER_DAY, block, &searches, err) || !task_tick(t, searches, err))
            return false;
    }
}

/* The day of each input: "PART SPLITS DAY DAY …". */
static bool add_inputs(struct task *t, struct serp_merge *m, struct err *err)
{
    struct str rest = task_desc(t), word;
    uint32_t splits = 0;
    size_t input = 0;
    if (!str_split(&rest, ' ', &word) || !str_split(&rest, ' ', &word) || !parse_u32(word, &splits, err))
        return err_set(err, ERR_SYSTEM, "a split of the merge is damaged");
    while (str_split(&rest, ' ', &word)) {
        int64_t day;
        if (!parse_i64(word, &day, err))
            return false;
        for (uint32_t i = 0; i < splits; i++)
            if (!add_input(t, m, input++, (int32_t)day, err))
                return false;
    }
    return true;
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
    bool ok = add_inputs(t, m, err) && serp_merge_finish(m, emit_query, &w, &totals, err) &&
              task_collect(t, (struct str){ (const char *)&totals, sizeof totals }, err);
    buf_release(&w.record);
    return ok;
}

const struct kernel kernel_serps_merge = { SERP_MERGE_KERNEL, run };
