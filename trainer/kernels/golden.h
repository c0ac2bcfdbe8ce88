/* golden.h - what the job "golden" and its kernels say to each other. All little-endian, all in this program.
 *
 * params of all: JSON {"docs", "fault": "none", "poison", "hang", "hog" or "slow", "fault_split", "hog_mb", "slow_ms"}.
 *
 *   kernel             desc         inputs                     makes
 *   golden.rows@1      "N"          -                          N golden_row in its data set
 *   golden.stats@1     -            a split of rows            golden_stats
 *   golden.counts@1    -            a split of rows            golden_count by document, document d in part d mod parts
 *   golden.gradient@1  -            a split of rows; blob 0:   golden_gradient
 *                                   golden_weights
 *   golden.docs@1      -            a part of all counts       rows of golden_docs (published), and the same bytes collected
 *
 * What a fault does, in split `fault_split`: poison: golden.rows makes a row that golden.stats refuses; hang: golden.stats never comes to an end,
 * nor says anything; hog: golden.stats holds hog_mb MiB. slow: every split of golden.stats and golden.docs waits slow_ms for each block. */
#pragma once
#include "base/mem.h"
#include "stats/moments.h"

struct task;

enum { GOLDEN_FEATURES = 8, GOLDEN_DOC_COLUMNS = 3 };
enum golden_fault { GOLDEN_NONE, GOLDEN_POISON, GOLDEN_HANG, GOLDEN_HOG, GOLDEN_SLOW, GOLDEN_FAULT_COUNT };
extern const char *const golden_faults[GOLDEN_FAULT_COUNT];

struct golden_params {
    uint32_t docs, fault_split, hog_mb, slow_ms;
    enum golden_fault fault;
};
bool golden_params_read(struct str json, struct golden_params *out, struct arena *arena, struct err *err) MUSTCHECK;

struct golden_row {
    uint32_t doc, clicked; /* 0 or 1 */
    double x[GOLDEN_FEATURES];
};
struct golden_stats {
    struct moments x[GOLDEN_FEATURES], clicked;
};
struct golden_count {
    uint32_t doc, rows;
    uint64_t clicks;
    double weight; /* the sum of the first feature over clicked rows */
};
struct golden_weights {
    double w[GOLDEN_FEATURES + 1]; /* the last is the bias */
};
struct golden_gradient {
    double g[GOLDEN_FEATURES + 1], loss;
    uint64_t rows;
};

/* Rows of an input, in order. */
typedef bool (*golden_row_fn)(void *arg, const struct golden_row *row, struct err *err);
bool golden_each_row(struct task *t, size_t input, uint32_t wait_ms, golden_row_fn fn, void *arg,
                     struct err *err) MUSTCHECK;

extern const struct kernel kernel_golden_rows, kernel_golden_stats, kernel_golden_counts, kernel_golden_gradient,
    kernel_golden_docs;
