#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "stats/interleave/interleave.h"
#include "stats/interleave/optimized.h"
#include "stats/interleave/preference.h"
#include "stats/interleave/simplex.h"
#include "tests/stats/draw.h"

enum { ROOM = 64 };

/* Coins from a text of 0 and 1: "1" is a coin that chooses the first of those who are level. */
struct script {
    const char *flips;
    size_t used;
};

static unsigned scripted(void *arg, unsigned n)
{
    struct script *s = arg;
    cr_assert(eq(uint, n, 2));
    cr_assert(ne(chr, s->flips[s->used], 0), "more coins than the text holds");
    return s->flips[s->used++] == '0';
}

/* Documents are letters; "" is an empty ranking. */
struct pair {
    int32_t docs[INTERLEAVE_RANKINGS_MAX][ROOM];
    struct interleave_rankings r;
};

static struct interleave_rankings *rankings(struct pair *p, size_t n, const char *const *texts)
{
    p->r = (struct interleave_rankings){ .count = n, .docs_count = 128 };
    for (size_t t = 0; t < n; t++) {
        p->r.docs[t] = p->docs[t];
        for (const char *c = texts[t]; *c; c++)
            p->docs[t][p->r.lengths[t]++] = (unsigned char)*c;
    }
    return &p->r;
}

struct shown {
    char docs[ROOM], owners[ROOM];
};

static struct shown text_of(const struct interleave_list *l)
{
    struct shown s = { "", "" };
    for (size_t i = 0; i < l->n; i++) {
        s.docs[i] = (char)l->docs[i];
        s.owners[i] = l->owners[i] == INTERLEAVE_NEUTRAL ? '-' : (char)('A' + l->owners[i]);
    }
    return s;
}

static struct shown merge(enum interleave_method method, const char *a, const char *b, const char *flips, size_t length)
{
    struct pair p;
    struct script s = { flips, 0 };
    struct err err;
    int32_t docs[ROOM];
    int8_t owners[ROOM];
    struct interleave_list l = { 0, docs, owners, NULL };
    const struct interleave_rankings *r = rankings(&p, 2, (const char *const[]){ a, b });
    cr_assert(interleave_check(method, r, length, &err), "%s", err.text);
    interleave_merge(method, r, length, &(struct interleave_coins){ scripted, &s }, &l);
    cr_expect(eq(chr, flips[s.used], 0), "coins left over: %s", flips + s.used);
    return text_of(&l);
}

