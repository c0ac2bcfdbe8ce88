/* "pair_sums.merge@1": see items.h. */
#include "base/json.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/items/sums_out.h"

static bool read_params(struct task *t, int64_t *out_min, int64_t *out_max, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(t), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_count", JSON_REQUIRED, out_min);
    (void)json_get_i64(&r, "max_count", JSON_OPTIONAL, out_max);
    return json_reader_close(&r, err);
}

static bool run(struct task *t, struct err *err)
{
    struct pair_sums sums;
    int64_t min = 0, max = INT64_MAX;
    if (!read_params(t, &min, &max, err))
        return false;
    pair_sums_init(&sums);
    bool ok = sums_in(t, &sums, err);
    for (uint32_t i = 0; ok && i < sums.count; i++)
        if (sums.entries[i].count >= (uint64_t)min && sums.entries[i].count <= (uint64_t)max)
            ok = task_collect(t, (struct str){ (const char *)&sums.entries[i], sizeof sums.entries[i] }, err);
    pair_sums_release(&sums);
    return ok;
}

const struct kernel kernel_pair_sums_merge = { PAIR_SUMS_MERGE_KERNEL, run };
