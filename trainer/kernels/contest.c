#include "trainer/kernels/contest.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "stats/interleave/interleave.h"

static_assert((int)CONTEST_VARIANTS_MAX == (int)INTERLEAVE_RANKINGS_MAX, "as many as can be merged");

/* ---- reading a list ---- */

static struct str text_of(const json_t *v)
{
    return (struct str){ json_string_value(v), json_string_length(v) };
}

static const struct contest_experiment *experiment_of(const json_t *root, const struct contest_experiment *all,
                                                      size_t count)
{
    struct str key = text_of(json_object_get(root, "experiment"));
    for (size_t i = 0; key.p && i < count; i++)
        if (str_eq(all[i].key, key))
            return &all[i];
    return NULL;
}

/* Who was a variant then and is none now counts for nobody. */
static int8_t owner_of(const struct contest_experiment *e, const json_t *v)
{
    for (size_t i = 0; json_is_string(v) && i < e->variants_count; i++)
        if (str_eq(e->variants[i], text_of(v)))
            return (int8_t)i;
    return INTERLEAVE_NEUTRAL;
}

static bool read_docs(const json_t *root, const struct contest_experiment *e, struct arena *arena, struct contest *c)
{
    const json_t *docs = json_object_get(root, "docs"), *owners = json_object_get(root, "owners");
    c->n = json_array_size(docs);
    if (!json_is_array(docs) || json_array_size(owners) != c->n || c->n > INTERLEAVE_DOCS_MAX)
        return false;
    c->docs = arena_alloc(arena, (c->n + 1) * sizeof *c->docs);
    c->owners = arena_alloc(arena, c->n + 1);
    c->clicked = arena_zalloc(arena, (c->n + 1) * sizeof *c->clicked);
    for (size_t i = 0; i < c->n; i++) {
        const json_t *doc = json_array_get(docs, i);
        if (!json_is_string(doc))
            return false;
        c->docs[i] = arena_str(arena, text_of(doc));
        c->owners[i] = owner_of(e, json_array_get(owners, i));
    }
    return true;
}

static bool read_credit(const json_t *credit, struct arena *arena, struct contest *c)
{
    if (!credit)
        return true;
    if (json_array_size(credit) != c->n)
        return false;
    c->credit = arena_alloc(arena, (c->n + 1) * sizeof *c->credit);
    for (size_t i = 0; i < c->n; i++) {
        const json_t *v = json_array_get(credit, i);
        c->credit[i] = json_number_value(v);
        if (!json_is_number(v) || !(c->credit[i] >= 0))
            return false;
    }
    return true;
}

static bool read_ranks(const json_t *ranks, struct arena *arena, struct contest *c)
{
    if (!ranks)
        return true;
    if (json_array_size(ranks) != c->n)
        return false;
    c->ranks = arena_alloc(arena, (c->n + 1) * sizeof *c->ranks);
    for (size_t i = 0; i < c->n; i++)
        for (size_t t = 0; t < 2; t++) {
            const json_t *v = json_array_get(json_array_get(ranks, i), t);
            json_int_t rank = json_integer_value(v);
            if (!json_is_integer(v) || rank < 0 || rank > UINT16_MAX)
                return false;
            c->ranks[i][t] = (uint16_t)rank;
        }
    return true;
}

bool contest_read(struct str params, int64_t at_us, const struct contest_experiment *experiments, size_t count,
                  struct arena *arena, struct contest *out)
{
    json_auto_t *root = json_parse(params, NULL);
    const struct contest_experiment *e = root ? experiment_of(root, experiments, count) : NULL;
    if (!e || at_us < e->from_us || clock_day(at_us) > e->to_day)
        return false;
    struct contest c = { .experiment = (size_t)(e - experiments), .at_us = at_us, .day = clock_day(at_us) };
    if (!read_docs(root, e, arena, &c) || !read_credit(json_object_get(root, "credit"), arena, &c) ||
        !read_ranks(json_object_get(root, "ranks"), arena, &c) || (c.ranks && e->variants_count != 2))
        return false;
    *out = c;
    return true;
}

