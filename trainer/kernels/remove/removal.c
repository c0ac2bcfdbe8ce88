#include "trainer/kernels/remove/removal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "trainer/kernels/intern.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/words.h"

enum { REALS = 5, WHOLES = 3 };
#define Z95 1.959963984540054

const char *const removal_measure_names[] = { "results", "clicks" };
static_assert(sizeof removal_measure_names / sizeof *removal_measure_names == REMOVAL_MEASURE_COUNT,
              "one name a measure");

/* ---- bytes ---- */

void removal_write(struct buf *out, const struct removal *r)
{
    const double d[REALS] = { r->gain, r->low, r->with, r->without, r->harm };
    const uint64_t w[WHOLES] = { r->measure, r->contexts, r->searches };
    record_put(out, d, sizeof d);
    record_put(out, w, sizeof w);
    record_put_text(out, r->input);
    record_put_text(out, r->output);
    record_put_text(out, r->example);
}

bool removal_read(struct str *in, struct removal *out)
{
    double d[REALS];
    uint64_t w[WHOLES];
    if (!record_take(in, d, sizeof d) || !record_take(in, w, sizeof w) || w[0] >= REMOVAL_MEASURE_COUNT)
        return false;
    *out = (struct removal){ .measure = (enum removal_measure)w[0],
                             .contexts = w[1],
                             .searches = w[2],
                             .gain = d[0],
                             .low = d[1],
                             .with = d[2],
                             .without = d[3],
                             .harm = d[4] };
    return record_take_text(in, &out->input) && record_take_text(in, &out->output) &&
           record_take_text(in, &out->example);
}

int removal_compare(const void *a, const void *b)
{
    const struct removal *x = a, *y = b;
    if (x->searches != y->searches)
        return x->searches > y->searches ? -1 : 1;
    int d = pair_text_compare(x->input, y->input);
    return d ? d : pair_text_compare(x->output, y->output);
}

/* ---- one measure ---- */

struct effect {
    double gain, se, with, without;
};

static uint64_t of(const struct removal_counts *c, enum removal_measure m)
{
    return m == REMOVAL_RESULTS ? c->found : c->clicked;
}

static struct effect effect_of(const struct removal_case *cases, size_t count, enum removal_measure m)
{
    struct effect e = { 0 };
    double all = 0, variance = 0;
    for (size_t i = 0; i < count; i++)
        all += (double)cases[i].with.searches;
    for (size_t i = 0; i < count; i++) {
        double n = (double)cases[i].with.searches, n_without = (double)cases[i].without.searches, share = n / all;
        double x = (double)of(&cases[i].with, m), x_without = (double)of(&cases[i].without, m);
        double p = (x + 1) / (n + 2), p_without = (x_without + 1) / (n_without + 2);
        e.gain += share * (p_without - p);
        e.with += share * x / n;
        e.without += share * x_without / n_without;
        variance += share * share * (p * (1 - p) / (n + 2) + p_without * (1 - p_without) / (n_without + 2));
    }
    e.se = sqrt(variance);
    return e;
}

/* Searches in cases that do worse without, by either measure, and better by none. */
static double harm_of(const struct removal_case *cases, size_t count)
{
    double all = 0, harmed = 0;
    for (size_t i = 0; i < count; i++) {
        const struct removal_counts *a = &cases[i].with, *b = &cases[i].without;
        double found = (double)b->found / (double)b->searches - (double)a->found / (double)a->searches;
        double clicked = (double)b->clicked / (double)b->searches - (double)a->clicked / (double)a->searches;
        all += (double)a->searches;
        harmed += fmin(found, clicked) < 0 && fmax(found, clicked) <= 0 ? (double)a->searches : 0;
    }
    return all > 0 ? harmed / all : 0;
}

