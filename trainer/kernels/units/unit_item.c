#include "trainer/kernels/units/unit_item.h"

#include <assert.h>
#include <stdlib.h>

#include "trainer/kernels/decay.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

/* Of a pair of one day, and of all days: head, one cell for each type, and the documents where they are wanted. */
struct head {
    int64_t last_us;
    uint32_t docs_count;
};
struct day_cell {
    decay_sum worth;
    uint64_t count;
};
enum { HEAD_BYTES = 16, ALIGNED = 16 };
static_assert(sizeof(struct head) <= HEAD_BYTES, "what lies behind it is aligned");

static size_t value_bytes(const struct unit_item_rules *r, size_t cell)
{
    size_t n = HEAD_BYTES + r->weights->count * cell + (r->docs ? UNIT_ITEM_DOCS * sizeof(struct unit_item_doc) : 0);
    return (n + ALIGNED - 1) / ALIGNED * ALIGNED;
}

static void *cells_of(struct head *h)
{
    return (char *)h + HEAD_BYTES;
}

static struct unit_item_doc *docs_of(struct head *h, const struct unit_item_rules *r, size_t cell)
{
    return (void *)((char *)h + HEAD_BYTES + r->weights->count * cell);
}

/* ---- the last documents ---- */

/* Newest first; of one instant, by bytes. */
static bool before(const struct unit_item_doc *a, const struct unit_item_doc *b)
{
    return a->at_us != b->at_us ? a->at_us > b->at_us : pair_text_compare(a->doc, b->doc) < 0;
}

/* What is dropped has so many newer ones before it as are kept, so the order in which they come does not matter. */
static void note_doc(struct pair_table *texts, struct unit_item_doc *docs, uint32_t *count, struct str doc,
                     int64_t at_us)
{
    struct unit_item_doc d = { at_us, doc };
    uint32_t at = 0;
    while (at < *count && !str_eq(docs[at].doc, doc))
        at++;
    if (at == *count && at == UNIT_ITEM_DOCS && !before(&d, &docs[--at]))
        return;
    if (at < *count && str_eq(docs[at].doc, doc)) {
        if (docs[at].at_us >= at_us)
            return;
        d.doc = docs[at].doc;
    } else {
        d.doc = pair_table_keep(texts, doc);
        *count += *count < UNIT_ITEM_DOCS;
    }
    for (; at > 0 && before(&d, &docs[at - 1]); at--)
        docs[at] = docs[at - 1];
    docs[at] = d;
}

/* ---- one day ---- */

struct unit_item_day {
    const struct unit_item_rules *rules;
    int64_t end_us;
    struct pair_table *pairs;
};

struct unit_item_day *unit_item_day_new(const struct unit_item_rules *rules, int64_t day_end_us)
{
    struct unit_item_day *d = mem_zalloc(sizeof *d);
    *d = (struct unit_item_day){ rules, day_end_us, pair_table_new(value_bytes(rules, sizeof(struct day_cell))) };
    return d;
}

void unit_item_day_free(struct unit_item_day *d)
{
    if (d)
        pair_table_free(d->pairs);
    mem_free(d);
}

void unit_item_day_add(struct unit_item_day *d, uint32_t type, int64_t at_us, const struct pair_text *unit,
                       const struct pair_text *item, struct str doc)
{
    struct head *h = pair_table_at_hashed(d->pairs, unit, item);
    struct day_cell *cell = (struct day_cell *)cells_of(h) + type;
    if (at_us > h->last_us)
        h->last_us = at_us;
    cell->count++;
    cell->worth += decay_share(d->end_us - at_us, d->rules->half_life_us);
    if (d->rules->docs && doc.n)
        note_doc(d->pairs, docs_of(h, d->rules, sizeof *cell), &h->docs_count, doc, at_us);
}

bool unit_item_day_each(const struct unit_item_day *d, unit_item_fn fn, void *arg, struct err *err)
{
    const struct unit_item_rules *r = d->rules;
    uint32_t *order = pair_table_sort(d->pairs);
    bool ok = true;
    for (size_t i = 0; ok && i < pair_table_count(d->pairs); i++) {
        struct head *h = pair_table_value(d->pairs, order[i]);
        const struct day_cell *cells = cells_of(h);
        struct unit_item out = { .unit = pair_table_first(d->pairs, order[i]),
                                 .item = pair_table_second(d->pairs, order[i]),
                                 .last_us = h->last_us,
                                 .docs = docs_of(h, r, sizeof *cells),
                                 .docs_count = h->docs_count };
        for (uint32_t k = 0; k < r->weights->count; k++)
            out.sums[k] = (struct unit_item_sum){ cells[k].count, decay_of(cells[k].worth) };
        ok = fn(arg, &out, err);
    }
    mem_free(order);
    return ok;
}

/* ---- records ---- */

void unit_item_write(struct buf *b, const struct unit_item *i, const struct unit_item_rules *rules)
{
    record_put_text(b, i->unit);
    record_put_text(b, i->item);
    record_put(b, &i->last_us, sizeof i->last_us);
    record_put(b, i->sums, rules->weights->count * sizeof *i->sums);
    if (!rules->docs)
        return;
    record_put(b, &i->docs_count, sizeof i->docs_count);
    for (uint32_t k = 0; k < i->docs_count; k++) {
        record_put(b, &i->docs[k].at_us, sizeof i->docs[k].at_us);
        record_put_text(b, i->docs[k].doc);
    }
}

