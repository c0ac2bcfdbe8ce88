/* click_weights.h - pure: the events of days → the weight of each document for each query and set of filters.
 *
 *   weight = Σ over events  w(type) · min(position, CLICK_POSITION_MAX)^power · 2^((at − as_of) / half_life)
 *
 * Events of one day are added up as whole numbers of 2^-CLICK_FRACTION_BITS, decayed to the day's end; the sums of days, decayed from there to as_of,
 * are added in the order of days. So it does not matter into how many ranges of units a day was cut, nor in which order they came. */
#pragma once
#include <math.h>

#include "trainer/kernels/clicks/click_events.h"
#include "trainer/kernels/marked.h"

enum { CLICK_POSITION_MAX = 50, CLICK_FRACTION_BITS = 44 };
#define CLICK_WEIGHT_MAX \
    1000.0 /* of a type: with the greatest factor for a position 2^16, so that an event fits into 64 bits */

struct click_rules {
    struct str types[CLICK_TYPES_MAX]; /* sorted: numbers of types in records are places here */
    double weights[CLICK_TYPES_MAX];
    uint32_t types_count;
    int32_t as_of;         /* a day: to its end */
    double half_life_days; /* 0: nothing decays */
    double position_power; /* 0 … 1; 0: positions do not matter */
    uint64_t min_signals;
    uint32_t top; /* documents of a query under one set of filters; 0: all */
};

struct click_weight {
    struct str filters, query, doc;
    uint32_t rank; /* among the query's documents, from 1 */
    double weight;
    uint64_t signals;
    const uint64_t *counts; /* of each type */
    int64_t last_us;
};

struct click_weights;
/* The rules, and the units that do not count, are borrowed. */
struct click_weights *click_weights_new(const struct click_rules *rules, const struct marked_hashes *marked);
void click_weights_free(struct click_weights *w);
DEFINE_AUTO(struct click_weights *, click_weights_free)
/* All records of a block, of events of this day. Days come in ascending order; a day may come several times behind each other. */
bool click_weights_add(struct click_weights *w, int32_t day, struct str block, uint64_t *out_events,
                       struct err *err) MUSTCHECK;
/* In the order (filters, query), and of each the greatest weight first, of equal ones by document. */
typedef bool (*click_weight_fn)(void *arg, const struct click_weight *row, struct err *err);
bool click_weights_finish(struct click_weights *w, click_weight_fn fn, void *arg, struct err *err) MUSTCHECK;
