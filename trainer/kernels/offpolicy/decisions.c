#include "trainer/kernels/offpolicy/decisions.h"

#include <stdlib.h>

#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

bool decisions_take(struct str *block, struct decision *out, uint32_t *out_count)
{
    struct decision d = { .position = 0 };
    uint32_t n;
    if (!record_take_text(block, &d.query) || !record_take(block, &d.unit, sizeof d.unit) ||
        !record_take(block, &d.at_us, sizeof d.at_us) || !record_take(block, &d.id, sizeof d.id) ||
        !record_take(block, &n, sizeof n) || n > OFFPOLICY_POSITIONS_MAX)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!record_take(block, &d.position, sizeof d.position) || !record_take_text(block, &d.doc) ||
            !record_take(block, &d.propensity, sizeof d.propensity) ||
            !record_take(block, &d.target, sizeof d.target) || !record_take(block, &d.reward, sizeof d.reward) ||
            d.position < 1 || d.position > OFFPOLICY_POSITIONS_MAX)
            return false;
        out[i] = d;
    }
    *out_count = n;
    return true;
}

static int by_order(const void *va, const void *vb)
{
    const struct decision *a = va, *b = vb;
    const int query = pair_text_compare(a->query, b->query);
    if (query)
        return query;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    if (a->position != b->position)
        return a->position < b->position ? -1 : 1;
    return pair_text_compare(a->doc, b->doc);
}

void decisions_sort(struct decision *d, size_t count)
{
    if (count)
        qsort(d, count, sizeof *d, by_order);
}

/* ---- what is expected ---- */

static int by_text(const void *a, const void *b)
{
    return pair_text_compare(*(const struct str *)a, *(const struct str *)b);
}

static uint32_t number_of(const struct str *docs, uint32_t count, struct str doc)
{
    const struct str *found = bsearch(&doc, docs, count, sizeof *docs, by_text);
    return (uint32_t)(found - docs);
}

static size_t cell(const struct expected *e, uint32_t fold, uint32_t position, uint32_t doc)
{
    return ((size_t)fold * e->positions + position - 1) * e->docs + doc;
}

void expected_make(struct decision *d, size_t count, const struct offpolicy_params *p, struct arena *arena,
                   struct expected *out, struct str **out_docs)
{
    struct str *docs = arena_alloc(arena, (count + 1) * sizeof *docs);
    struct expected e = { .folds = p->folds, .prior = p->prior, .means = p->means };
    for (size_t i = 0; i < count; i++) {
        docs[i] = d[i].doc;
        e.positions = d[i].position > e.positions ? d[i].position : e.positions;
    }
    qsort(docs, count, sizeof *docs, by_text);
    for (size_t i = 0; i < count; i++)
        if (e.docs == 0 || !str_eq(docs[i], docs[e.docs - 1]))
            docs[e.docs++] = docs[i];
    const size_t cells = ((size_t)e.folds + 1) * e.positions * e.docs;
    e.rewards = arena_zalloc(arena, cells * sizeof *e.rewards);
    e.counts = arena_zalloc(arena, cells * sizeof *e.counts);
    for (size_t i = 0; i < count; i++) {
        d[i].number = number_of(docs, e.docs, d[i].doc);
        const size_t own = cell(&e, offpolicy_fold(d[i].unit, e.folds), d[i].position, d[i].number),
                     all = cell(&e, e.folds, d[i].position, d[i].number);
        e.rewards[own] += d[i].reward;
        e.rewards[all] += d[i].reward;
        e.counts[own] += 1;
        e.counts[all] += 1;
    }
    *out = e;
    *out_docs = docs;
}

double expected_of(const struct expected *e, uint32_t fold, uint32_t position, uint32_t doc)
{
    const double mean = e->means[fold][position - 1];
    if (doc == UINT32_MAX)
        return mean;
    const size_t all = cell(e, e->folds, position, doc), own = cell(e, fold, position, doc);
    const bool crossed = e->folds > 1;
    const double n = e->counts[all] - (crossed ? e->counts[own] : 0),
                 sum = e->rewards[all] - (crossed ? e->rewards[own] : 0);
    return n + e->prior > 0 ? (sum + e->prior * mean) / (n + e->prior) : mean;
}
