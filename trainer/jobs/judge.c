#include "trainer/jobs/judge.h"

#include <math.h>
#include <stdlib.h>

#include "stats/ranking/agreement.h"
#include "trainer/kernels/pair_table.h"

#define TOP_SHARE 0.99

/* ---- grades ---- */

static int by_query_and_doc(const void *a, const void *b)
{
    const struct click_judged *x = a, *y = b;
    int d = pair_text_compare(x->query, y->query);
    return d ? d : pair_text_compare(x->doc, y->doc);
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double *sorted_values(const struct click_judgeds *j)
{
    double *v = mem_alloc((j->count + 1) * sizeof *v);
    for (size_t i = 0; i < j->count; i++)
        v[i] = j->items[i].value;
    qsort(v, j->count, sizeof *v, by_number);
    return v;
}

/* How many are lower. */
static size_t lower(const double *sorted, size_t n, double v)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (sorted[mid] < v)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static double top_of(const double *sorted, size_t n, const struct judge_rules *rules)
{
    if (rules->top > 0 || !rules->relative)
        return rules->top > 0 ? rules->top : 1;
    size_t rank = (size_t)ceil(TOP_SHARE * (double)n);
    double v = sorted[rank ? rank - 1 : 0];
    return v > 0 ? v : 1;
}

static double grade_of(double value, const double *sorted, size_t n, double top, const struct judge_rules *rules)
{
    double k = fmax(1, round(rules->max_grade)), g = value;
    if (rules->scale == JUDGE_LINEAR)
        g = rules->max_grade * fmin(1, value / top);
    else if (rules->scale == JUDGE_QUANTILE)
        g = floor((k + 1) * (double)lower(sorted, n, value) / (double)n);
    if (rules->whole)
        g = round(g);
    return fmax(0, fmin(rules->max_grade, g));
}

void judge_grades(struct click_judgeds *j, const struct judge_rules *rules, double *out_top)
{
    *out_top = 1;
    if (j->count == 0)
        return;
    double *sorted = sorted_values(j);
    *out_top = top_of(sorted, j->count, rules);
    qsort(j->items, j->count, sizeof *j->items, by_query_and_doc);
    for (size_t i = 0; i < j->count; i++)
        j->items[i].grade = grade_of(j->items[i].value, sorted, j->count, *out_top, rules);
    mem_free(sorted);
}

/* ---- people ---- */

struct merging {
    const struct judgment_set *human, *own;
    const struct judge_rules *rules;
    struct judged_set *out;
    struct order_agreement order;
    double *x, *y; /* of one query: people's grades, clicks' values */
    size_t pairs, pairs_room;
};

static double to_scale(const struct judgment_set *from, float grade, const struct judge_rules *rules)
{
    double max = (double)from->max_grade;
    return max > 0 && max != rules->max_grade ? (double)grade * rules->max_grade / max : (double)grade;
}

/* The person's judgment, of the scale of the rules; *out_kept: the set that is made anew has it already. */
static bool find_human(const struct merging *m, const struct judged_query *own, const struct judged_query *human,
                       struct str doc, double *out, bool *out_kept)
{
    const struct judgment *o = own ? judgments_doc(own, doc) : NULL, *h = human ? judgments_doc(human, doc) : NULL;
    *out_kept = o && o->edited;
    if (*out_kept)
        *out = to_scale(m->own, o->grade, m->rules);
    else if (h)
        *out = to_scale(m->human, h->grade, m->rules);
    return *out_kept || h;
}

static void add_row(struct judged_set *s, const struct judge_row *row)
{
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->rows = mem_realloc(s->rows, s->room * sizeof *s->rows);
    }
    s->rows[s->count++] = *row;
}

static void add_conflict(struct judged_set *s, const struct judge_conflict *c)
{
    if (s->told_count == s->told_room) {
        s->told_room = s->told_room ? 2 * s->told_room : 64;
        s->told = mem_realloc(s->told, s->told_room * sizeof *s->told);
    }
    s->told[s->told_count++] = *c;
}

static void compare(struct merging *m, const struct click_judged *c, double human)
{
    struct judged_set *s = m->out;
    s->both++;
    if (s->grades) {
        size_t i = (size_t)fmin(round(human), (double)(s->grades - 1)),
               j = (size_t)fmin(round(c->grade), (double)(s->grades - 1));
        s->table[i * s->grades + j]++;
    }
    if (fabs(human - c->grade) >= m->rules->conflict)
        add_conflict(s, &(struct judge_conflict){ c->query, c->doc, human, c->grade, c->confidence });
    if (m->pairs == m->pairs_room) {
        m->pairs_room = m->pairs_room ? 2 * m->pairs_room : 256;
        m->x = mem_realloc(m->x, m->pairs_room * sizeof *m->x);
        m->y = mem_realloc(m->y, m->pairs_room * sizeof *m->y);
    }
    m->x[m->pairs] = human;
    m->y[m->pairs++] = c->value;
}

