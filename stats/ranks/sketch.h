/* sketch.h - all quantiles of events, with what their variance over units needs, in 64 KiB that merge.
 *
 * A histogram whose buckets are the values that share sign, exponent and the first `bits` bits of the fraction, found without
 * arithmetic: a value and the middle of its bucket differ by at most 2^-(bits + 1) of the value (0.2 % with SKETCH_BITS). When the
 * values need more than SKETCH_ROOM buckets, neighbours are joined and a bit is lost. The result has the most bits with which all
 * values fit, whatever the order and the parts: merging equals adding all, in every bit.
 *
 * Clusters. With S_i(b) the events of unit i up to bucket b and N_i all its events, a bucket keeps Σ_i S_i(b)² - S_i(b - 1)² and
 * Σ_i N_i (S_i(b) - S_i(b - 1)): running sums of these are Σ S_i² and Σ S_i N_i at any quantile, which is what quantile.h's
 * variance is made of, and joining buckets keeps them exact. Therefore all events of a unit are added at once, in one part; parts merge
 * by units. Whole numbers throughout. |x| below 2^-1021 counts as 0. 32 bytes a bucket; no allocation, no state. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/ranks/quantile.h"
#include "stats/ranks/rank_sum.h"

enum { SKETCH_ROOM = 2048, SKETCH_BITS = 8 };

struct sketch_bucket {
    int64_t key; /* ascending with the values; 0 is zero */
    int64_t events, squares, products;
};
struct sketch {
    int bits; /* SKETCH_BITS down to -1, with which any doubles fit */
    size_t used;
    int64_t units, events, squares; /* Σ N_i, Σ N_i² */
    struct sketch_bucket buckets[SKETCH_ROOM];
};

void sketch_init(struct sketch *s);
/* All events of one unit, none for a unit without; sorts them. Refuses values that are not finite, and more events than Σ N_i² can count
 * (3e9 of one unit); the sketch is then as it was. */
bool sketch_add_unit(struct sketch *s, double *events, size_t n, struct err *err) MUSTCHECK;
/* Of other units. `into` is as it was when refused: too many events. */
bool sketch_merge(struct sketch *into, const struct sketch *other, struct err *err) MUSTCHECK;
/* The bucket of a finite value at SKETCH_BITS, and the middle of one: for who keeps buckets of their own. */
int64_t sketch_key(double value);
double sketch_key_middle(int64_t key);
/* How far a value may lie from the true order statistic, as a share of it. */
double sketch_error(const struct sketch *s);
/* As quantile_of_sorted; the value is the middle of its bucket, the intervals reach to the outer edges of theirs. */
bool sketch_quantile(const struct sketch *s, double q, double z, struct quantile *out, struct err *err) MUSTCHECK;
/* The quantile, and the moments over units of the number of a unit's events at or below it (x) and of all of them (y). */
bool sketch_moments(const struct sketch *s, double q, struct moments2 *out, double *out_value,
                    struct err *err) MUSTCHECK;
/* Both arms as groups of rank_sum.h, values of one bucket tied; room for 2 SKETCH_ROOM groups. Where the unit is to be the unit, add units
 * of one event. */
size_t sketch_groups(const struct sketch *control, const struct sketch *treatment, struct rank_sum_group *out);
