/* "golden.rows@1": rows out of random numbers, and how the other kernels read them. A row was clicked as a logistic model with known weights
 * says; documents are the more frequent the lower their number. */
#include <math.h>
#include <unistd.h>

#include "base/json.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/golden.h"

enum { TICK_ROWS = 4096, DOCS_MAX = 1 << 20, DOC = GOLDEN_FEATURES, CLICK };

const char *const golden_faults[GOLDEN_FAULT_COUNT] = {
    [GOLDEN_NONE] = "none", [GOLDEN_POISON] = "poison", [GOLDEN_HANG] = "hang",
    [GOLDEN_HOG] = "hog",   [GOLDEN_SLOW] = "slow",
};
static const double true_weights[GOLDEN_FEATURES + 1] = { 1.5, -1, 0.5, 0, 2, -0.25, 0.75, -1.5, 0.1 };

static bool read_whole(struct json_reader *r, const char *key, uint32_t *out)
{
    int64_t v = 0;
    if (!json_get_i64(r, key, JSON_REQUIRED, &v))
        return false;
    *out = (uint32_t)v;
    return (v >= 0 && v <= UINT32_MAX) || json_fail(r, key, "is %lld, out of range", (long long)v);
}

bool golden_params_read(struct str json, struct golden_params *out, struct arena *arena, struct err *err)
{
    struct json_reader r;
    struct str fault = { NULL, 0 };
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct golden_params){ .fault = GOLDEN_FAULT_COUNT };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "fault", JSON_REQUIRED, &fault, arena);
    (void)read_whole(&r, "docs", &out->docs);
    (void)read_whole(&r, "fault_split", &out->fault_split);
    (void)read_whole(&r, "hog_mb", &out->hog_mb);
    (void)read_whole(&r, "slow_ms", &out->slow_ms);
    for (int i = 0; i < GOLDEN_FAULT_COUNT; i++)
        if (str_eq_c(fault, golden_faults[i]))
            out->fault = (enum golden_fault)i;
    if (out->docs < 1 || out->docs > DOCS_MAX)
        (void)json_fail(&r, "docs", "is %u, not 1 to %d", out->docs, DOCS_MAX);
    if (out->fault == GOLDEN_FAULT_COUNT)
        (void)json_fail(&r, "fault", "is \"" STR_FMT "\", which is none", STR_ARG(fault));
    return json_reader_close(&r, err);
}

/* From 0 to 1, without 1. */
static double uniform(const struct task *t, uint64_t stream, uint64_t i)
{
    return (double)(task_rand(t, stream, i) >> 11) * 0x1p-53;
}

static struct golden_row make_row(const struct task *t, const struct golden_params *p, uint64_t i)
{
    struct golden_row row;
    double z = true_weights[GOLDEN_FEATURES], u = uniform(t, DOC, i);
    for (unsigned k = 0; k < GOLDEN_FEATURES; k++) {
        row.x[k] = 2 * uniform(t, k, i) - 1;
        z += true_weights[k] * row.x[k];
    }
    row.doc = (uint32_t)((double)p->docs * u * u);
    row.clicked = uniform(t, CLICK, i) < 1 / (1 + exp(-z));
    return row;
}

static bool run(struct task *t, struct err *err)
{
    struct golden_params p;
    uint64_t rows;
    if (!golden_params_read(task_params(t), &p, task_arena(t), err) || !parse_u64(task_desc(t), &rows, err))
        return false;
    for (uint64_t i = 0; i < rows; i++) {
        struct golden_row row = make_row(t, &p, i);
        if (p.fault == GOLDEN_POISON && task_split(t) == p.fault_split && i == rows / 2)
            row.clicked = 7;
        if (!task_emit(t, 0, (struct str){ (const char *)&row, sizeof row }, err) ||
            (i % TICK_ROWS == 0 && !task_tick(t, i ? TICK_ROWS : 0, err)))
            return false;
    }
    return task_tick(t, rows ? (rows - 1) % TICK_ROWS + 1 : 0, err);
}

const struct kernel kernel_golden_rows = { "golden.rows@1", run };

bool golden_each_row(struct task *t, size_t input, uint32_t wait_ms, golden_row_fn fn, void *arg, struct err *err)
{
    struct str block;
    bool end;
    while (task_next(t, input, &block, &end, err)) {
        struct golden_row row;
        if (end)
            return true;
        if (block.n % sizeof row != 0)
            return err_set(err, ERR_SYSTEM, "a block of rows is damaged");
        for (size_t at = 0; at < block.n; at += sizeof row) {
            memcpy(&row, block.p + at, sizeof row);
            if (!fn(arg, &row, err))
                return false;
        }
        if (wait_ms)
            (void)usleep(wait_ms * 1000);
        if (!task_tick(t, block.n / sizeof row, err))
            return false;
    }
    return false;
}
