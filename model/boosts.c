#include "model/boosts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { INSERT_MAX = 100 };

const char *const boosts_expression_names[] = { "classic", "calibrated" };
static_assert(COUNT_OF(boosts_expression_names) == BOOSTS_EXPRESSION_COUNT, "one name each");
const char *const boosts_rollup_names[] = { "max", "sum" };
static_assert(COUNT_OF(boosts_rollup_names) == BOOSTS_ROLLUP_COUNT, "one name each");

bool boosts_open(const struct artifact *a, struct boosts *out, struct err *err)
{
    struct boosts b = { .has_similar = false };
    struct str boosts = artifact_section(a, "boosts"), similar = artifact_section(a, "similar");
    if (!boosts.p)
        return err_set(err, ERR_INVALID, "artifact of kind \"%s\" has no section \"boosts\"", a->kind);
    if (!lists_read(boosts, &b.boosts, err))
        return err_prefix(err, "section \"boosts\": ");
    if (similar.p && !lists_read(similar, &b.similar, err))
        return err_prefix(err, "section \"similar\": ");
    b.has_similar = similar.p != NULL;
    b.weight = lists_column_named(&b.boosts, "weight");
    b.calibrated = lists_column_named(&b.boosts, "calibrated");
    b.signals = lists_column_named(&b.boosts, "signals");
    if (b.weight < 0)
        return err_set(err, ERR_INVALID, "section \"boosts\" has no column \"weight\"");
    *out = b;
    return true;
}

/* ---- documents of several queries, by the number of their text ---- */

struct gather {
    const struct boosts *b;
    const struct boosts_request *q;
    struct boost *items;
    uint32_t *ids, *slots; /* slots: 1 + number of an item; a power of two of them, at least twice the room */
    double *best;          /* of each item: the greatest that one query said */
    size_t count, room, slots_count;
};

static void gather_init(struct gather *g, size_t room, struct arena *arena)
{
    g->room = room;
    for (g->slots_count = 16; g->slots_count < 2 * room;)
        g->slots_count *= 2;
    g->items = arena_alloc(arena, (room + 1) * sizeof *g->items);
    g->ids = arena_alloc(arena, (room + 1) * sizeof *g->ids);
    g->best = arena_alloc(arena, (room + 1) * sizeof *g->best);
    g->slots = arena_zalloc(arena, g->slots_count * sizeof *g->slots);
}

