#include "trainer/kernels/items/rules.h"

#include <math.h>
#include <stdlib.h>

#include "stats/exact.h"
#include "stats/multiple/family.h"

const char *const rule_measure_names[RULE_MEASURE_COUNT] = { "confidence", "lift", "leverage", "support" };

size_t rules_count(const struct rule_counts *c)
{
    return 2 * c->pairs_count + 3 * c->triples_count;
}

/* ---- one rule ---- */

static struct rule make(const struct rule_counts *c, uint64_t of_a, uint64_t of_c, uint64_t of_both)
{
    double n = (double)c->units, a = (double)of_a, then = (double)of_c, both = (double)of_both;
    struct rule r = { .units = of_both };
    r.measures[RULE_SUPPORT] = both / n;
    r.measures[RULE_CONFIDENCE] = both / a;
    r.measures[RULE_LIFT] = both * n / (a * then);
    r.measures[RULE_LEVERAGE] = (both * n - a * then) / (n * n);
    r.improvement = r.measures[RULE_CONFIDENCE] - then / n;
    r.log_p = exact_log_together((int64_t)of_both, (int64_t)of_a, (int64_t)of_c, (int64_t)c->units);
    return r;
}

static uint64_t pair_units(const struct rule_counts *c, uint32_t a, uint32_t b)
{
    const uint64_t key = a < b ? pair_key(a, b) : pair_key(b, a);
    size_t from = 0, to = c->pairs_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (c->pairs[middle].key < key)
            from = middle + 1;
        else
            to = middle;
    }
    return from < c->pairs_count && c->pairs[from].key == key ? c->pairs[from].count : 0;
}

static struct rule of_pair(const struct rule_counts *c, uint32_t a, uint32_t then, uint64_t both)
{
    struct rule r = make(c, c->item_units[a], c->item_units[then], both);
    r.first = a;
    r.second = RULE_ONE;
    r.then = then;
    return r;
}

/* Every two of a frequent triple are a frequent pair: they are found. */
static struct rule of_triple(const struct rule_counts *c, uint32_t a, uint32_t b, uint32_t then, uint64_t all)
{
    struct rule r = make(c, pair_units(c, a, b), c->item_units[then], all);
    double from_a = (double)pair_units(c, a, then) / (double)c->item_units[a];
    double from_b = (double)pair_units(c, b, then) / (double)c->item_units[b];
    r.first = a < b ? a : b;
    r.second = a < b ? b : a;
    r.then = then;
    r.improvement = r.measures[RULE_CONFIDENCE] - fmax(from_a, from_b);
    return r;
}

void rules_make(const struct rule_counts *c, struct rule *out)
{
    for (size_t i = 0; i < c->pairs_count; i++) {
        const struct pair_sum *p = &c->pairs[i];
        *out++ = of_pair(c, pair_first(p->key), pair_second(p->key), p->count);
        *out++ = of_pair(c, pair_second(p->key), pair_first(p->key), p->count);
    }
    for (size_t i = 0; i < c->triples_count; i++) {
        const struct pair_sum *t = &c->triples[i];
        const uint64_t pair = c->pairs[pair_first(t->key)].key;
        uint32_t x = pair_first(pair), y = pair_second(pair), z = pair_second(t->key);
        *out++ = of_triple(c, x, y, z, t->count);
        *out++ = of_triple(c, x, z, y, t->count);
        *out++ = of_triple(c, y, z, x, t->count);
    }
}

/* ---- all of them ---- */

double rules_possible(const struct rule_counts *c)
{
    double items = 0;
    for (uint32_t i = 0; i < c->items; i++)
        items += c->item_units[i] >= c->min_count;
    return items * (items - 1) + (double)c->pairs_count * fmax(0, items - 2);
}

/* Of the tests that were not made p counts as 1: q = min over the greater p of p · possible/rank. */
void rules_adjust(struct rule *rules, size_t count, double possible)
{
    double *p = mem_alloc((count + 1) * sizeof *p), *q = mem_alloc((count + 1) * sizeof *q);
    struct family_rank *ranks = mem_alloc((count + 1) * sizeof *ranks);
    for (size_t i = 0; i < count; i++)
        p[i] = rules[i].log_p;
    family_rank(p, count, ranks);
    family_p(FAMILY_BH, ranks, count, q);
    for (size_t i = 0; i < count; i++)
        rules[i].log_q = fmin(0, q[i] + log(fmax(1, possible / (double)count)));
    mem_free(p);
    mem_free(q);
    mem_free(ranks);
}

static bool is_kept(const struct rule *r, const struct rule_limits *l)
{
    return r->measures[RULE_LIFT] > 1 && r->measures[RULE_LIFT] >= l->min_lift &&
           r->measures[RULE_CONFIDENCE] >= l->min_confidence && r->log_q <= log(l->max_q) &&
           (r->second == RULE_ONE || r->improvement > l->min_improvement);
}

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_place(const void *a, const void *b, void *arg)
{
    const struct rule *x = a, *y = b;
    const enum rule_measure by = *(const enum rule_measure *)arg;
    /* RULE_ONE + 1 is 0: an antecedent of one comes before those of two that begin with it. */
    int d = compare_u32(x->first, y->first);
    d = d ? d : compare_u32(x->second + 1, y->second + 1);
    if (d == 0 && x->measures[by] != y->measures[by])
        d = x->measures[by] > y->measures[by] ? -1 : 1;
    return d ? d : compare_u32(x->then, y->then);
}

size_t rules_choose(struct rule *rules, size_t count, const struct rule_limits *limits)
{
    enum rule_measure by = limits->by;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (is_kept(&rules[i], limits))
            rules[kept++] = rules[i];
    if (kept)
        qsort_r(rules, kept, sizeof *rules, by_place, &by);
    return kept;
}
