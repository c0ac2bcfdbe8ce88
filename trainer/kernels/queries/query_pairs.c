#include "trainer/kernels/queries/query_pairs.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/kernels/words.h"

/* What is known of another query beside this one. */
struct other {
    double overlap; /* shares in common */
    uint64_t own, theirs,
        sessions; /* clicks of this query on documents of the other; the other way round; sessions in common */
};
struct expected {
    double share;
    uint32_t clicks;
};

struct query_pairs {
    const struct query_head *head;
    const struct query_pair_rules *rules;
    struct other *others; /* of each query; only those in `seen` are not zero */
    struct expected *docs;
    uint32_t *seen, *seen_docs;
    uint32_t seen_count, seen_docs_count;
    struct query_pair *pairs;
    struct query_item *items;
};

struct query_pairs *query_pairs_new(const struct query_head *head, const struct query_pair_rules *rules)
{
    struct query_pairs *p = mem_zalloc(sizeof *p);
    size_t queries = head->sizes.queries + 1, docs = head->sizes.docs + 1;
    p->head = head;
    p->rules = rules;
    p->others = mem_zalloc(queries * sizeof *p->others);
    p->seen = mem_alloc(queries * sizeof *p->seen);
    p->pairs = mem_alloc(queries * sizeof *p->pairs);
    p->docs = mem_zalloc(docs * sizeof *p->docs);
    p->seen_docs = mem_alloc(docs * sizeof *p->seen_docs);
    p->items = mem_alloc(docs * sizeof *p->items);
    return p;
}

void query_pairs_free(struct query_pairs *p)
{
    if (!p)
        return;
    mem_free(p->others);
    mem_free(p->seen);
    mem_free(p->pairs);
    mem_free(p->docs);
    mem_free(p->seen_docs);
    mem_free(p->items);
    mem_free(p);
}

/* ---- evidence ---- */

static double term(double observed, double expected)
{
    return observed > 0 && expected > 0 ? observed * log(observed / expected) : 0;
}

double query_llr(double both, double a, double b, double all)
{
    double only_a = fmax(0, a - both), only_b = fmax(0, b - both), none = fmax(0, all - a - b + both);
    double n = both + only_a + only_b + none, row = both + only_a, column = both + only_b;
    if (n <= 0)
        return 0;
    double expected = row * column / n;
    double sum = term(both, expected) + term(only_a, row * (n - column) / n) + term(only_b, (n - row) * column / n) +
                 term(none, (n - row) * (n - column) / n);
    return both > expected ? 2 * sum : -2 * sum;
}

/* ---- who else ---- */

static struct other *other_of(struct query_pairs *p, uint32_t query)
{
    struct other *o = &p->others[query];
    if (o->own == 0 && o->sessions == 0)
        p->seen[p->seen_count++] = query;
    return o;
}

static void add_clicks(struct query_pairs *p, uint32_t query)
{
    const struct query_head *h = p->head;
    struct query_head_row docs = query_head_docs(h, query);
    double all = (double)h->sums[query].clicks;
    for (uint32_t i = 0; i < docs.count; i++) {
        struct query_head_row queries = query_head_queries(h, docs.entries[i].number);
        double share = docs.entries[i].count / all;
        for (uint32_t k = 0; k < queries.count; k++) {
            uint32_t number = queries.entries[k].number;
            if (number == query)
                continue;
            struct other *o = other_of(p, number);
            o->overlap += fmin(share, queries.entries[k].count / (double)h->sums[number].clicks);
            o->own += docs.entries[i].count;
            o->theirs += queries.entries[k].count;
        }
    }
}

static void add_sessions(struct query_pairs *p, uint32_t query)
{
    struct query_head_row same = query_head_same(p->head, query);
    for (uint32_t i = 0; i < same.count; i++)
        if (same.entries[i].number != query)
            other_of(p, same.entries[i].number)->sessions = same.entries[i].count;
}

/* ---- scores ---- */

static double coclick_of(const struct query_pairs *p, uint32_t query, uint32_t number, const struct other *o)
{
    const struct query_pair_rules *r = p->rules;
    const struct query_head_sums *a = &p->head->sums[query], *b = &p->head->sums[number];
    double all = (double)p->head->sizes.clicks;
    if (!r->use_clicks || o->overlap < r->min_overlap || o->own < r->min_pair_count || o->theirs < r->min_pair_count)
        return 0;
    double llr = fmin(query_llr((double)o->own, (double)a->clicks, (double)b->mass, all),
                      query_llr((double)o->theirs, (double)b->clicks, (double)a->mass, all));
    return llr >= r->min_llr ? fmin(1, o->overlap) : 0;
}

