/* unit_item.h - pure: what units did with items, which are documents or queries. A day's signals in, one record per unit and item out; the records of
 * many days in, what each unit likes or asked out. No database, no clock, no order of signals.
 *
 * A record holds of each type of signal that has a weight how many there were and what they were worth at the end of the day
 * (decay.h); so weights are no part of it, the half-life is. Where documents are wanted (items are queries), the last UNIT_ITEM_DOCS different ones that
 * signals named.
 *
 * weight at an instant = Σ over types: weight of the type · Σ over days: worth at the day's end · 2^(-(instant - day's end) / half-life) */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/signal_weights.h"

enum { UNIT_ITEM_DOCS = 5 };

struct unit_item_rules {
    const struct signal_weights *weights;
    int64_t half_life_us; /* 0: nothing decays */
    bool docs;            /* documents are remembered */
};

struct unit_item_doc {
    int64_t at_us;
    struct str doc;
};
struct unit_item_sum {
    uint64_t count;
    double worth;
};
struct unit_item {
    struct str unit, item;
    int64_t last_us; /* of the last signal */
    struct unit_item_sum sums[SIGNAL_WEIGHTS_MAX];
    double weight;              /* of a total */
    struct unit_item_doc *docs; /* newest first */
    uint32_t docs_count;
};
typedef bool (*unit_item_fn)(void *arg, const struct unit_item *i, struct err *err);

/* ---- one day ---- */

struct unit_item_day;
struct unit_item_day *unit_item_day_new(const struct unit_item_rules *rules, int64_t day_end_us);
void unit_item_day_free(struct unit_item_day *d);
/* type: its place in the weights. doc {NULL, 0}: the signal names none. Texts are copied. */
void unit_item_day_add(struct unit_item_day *d, uint32_t type, int64_t at_us, const struct pair_text *unit,
                       const struct pair_text *item, struct str doc);
/* In the order of units, then items (bytes). */
bool unit_item_day_each(const struct unit_item_day *d, unit_item_fn fn, void *arg, struct err *err) MUSTCHECK;

/* ---- records ---- */

void unit_item_write(struct buf *b, const struct unit_item *i, const struct unit_item_rules *rules);
/* Texts are borrowed from *in; docs is room for UNIT_ITEM_DOCS. False: it is no record. */
bool unit_item_read(struct str *in, const struct unit_item_rules *rules, struct unit_item_doc *docs,
                    struct unit_item *out);

/* ---- many days ---- */

enum unit_item_order { UNIT_ITEM_BY_WEIGHT, UNIT_ITEM_BY_TIME };
struct unit_item_limits {
    enum unit_item_order order; /* greatest weight, or last signal, first */
    double minimum;             /* items of less weight are left out */
    uint32_t top;               /* so many of a unit; 0: all */
};

struct unit_item_total;
struct unit_item_total *unit_item_total_new(const struct unit_item_rules *rules);
void unit_item_total_free(struct unit_item_total *t);
/* One record of a day whose end is `age_us` before the instant of the weights. Days are to be added in their order. */
void unit_item_total_add(struct unit_item_total *t, const struct unit_item *i, int64_t age_us);
/* In the order of units (bytes), each with its items in the order that the limits say. rank: from 1. */
typedef bool (*unit_item_rank_fn)(void *arg, const struct unit_item *i, uint32_t rank, struct err *err);
bool unit_item_total_each(const struct unit_item_total *t, const struct unit_item_limits *limits, unit_item_rank_fn fn,
                          void *arg, struct err *err) MUSTCHECK;
