#include "trainer/kernels/synonyms/synonym_pairs.h"

#include <math.h>
#include <stdlib.h>

#include "stats/proportion.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

enum { WHOLES = 8, REALS = 5, COUNTS = 6 };

/* ---- bytes ---- */

void synonym_evidence_write(struct buf *out, const struct synonym_evidence *e)
{
    const uint64_t w[WHOLES] = { e->clicks_a, e->clicks_b, e->all_a,      e->all_b,
                                 e->reach_a,  e->reach_b,  e->searches_a, e->searches_b };
    record_put(out, w, sizeof w);
    record_put_text(out, e->a);
    record_put_text(out, e->b);
    record_put_text(out, e->context);
    record_put_text(out, e->query_a);
    record_put_text(out, e->query_b);
}

bool synonym_evidence_read(struct str *in, struct synonym_evidence *out)
{
    uint64_t w[WHOLES];
    if (!record_take(in, w, sizeof w))
        return false;
    *out = (struct synonym_evidence){ .clicks_a = w[0],
                                      .clicks_b = w[1],
                                      .all_a = w[2],
                                      .all_b = w[3],
                                      .reach_a = w[4],
                                      .reach_b = w[5],
                                      .searches_a = w[6],
                                      .searches_b = w[7] };
    return record_take_text(in, &out->a) && record_take_text(in, &out->b) && record_take_text(in, &out->context) &&
           record_take_text(in, &out->query_a) && record_take_text(in, &out->query_b) && out->all_a && out->all_b;
}

void synonym_write(struct buf *out, const struct synonym *s)
{
    const double d[REALS] = { s->confidence, s->overlap, s->inside, s->inside_back, s->g };
    const uint64_t w[COUNTS] = { s->bidirectional, s->contexts,  s->clicks_input,
                                 s->clicks_output, s->documents, s->searches };
    record_put(out, d, sizeof d);
    record_put(out, w, sizeof w);
    record_put_text(out, s->input);
    record_put_text(out, s->output);
    record_put_text(out, s->context);
}

bool synonym_read(struct str *in, struct synonym *out)
{
    double d[REALS];
    uint64_t w[COUNTS];
    if (!record_take(in, d, sizeof d) || !record_take(in, w, sizeof w))
        return false;
    *out = (struct synonym){ .confidence = d[0],
                             .overlap = d[1],
                             .inside = d[2],
                             .inside_back = d[3],
                             .g = d[4],
                             .bidirectional = w[0] != 0,
                             .contexts = w[1],
                             .clicks_input = w[2],
                             .clicks_output = w[3],
                             .documents = w[4],
                             .searches = w[5] };
    return record_take_text(in, &out->input) && record_take_text(in, &out->output) &&
           record_take_text(in, &out->context);
}

int synonym_compare(const void *a, const void *b)
{
    const struct synonym *x = a, *y = b;
    if (x->confidence != y->confidence)
        return x->confidence > y->confidence ? -1 : 1;
    int d = pair_text_compare(x->input, y->input);
    return d ? d : pair_text_compare(x->output, y->output);
}

/* ---- pairs of queries ---- */

struct both {
    struct str a, b, context;
    double overlap, inside_a, inside_b; /* inside_a: of a's clicks, those where b mainly goes */
    uint64_t on_a, on_b;                /* clicks on documents of both */
    uint64_t all_a, all_b, reach_a, reach_b, searches_a, searches_b, documents;
};

struct synonym_pairs {
    struct pair_table *queries; /* of two queries' texts: struct both */
};

struct synonym_pairs *synonym_pairs_new(void)
{
    struct synonym_pairs *p = mem_zalloc(sizeof *p);
    p->queries = pair_table_new(sizeof(struct both));
    return p;
}

void synonym_pairs_free(struct synonym_pairs *p)
{
    if (!p)
        return;
    pair_table_free(p->queries);
    mem_free(p);
}

static void both_begin(struct synonym_pairs *p, struct both *b, const struct synonym_evidence *e)
{
    b->a = pair_table_keep(p->queries, e->a);
    b->b = pair_table_keep(p->queries, e->b);
    b->context = pair_table_keep(p->queries, e->context);
    b->all_a = e->all_a;
    b->all_b = e->all_b;
    b->reach_a = e->reach_a;
    b->reach_b = e->reach_b;
    b->searches_a = e->searches_a;
    b->searches_b = e->searches_b;
}

void synonym_pairs_add(struct synonym_pairs *p, const struct synonym_evidence *e)
{
    struct both *b = pair_table_at(p->queries, e->query_a, e->query_b);
    double share_a = (double)e->clicks_a / (double)e->all_a, share_b = (double)e->clicks_b / (double)e->all_b;
    if (!b->documents)
        both_begin(p, b, e);
    b->documents++;
    b->on_a += e->clicks_a;
    b->on_b += e->clicks_b;
    b->overlap += fmin(share_a, share_b);
    b->inside_a += share_b >= SYNONYM_MAIN ? share_a : 0;
    b->inside_b += share_a >= SYNONYM_MAIN ? share_b : 0;
}