/* False: they do not do better. */
static bool passes(const struct removal_case *cases, size_t count, const struct removal_rules *r, struct removal *out)
{
    struct effect e[REMOVAL_MEASURE_COUNT];
    int best = -1;
    for (int m = 0; m < REMOVAL_MEASURE_COUNT; m++) {
        e[m] = effect_of(cases, count, (enum removal_measure)m);
        if (e[m].gain < -r->z * e[m].se)
            return false;
        bool better = e[m].gain >= r->min_gain && e[m].gain > r->z * e[m].se;
        if (better && (best < 0 || e[m].gain - Z95 * e[m].se > e[best].gain - Z95 * e[best].se))
            best = m;
    }
    if (best < 0)
        return false;
    *out = (struct removal){ .measure = (enum removal_measure)best,
                             .gain = e[best].gain,
                             .low = fmin(fmax(e[best].gain - Z95 * e[best].se, 0), 1),
                             .with = e[best].with,
                             .without = e[best].without,
                             .harm = harm_of(cases, count),
                             .contexts = count };
    for (size_t i = 0; i < count; i++)
        out->searches += cases[i].with.searches;
    return true;
}

/* ---- a word ---- */

static int by_query(const void *a, const void *b)
{
    const struct removal_case *x = a, *y = b;
    int d = pair_text_compare(x->query, y->query);
    return d ? d : pair_text_compare(x->rest, y->rest);
}

/* A word that comes twice in a query makes two cases of it. */
static size_t drop_repeats(struct removal_case *cases, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (n == 0 || !str_eq(cases[n - 1].query, cases[i].query))
            cases[n++] = cases[i];
    return n;
}

bool removal_judge(struct str word, struct removal_case *cases, size_t count, const struct removal_rules *rules,
                   removal_fn fn, void *arg, struct err *err)
{
    struct removal r;
    if (count)
        qsort(cases, count, sizeof *cases, by_query);
    count = drop_repeats(cases, count);
    bool general = count >= rules->min_contexts && !words_have_digit(word);
    if (general && passes(cases, count, rules, &r) && r.harm <= rules->max_harm) {
        r.input = word;
        r.output = STR("");
        r.example = cases[0].query;
        return fn(arg, &r, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!passes(&cases[i], 1, rules, &r) || r.harm > 0)
            continue;
        r.input = cases[i].query;
        r.output = cases[i].rest;
        r.example = STR("");
        if (!fn(arg, &r, err))
            return false;
    }
    return true;
}

/* ---- all of them ---- */

/* Some words of the query, side by side, are a rule. */
static bool is_covered(const struct intern *rules, struct str query)
{
    struct words w;
    words_split_spaces(query, &w);
    for (uint32_t i = 0; i < w.count; i++)
        for (uint32_t j = i; j < w.count; j++) {
            const char *from = w.texts[i].p, *to = w.texts[j].p + w.texts[j].n;
            if (intern_find(rules, (struct str){ from, (size_t)(to - from) }) != UINT32_MAX)
                return true;
        }
    return false;
}

static uint32_t words_in(struct str s)
{
    struct words w;
    words_split_spaces(s, &w);
    return w.count;
}

/* By input; the one to keep comes first. */
static int by_input(const void *a, const void *b)
{
    const struct removal *x = a, *y = b;
    int d = pair_text_compare(x->input, y->input);
    if (d)
        return d;
    uint32_t nx = words_in(x->output), ny = words_in(y->output);
    if (nx != ny)
        return nx > ny ? -1 : 1;
    if (x->low != y->low)
        return x->low > y->low ? -1 : 1;
    return pair_text_compare(x->output, y->output);
}

size_t removals_choose(struct removal *list, size_t count)
{
    struct intern rules;
    size_t n = 0;
    intern_init(&rules);
    for (size_t i = 0; i < count; i++)
        if (list[i].output.n == 0)
            (void)intern_add(&rules, list[i].input);
    if (count)
        qsort(list, count, sizeof *list, by_input);
    for (size_t i = 0; i < count; i++) {
        if (list[i].output.n && (is_covered(&rules, list[i].input) || (n && str_eq(list[n - 1].input, list[i].input))))
            continue;
        list[n++] = list[i];
    }
    intern_release(&rules);
    if (n)
        qsort(list, n, sizeof *list, removal_compare);
    return n;
}