/* ---- clicks ---- */

static int compare_str(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int by_query(const void *a, const void *b)
{
    const struct contest *x = a, *y = b;
    int d = compare_str(x->unit, y->unit);
    d = d ? d : compare_str(x->query_id, y->query_id);
    return d ? d : (x->experiment > y->experiment) - (x->experiment < y->experiment);
}

size_t contests_sort(struct contest *contests, size_t count)
{
    size_t units = 0;
    if (count)
        qsort(contests, count, sizeof *contests, by_query);
    for (size_t i = 0; i < count; i++) {
        units += i == 0 || !str_eq(contests[i].unit, contests[i - 1].unit);
        contests[i].number = units - 1;
    }
    return units;
}

static bool is_before(const struct contest *c, struct str unit, struct str query_id)
{
    int d = compare_str(c->unit, unit);
    return d < 0 || (d == 0 && compare_str(c->query_id, query_id) < 0);
}

void contests_click(struct contest *contests, size_t count, struct str unit, struct str query_id, struct str doc)
{
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (is_before(&contests[mid], unit, query_id))
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < count && str_eq(contests[lo].unit, unit) && str_eq(contests[lo].query_id, query_id); lo++)
        for (size_t i = 0; i < contests[lo].n; i++)
            contests[lo].clicked[i] = contests[lo].clicked[i] || str_eq(contests[lo].docs[i], doc);
}

void contest_credit(const struct contest *c, size_t variants, double *out_credit)
{
    size_t clicks[INTERLEAVE_DOCS_MAX], n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->clicked[i])
            clicks[n++] = i;
    if (c->ranks && n)
        interleave_credit_balanced((const uint16_t(*)[2])c->ranks, clicks, n, out_credit);
    else
        interleave_credit(c->owners, c->credit, clicks, n, out_credit, variants);
}

/* ---- cells ---- */

static int by_day(const void *a, const void *b)
{
    const struct contest *x = a, *y = b;
    if (x->experiment != y->experiment)
        return x->experiment < y->experiment ? -1 : 1;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return by_query(a, b);
}

/* Contests of one experiment; what its units have so far, of the pair that is walked. */
struct walk {
    const struct contest *contests;
    size_t count, units, variants;
    const double *credit; /* of each contest, one behind the other */
    double *scores;       /* of each unit */
    int64_t *queries;
    struct contest_cell cell;
};

static void add_contest(struct walk *w, size_t i)
{
    const double *credit = w->credit + i * w->variants;
    double d = credit[w->cell.a] - credit[w->cell.b];
    int score = d > CONTEST_TIE ? 1 : d < -CONTEST_TIE ? -1 : 0;
    w->cell.wins_a += score > 0;
    w->cell.wins_b += score < 0;
    w->cell.ties += score == 0;
    w->scores[w->contests[i].number] += score;
    w->queries[w->contests[i].number]++;
}

static void add_units(struct walk *w)
{
    w->cell.means = (struct moments){ 0 };
    w->cell.sums = (struct moments2){ 0 };
    for (size_t u = 0; u < w->units; u++) {
        if (w->queries[u] == 0)
            continue;
        moments_add(&w->cell.means, w->scores[u] / (double)w->queries[u]);
        moments2_add(&w->cell.sums, w->scores[u], (double)w->queries[u]);
    }
}

static bool walk_pair(struct walk *w, int32_t a, int32_t b, contest_cell_fn fn, void *arg, struct err *err)
{
    memset(w->scores, 0, w->units * sizeof *w->scores);
    memset(w->queries, 0, w->units * sizeof *w->queries);
    w->cell = (struct contest_cell){ .experiment = w->cell.experiment, .a = a, .b = b };
    for (size_t i = 0; i < w->count; i++) {
        add_contest(w, i);
        if (i + 1 < w->count && w->contests[i + 1].day == w->contests[i].day)
            continue;
        w->cell.day = w->contests[i].day;
        add_units(w);
        if (!fn(arg, &w->cell, err))
            return false;
    }
    return true;
}

