/* Boosts: the classic expression, and shares of clicks that are what is later seen. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "trainer/kernels/clicks/boosts.h"

enum { QUERIES = 3000, DOCS = 60, TEXT_MAX = 16 };

Test(boosts, classic_expression_and_its_range)
{
    cr_assert(epsilon_eq(dbl, boost_weight(BOOST_LOG, M_E - 1), 1, 1e-12));
    cr_assert(epsilon_eq(dbl, boost_weight(BOOST_SQRT, 9), 3, 1e-12));
    cr_assert(epsilon_eq(dbl, boost_weight(BOOST_LINEAR, 9), 9, 1e-12));
    cr_assert(epsilon_eq(dbl, boost_scaled(4, 4, 1.1, 5), 5, 1e-12));
    cr_assert(epsilon_eq(dbl, boost_scaled(2, 4, 1, 5), 3, 1e-12));
    cr_assert(epsilon_eq(dbl, boost_scaled(0, 0, 1, 5), 1, 1e-12));
}

Test(boosts, records_are_read_as_they_were_written)
{
    const struct boost_doc docs[] = { { STR("d1"), 2.5, 3 }, { STR("d2"), 1, 1 } };
    const struct boost_query q = {
        .filters = STR("sale"), .query = STR("lamp"), .signals = 7, .docs = docs, .count = 2
    };
    struct boost_query got;
    struct arena arena;
    struct buf b;
    arena_init(&arena, 1024);
    buf_init(&b, 1024);
    boost_query_write(&b, &q);
    for (size_t cut = 0; cut < b.n; cut++) {
        struct str part = { b.p, cut };
        cr_assert(not(boost_query_read(&part, &arena, &got)));
    }
    struct str whole = buf_str(&b);
    cr_assert(boost_query_read(&whole, &arena, &got));
    cr_assert(eq(sz, whole.n, 0));
    cr_assert(str_eq_c(got.filters, "sale"));
    cr_assert(str_eq_c(got.query, "lamp"));
    cr_assert(eq(u64, got.signals, 7));
    cr_assert(eq(u32, got.count, 2));
    cr_assert(str_eq_c(got.docs[1].doc, "d2"));
    cr_assert(epsilon_eq(dbl, got.docs[0].weight, 2.5, 0));
    buf_release(&b);
    arena_release(&arena);
}

/* ---- shares ---- */

static double draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) * 0x1p-53;
}

struct world {
    char texts[DOCS][TEXT_MAX];
    struct boost_doc docs[QUERIES][DOCS];
    struct boost_query queries[QUERIES];
    uint32_t next[QUERIES]; /* the document that was chosen after all these */
};

/* Pólya's urn: each choice is, with s / (i + s), drawn anew by popularity, else one of those before: the Dirichlet-multinomial of strength s. */
static uint32_t choose(uint32_t *chosen, uint32_t count, double s, uint64_t *state)
{
    if (draw(state) * (count + s) >= s)
        return chosen[(uint32_t)(draw(state) * count)];
    return (uint32_t)(DOCS * draw(state) * draw(state)); /* some are more popular */
}

static void make(struct world *w, double s, uint32_t signals_max)
{
    static uint32_t chosen[1000];
    uint64_t state = 88172645463325252ULL;
    for (int d = 0; d < DOCS; d++)
        (void)snprintf(w->texts[d], TEXT_MAX, "doc-%d", d);
    for (int q = 0; q < QUERIES; q++) {
        uint32_t n = 1 + (uint32_t)(draw(&state) * signals_max), counts[DOCS] = { 0 }, listed = 0;
        for (uint32_t i = 0; i < n; i++)
            counts[chosen[i] = choose(chosen, i, s, &state)]++;
        w->next[q] = choose(chosen, n, s, &state);
        for (int d = 0; d < DOCS; d++)
            if (counts[d])
                w->docs[q][listed++] = (struct boost_doc){ str_of(w->texts[d]), counts[d], counts[d] };
        w->queries[q] = (struct boost_query){ .signals = n, .docs = w->docs[q], .count = listed };
    }
}

Test(boosts, the_strength_of_what_is_believed_is_found_again)
{
    static struct world w;
    static const double strengths[] = { 0.5, 3, 20 };
    for (size_t i = 0; i < COUNT_OF(strengths); i++) {
        struct boost_prior p;
        make(&w, strengths[i], 40);
        boost_prior_fit(&p, w.queries, QUERIES);
        cr_assert(lt(dbl, fabs(log(p.strength / strengths[i])), 0.15), "%g instead of %g", p.strength, strengths[i]);
        boost_prior_release(&p);
    }
}

/* Of what is said to be chosen with p, p is chosen: within four standard errors, in each class of p. The plain share k/n is not like that. */
Test(boosts, shares_are_what_is_seen_next)
{
    enum { CLASSES = 5 };
    static struct world w;
    double said[CLASSES] = { 0 }, seen[CLASSES] = { 0 }, plain[CLASSES] = { 0 }, variance[CLASSES] = { 0 };
    struct boost_prior p;
    make(&w, 3, 10);
    boost_prior_fit(&p, w.queries, QUERIES);
    for (int q = 0; q < QUERIES; q++)
        for (uint32_t i = 0; i < w.queries[q].count; i++) {
            const struct boost_doc *d = &w.docs[q][i];
            double share = boost_share(&p, &w.queries[q], d);
            int class = (int)fmin(CLASSES - 1, share * CLASSES);
            said[class] += share;
            seen[class] += str_eq_c(d->doc, w.texts[w.next[q]]);
            plain[class] += (double)d->signals / (double)w.queries[q].signals;
            variance[class] += share * (1 - share);
        }
    for (int c = 0; c < CLASSES; c++)
        cr_assert(le(dbl, fabs(said[c] - seen[c]), 4 * sqrt(variance[c]) + 0.01), "class %d: said %g, seen %g", c,
                  said[c], seen[c]);
    cr_assert(gt(dbl, fabs(plain[1] - seen[1]), 4 * sqrt(variance[1])));
    boost_prior_release(&p);
}

Test(boosts, all_documents_together_have_one)
{
    const struct boost_doc lamp[] = { { STR("a"), 1, 3 }, { STR("b"), 1, 1 } }, sofa[] = { { STR("c"), 1, 4 } };
    const struct boost_query queries[] = { { .signals = 4, .docs = lamp, .count = 2 },
                                           { .signals = 4, .docs = sofa, .count = 1 } };
    const struct boost_doc unseen = { STR("c"), 0, 0 };
    struct boost_prior p;
    boost_prior_fit(&p, queries, 2);
    cr_assert(epsilon_eq(dbl,
                         boost_share(&p, &queries[0], &lamp[0]) + boost_share(&p, &queries[0], &lamp[1]) +
                             boost_share(&p, &queries[0], &unseen),
                         1, 1e-12));
    cr_assert(gt(dbl, boost_share(&p, &queries[0], &lamp[0]), boost_share(&p, &queries[0], &lamp[1])));
    boost_prior_release(&p);
    boost_prior_fit(&p, queries, 0); /* nothing is known at all */
    cr_assert(ieee_ulp_eq(dbl, p.strength, 1, 1));
    boost_prior_release(&p);
}