/* ---- pairs of words ---- */

/* Clicks of one on the other's documents, and everybody else's. */
struct table {
    double on, all, others_on, others_all;
};

struct pair {
    struct both sum; /* overlap and inside: weighed sums; context: the last one */
    double weight;
    struct table of_a, of_b;
    uint64_t contexts;
};

static int by_words(const void *a, const void *b)
{
    const struct both *x = *(const struct both *const *)a, *y = *(const struct both *const *)b;
    int d = pair_text_compare(x->a, y->a);
    d = d ? d : pair_text_compare(x->b, y->b);
    return d ? d : pair_text_compare(x->context, y->context);
}

/* All of the other's own clicks are on its documents. */
static void table_add(struct table *t, uint64_t on, uint64_t all, uint64_t reach, uint64_t other, uint64_t all_clicks)
{
    t->on += (double)on;
    t->all += (double)all;
    t->others_on += fmax((double)reach - (double)on - (double)other, 0);
    t->others_all += fmax((double)all_clicks - (double)all - (double)other, 0);
}

static void pair_add(struct pair *p, const struct both *b, uint64_t all_clicks)
{
    double weight = (double)(b->all_a < b->all_b ? b->all_a : b->all_b);
    p->contexts += !p->contexts || !str_eq(p->sum.context, b->context);
    p->sum.context = b->context;
    p->weight += weight;
    p->sum.overlap += weight * b->overlap;
    p->sum.inside_a += weight * b->inside_a;
    p->sum.inside_b += weight * b->inside_b;
    p->sum.all_a += b->all_a;
    p->sum.all_b += b->all_b;
    p->sum.searches_a += b->searches_a;
    p->sum.searches_b += b->searches_b;
    p->sum.documents += b->documents;
    table_add(&p->of_a, b->on_a, b->all_a, b->reach_b, b->all_b, all_clicks);
    table_add(&p->of_b, b->on_b, b->all_b, b->reach_a, b->all_a, all_clicks);
}

/* 0: its clicks are on those documents no more often than others'. */
static double g_of(const struct table *t)
{
    const struct proportions c = { .x_c = (int64_t)fmin(t->others_on, t->others_all),
                                   .n_c = (int64_t)t->others_all,
                                   .x_t = (int64_t)t->on,
                                   .n_t = (int64_t)t->all };
    if (c.n_c <= 0 || c.n_t <= 0 || proportion_difference(&c) <= 0)
        return 0;
    return proportion_g(&c);
}

static double bound(double share, double n, double z)
{
    return n > 0 ? fmax(proportion_wilson(fmin(share, 1), n, z).lo, 0) : 0;
}

/* False: it does not pass. */
static bool judge(const struct pair *p, const struct both *words, const struct synonym_rules *r, struct synonym *out)
{
    double overlap = p->sum.overlap / p->weight;
    double inside_a = p->sum.inside_a / p->weight, inside_b = p->sum.inside_b / p->weight;
    bool both = overlap >= r->min_overlap, back = !both && inside_b > inside_a;
    uint64_t searches = back ? p->sum.searches_b : p->sum.searches_a;
    *out = (struct synonym){ .input = back ? words->b : words->a,
                             .output = back ? words->a : words->b,
                             .bidirectional = both,
                             .overlap = overlap,
                             .inside = back ? inside_b : inside_a,
                             .inside_back = back ? inside_a : inside_b,
                             .g = fmin(g_of(&p->of_a), g_of(&p->of_b)),
                             .contexts = p->contexts,
                             .clicks_input = back ? p->sum.all_b : p->sum.all_a,
                             .clicks_output = back ? p->sum.all_a : p->sum.all_b,
                             .documents = p->sum.documents,
                             .searches = searches + (both ? p->sum.searches_b : 0),
                             .context = words->context };
    out->confidence = both ? bound(overlap, p->weight, r->z) : bound(out->inside, (double)out->clicks_input, r->z);
    if (out->g < r->min_g || p->contexts < r->min_contexts)
        return false;
    return both || (out->inside >= r->min_inside && out->inside_back < r->min_inside);
}

bool synonym_pairs_finish(struct synonym_pairs *p, const struct synonym_rules *rules, uint64_t all_clicks,
                          synonym_fn fn, void *arg, struct err *err)
{
    size_t count = pair_table_count(p->queries);
    const struct both **list = mem_alloc((count + 1) * sizeof *list);
    uint32_t *order = pair_table_sort(p->queries);
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        list[i] = pair_table_value(p->queries, order[i]);
    mem_free(order);
    if (count)
        qsort(list, count, sizeof *list, by_words);
    for (size_t i = 0, end; ok && i < count; i = end) {
        struct pair pair = { .contexts = 0 };
        struct synonym found;
        for (end = i; end < count && str_eq(list[end]->a, list[i]->a) && str_eq(list[end]->b, list[i]->b); end++)
            pair_add(&pair, list[end], all_clicks);
        if (judge(&pair, list[i], rules, &found))
            ok = fn(arg, &found, err);
    }
    mem_free(list);
    return ok;
}