bool unit_item_read(struct str *in, const struct unit_item_rules *rules, struct unit_item_doc *docs,
                    struct unit_item *out)
{
    out->docs = docs;
    out->docs_count = 0;
    if (!record_take_text(in, &out->unit) || !record_take_text(in, &out->item) ||
        !record_take(in, &out->last_us, sizeof out->last_us) ||
        !record_take(in, out->sums, rules->weights->count * sizeof *out->sums))
        return false;
    if (!rules->docs)
        return true;
    if (!record_take(in, &out->docs_count, sizeof out->docs_count) || out->docs_count > UNIT_ITEM_DOCS)
        return false;
    for (uint32_t k = 0; k < out->docs_count; k++)
        if (!record_take(in, &docs[k].at_us, sizeof docs[k].at_us) || !record_take_text(in, &docs[k].doc))
            return false;
    return true;
}

/* ---- many days ---- */

struct unit_item_total {
    const struct unit_item_rules *rules;
    struct pair_table *pairs;
    int64_t age_us; /* of the factor */
    double factor;
};

struct unit_item_total *unit_item_total_new(const struct unit_item_rules *rules)
{
    struct unit_item_total *t = mem_zalloc(sizeof *t);
    *t = (struct unit_item_total){ .rules = rules,
                                   .pairs = pair_table_new(value_bytes(rules, sizeof(struct unit_item_sum))),
                                   .factor = 1 };
    return t;
}

void unit_item_total_free(struct unit_item_total *t)
{
    if (t)
        pair_table_free(t->pairs);
    mem_free(t);
}

void unit_item_total_add(struct unit_item_total *t, const struct unit_item *i, int64_t age_us)
{
    struct head *h = pair_table_at(t->pairs, i->unit, i->item);
    struct unit_item_sum *sums = cells_of(h);
    if (age_us != t->age_us) {
        t->age_us = age_us;
        t->factor = decay_factor(age_us, t->rules->half_life_us);
    }
    if (i->last_us > h->last_us)
        h->last_us = i->last_us;
    for (uint32_t k = 0; k < t->rules->weights->count; k++) {
        sums[k].count += i->sums[k].count;
        sums[k].worth += i->sums[k].worth * t->factor;
    }
    for (uint32_t k = 0; t->rules->docs && k < i->docs_count; k++)
        note_doc(t->pairs, docs_of(h, t->rules, sizeof *sums), &h->docs_count, i->docs[k].doc, i->docs[k].at_us);
}

static struct unit_item item_of(const struct unit_item_total *t, uint32_t number)
{
    struct head *h = pair_table_value(t->pairs, number);
    const struct unit_item_sum *sums = cells_of(h);
    struct unit_item out = { .unit = pair_table_first(t->pairs, number),
                             .item = pair_table_second(t->pairs, number),
                             .last_us = h->last_us,
                             .docs = docs_of(h, t->rules, sizeof *sums),
                             .docs_count = h->docs_count };
    for (uint32_t k = 0; k < t->rules->weights->count; k++) {
        out.sums[k] = sums[k];
        out.weight += t->rules->weights->weights[k] * sums[k].worth;
    }
    return out;
}

struct ranked {
    double weight;
    int64_t last_us;
    uint32_t number, place; /* of the pair; in the order of items, which tells ties apart */
};

static int by_weight(const struct ranked *x, const struct ranked *y)
{
    return (x->weight < y->weight) - (x->weight > y->weight);
}

static int by_time(const struct ranked *x, const struct ranked *y)
{
    return (x->last_us < y->last_us) - (x->last_us > y->last_us);
}

static int by_weight_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int d = by_weight(x, y);
    d = d ? d : by_time(x, y);
    return d ? d : (x->place > y->place) - (x->place < y->place);
}

static int by_time_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int d = by_time(x, y);
    d = d ? d : by_weight(x, y);
    return d ? d : (x->place > y->place) - (x->place < y->place);
}

/* The items of one unit: numbers[0 … count-1]. */
static bool rank_unit(const struct unit_item_total *t, const struct unit_item_limits *limits, const uint32_t *numbers,
                      size_t count, struct ranked *scratch, unit_item_rank_fn fn, void *arg, struct err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        struct unit_item item = item_of(t, numbers[i]);
        if (item.weight < limits->minimum)
            continue;
        scratch[n] = (struct ranked){ item.weight, item.last_us, numbers[i], (uint32_t)n };
        n++;
    }
    if (n)
        qsort(scratch, n, sizeof *scratch, limits->order == UNIT_ITEM_BY_TIME ? by_time_first : by_weight_first);
    for (size_t i = 0; i < n && (limits->top == 0 || i < limits->top); i++) {
        struct unit_item item = item_of(t, scratch[i].number);
        if (!fn(arg, &item, (uint32_t)i + 1, err))
            return false;
    }
    return true;
}

bool unit_item_total_each(const struct unit_item_total *t, const struct unit_item_limits *limits, unit_item_rank_fn fn,
                          void *arg, struct err *err)
{
    size_t count = pair_table_count(t->pairs);
    uint32_t *order = pair_table_sort(t->pairs);
    struct ranked *scratch = mem_alloc((count + 1) * sizeof *scratch);
    bool ok = true;
    for (size_t from = 0, to; ok && from < count; from = to) {
        struct str unit = pair_table_first(t->pairs, order[from]);
        for (to = from + 1; to < count && str_eq(unit, pair_table_first(t->pairs, order[to]));)
            to++;
        ok = rank_unit(t, limits, order + from, to - from, scratch, fn, arg, err);
    }
    mem_free(scratch);
    mem_free(order);
    return ok;
}
