/* Contests: what lists and clicks are read as, credit by every method, cells of pairs and days against a plain count, ranges put together. */
#include "trainer/kernels/contest.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stats/interleave/interleave.h"

enum { CELLS_MAX = 4000, UNITS = 23, DAYS = 6, QUERIES = 700, DOCS = 5 };

static const struct contest_experiment experiments[] = {
    { STR("pair"), { STR("bm25"), STR("ltr") }, 2, 0, INT32_MAX },
    { STR("three"), { STR("a"), STR("b"), STR("c") }, 3, 0, INT32_MAX },
    { STR("late"), { STR("a"), STR("b") }, 2, 3 * US_PER_DAY, 4 },
};

static struct arena arena;

static void open_arena(void)
{
    arena_init(&arena, 1 << 16);
}
static void close_arena(void)
{
    arena_release(&arena);
}
TestSuite(contest, .init = open_arena, .fini = close_arena);

static bool read_at(const char *params, int64_t at_us, struct contest *out)
{
    return contest_read(str_of(params), at_us, experiments, COUNT_OF(experiments), &arena, out);
}

static struct contest list_of(const char *params, const char *unit, const char *query)
{
    struct contest c = { 0 };
    cr_assert(read_at(params, 0, &c), "%s", params);
    c.unit = str_of(unit);
    c.query_id = str_of(query);
    return c;
}

Test(contest, what_nobody_wrote_is_no_list)
{
    static const char *const wrong[] = {
        "[]",
        "{}",
        "{\"experiment\":\"other\",\"docs\":[\"x\"],\"owners\":[\"bm25\"]}",
        "{\"experiment\":\"pair\",\"docs\":\"x\",\"owners\":[]}",
        "{\"experiment\":\"pair\",\"docs\":[\"x\"],\"owners\":[]}",
        "{\"experiment\":\"pair\",\"docs\":[7],\"owners\":[\"bm25\"]}",
        "{\"experiment\":\"pair\",\"docs\":[\"x\"],\"owners\":[\"bm25\"],\"credit\":[]}",
        "{\"experiment\":\"pair\",\"docs\":[\"x\"],\"owners\":[\"bm25\"],\"credit\":[-1]}",
        "{\"experiment\":\"pair\",\"docs\":[\"x\"],\"owners\":[\"bm25\"],\"ranks\":[[1]]}",
        "{\"experiment\":\"pair\",\"docs\":[\"x\"],\"owners\":[\"bm25\"],\"ranks\":[[1,65536]]}",
        "{\"experiment\":\"three\",\"docs\":[\"x\"],\"owners\":[\"a\"],\"ranks\":[[1,1]]}",
    };
    struct contest c;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        cr_assert(not(read_at(wrong[i], 0, &c)), "%s", wrong[i]);
}

Test(contest, a_list_outside_the_phase_counts_nowhere)
{
    const char *list = "{\"experiment\":\"late\",\"docs\":[],\"owners\":[]}";
    struct contest c;
    cr_assert(not(read_at(list, 3 * US_PER_DAY - 1, &c)));
    cr_assert(read_at(list, 3 * US_PER_DAY, &c));
    cr_assert(read_at(list, 5 * US_PER_DAY - 1, &c));
    cr_assert(eq(i32, c.day, 4));
    cr_assert(not(read_at(list, 5 * US_PER_DAY, &c)));
}

Test(contest, a_variant_that_has_gone_owns_nothing)
{
    struct contest c = list_of(
        "{\"experiment\":\"pair\",\"docs\":[\"x\",\"y\",\"z\"],\"owners\":[\"old\",\"ltr\",null]}", "u", "q");
    cr_assert(eq(int, c.owners[0], INTERLEAVE_NEUTRAL));
    cr_assert(eq(int, c.owners[1], 1));
    cr_assert(eq(int, c.owners[2], INTERLEAVE_NEUTRAL));
}

