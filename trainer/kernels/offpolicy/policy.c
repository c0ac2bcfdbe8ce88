#include "trainer/kernels/offpolicy/policy.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "model/boosts.h"
#include "model/softmax.h"
#include "trainer/kernels/pair_table.h"

/* ---- opening ---- */

static bool open_ranker(struct policy *p, const struct artifact *a, struct arena *arena, struct err *err)
{
    if (!ranker_open(a, arena, &p->ranker, err))
        return false;
    p->is_ranker = true;
    return p->ranker.has_signals ||
           err_set(err, ERR_INVALID,
                   "it is a ranker whose features come with requests: only one that has features "
                   "from signals can be asked here");
}

bool policy_open(struct policy *p, const struct offpolicy_params *params, struct str file, struct arena *arena,
                 struct err *err)
{
    struct artifact a;
    *p = (struct policy){ .params = params };
    if (!file.p)
        return true;
    if (!artifact_read(file, &a, err))
        return false;
    if (strcmp(a.kind, RANKER_KIND) == 0)
        return open_ranker(p, &a, arena, err);
    const struct str section = artifact_section(&a, strcmp(a.kind, BOOSTS_KIND) == 0 ? "boosts" : "items_for_query");
    if (!section.p)
        return err_set(err, ERR_INVALID, "a model of kind \"%s\" has no documents for queries", a.kind);
    return lists_read(section, &p->lists, err);
}

/* ---- a query ---- */

struct scored {
    uint32_t doc;
    float score;
};
static int by_score(const void *va, const void *vb)
{
    const struct scored *a = va, *b = vb;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->doc < b->doc ? -1 : a->doc > b->doc;
}

static uint32_t find(const struct str *docs, uint32_t count, struct str doc)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        const int d = pair_text_compare(docs[mid], doc);
        if (d == 0)
            return mid;
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return UINT32_MAX;
}

/* Sums of a ranker may be beyond a float, and no number then. */
static double finite_of(float score)
{
    return isnan(score) ? -(double)FLT_MAX : fmax(-(double)FLT_MAX, fmin((double)FLT_MAX, (double)score));
}

static void set_order(struct policy *p, const struct scored *s, uint32_t count, struct arena *arena)
{
    double best = -(double)FLT_MAX;
    p->order_count = count;
    p->order = arena_alloc(arena, (count + (size_t)1) * sizeof *p->order);
    p->shares = arena_alloc(arena, (count + (size_t)1) * sizeof *p->shares);
    for (uint32_t i = 0; i < count; i++)
        best = fmax(best, finite_of(s[i].score));
    for (uint32_t i = 0; i < count; i++) {
        p->order[i] = s[i].doc; /* below the best one, so that nothing is above 0 however low the temperature is */
        p->shares[i] = p->params->temperature > 0 ? (finite_of(s[i].score) - best) / p->params->temperature : 0;
    }
    if (p->params->temperature > 0)
        (void)softmax(p->shares, count);
}

static bool order_lists(struct policy *p, struct str query, const struct str *docs, uint32_t count, struct arena *arena)
{
    struct scored s[POLICY_LIST_MAX];
    struct lists_row row;
    uint32_t n = 0;
    if (!lists_find(&p->lists, query, &row) || row.count == 0)
        return false;
    for (; n < row.count && n < POLICY_LIST_MAX; n++)
        s[n] = (struct scored){ find(docs, count, lists_entry(&p->lists, row.first + n)),
                                lists_value(&p->lists, row.first + n, 0) };
    set_order(p, s, n, arena);
    return true;
}

static bool order_ranker(struct policy *p, struct str query, const struct str *docs, uint32_t count,
                         struct arena *arena)
{
    const uint32_t features = p->ranker.features;
    struct ranker_signals signals;
    struct scored *s = arena_alloc(arena, (count + (size_t)1) * sizeof *s);
    float *values = arena_alloc(arena, (features + (size_t)1) * sizeof *values);
    ranker_signals_open(&p->ranker, query, arena, &signals);
    for (uint32_t d = 0; d < count; d++) {
        for (uint32_t f = 0; f < features; f++)
            values[f] = NAN;
        ranker_signals_fill(&signals, docs[d], values);
        for (uint32_t f = 0; f < features && p->ranker.has_defaults; f++)
            values[f] = isnan(values[f]) ? p->ranker.defaults[f] : values[f];
        s[d].doc = d;
        ranker_score(&p->ranker, values, 1, &s[d].score);
    }
    qsort(s, count, sizeof *s, by_score);
    set_order(p, s, count, arena);
    return true;
}

bool policy_query(struct policy *p, struct str query, const struct str *docs, uint32_t count, struct arena *arena)
{
    p->docs = count;
    if (p->params->target != TARGET_MODEL)
        return true;
    return p->is_ranker ? order_ranker(p, query, docs, count, arena) : order_lists(p, query, docs, count, arena);
}

static void add(const struct policy *p, uint32_t place, double share, double *out, double *out_unsupported)
{
    const uint32_t doc = place < p->order_count ? p->order[place] : UINT32_MAX;
    if (doc == UINT32_MAX)
        *out_unsupported += share;
    else
        out[doc] += share;
}

void policy_at(const struct policy *p, uint32_t position, double *out, double *out_unsupported)
{
    const uint32_t actions = p->params->actions > p->docs ? p->params->actions : p->docs;
    *out_unsupported = 0;
    for (uint32_t d = 0; d < p->docs; d++)
        out[d] = p->params->target == TARGET_UNIFORM ? 1.0 / actions : 0;
    if (p->params->target == TARGET_UNIFORM)
        *out_unsupported = (double)(actions - p->docs) / actions;
    if (p->params->target != TARGET_MODEL)
        return;
    if (p->params->temperature > 0)
        for (uint32_t i = 0; i < p->order_count; i++)
            add(p, i, p->shares[i], out, out_unsupported);
    else
        add(p, position - 1, 1, out, out_unsupported);
}
