#include "trainer/jobs/clicked.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stats/proportion.h"

#define Z_95 1.959963984540054

void click_judgeds_add(struct click_judgeds *j, const struct click_judged *one)
{
    if (j->count == j->room) {
        j->room = j->room ? 2 * j->room : 1024;
        j->items = mem_realloc(j->items, j->room * sizeof *j->items);
    }
    j->items[j->count++] = *one;
}

void click_judgeds_release(struct click_judgeds *j)
{
    mem_free(j->items);
    *j = (struct click_judgeds){ .count = 0 };
}

static bool is_clicked(const struct serp_pattern *p, uint32_t at)
{
    return p->clicked >> at & 1;
}

/* How many places from the top were looked at for sure: down to the lowest click. */
static uint32_t looked_at(const struct serp_pattern *p)
{
    return p->clicked ? 64 - (uint32_t)__builtin_clzll(p->clicked) : 0;
}

static void add_totals(const struct serp_pattern *p, struct click_totals *t)
{
    uint64_t n = p->count;
    uint32_t seen = looked_at(p);
    for (uint32_t i = 0; i < p->n && i < SERP_DOCS_MAX; i++) {
        t->shown[i] += n;
        t->clicked[i] += is_clicked(p, i) ? n : 0;
        t->clicks += is_clicked(p, i) ? n : 0;
        t->skips += i < seen && !is_clicked(p, i) ? n : 0;
    }
}

void clicked_totals(const struct serp_query *queries, size_t count, struct click_totals *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < queries[i].patterns_count; k++)
            add_totals(&queries[i].patterns[k], out);
}

/* Of one document of a query. */
struct counts {
    uint64_t shown[SERP_DOCS_MAX], showings, clicks, skips;
};

static void count_docs(const struct serp_query *q, struct counts *c)
{
    for (uint32_t k = 0; k < q->patterns_count; k++) {
        const struct serp_pattern *p = &q->patterns[k];
        uint64_t n = p->count;
        uint32_t seen = looked_at(p);
        for (uint32_t i = 0; i < p->n && i < SERP_DOCS_MAX; i++) {
            struct counts *d = &c[p->docs[i]];
            d->shown[i] += n;
            d->showings += n;
            d->clicks += is_clicked(p, i) ? n : 0;
            d->skips += i < seen && !is_clicked(p, i) ? n : 0;
        }
    }
}

static double ctr(const struct click_totals *t, uint32_t position)
{
    return t->shown[position] ? (double)t->clicked[position] / (double)t->shown[position] : 0;
}

static double coec(const struct counts *c, const struct click_totals *t, double prior)
{
    double expected = 0;
    for (uint32_t i = 0; i < SERP_DOCS_MAX; i++)
        expected += (double)c->shown[i] * ctr(t, i);
    return expected + prior > 0 ? ((double)c->clicks + prior) / (expected + prior) : 0;
}

/* CoecClickModel.java and ClickthroughRate.java of opensearch-search-quality-evaluation. */
static double coec_srw(const struct counts *c, const struct click_totals *t, uint32_t positions)
{
    char text[64];
    uint32_t best = 0;
    while (best < SERP_DOCS_MAX && !c->shown[best])
        best++;
    double rate = best + 1 < positions ? ctr(t, best) : 0, below = rate * (double)c->showings;
    (void)snprintf(text, sizeof text, "%.3f", below > 0 ? (double)c->clicks / below : 0);
    return strtod(text, NULL);
}

static double click_skip(const struct counts *c, const struct click_totals *t, double prior)
{
    double n = (double)(c->clicks + c->skips), all = (double)(t->clicks + t->skips);
    double mean = all > 0 ? (double)t->clicks / all : 0;
    return n + prior > 0 ? ((double)c->clicks + prior * mean) / (n + prior) : 0;
}

static double confidence(uint64_t clicks, uint64_t n)
{
    if (n == 0)
        return 0;
    struct interval i = proportion_wilson((double)clicks / (double)n, (double)n, Z_95);
    return fmin(1, fmax(0, 1 - (i.hi - i.lo)));
}

static struct click_judged judge(const struct counts *c, const struct click_totals *t, const struct click_rules *rules)
{
    uint64_t n = rules->formula == CLICKED_SKIP ? c->clicks + c->skips : c->showings;
    struct click_judged j = { .evidence = (double)n, .confidence = confidence(c->clicks, n) };
    switch (rules->formula) {
    case CLICKED_COEC:
        j.value = coec(c, t, rules->prior);
        break;
    case CLICKED_COEC_SRW:
        j.value = coec_srw(c, t, rules->positions);
        break;
    case CLICKED_SKIP:
        j.value = click_skip(c, t, rules->prior);
        break;
    }
    return j;
}

void clicked_judge(const struct serp_query *q, const struct click_totals *totals, const struct click_rules *rules,
                   struct click_judgeds *out)
{
    struct counts *c = mem_zalloc((q->docs_count + 1) * sizeof *c);
    count_docs(q, c);
    for (uint32_t d = 0; d < q->docs_count; d++) {
        struct click_judged j = judge(&c[d], totals, rules);
        j.query = q->text;
        j.doc = q->docs[d];
        if (j.evidence > 0 && j.evidence >= rules->min_evidence)
            click_judgeds_add(out, &j);
        else
            out->too_little++;
    }
    mem_free(c);
}
