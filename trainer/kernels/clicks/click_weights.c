#include "trainer/kernels/clicks/click_weights.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trainer/kernels/decay.h"

enum { FIRST_ROOM = 4096 };

__extension__ typedef unsigned __int128 fixed; /* of 2^-CLICK_FRACTION_BITS */

struct row {
    int32_t day; /* that `sum` is of */
    fixed sum;
    double weight; /* of the days before, as of as_of */
    int64_t last_us;
};

struct click_weights {
    const struct click_rules *rules;
    const struct marked_hashes *marked;
    struct intern filters, queries; /* queries are under filters, */
    struct intern docs;             /* and documents under queries: their numbers are those of rows */
    struct row *rows;
    uint64_t *counts; /* of each row, of each type */
    size_t room;
    double factors[CLICK_POSITION_MAX + 1]; /* of positions; of 0, unknown: 1 */
};

struct click_weights *click_weights_new(const struct click_rules *rules, const struct marked_hashes *marked)
{
    struct click_weights *w = mem_zalloc(sizeof *w);
    w->rules = rules;
    w->marked = marked;
    intern_init(&w->filters);
    intern_init(&w->queries);
    intern_init(&w->docs);
    w->factors[0] = 1;
    for (int i = 1; i <= CLICK_POSITION_MAX; i++)
        w->factors[i] = rules->position_power > 0 ? pow(i, rules->position_power) : 1;
    return w;
}

void click_weights_free(struct click_weights *w)
{
    if (!w)
        return;
    intern_release(&w->filters);
    intern_release(&w->queries);
    intern_release(&w->docs);
    mem_free(w->rows);
    mem_free(w->counts);
    mem_free(w);
}

/* ---- adding ---- */

static double decay(const struct click_weights *w, int64_t age_us)
{
    return decay_factor(age_us, (int64_t)(w->rules->half_life_days * (double)US_PER_DAY));
}

/* What the row's day comes to joins the days before it. */
static void close_day(const struct click_weights *w, struct row *r)
{
    if (r->sum)
        r->weight += ldexp((double)r->sum, -CLICK_FRACTION_BITS) * decay(w, (w->rules->as_of - r->day) * US_PER_DAY);
    r->sum = 0;
}

static uint32_t row_of(struct click_weights *w, uint32_t query, struct str doc)
{
    uint32_t known = w->docs.count, i = intern_add_under(&w->docs, query, doc);
    if (i < known)
        return i;
    if (i == w->room) {
        w->room = w->room ? 2 * w->room : FIRST_ROOM;
        w->rows = mem_realloc(w->rows, w->room * sizeof *w->rows);
        w->counts = mem_realloc(w->counts, w->room * w->rules->types_count * sizeof *w->counts);
    }
    w->rows[i] = (struct row){ .last_us = INT64_MIN };
    memset(w->counts + (size_t)i * w->rules->types_count, 0, w->rules->types_count * sizeof *w->counts);
    return i;
}

static fixed value_of(const struct click_weights *w, const struct click_event *e)
{
    int32_t position = e->position < CLICK_POSITION_MAX ? e->position : CLICK_POSITION_MAX;
    double v = w->rules->weights[e->type] * w->factors[position] * decay(w, US_PER_DAY - e->at_us);
    return (fixed)(uint64_t)(v * (double)(UINT64_C(1) << CLICK_FRACTION_BITS) + 0.5);
}

/* The row is looked up for the first event that counts: a document that only marked units clicked has none. */
static bool add_events(struct click_weights *w, int32_t day, uint32_t query, struct str doc, uint64_t events,
                       struct click_record *r)
{
    uint32_t at = UINT32_MAX;
    for (struct click_event e; events; events--) {
        if (!click_record_event(r, &e) || e.type >= w->rules->types_count)
            return false;
        if (marked_has_hash(w->marked, e.unit))
            continue;
        if (at == UINT32_MAX)
            at = row_of(w, query, doc);
        struct row *row = &w->rows[at];
        if (row->day != day)
            close_day(w, row);
        row->day = day;
        row->sum += value_of(w, &e);
        w->counts[(size_t)at * w->rules->types_count + e.type]++;
        int64_t at_us = day * US_PER_DAY + e.at_us;
        row->last_us = at_us > row->last_us ? at_us : row->last_us;
    }
    return true;
}

static bool add_record(struct click_weights *w, int32_t day, struct click_record *r, uint64_t *out_events)
{
    struct str doc;
    uint64_t events;
    bool damaged;
    uint32_t query = intern_add_under(&w->queries, intern_add(&w->filters, r->filters), r->query);
    while (click_record_doc(r, &doc, &events, &damaged)) {
        if (!add_events(w, day, query, doc, events, r))
            return false;
        *out_events += events;
    }
    return !damaged;
}

bool click_weights_add(struct click_weights *w, int32_t day, struct str block, uint64_t *out_events, struct err *err)
{
    struct click_record r;
    *out_events = 0;
    while (block.n)
        if (!click_record_read(&block, &r) || !add_record(w, day, &r, out_events))
            return err_set(err, ERR_SYSTEM, "a record of clicks is damaged");
    return true;
}

/* ---- telling ---- */

struct placed {
    struct str filters, query, doc;
    uint32_t row;
    double weight;
};

static int by_bytes(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int by_query_and_weight(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int d = by_bytes(x->filters, y->filters);
    d = d ? d : by_bytes(x->query, y->query);
    if (d || x->weight == y->weight)
        return d ? d : by_bytes(x->doc, y->doc);
    return x->weight > y->weight ? -1 : 1;
}

static uint64_t signals_of(const struct click_weights *w, uint32_t row)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < w->rules->types_count; i++)
        sum += w->counts[(size_t)row * w->rules->types_count + i];
    return sum;
}

/* The rows that have signals enough. */
static size_t place_rows(struct click_weights *w, struct placed *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < w->docs.count; i++) {
        uint32_t query = w->docs.under[i];
        close_day(w, &w->rows[i]);
        if (signals_of(w, i) >= w->rules->min_signals)
            out[count++] = (struct placed){ .filters = w->filters.texts[w->queries.under[query]],
                                            .query = w->queries.texts[query],
                                            .doc = w->docs.texts[i],
                                            .row = i,
                                            .weight = w->rows[i].weight };
    }
    qsort(out, count, sizeof *out, by_query_and_weight);
    return count;
}

static bool tell(const struct click_weights *w, const struct placed *p, uint32_t rank, click_weight_fn fn, void *arg,
                 struct err *err)
{
    const struct click_weight out = { .filters = p->filters,
                                      .query = p->query,
                                      .doc = p->doc,
                                      .rank = rank,
                                      .weight = p->weight,
                                      .signals = signals_of(w, p->row),
                                      .counts = w->counts + (size_t)p->row * w->rules->types_count,
                                      .last_us = w->rows[p->row].last_us };
    return fn(arg, &out, err);
}

/* Texts of one query are one text. */
static bool same_query(const struct placed *a, const struct placed *b)
{
    return a->query.p == b->query.p && a->filters.p == b->filters.p;
}

bool click_weights_finish(struct click_weights *w, click_weight_fn fn, void *arg, struct err *err)
{
    struct placed *placed = mem_alloc((w->docs.count + 1) * sizeof *placed);
    size_t count = place_rows(w, placed);
    uint32_t rank = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        rank = i > 0 && same_query(&placed[i], &placed[i - 1]) ? rank + 1 : 1;
        if (w->rules->top == 0 || rank <= w->rules->top)
            ok = tell(w, &placed[i], rank, fn, arg, err);
    }
    mem_free(placed);
    return ok;
}