Test(contest, clicks_find_their_list_by_unit_and_query)
{
    const char *p = "{\"experiment\":\"pair\",\"docs\":[\"x\",\"y\"],\"owners\":[\"bm25\",\"ltr\"]}";
    struct contest c[] = { list_of(p, "u2", "q"), list_of(p, "u1", "q2"), list_of(p, "u1", "q1"),
                           list_of(p, "u1", "q") };
    cr_assert(eq(sz, contests_sort(c, 4), 2));
    contests_click(c, 4, STR("u1"), STR("q1"), STR("y"));
    contests_click(c, 4, STR("u1"), STR("q1"), STR("y"));
    contests_click(c, 4, STR("u1"), STR("q1"), STR("elsewhere"));
    contests_click(c, 4, STR("u3"), STR("q1"), STR("x"));
    contests_click(c, 4, STR("u2"), STR("q1"), STR("x"));
    for (size_t i = 0; i < 4; i++) {
        double credit[2];
        bool mine = str_eq_c(c[i].unit, "u1") && str_eq_c(c[i].query_id, "q1");
        contest_credit(&c[i], 2, credit);
        cr_assert(epsilon_eq(dbl, credit[0], 0, 0));
        cr_assert(epsilon_eq(dbl, credit[1], mine ? 1 : 0, 0), "a document clicked twice counts once");
    }
}

Test(contest, balanced_credit_goes_by_ranks_and_optimized_by_weight)
{
    struct contest c[] = {
        list_of("{\"experiment\":\"pair\",\"docs\":[\"x\",\"y\",\"z\"],\"owners\":[\"bm25\",\"bm25\",\"bm25\"],"
                "\"ranks\":[[1,3],[2,1],[0,2]]}",
                "u", "1"),
        list_of("{\"experiment\":\"pair\",\"docs\":[\"x\",\"y\",\"z\"],\"owners\":[\"ltr\",\"bm25\",null],\"credit\":["
                "0.25,1.5,9]}",
                "u", "2"),
    };
    double credit[2];
    (void)contests_sort(c, 2);
    contests_click(c, 2, STR("u"), STR("1"), STR("x"));
    contests_click(c, 2, STR("u"), STR("1"), STR("z"));
    contest_credit(&c[0], 2, credit); /* lowest click z: k = 2; bm25 has x at 1, ltr has z at 2 */
    cr_assert(epsilon_eq(dbl, credit[0], 1, 0));
    cr_assert(epsilon_eq(dbl, credit[1], 1, 0));
    for (const char *doc = "xyz"; *doc; doc++)
        contests_click(c, 2, STR("u"), STR("2"), (struct str){ doc, 1 });
    contest_credit(&c[1], 2, credit);
    cr_assert(epsilon_eq(dbl, credit[0], 1.5, 0));
    cr_assert(epsilon_eq(dbl, credit[1], 0.25, 0));
}

/* ---- cells against a plain count ---- */

/* What was made, to be counted again in another way. */
struct made {
    size_t experiment, unit;
    int32_t day;
    int owners[DOCS];
    bool clicked[DOCS];
};

/* Any numbers will do, the same ones every time. */
static uint32_t drawn;

static int draw(int n)
{
    drawn = drawn * 1664525 + 1013904223;
    return (int)((drawn >> 8) % (uint32_t)n);
}

static void make(struct made *m)
{
    m->experiment = (size_t)draw(2);
    m->unit = (size_t)draw(UNITS);
    m->day = draw(DAYS) * 2;
    for (size_t d = 0; d < DOCS; d++) {
        m->owners[d] = draw((int)experiments[m->experiment].variants_count + 1) - 1;
        m->clicked[d] = draw(4) == 0;
    }
}

static struct contest contest_of(const struct made *m, size_t i)
{
    struct contest c = { .experiment = m->experiment, .day = m->day, .n = DOCS };
    c.at_us = m->day * US_PER_DAY;
    c.unit = arena_printf(&arena, "unit-%zu", m->unit);
    c.query_id = arena_printf(&arena, "q-%zu", i);
    c.docs = arena_alloc(&arena, DOCS * sizeof *c.docs);
    c.owners = arena_alloc(&arena, DOCS);
    c.clicked = arena_zalloc(&arena, DOCS * sizeof *c.clicked);
    for (size_t d = 0; d < DOCS; d++) {
        c.docs[d] = arena_printf(&arena, "doc-%zu", d);
        c.owners[d] = (int8_t)m->owners[d];
        c.clicked[d] = m->clicked[d];
    }
    return c;
}

static int score_of(const struct made *m, int a, int b)
{
    int d = 0;
    for (size_t i = 0; i < DOCS; i++)
        d += m->clicked[i] ? (m->owners[i] == a) - (m->owners[i] == b) : 0;
    return (d > 0) - (d < 0);
}

struct found {
    struct contest_cell cells[CELLS_MAX];
    size_t n;
};