static bool walk_experiment(struct walk *w, struct arena *arena, contest_cell_fn fn, void *arg, struct err *err)
{
    double *credit = arena_alloc(arena, (w->count * w->variants + 1) * sizeof *credit);
    for (size_t i = 0; i < w->count; i++)
        contest_credit(&w->contests[i], w->variants, credit + i * w->variants);
    w->credit = credit;
    for (int32_t a = 1; a < (int32_t)w->variants; a++)
        for (int32_t b = 0; b < a; b++)
            if (!walk_pair(w, a, b, fn, arg, err))
                return false;
    return true;
}

bool contests_cells(struct contest *contests, size_t count, size_t units, const struct contest_experiment *experiments,
                    struct arena *arena, contest_cell_fn fn, void *arg, struct err *err)
{
    struct walk w = { .units = units };
    w.scores = arena_alloc(arena, (units + 1) * sizeof *w.scores);
    w.queries = arena_alloc(arena, (units + 1) * sizeof *w.queries);
    if (count)
        qsort(contests, count, sizeof *contests, by_day);
    for (size_t i = 0; i < count; i += w.count) {
        w.contests = contests + i;
        w.count = 1;
        while (i + w.count < count && w.contests[w.count].experiment == w.contests[0].experiment)
            w.count++;
        w.variants = experiments[w.contests[0].experiment].variants_count;
        w.cell.experiment = (int32_t)w.contests[0].experiment;
        if (!walk_experiment(&w, arena, fn, arg, err))
            return false;
    }
    return true;
}

/* ---- merging ---- */

static int compare_pairs(const struct contest_cell *x, const struct contest_cell *y)
{
    int d = (x->experiment > y->experiment) - (x->experiment < y->experiment);
    d = d ? d : (x->a > y->a) - (x->a < y->a);
    return d ? d : (x->b > y->b) - (x->b < y->b);
}

/* The cell that is next of all: the least of those that the ranges have not gone past. NULL: none is left. */
static const struct contest_cell *next_cell(const struct contest_cells *ranges, size_t count, const size_t *past)
{
    const struct contest_cell *next = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct contest_cell *c = ranges[i].p + past[i];
        if (past[i] == ranges[i].n)
            continue;
        int d = next ? compare_pairs(c, next) : -1;
        if (d < 0 || (d == 0 && c->day < next->day))
            next = c;
    }
    return next;
}

static void merge_cell(struct contest_cell *into, const struct contest_cell *c)
{
    into->wins_a += c->wins_a;
    into->wins_b += c->wins_b;
    into->ties += c->ties;
    moments_merge(&into->means, &c->means);
    moments2_merge(&into->sums, &c->sums);
}

/* Goes past `key` in all ranges and merges what each has of its pair up to its day. */
static struct contest_cell merge_at(const struct contest_cells *ranges, size_t count, size_t *past,
                                    const struct contest_cell *key)
{
    struct contest_cell all = { .experiment = key->experiment, .a = key->a, .b = key->b, .day = key->day };
    for (size_t i = 0; i < count; i++) {
        const struct contest_cell *c = ranges[i].p + past[i];
        past[i] += past[i] < ranges[i].n && compare_pairs(c, key) == 0 && c->day == key->day;
        if (past[i] > 0 && compare_pairs(ranges[i].p + past[i] - 1, key) == 0)
            merge_cell(&all, ranges[i].p + past[i] - 1);
    }
    return all;
}

bool contest_cells_merge(const struct contest_cells *ranges, size_t count, struct arena *arena, contest_cell_fn fn,
                         void *arg, struct err *err)
{
    size_t *past = arena_zalloc(arena, (count + 1) * sizeof *past);
    const struct contest_cell *key;
    bool ok = true;
    while (ok && (key = next_cell(ranges, count, past))) {
        struct contest_cell all = merge_at(ranges, count, past, key);
        ok = fn(arg, &all, err);
    }
    return ok;
}