static size_t item_of(struct gather *g, uint32_t id)
{
    size_t at = (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (g->slots_count - 1);
    for (; g->slots[at]; at = (at + 1) & (g->slots_count - 1))
        if (g->ids[g->slots[at] - 1] == id)
            return g->slots[at] - 1;
    assert(g->count < g->room);
    g->items[g->count] = (struct boost){ .doc = lists_text(&g->b->boosts, id) };
    g->ids[g->count] = id;
    g->best[g->count] = -INFINITY;
    g->slots[at] = (uint32_t)++g->count;
    return g->count - 1;
}

static double value_or_nan(const struct lists *l, uint32_t entry, int column)
{
    return column < 0 ? NAN : (double)lists_value(l, entry, (uint32_t)column);
}

static void add(struct gather *g, struct str query, struct lists_row row, double similarity)
{
    const struct lists *l = &g->b->boosts;
    bool shares = g->q->expression == BOOSTS_CALIBRATED;
    double match = 10 * log(similarity + 1); /* Fusion's 10 log(score + 1) */
    for (uint32_t i = row.first; i < row.first + row.count; i++) {
        size_t n = item_of(g, lists_entry_id(l, i));
        struct boost *item = &g->items[n];
        double weight = value_or_nan(l, i, g->b->weight), calibrated = value_or_nan(l, i, g->b->calibrated);
        double value = shares ? calibrated * similarity : log(weight > 0 ? weight + 1 : 1) + match;
        item->boost = g->q->rollup == BOOSTS_SUM ? item->boost + value : fmax(item->boost, value);
        if (value <= g->best[n])
            continue;
        g->best[n] = value;
        item->weight = weight;
        item->calibrated = calibrated;
        item->signals = value_or_nan(l, i, g->b->signals);
        item->by = query;
        item->similarity = similarity;
    }
}

/* ---- which queries ---- */

struct source {
    struct str query;
    struct lists_row row;
    double similarity;
};

static enum boosts_match own(const struct boosts *b, const struct boosts_request *q, struct arena *arena,
                             struct lists_row *out)
{
    if (q->filters.n) {
        struct str key = arena_printf(arena, STR_FMT "%c" STR_FMT, STR_ARG(q->query), BOOSTS_FILTERS,
                                      STR_ARG(q->filters));
        if (lists_find(&b->boosts, key, out))
            return BOOSTS_QUERY_AND_FILTERS;
    }
    return lists_find(&b->boosts, q->query, out) ? BOOSTS_QUERY : BOOSTS_NONE;
}

static uint32_t similar(const struct boosts *b, const struct boosts_request *q, struct source *out)
{
    struct lists_row others;
    uint32_t n = 0;
    if (!b->has_similar || !q->similar || !lists_find(&b->similar, q->query, &others))
        return 0;
    for (uint32_t i = others.first; i < others.first + others.count && n < q->similar && n < BOOSTS_SIMILAR_MAX; i++) {
        struct source s = { .query = lists_entry(&b->similar, i),
                            .similarity = fmin((double)lists_value(&b->similar, i, 0), 1) };
        if (s.similarity >= q->min_similarity && s.similarity > 0 && lists_find(&b->boosts, s.query, &s.row))
            out[n++] = s;
    }
    return n;
}

static int by_boost(const void *va, const void *vb)
{
    const struct boost *a = va, *b = vb;
    if (a->boost > b->boost || a->boost < b->boost)
        return a->boost > b->boost ? -1 : 1;
    int d = memcmp(a->doc.p, b->doc.p, a->doc.n < b->doc.n ? a->doc.n : b->doc.n);
    return d ? d : (a->doc.n > b->doc.n) - (a->doc.n < b->doc.n);
}

/* Puts the n best in front, in order, by insertion: the best of a query come first, so that few of the others have to move. */
static size_t best_first(struct boost *items, size_t count, size_t wanted)
{
    size_t n = wanted < count ? wanted : count;
    if (n == 0)
        return 0;
    if (n > INSERT_MAX)
        n = count;
    qsort(items, n, sizeof *items, by_boost);
    for (size_t i = n; i < count; i++) {
        if (by_boost(&items[i], &items[n - 1]) > 0)
            continue;
        struct boost better = items[i];
        size_t at = n - 1;
        for (; at > 0 && by_boost(&better, &items[at - 1]) < 0; at--)
            items[at] = items[at - 1];
        items[at] = better;
    }
    return wanted < count ? wanted : count;
}

static void scale(struct boost *items, size_t count, double low, double high)
{
    double greatest = count ? items[0].boost : 0, least = count ? items[count - 1].boost : 0;
    for (size_t i = 0; i < count; i++)
        items[i].boost = greatest > least ? low + (high - low) * (items[i].boost - least) / (greatest - least) : high;
}

bool boosts_for(const struct boosts *b, const struct boosts_request *q, struct arena *arena, struct boosts_answer *out,
                struct err *err)
{
    struct source sources[BOOSTS_SIMILAR_MAX];
    struct lists_row row = { 0, 0 };
    struct gather g = { .b = b, .q = q };
    if (q->expression == BOOSTS_CALIBRATED && b->calibrated < 0)
        return err_set(err, ERR_INVALID, "the model has no calibrated weights: ask for the classic expression");
    *out = (struct boosts_answer){ .match = own(b, q, arena, &row), .similar = similar(b, q, sources) };
    size_t room = row.count;
    for (uint32_t i = 0; i < out->similar; i++)
        room += sources[i].row.count;
    gather_init(&g, room, arena);
    add(&g, q->query, row, 1);
    for (uint32_t i = 0; i < out->similar; i++)
        add(&g, sources[i].query, sources[i].row, sources[i].similarity);
    out->boosts = g.items;
    out->count = best_first(g.items, g.count, q->n);
    if (q->scale_low < q->scale_high)
        scale(out->boosts, out->count, q->scale_low, q->scale_high);
    return true;
}
