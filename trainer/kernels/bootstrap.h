/* bootstrap.h - pure: how a statistic varies when the units are drawn anew, for what has no formula.
 *
 * Poisson bootstrap (N. Chamandy, O. Muralidharan, A. Najmi, S. Naidu, Google 2012): in replicate r each unit counts W times, W ~ Poisson(1),
 * drawn from the unit's name and r alone. So a unit has its weight wherever and whenever it is met, the same in numerator, denominator and
 * cap; replicates of parts add; and the same data give the same interval. Replicate 0 is the data: every unit once.
 *
 * An arm is kept as sums (units, Σ x, Σ y of each replicate: 24 bytes) or, for quantiles, as how often each bucket of values occurs (the
 * buckets of stats/ranks/sketch.h: 4 bytes for each bucket and replicate; BOOTSTRAP_BUCKETS at most). */
#pragma once
#include "base/buf.h"

enum { BOOTSTRAP_REPLICATES_MAX = 5000, BOOTSTRAP_BUCKETS = 8192 };

/* `unit`: hash64 of its name; xored with what bootstrap_seed makes of a seed, 0 of 0, other weights are drawn. */
uint64_t bootstrap_seed(uint32_t seed);
unsigned bootstrap_weight(uint64_t unit, uint32_t replicate);

struct bootstrap_bucket {
    int64_t key;
    uint32_t *counts; /* of each replicate */
};

struct bootstrap_arm {
    size_t replicates; /* with the one that is the data */
    double *units, *x, *y;
    struct bootstrap_bucket *buckets; /* by key, ascending */
    size_t used;
};

void bootstrap_init(struct bootstrap_arm *a, size_t replicates);
void bootstrap_release(struct bootstrap_arm *a);
void bootstrap_add(struct bootstrap_arm *a, size_t replicate, unsigned weight, double x, double y);
/* One value of a unit, with the weights of all replicates. Refuses values that are not finite, and more buckets than there is room for. */
bool bootstrap_add_value(struct bootstrap_arm *a, const unsigned *weights, double value, struct err *err) MUSTCHECK;
/* The weighted quantile of a replicate: the order statistic of rank ⌈n q⌉, to the width of its bucket. NAN without a value. */
double bootstrap_quantile(const struct bootstrap_arm *a, size_t replicate, double q);

/* Units of the data; of an arm of values these. */
int64_t bootstrap_count(const struct bootstrap_arm *a);

/* Bytes, and merging them into an arm of other units with as many replicates; the text is borrowed. */
void bootstrap_write(struct buf *b, struct str variant, const struct bootstrap_arm *a);
bool bootstrap_read_variant(struct str *in, struct str *out_variant) MUSTCHECK;
bool bootstrap_merge(struct bootstrap_arm *into, struct str *in, struct err *err) MUSTCHECK;