static struct str text_of(const struct judged_query *own, const struct judged_query *human, struct str query)
{
    if (own)
        return own->text;
    return human ? human->text : query;
}

static void add_clicks(struct merging *m, const struct click_judged *c, size_t n)
{
    const struct judged_query *own = m->own ? judgments_find(m->own, c->query) : NULL;
    const struct judged_query *human = m->human ? judgments_find(m->human, c->query) : NULL;
    m->pairs = 0;
    for (size_t i = 0; i < n; i++) {
        double grade;
        bool kept;
        if (find_human(m, own, human, c[i].doc, &grade, &kept)) {
            compare(m, &c[i], grade);
            continue;
        }
        m->out->clicks++;
        add_row(m->out, &(struct judge_row){ .query = text_of(own, human, c->query),
                                             .doc = c[i].doc,
                                             .grade = c[i].grade,
                                             .confidence = c[i].confidence,
                                             .evidence = c[i].evidence });
    }
    agreement_add(&m->order, m->x, m->y, m->pairs);
}

static void add_humans(struct merging *m)
{
    for (size_t i = 0; m->human && i < m->human->count; i++) {
        const struct judged_query *q = &m->human->queries[i], *own = m->own ? judgments_find(m->own, q->query) : NULL;
        for (uint32_t d = 0; d < q->count; d++) {
            const struct judgment *j = &q->docs[d], *o = own ? judgments_doc(own, j->doc) : NULL;
            m->out->human++;
            if (o && o->edited)
                continue;
            add_row(m->out, &(struct judge_row){ .query = text_of(own, q, q->query),
                                                 .doc = j->doc,
                                                 .grade = to_scale(m->human, j->grade, m->rules),
                                                 .confidence = (double)j->confidence,
                                                 .evidence = (double)j->evidence,
                                                 .human = true,
                                                 .judge = j->judge });
        }
    }
}

static uint64_t count_edited(const struct judgment_set *own)
{
    uint64_t n = 0;
    for (size_t i = 0; own && i < own->count; i++)
        for (uint32_t d = 0; d < own->queries[i].count; d++)
            n += own->queries[i].docs[d].edited;
    return n;
}

static int row_by_query_and_doc(const void *a, const void *b)
{
    const struct judge_row *x = a, *y = b;
    int d = pair_text_compare(x->query, y->query);
    return d ? d : pair_text_compare(x->doc, y->doc);
}

static int by_distance(const void *a, const void *b)
{
    const struct judge_conflict *x = a, *y = b;
    double dx = fabs(x->human - x->clicks), dy = fabs(y->human - y->clicks);
    if (dx != dy)
        return dx > dy ? -1 : 1;
    if (x->confidence != y->confidence)
        return x->confidence > y->confidence ? -1 : 1;
    int d = pair_text_compare(x->query, y->query);
    return d ? d : pair_text_compare(x->doc, y->doc);
}

static void finish(struct merging *m)
{
    struct judged_set *s = m->out;
    if (s->count)
        qsort(s->rows, s->count, sizeof *s->rows, row_by_query_and_doc);
    if (s->told_count)
        qsort(s->told, s->told_count, sizeof *s->told, by_distance);
    s->conflicts = s->told_count;
    if (s->told_count > m->rules->conflicts_told)
        s->told_count = m->rules->conflicts_told;
    s->has_kappa = s->grades && agreement_kappa(s->table, s->grades, &s->kappa);
    s->has_tau = agreement_tau(&m->order, &s->tau);
    mem_free(m->x);
    mem_free(m->y);
}

void judge_merge(const struct click_judgeds *j, const struct judgment_set *human, const struct judgment_set *own,
                 const struct judge_rules *rules, struct judged_set *out)
{
    struct merging m = { .human = human, .own = own, .rules = rules, .out = out };
    double k = round(rules->max_grade);
    *out = (struct judged_set){ .kept = count_edited(own),
                                .grades = k >= 1 && k < JUDGE_GRADES_MAX ? (size_t)k + 1 : 0 };
    for (size_t i = 0; i < j->count;) {
        size_t from = i;
        while (i < j->count && str_eq(j->items[i].query, j->items[from].query))
            i++;
        add_clicks(&m, &j->items[from], i - from);
    }
    add_humans(&m);
    finish(&m);
}

void judged_set_release(struct judged_set *s)
{
    mem_free(s->rows);
    mem_free(s->told);
    *s = (struct judged_set){ .count = 0 };
}