static double session_of(const struct query_pairs *p, uint32_t query, uint32_t number, const struct other *o)
{
    const struct query_pair_rules *r = p->rules;
    double both = (double)o->sessions, a = (double)p->head->sums[query].sessions,
           b = (double)p->head->sums[number].sessions, all = (double)p->head->sizes.sessions;
    if (!r->use_sessions || o->sessions < r->min_pair_count || query_llr(both, a, b, all) < r->min_llr)
        return 0;
    return fmin(1, fmax(0, both - a * b / all) / (a + r->prior_sessions));
}

static bool is_of_length(const struct query_pair_rules *r, struct str text)
{
    size_t n = words_chars(text);
    return n >= r->min_length && n <= r->max_length;
}

static bool may_pair(const struct query_pairs *p, struct str a, struct str b)
{
    return is_of_length(p->rules, b) && !query_same_words(a, b) &&
           (p->rules->min_token_overlap <= 0 || query_token_overlap(a, b) >= p->rules->min_token_overlap);
}

static int by_score(const void *a, const void *b)
{
    const struct query_pair *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->query < y->query ? -1 : x->query > y->query;
}

static uint32_t score_others(struct query_pairs *p, uint32_t query)
{
    struct str text = query_head_query(p->head, query);
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->seen_count; i++) {
        uint32_t number = p->seen[i];
        double coclick = coclick_of(p, query, number, &p->others[number]),
               session = session_of(p, query, number, &p->others[number]);
        if ((coclick > 0 || session > 0) && may_pair(p, text, query_head_query(p->head, number)))
            p->pairs[n++] = (struct query_pair){ number, (float)(1 - (1 - coclick) * (1 - session)), (float)coclick,
                                                 (float)session };
    }
    qsort(p->pairs, n, sizeof *p->pairs, by_score);
    return n;
}

/* The first `top` that say something new. */
static uint32_t choose(struct query_pairs *p, uint32_t count)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count && n < p->rules->top; i++) {
        struct str text = query_head_query(p->head, p->pairs[i].query);
        uint32_t k = 0;
        while (k < n && !query_same_words(query_head_query(p->head, p->pairs[k].query), text))
            k++;
        if (k == n)
            p->pairs[n++] = p->pairs[i];
    }
    return n;
}

/* ---- documents ---- */

static void expect(struct query_pairs *p, uint32_t query, double weight, bool own)
{
    struct query_head_row docs = query_head_docs(p->head, query);
    double all = (double)p->head->sums[query].clicks;
    for (uint32_t i = 0; i < docs.count; i++) {
        struct expected *e = &p->docs[docs.entries[i].number];
        if (e->share == 0 && e->clicks == 0)
            p->seen_docs[p->seen_docs_count++] = docs.entries[i].number;
        if (own)
            e->clicks = docs.entries[i].count;
        else
            e->share += weight * (docs.entries[i].count / all);
    }
}

static int by_item_score(const void *a, const void *b)
{
    const struct query_item *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->doc < y->doc ? -1 : x->doc > y->doc;
}

static uint32_t find_items(struct query_pairs *p, uint32_t query, uint32_t pairs)
{
    double weights = 0, prior = p->rules->prior_clicks, all = (double)p->head->sums[query].clicks;
    for (uint32_t i = 0; i < pairs; i++)
        weights += p->pairs[i].score;
    expect(p, query, 0, true);
    for (uint32_t i = 0; i < pairs && prior > 0; i++)
        expect(p, p->pairs[i].query, p->pairs[i].score / weights, false);
    for (uint32_t i = 0; i < p->seen_docs_count; i++) {
        struct expected *e = &p->docs[p->seen_docs[i]];
        p->items[i] = (struct query_item){ p->seen_docs[i], (float)((e->clicks + prior * e->share) / (all + prior)),
                                           e->clicks };
        *e = (struct expected){ 0 };
    }
    uint32_t n = p->seen_docs_count;
    qsort(p->items, n, sizeof *p->items, by_item_score);
    p->seen_docs_count = 0;
    return n < p->rules->top_items ? n : p->rules->top_items;
}

void query_pairs_find(struct query_pairs *p, uint32_t query, const struct query_pair **out_pairs,
                      uint32_t *out_pairs_count, const struct query_item **out_items, uint32_t *out_items_count)
{
    uint32_t n = 0;
    if (is_of_length(p->rules, query_head_query(p->head, query))) {
        if (p->rules->use_clicks)
            add_clicks(p, query);
        if (p->rules->use_sessions)
            add_sessions(p, query);
        n = choose(p, score_others(p, query));
    }
    for (uint32_t i = 0; i < p->seen_count; i++)
        p->others[p->seen[i]] = (struct other){ 0 };
    p->seen_count = 0;
    *out_pairs = p->pairs;
    *out_pairs_count = n;
    *out_items_count = find_items(p, query, n);
    *out_items = p->items;
}