static bool keep(void *arg, const struct contest_cell *cell, struct err *err)
{
    struct found *f = arg;
    (void)err;
    cr_assert(f->n < CELLS_MAX);
    f->cells[f->n++] = *cell;
    return true;
}

static void find(struct found *out, const struct made *made, size_t count, size_t from, size_t step)
{
    struct contest *list = arena_alloc(&arena, (count + 1) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (made[i].unit % step == from)
            list[n++] = contest_of(&made[i], i);
    size_t units = contests_sort(list, n);
    out->n = 0;
    cr_assert(contests_cells(list, n, units, experiments, &arena, keep, out, NULL));
}

static void check_cell(const struct contest_cell *c, const struct made *made)
{
    double sums[UNITS] = { 0 }, queries[UNITS] = { 0 }, n = 0, mean = 0, x = 0, y = 0, m2 = 0, m2_x = 0, cxy = 0;
    int64_t wins_a = 0, wins_b = 0, ties = 0;
    for (size_t i = 0; i < QUERIES; i++) {
        if ((int32_t)made[i].experiment != c->experiment || made[i].day > c->day)
            continue;
        int score = score_of(&made[i], c->a, c->b);
        wins_a += score == 1;
        wins_b += score == -1;
        ties += score == 0;
        sums[made[i].unit] += score;
        queries[made[i].unit]++;
    }
    for (size_t u = 0; u < UNITS; u++) {
        n += queries[u] > 0;
        mean += queries[u] > 0 ? sums[u] / queries[u] : 0;
        x += sums[u];
        y += queries[u];
    }
    for (size_t u = 0; u < UNITS; u++) {
        if (queries[u] == 0)
            continue;
        m2 += pow(sums[u] / queries[u] - mean / n, 2);
        m2_x += pow(sums[u] - x / n, 2);
        cxy += (sums[u] - x / n) * (queries[u] - y / n);
    }
    cr_assert(eq(i64, c->wins_a, wins_a));
    cr_assert(eq(i64, c->wins_b, wins_b));
    cr_assert(eq(i64, c->ties, ties));
    cr_assert(eq(i64, c->means.n, (int64_t)n));
    cr_assert(epsilon_eq(dbl, c->means.mean, mean / n, 1e-12));
    cr_assert(epsilon_eq(dbl, c->means.m2, m2, 1e-11));
    cr_assert(epsilon_eq(dbl, c->sums.mean_x, x / n, 1e-11));
    cr_assert(epsilon_eq(dbl, c->sums.mean_y, y / n, 1e-11));
    cr_assert(epsilon_eq(dbl, c->sums.m2_x, m2_x, 1e-9));
    cr_assert(epsilon_eq(dbl, c->sums.cxy, cxy, 1e-9));
}

Test(contest, cells_are_what_a_plain_count_finds)
{
    static struct made made[QUERIES];
    static struct found all;
    drawn = 3;
    for (size_t i = 0; i < QUERIES; i++)
        make(&made[i]);
    find(&all, made, QUERIES, 0, 1);
    cr_assert(eq(sz, all.n, DAYS * (1 + 3)), "one pair of two variants, three of three, on every day");
    for (size_t i = 0; i < all.n; i++)
        check_cell(&all.cells[i], made);
}

/* The last range has one query, on the first day: it must not be forgotten on the others. */
Test(contest, ranges_put_together_are_what_one_range_is)
{
    enum { RANGES = 4 };
    static struct made made[QUERIES];
    static struct found parts[RANGES], merged;
    struct contest_cells ranges[RANGES];
    bool seen = false;
    drawn = 4;
    for (size_t i = 0; i < QUERIES; i++) {
        make(&made[i]);
        if (made[i].unit % RANGES != RANGES - 1)
            continue;
        made[i].unit = seen ? 0 : RANGES - 1;
        made[i].day = seen ? made[i].day : 0;
        made[i].experiment = seen ? made[i].experiment : 0;
        seen = true;
    }
    for (size_t i = 0; i < RANGES; i++) {
        find(&parts[i], made, QUERIES, i, RANGES);
        ranges[i] = (struct contest_cells){ parts[i].cells, parts[i].n };
    }
    cr_assert(eq(sz, parts[RANGES - 1].n, 1));
    merged.n = 0;
    cr_assert(contest_cells_merge(ranges, RANGES, &arena, keep, &merged, NULL));
    cr_assert(eq(sz, merged.n, DAYS * (1 + 3)));
    for (size_t i = 0; i < merged.n; i++)
        check_cell(&merged.cells[i], made);
}