/* The published cases of ../shared/vectors/stats/team_draft_sign_test.json, D001 to D007; the texts hold the coins that are used. */
Test(interleave, team_draft_is_the_published_one)
{
    static const struct {
        const char *a, *b, *flips;
        size_t length;
        const char *docs, *owners;
    } cases[] = {
        { "12345", "24718", "100", 5, "12437", "ABBAB" }, { "12345", "24718", "111", 6, "123457", "ABABAB" },
        { "12345", "24718", "00", 4, "2143", "BABA" },    { "12345", "12345", "011", 5, "12345", "BAABA" },
        { "ab", "xyz", "010", 10, "xabyz", "BAABB" },     { "", "123", "1", 5, "123", "BBB" },
        { "12", "12345", "10", 5, "12345", "ABBBB" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shown s = merge(INTERLEAVE_TEAM_DRAFT, cases[i].a, cases[i].b, cases[i].flips, cases[i].length);
        cr_expect(eq(str, s.docs, cases[i].docs), "case %zu", i + 1);
        cr_expect(eq(str, s.owners, cases[i].owners), "case %zu", i + 1);
    }
}

Test(interleave, balanced_is_the_published_one)
{
    cr_expect(eq(str, merge(INTERLEAVE_BALANCED, "12345", "24718", "1", 6).docs, "124375"));
    cr_expect(eq(str, merge(INTERLEAVE_BALANCED, "1234", "2341", "0", 4).docs, "2134"));
    cr_expect(eq(str, merge(INTERLEAVE_BALANCED, "12345", "24718", "1", 3).docs, "124"));
}

Test(interleave, short_and_empty_rankings_let_the_other_go_on)
{
    for (unsigned first = 0; first < 2; first++) {
        const char *flip = first ? "0" : "1";
        cr_expect(eq(str, merge(INTERLEAVE_BALANCED, "", "xyz", flip, 9).docs, "xyz"));
        cr_expect(eq(str, merge(INTERLEAVE_BALANCED, "xyz", "", flip, 2).owners, "AA"));
        cr_expect(eq(str, merge(INTERLEAVE_BALANCED, "", "", flip, 2).docs, ""));
    }
    cr_expect(eq(str, merge(INTERLEAVE_BALANCED, "a", "xyz", "1", 9).docs, "axyz"));
    cr_expect(eq(str, merge(INTERLEAVE_TEAM_DRAFT, "", "", "", 9).docs, ""));
    cr_expect(eq(str, merge(INTERLEAVE_TEAM_DRAFT, "ab", "xy", "11", 9).docs, "axby"), "no coin once all are used up");
}

static unsigned seeded(void *arg, unsigned n)
{
    return (unsigned)(draw_u64(arg) % n);
}

/* `n` different letters of the first `of`, in random order. */
static void shuffle(struct draw *d, size_t of, size_t n, char *out)
{
    char all[ROOM];
    for (size_t i = 0; i < of; i++)
        all[i] = (char)('0' + i);
    for (size_t i = 0; i < n; i++) {
        size_t j = i + draw_u64(d) % (of - i);
        out[i] = all[j];
        all[j] = all[i];
    }
    out[n] = 0;
}

static void random_rankings(struct draw *d, size_t n, struct pair *p)
{
    char texts[INTERLEAVE_RANKINGS_MAX][ROOM];
    const char *list[INTERLEAVE_RANKINGS_MAX];
    size_t of = 1 + draw_u64(d) % 20;
    for (size_t t = 0; t < n; t++) {
        shuffle(d, of, draw_u64(d) % (of + 1), texts[t]);
        list[t] = texts[t];
    }
    (void)rankings(p, n, list);
}

static bool holds(const int32_t *docs, size_t n, int32_t doc)
{
    for (size_t i = 0; i < n; i++)
        if (docs[i] == doc)
            return true;
    return false;
}

static size_t union_size(const struct interleave_rankings *r)
{
    bool seen[128] = { false };
    size_t n = 0;
    for (size_t t = 0; t < r->count; t++)
        for (size_t i = 0; i < r->lengths[t]; i++) {
            n += !seen[r->docs[t][i]];
            seen[r->docs[t][i]] = true;
        }
    return n;
}

/* What every list of every method is: as long as asked or as there are documents, nothing twice, and each document the best that was left of
 * some ranking. */
static void check_list(const struct interleave_rankings *r, size_t length, const struct interleave_list *l)
{
    size_t all = union_size(r);
    cr_assert(eq(sz, l->n, all < length ? all : length));
    for (size_t i = 0; i < l->n; i++) {
        bool best = false;
        cr_assert(eq(int, holds(l->docs, i, l->docs[i]), 0));
        for (size_t t = 0; t < r->count; t++) {
            size_t at = 0;
            while (at < r->lengths[t] && holds(l->docs, i, r->docs[t][at]))
                at++;
            best = best || (at < r->lengths[t] && r->docs[t][at] == l->docs[i]);
        }
        cr_assert(best, "position %zu", i);
        cr_assert(l->owners[i] >= INTERLEAVE_NEUTRAL && l->owners[i] < (int)r->count);
    }
}

Test(interleave, every_list_keeps_the_order_of_the_rankings)
{
    struct draw d = { 31 };
    for (unsigned round = 0; round < 4000; round++) {
        enum interleave_method method = (enum interleave_method)(round % INTERLEAVE_METHOD_COUNT);
        size_t n = method == INTERLEAVE_MULTILEAVE ? 2 + draw_u64(&d) % 9 : 2, length = 1 + draw_u64(&d) % 25;
        struct pair p;
        int32_t docs[ROOM];
        int8_t owners[ROOM];
        struct interleave_list l = { 0, docs, owners, NULL };
        struct err err;
        random_rankings(&d, n, &p);
        cr_assert(interleave_check(method, &p.r, length, &err), "%s", err.text);
        interleave_merge(method, &p.r, length, &(struct interleave_coins){ seeded, &d }, &l);
        check_list(&p.r, length, &l);
    }
}

Test(interleave, in_a_draft_of_equals_each_picks_once_a_round)
{
    struct draw d = { 7 };
    for (size_t teams = 2; teams <= INTERLEAVE_RANKINGS_MAX; teams++) {
        char texts[INTERLEAVE_RANKINGS_MAX][ROOM];
        const char *list[INTERLEAVE_RANKINGS_MAX];
        struct pair p;
        int32_t docs[ROOM];
        int8_t owners[ROOM];
        struct interleave_list l = { 0, docs, owners, NULL };
        for (size_t t = 0; t < teams; t++) {
            shuffle(&d, 60, 60, texts[t]);
            list[t] = texts[t];
        }
        interleave_draft(rankings(&p, teams, list), 3 * teams, &(struct interleave_coins){ seeded, &d }, &l);
        for (size_t round = 0; round < 3; round++) {
            unsigned picked = 0;
            for (size_t i = 0; i < teams; i++)
                picked |= 1u << owners[round * teams + i];
            cr_expect(eq(uint, picked, (1u << teams) - 1), "%zu teams, round %zu", teams, round);
        }
    }
}

/* ---- optimised ---- */

static double largest_bias(const struct interleave_lists *l)
{
    double worst = 0;
    for (size_t k = 0; k < l->positions; k++) {
        double bias = 0;
        for (size_t j = 0; j < l->count; j++)
            bias += l->p[j] * l->credit[k][j];
        worst = fmax(worst, fabs(bias));
    }
    return worst;
}

static double total(const struct interleave_lists *l)
{
    double sum = 0;
    for (size_t j = 0; j < l->count; j++) {
        cr_assert(l->p[j] >= 0);
        sum += l->p[j];
    }
    return sum;
}

Test(optimized, two_documents_swapped_are_a_fair_coin)
{
    static struct interleave_lists l;
    struct pair p;
    interleave_optimize(rankings(&p, 2, (const char *const[]){ "12", "21" }), 2, INTERLEAVE_CREDIT_BINARY, &l);
    cr_assert(eq(sz, l.count, 2));
    cr_assert(epsilon_eq(dbl, l.p[0], 0.5, 1e-12));
    cr_assert(epsilon_eq(dbl, l.p[1], 0.5, 1e-12));
}

Test(optimized, what_both_place_alike_belongs_to_nobody)
{
    struct draw d = { 3 };
    struct pair p;
    int32_t docs[ROOM];
    int8_t owners[ROOM];
    struct interleave_list l = { 0, docs, owners, NULL };
    interleave_optimized(rankings(&p, 2, (const char *const[]){ "12345", "12435" }), 5, INTERLEAVE_CREDIT_BINARY,
                         &(struct interleave_coins){ seeded, &d }, &l);
    struct shown s = text_of(&l);
    cr_expect(s.owners[0] == '-' && s.owners[1] == '-' && s.owners[4] == '-', "%s", s.owners);
    cr_expect(s.owners[2] != s.owners[3] && s.owners[2] != '-' && s.owners[3] != '-', "%s", s.owners);
}

Test(optimized, positions_behind_the_tenth_belong_to_nobody)
{
    struct draw d = { 5 };
    struct pair p;
    int32_t docs[ROOM];
    int8_t owners[ROOM];
    struct interleave_list l = { 0, docs, owners, NULL };
    const struct interleave_rankings *r = rankings(&p, 2,
                                                   (const char *const[]){ "abcdefghijklmnop", "ponmlkjihgfedcba" });
    interleave_optimized(r, 16, INTERLEAVE_CREDIT_BINARY, &(struct interleave_coins){ seeded, &d }, &l);
    check_list(r, 16, &l);
    for (size_t i = INTERLEAVE_OPTIMIZED_MAX; i < l.n; i++)
        cr_expect(eq(int, (int)owners[i], INTERLEAVE_NEUTRAL));
}

/* Who clicks without reading prefers neither ranking, at any position; two rankings of one length are optimised over their whole length. */
Test(optimized, random_clicks_prefer_neither)
{
    static struct interleave_lists l;
    struct draw d = { 11 };
    unsigned cut[3] = { 0 };
    for (unsigned round = 0; round < 600; round++) {
        enum interleave_credit_kind kind = (enum interleave_credit_kind)(round % 3);
        size_t length = 1 + draw_u64(&d) % INTERLEAVE_OPTIMIZED_MAX, all;
        bool equal = round % 2;
        char a[ROOM], b[ROOM];
        size_t n = 1 + draw_u64(&d) % 12, of = n + draw_u64(&d) % 6;
        struct pair p;
        shuffle(&d, of, n, a);
        shuffle(&d, of, equal ? n : draw_u64(&d) % (of + 1), b);
        interleave_optimize(rankings(&p, 2, (const char *const[]){ a, b }), length, kind, &l);
        cr_assert(epsilon_eq(dbl, total(&l), 1, 1e-9));
        cr_assert(largest_bias(&l) <= 1e-8, "round %u: bias %g", round, largest_bias(&l));
        all = union_size(&p.r);
        all = all < length ? all : length;
        cr_assert(l.positions <= all);
        cr_expect(l.positions == all || kind == INTERLEAVE_CREDIT_BINARY || equal == false, "round %u: %s %s", round, a,
                  b);
        cut[kind] += l.positions < all;
    }
    (void)fprintf(stderr,
                  "pairs that cannot be unbiased over the whole length, of 200: binary %u, inverse %u, linear %u\n",
                  cut[0], cut[1], cut[2]);
}

/* ---- credit ---- */

Test(credit, balanced_counts_down_to_the_better_rank_of_the_lowest_click)
{
    static const struct {
        const char *a, *b, *list;
        size_t clicks[2], n;
        double credit[2];
        int winner;
    } cases[] = { { "12345", "24718", "124375", { 0, 2 }, 2, { 1, 1 }, INTERLEAVE_NEUTRAL },
                  { "1234", "2341", "2134", { 1 }, 1, { 1, 0 }, 0 },
                  { "12345", "24718", "124", { 0 }, 0, { 0, 0 }, INTERLEAVE_NEUTRAL },
                  { "12", "3", "132", { 1 }, 1, { 0, 1 }, 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair p;
        uint16_t ranks[ROOM][2];
        double credit[2];
        const struct interleave_rankings *r = rankings(&p, 2, (const char *const[]){ cases[i].a, cases[i].b });
        for (size_t k = 0; cases[i].list[k]; k++)
            for (size_t t = 0; t < 2; t++)
                ranks[k][t] = (uint16_t)interleave_rank(r, t, cases[i].list[k]);
        interleave_credit_balanced((const uint16_t(*)[2])ranks, cases[i].clicks, cases[i].n, credit);
        cr_expect(eq(dbl, credit[0], cases[i].credit[0]), "case %zu", i);
        cr_expect(eq(dbl, credit[1], cases[i].credit[1]), "case %zu", i);
        cr_expect(eq(int, interleave_winner(credit, 2), cases[i].winner), "case %zu", i);
    }
}

Test(credit, clicks_count_for_the_owner_by_weight)
{
    const int8_t owners[] = { 0, 1, INTERLEAVE_NEUTRAL, 2, 1 };
    const double weights[] = { 0.5, 0.25, 0, 2, 0.25 };
    const size_t clicks[] = { 1, 2, 4, 0 };
    double credit[3];
    interleave_credit(owners, NULL, clicks, 4, credit, 3);
    cr_expect(eq(dbl, credit[0], 1));
    cr_expect(eq(dbl, credit[1], 2));
    cr_expect(eq(dbl, credit[2], 0));
    cr_expect(eq(int, interleave_winner(credit, 3), 1));
    interleave_credit(owners, weights, clicks, 4, credit, 3);
    cr_expect(eq(dbl, credit[0], 0.5));
    cr_expect(eq(dbl, credit[1], 0.5));
    cr_expect(eq(dbl, credit[2], 0));
    cr_expect(eq(int, interleave_winner(credit, 3), INTERLEAVE_NEUTRAL));
    cr_expect(eq(int, interleave_winner((const double[]){ 1, 1, 2 }, 3), 2), "a tie below the winner is none");
}

/* ---- refusals ---- */

static void refuse(enum interleave_method method, size_t n, const char *const *texts, size_t length, const char *why)
{
    struct pair p;
    struct err err;
    cr_expect(eq(int, interleave_check(method, rankings(&p, n, texts), length, &err), 0));
    cr_expect(eq(str, err.text, (char *)(uintptr_t)why));
}

Test(interleave, refuses_what_it_cannot_merge)
{
    refuse(INTERLEAVE_TEAM_DRAFT, 2, (const char *const[]){ "xyx", "ab" }, 3,
           "ranking 1 holds the document at position 3 twice");
    refuse(INTERLEAVE_MULTILEAVE, 3, (const char *const[]){ "x", "ab", "aa" }, 3,
           "ranking 3 holds the document at position 2 twice");
    refuse(INTERLEAVE_BALANCED, 3, (const char *const[]){ "x", "y", "z" }, 3, "balanced merges two rankings, not 3");
    refuse(INTERLEAVE_MULTILEAVE, 1, (const char *const[]){ "x" }, 3, "multileave merges 2 to 10 rankings, not 1");
    refuse(INTERLEAVE_OPTIMIZED, 2, (const char *const[]){ "x", "y" }, 0, "the length of the list is 0");
}

Test(interleave, refuses_clicks_outside_the_list)
{
    struct err err;
    cr_expect(interleave_check_clicks((const size_t[]){ 0, 2 }, 2, 3, &err));
    cr_expect(eq(int, interleave_check_clicks((const size_t[]){ 0, 3 }, 2, 3, &err), 0));
    cr_expect(eq(str, err.text, "click 2 is on position 3 of a list of 3"));
}

Test(interleave, methods_have_names)
{
    for (unsigned m = 0; m < INTERLEAVE_METHOD_COUNT; m++)
        cr_expect(
            eq(int, interleave_method_of(interleave_method_names[m], strlen(interleave_method_names[m])), (int)m));
    cr_expect(eq(int, interleave_method_of("team", 4), INTERLEAVE_METHOD_COUNT));
}

/* Users' moments hold all that their tests need: the same numbers, as far as rounding goes. */
Test(preference, moments_say_what_the_scores_say)
{
    static const double scores[] = { 1, 0, -1, 1, 1, 0, -1, 0.5, 1, 1, 1, 1, 0 };
    static const size_t queries[] = { 3, 2, 1, 2, 5 };
    struct moments means = { 0 };
    struct moments2 sums = { 0 };
    struct preference_users by_scores, by_moments;
    for (size_t u = 0, at = 0; u < 5; at += queries[u++]) {
        double s = 0;
        for (size_t q = 0; q < queries[u]; q++)
            s += scores[at + q];
        moments_add(&means, s / (double)queries[u]);
        moments2_add(&sums, s, (double)queries[u]);
    }
    cr_assert(preference_users(scores, queries, 5, &by_scores, NULL));
    cr_assert(preference_moments(&means, &sums, &by_moments, NULL));
    cr_assert(epsilon_eq(dbl, by_moments.mean, by_scores.mean, 1e-14));
    cr_assert(epsilon_eq(dbl, by_moments.se, by_scores.se, 1e-14));
    cr_assert(epsilon_eq(dbl, by_moments.log_p, by_scores.log_p, 1e-13));
    cr_assert(epsilon_eq(dbl, by_moments.query_mean, by_scores.query_mean, 1e-14));
    cr_assert(epsilon_eq(dbl, by_moments.query_se, by_scores.query_se, 1e-13));
}

Test(preference, moments_that_no_scores_have_are_refused)
{
    struct preference_users p;
    const struct moments2 sums = { .n = 2, .mean_x = 1, .mean_y = 2 };
    cr_assert(
        not(preference_moments(&(struct moments){ 1, 0, 0 }, &(struct moments2){ .n = 1, .mean_y = 1 }, &p, NULL)));
    cr_assert(not(preference_moments(&(struct moments){ 3, 0, 0 }, &sums, &p, NULL)));
    cr_assert(not(preference_moments(&(struct moments){ 2, 1.5, 0 }, &sums, &p, NULL)));
    cr_assert(not(preference_moments(&(struct moments){ 2, 0, -1 }, &sums, &p, NULL)));
    cr_assert(preference_moments(&(struct moments){ 2, 0.5, 0 }, &sums, &p, NULL));
    cr_assert(isnan(p.log_p), "all alike: there is no spread to compare with");
}
