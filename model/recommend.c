/* Answers of a recommender. Candidates are offered in the order of the sources; a set of texts knows what was taken, excluded or refused. */
#include "model/recommend.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

const char *const recommend_for_names[] = { "user", "item", "query", "users", "queries", "top" };
static_assert(COUNT_OF(recommend_for_names) == RECOMMEND_FOR_COUNT, "one name each");
const char *const recommend_source_names[] = { "personal", "fold-in", "similar", "popular" };
static_assert(COUNT_OF(recommend_source_names) == RECOMMEND_SOURCE_COUNT, "one name each");
const char *const recommend_section_names[] = {
    "items_for_user", "items_for_item", "users_for_item", "items_for_query", "queries_for_query", "popular", "seen"
};
static_assert(COUNT_OF(recommend_section_names) == RECOMMEND_SECTION_COUNT, "one name each");

bool recommender_open(const struct artifact *a, struct recommender *out, struct arena *arena, struct err *err)
{
    struct recommender r = { .has_factors = false };
    struct str factors = artifact_section(a, "factors");
    bool any = factors.p != NULL;
    for (int i = 0; i < RECOMMEND_SECTION_COUNT; i++) {
        struct str section = artifact_section(a, recommend_section_names[i]);
        r.has[i] = section.p != NULL;
        any = any || (r.has[i] && i != SECTION_SEEN);
        if (r.has[i] && !lists_read(section, &r.lists[i], err))
            return err_prefix(err, "section \"%s\": ", recommend_section_names[i]);
        if (r.has[i] && r.lists[i].columns == 0)
            return err_set(err, ERR_INVALID, "section \"%s\" has no column to rank by", recommend_section_names[i]);
    }
    if (!any)
        return err_set(err, ERR_INVALID, "artifact of kind \"%s\" has no section to recommend from", a->kind);
    if (factors.p && !factors_read(factors, &r.factors, arena, err))
        return false;
    r.has_factors = factors.p != NULL;
    *out = r;
    return true;
}

/* ---- a set of texts, each with a number ---- */

struct text_slot {
    struct str text; /* p NULL: free */
    uint32_t number;
};

struct text_set {
    struct text_slot *slots;
    size_t count, room; /* room is a power of two, at least twice the count */
};

static struct text_slot *slot_of(const struct text_set *s, struct str text)
{
    size_t at = (size_t)hash64(text) & (s->room - 1);
    while (s->slots[at].text.p && !str_eq(s->slots[at].text, text))
        at = (at + 1) & (s->room - 1);
    return &s->slots[at];
}

static void text_set_grow(struct text_set *s, struct arena *arena)
{
    struct text_set next = { .count = s->count, .room = s->room ? 2 * s->room : 64 };
    next.slots = arena_zalloc(arena, next.room * sizeof *next.slots);
    for (size_t i = 0; i < s->room; i++)
        if (s->slots[i].text.p)
            *slot_of(&next, s->slots[i].text) = s->slots[i];
    *s = next;
}

/* False when it was there; *out_slot (may be NULL) is its slot until the next call. */
static bool text_set_add(struct text_set *s, struct str text, struct arena *arena, struct text_slot **out_slot)
{
    if (2 * (s->count + 1) > s->room)
        text_set_grow(s, arena);
    struct text_slot *slot = slot_of(s, text);
    bool fresh = !slot->text.p;
    if (fresh) {
        slot->text = (struct str){ text.p ? text.p : "", text.n };
        s->count++;
    }
    if (out_slot)
        *out_slot = slot;
    return fresh;
}

/* ---- what was chosen ---- */

struct choice {
    const struct recommender *r;
    const struct recommend_request *q;
    struct arena *arena;
    struct text_set taken;
    struct recommend_item *items;
    size_t count, limit;
};

/* False when no more is needed. */
static bool offer(struct choice *c, struct str item, double score, enum recommend_source source)
{
    if (c->count == c->limit)
        return false;
    if (text_set_add(&c->taken, item, c->arena, NULL) && (!c->q->keep || c->q->keep(c->q->keep_arg, item)))
        c->items[c->count++] = (struct recommend_item){ item, score, source };
    return c->count < c->limit;
}

static void offer_list(struct choice *c, enum recommend_section section, struct lists_row row,
                       enum recommend_source source)
{
    const struct lists *l = &c->r->lists[section];
    for (uint32_t i = row.first; i < row.first + row.count; i++)
        if (!offer(c, lists_entry(l, i), (double)lists_value(l, i, 0), source))
            return;
}

static bool find(const struct recommender *r, enum recommend_section section, struct str key, struct lists_row *out)
{
    return r->has[section] && lists_find(&r->lists[section], key, out);
}

static void exclude_seen_of(struct choice *c, struct str unit)
{
    const struct lists *seen = &c->r->lists[SECTION_SEEN];
    struct lists_row row;
    if (!find(c->r, SECTION_SEEN, unit, &row))
        return;
    for (uint32_t i = row.first; i < row.first + row.count; i++)
        (void)text_set_add(&c->taken, lists_entry(seen, i), c->arena, NULL);
}

static void exclude(struct choice *c)
{
    const struct recommend_request *q = c->q;
    for (size_t i = 0; i < q->exclude_count; i++)
        (void)text_set_add(&c->taken, q->exclude[i], c->arena, NULL);
    if (q->of == RECOMMEND_ITEM || q->of == RECOMMEND_QUERIES)
        (void)text_set_add(&c->taken, q->id, c->arena, NULL);
    if (!q->exclude_seen || q->of == RECOMMEND_USERS || q->of == RECOMMEND_QUERIES)
        return;
    for (size_t i = 0; i < q->history_count; i++)
        (void)text_set_add(&c->taken, q->history[i].item, c->arena, NULL);
    if (!q->forget && q->of == RECOMMEND_USER)
        exclude_seen_of(c, q->id);
    else if (!q->forget && q->unit.p)
        exclude_seen_of(c, q->unit);
}

/* ---- candidates of several lists, merged before they are offered ---- */

struct pool {
    struct text_set numbers;
    struct recommend_item *items;
    size_t count, room;
    struct arena *arena;
};

static struct recommend_item *pool_item(struct pool *p, struct str item)
{
    struct text_slot *slot;
    if (!text_set_add(&p->numbers, item, p->arena, &slot))
        return &p->items[slot->number];
    slot->number = (uint32_t)p->count;
    if (p->count == p->room) {
        struct recommend_item *old = p->items;
        p->room = p->room ? 2 * p->room : 128;
        p->items = arena_alloc(p->arena, p->room * sizeof *p->items);
        if (old)
            memcpy(p->items, old, p->count * sizeof *old);
    }
    p->items[p->count] = (struct recommend_item){ .item = item };
    return &p->items[p->count++];
}

static int by_score(const void *va, const void *vb)
{
    const struct recommend_item *a = va, *b = vb;
    if (a->score > b->score || a->score < b->score)
        return a->score > b->score ? -1 : 1;
    int d = memcmp(a->item.p, b->item.p, a->item.n < b->item.n ? a->item.n : b->item.n);
    return d ? d : (a->item.n > b->item.n) - (a->item.n < b->item.n);
}

static void sort_best_first(struct recommend_item *items, size_t count)
{
    if (count > 1)
        qsort(items, count, sizeof *items, by_score);
}

static void offer_pool(struct choice *c, struct pool *p)
{
    sort_best_first(p->items, p->count);
    for (size_t i = 0; i < p->count; i++)
        if (!offer(c, p->items[i].item, p->items[i].score, p->items[i].source))
            return;
}

/* The best becomes 1; where the best is not above 0, places decide. */
static void pool_add_scaled(struct pool *to, struct recommend_item *sorted, size_t count, enum recommend_source source)
{
    for (size_t i = 0; i < count; i++) {
        double share = sorted[0].score > 0 ? sorted[i].score / sorted[0].score : 1 / (double)(1 + i);
        struct recommend_item *item = pool_item(to, sorted[i].item);
        item->source = share > item->score ? source : item->source;
        item->score += share;
    }
}

static struct recommend_item *items_of_row(const struct lists *l, struct lists_row row, struct arena *arena)
{
    struct recommend_item *items = arena_alloc(arena, (row.count + 1) * sizeof *items);
    for (uint32_t i = 0; i < row.count; i++)
        items[i] = (struct recommend_item){ .item = lists_entry(l, row.first + i),
                                            .score = (double)lists_value(l, row.first + i, 0) };
    return items;
}

/* ---- folding in ---- */

static const double WEIGHT_MAX = 1e6; /* of an event: sums stay finite */

static double weight_of(const struct recommend_event *e)
{
    return e->weight > 0 ? fmin(e->weight, WEIGHT_MAX) : 1;
}

/* What training did not see of the history; the rest is in the unit's list already. */
static size_t fresh_history(const struct choice *c, struct recommend_event *out)
{
    const struct recommend_request *q = c->q;
    struct text_set known = { .count = 0 };
    struct lists_row row = { 0, 0 };
    size_t n = 0;
    if (!q->forget)
        (void)find(c->r, SECTION_SEEN, q->id, &row);
    for (uint32_t i = row.first; i < row.first + row.count; i++)
        (void)text_set_add(&known, lists_entry(&c->r->lists[SECTION_SEEN], i), c->arena, NULL);
    for (size_t i = 0; i < q->history_count && i < RECOMMEND_HISTORY_MAX; i++)
        if (text_set_add(&known, q->history[i].item, c->arena, NULL))
            out[n++] = q->history[i];
    return n;
}

/* Fresh history, then what the model has seen of the unit: all that the vector is to follow from. */
static size_t events_of(const struct choice *c, const struct recommend_event *fresh, size_t count,
                        struct factors_event *out, size_t *out_known)
{
    const struct lists *seen = &c->r->lists[SECTION_SEEN];
    struct lists_row row = { 0, 0 };
    size_t n = 0;
    for (size_t i = 0; i < count && n < FACTORS_HISTORY_MAX; i++)
        if (factors_find(&c->r->factors, fresh[i].item, &out[n].item))
            out[n++].weight = weight_of(&fresh[i]);
    *out_known = n;
    if (n && !c->q->forget)
        (void)find(c->r, SECTION_SEEN, c->q->id, &row);
    for (uint32_t i = row.first; i < row.first + row.count && n < FACTORS_HISTORY_MAX; i++)
        if (factors_find(&c->r->factors, lists_entry(seen, i), &out[n].item))
            out[n++].weight = (double)lists_value(seen, i, 0);
    return n;
}

struct scored {
    float score;
    uint32_t number;
};

static bool worse_text(const struct factors *f, uint32_t a, uint32_t b)
{
    const struct recommend_item x = { .item = factors_text(f, a) }, y = { .item = factors_text(f, b) };
    return by_score(&x, &y) > 0;
}

static inline bool worse(const struct factors *f, struct scored a, struct scored b)
{
    return a.score < b.score || (!(a.score > b.score) && worse_text(f, a.number, b.number));
}

/* The heap's top is the worst of the `count` best so far. */
static void sift_down(const struct factors *f, struct scored *heap, size_t count, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && worse(f, heap[child + 1], heap[child]))
            child++;
        if (!worse(f, heap[child], heap[at]))
            return;
        struct scored t = heap[at];
        heap[at] = heap[child];
        heap[child] = t;
    }
}

static size_t best_of(const struct factors *f, const float *scores, size_t wanted, struct arena *arena,
                      struct recommend_item **out)
{
    size_t n = wanted < f->items ? wanted : f->items;
    struct scored *heap = arena_alloc(arena, n * sizeof *heap);
    for (uint32_t i = 0; i < n; i++)
        heap[i] = (struct scored){ scores[i], i };
    for (size_t i = n / 2; i-- > 0;)
        sift_down(f, heap, n, i);
    for (uint32_t i = (uint32_t)n; i < f->items; i++) {
        struct scored s = { scores[i], i };
        if (s.score < heap[0].score || !worse(f, heap[0], s))
            continue;
        heap[0] = s;
        sift_down(f, heap, n, 0);
    }
    struct recommend_item *items = arena_alloc(arena, n * sizeof *items);
    for (size_t i = 0; i < n; i++)
        items[i] = (struct recommend_item){ factors_text(f, heap[i].number), (double)heap[i].score, RECOMMEND_FOLD_IN };
    sort_best_first(items, n);
    *out = items;
    return n;
}

/* As many of the best as it takes: those excluded or refused are among them. */
static void offer_all_scored(struct choice *c, const float *vector)
{
    const struct factors *f = &c->r->factors;
    float *scores = arena_alloc(c->arena, f->items * sizeof *scores);
    factors_scores(f, vector, 0, f->items, scores);
    for (size_t wanted = c->limit + c->taken.count + 16;; wanted *= 4) {
        struct recommend_item *items;
        size_t n = best_of(f, scores, wanted, c->arena, &items);
        for (size_t i = 0; i < n; i++)
            if (!offer(c, items[i].item, items[i].score, RECOMMEND_FOLD_IN))
                return;
        if (n == f->items)
            return;
    }
}

static void pool_add_row(struct pool *p, const struct lists *l, struct lists_row row)
{
    for (uint32_t i = row.first; i < row.first + row.count; i++)
        (void)pool_item(p, lists_entry(l, i));
}

/* Too many to score all: those that lie near. */
static void offer_near_scored(struct choice *c, const struct factors_event *events, size_t count, const float *vector)
{
    const struct recommender *r = c->r;
    struct pool p = { .arena = c->arena };
    struct lists_row row;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (find(r, SECTION_ITEMS_FOR_ITEM, factors_text(&r->factors, events[i].item), &row))
            pool_add_row(&p, &r->lists[SECTION_ITEMS_FOR_ITEM], row);
    if (!c->q->forget && find(r, SECTION_ITEMS_FOR_USER, c->q->id, &row))
        pool_add_row(&p, &r->lists[SECTION_ITEMS_FOR_USER], row);
    if (find(r, SECTION_POPULAR, STR(""), &row))
        pool_add_row(&p, &r->lists[SECTION_POPULAR], row);
    for (size_t i = 0; i < p.count; i++) {
        uint32_t number;
        float score;
        if (!factors_find(&r->factors, p.items[i].item, &number))
            continue;
        factors_scores(&r->factors, vector, number, 1, &score);
        p.items[n++] = (struct recommend_item){ p.items[i].item, (double)score, RECOMMEND_FOLD_IN };
    }
    p.count = n;
    offer_pool(c, &p);
}

/* The sum of weight × similarity over the history's lists. */
static struct pool similar_sums(const struct choice *c, const struct recommend_event *events, size_t count,
                                size_t *out_known)
{
    const struct lists *l = &c->r->lists[SECTION_ITEMS_FOR_ITEM];
    struct pool p = { .arena = c->arena };
    struct lists_row row;
    *out_known = 0;
    for (size_t i = 0; i < count; i++) {
        if (!find(c->r, SECTION_ITEMS_FOR_ITEM, events[i].item, &row))
            continue;
        ++*out_known;
        for (uint32_t j = row.first; j < row.first + row.count; j++) {
            struct recommend_item *item = pool_item(&p, lists_entry(l, j));
            item->score += weight_of(&events[i]) * (double)lists_value(l, j, 0);
            item->source = RECOMMEND_FOLD_IN;
        }
    }
    sort_best_first(p.items, p.count);
    return p;
}

/* Together with the unit's list, when there is one. */
static void offer_sums(struct choice *c, const struct recommend_event *fresh, size_t count, const struct lists_row *own,
                       size_t *out_known)
{
    const struct lists *mine = &c->r->lists[SECTION_ITEMS_FOR_USER];
    struct pool sums = similar_sums(c, fresh, count, out_known), both = { .arena = c->arena };
    if (!own) {
        offer_pool(c, &sums);
        return;
    }
    pool_add_scaled(&both, items_of_row(mine, *own, c->arena), own->count, RECOMMEND_PERSONAL);
    pool_add_scaled(&both, sums.items, sums.count, RECOMMEND_FOLD_IN);
    offer_pool(c, &both);
}

/* True when the history told something. `own`: the unit's list, when the model has one. */
static bool fold_in(struct choice *c, const struct lists_row *own, size_t *out_known)
{
    const struct recommender *r = c->r;
    struct recommend_event fresh[RECOMMEND_HISTORY_MAX];
    size_t count = fresh_history(c, fresh);
    if (count == 0)
        return false;
    bool whole = r->has_factors && (!own || r->has[SECTION_SEEN]); /* the vector says all that is known of the unit */
    if (whole) {
        struct factors_event *events = arena_alloc(c->arena, FACTORS_HISTORY_MAX * sizeof *events);
        float *vector = arena_alloc(c->arena, r->factors.rank * sizeof *vector);
        size_t n = events_of(c, fresh, count, events, out_known);
        if (*out_known == 0 || !factors_fold_in(&r->factors, events, n, c->arena, vector))
            return false;
        if (r->factors.items <= RECOMMEND_SCAN_MAX)
            offer_all_scored(c, vector);
        else
            offer_near_scored(c, events, n, vector);
        return true;
    }
    if (r->has[SECTION_ITEMS_FOR_ITEM])
        offer_sums(c, fresh, count, own, out_known);
    return *out_known > 0;
}

/* ---- what each kind of request asks ---- */

static enum recommend_note recommend_user(struct choice *c, size_t *out_known)
{
    const struct recommender *r = c->r;
    struct lists_row row;
    bool known = !c->q->forget && find(r, SECTION_ITEMS_FOR_USER, c->q->id, &row);
    if (!r->has[SECTION_ITEMS_FOR_USER] && !r->has_factors && !r->has[SECTION_ITEMS_FOR_ITEM])
        return RECOMMEND_NO_SECTION;
    bool folded = c->q->history_count && fold_in(c, known ? &row : NULL, out_known);
    if (known)
        offer_list(c, SECTION_ITEMS_FOR_USER, row, RECOMMEND_PERSONAL);
    return known || folded ? RECOMMEND_FINE : RECOMMEND_UNKNOWN;
}

static enum recommend_note recommend_key(struct choice *c, enum recommend_section section, enum recommend_source source)
{
    struct lists_row row;
    if (!c->r->has[section])
        return RECOMMEND_NO_SECTION;
    if (!lists_find(&c->r->lists[section], c->q->id, &row))
        return RECOMMEND_UNKNOWN;
    offer_list(c, section, row, source);
    return RECOMMEND_FINE;
}

static const struct {
    enum recommend_section section;
    enum recommend_source source;
    bool items; /* so that popular ones may fill the rest */
} kinds[] = {
    [RECOMMEND_USER] = { SECTION_ITEMS_FOR_USER, RECOMMEND_PERSONAL, true },
    [RECOMMEND_ITEM] = { SECTION_ITEMS_FOR_ITEM, RECOMMEND_SIMILAR, true },
    [RECOMMEND_QUERY] = { SECTION_ITEMS_FOR_QUERY, RECOMMEND_SIMILAR, true },
    [RECOMMEND_USERS] = { SECTION_USERS_FOR_ITEM, RECOMMEND_SIMILAR, false },
    [RECOMMEND_QUERIES] = { SECTION_QUERIES_FOR_QUERY, RECOMMEND_SIMILAR, false },
    [RECOMMEND_TOP] = { SECTION_POPULAR, RECOMMEND_POPULAR, true },
};
static_assert(COUNT_OF(kinds) == RECOMMEND_FOR_COUNT, "one row each");

/* ---- diversity ---- */

struct diverse {
    const struct recommender *r;
    struct recommend_item *items; /* by score */
    size_t count;
    double *relevance, *nearest; /* of each: 0 … 1, and similarity to what stands above */
    uint32_t *numbers;           /* in the factors; UINT32_MAX: not there */
    struct text_set by_text;
    bool *used;
};

static void diverse_prepare(struct diverse *d, struct arena *arena)
{
    double best = d->items[0].score, worst = d->items[d->count - 1].score;
    struct text_slot *slot;
    d->relevance = arena_alloc(arena, d->count * sizeof(double));
    d->nearest = arena_zalloc(arena, d->count * sizeof(double));
    d->numbers = arena_alloc(arena, d->count * sizeof *d->numbers);
    d->used = arena_zalloc(arena, d->count * sizeof *d->used);
    for (size_t i = 0; i < d->count; i++) {
        d->relevance[i] = best > worst ? (d->items[i].score - worst) / (best - worst) : 1;
        if (!d->r->has_factors || !factors_find(&d->r->factors, d->items[i].item, &d->numbers[i]))
            d->numbers[i] = UINT32_MAX;
        (void)text_set_add(&d->by_text, d->items[i].item, arena, &slot);
        slot->number = (uint32_t)i;
    }
}

/* Cosine of factors, or the value in the chosen item's list, the best of which counts as 1. */
static void diverse_note(struct diverse *d, size_t chosen)
{
    const struct lists *l = &d->r->lists[SECTION_ITEMS_FOR_ITEM];
    struct lists_row row;
    d->used[chosen] = true;
    for (size_t i = 0; i < d->count; i++)
        if (!d->used[i] && d->numbers[i] != UINT32_MAX && d->numbers[chosen] != UINT32_MAX)
            d->nearest[i] = fmax(d->nearest[i], factors_cosine(&d->r->factors, d->numbers[i], d->numbers[chosen]));
    if (d->numbers[chosen] != UINT32_MAX || !find(d->r, SECTION_ITEMS_FOR_ITEM, d->items[chosen].item, &row) ||
        !row.count)
        return;
    double best = (double)lists_value(l, row.first, 0);
    for (uint32_t i = row.first; best > 0 && i < row.first + row.count; i++) {
        const struct text_slot *slot = slot_of(&d->by_text, lists_entry(l, i));
        if (slot->text.p)
            d->nearest[slot->number] = fmax(d->nearest[slot->number], (double)lists_value(l, i, 0) / best);
    }
}

static void diversify(struct choice *c, size_t n)
{
    struct diverse d = { .r = c->r, .items = c->items, .count = c->count };
    double share = fmin(c->q->diversity, 1);
    if (c->count < 2)
        return;
    diverse_prepare(&d, c->arena);
    size_t kept = n < c->count ? n : c->count;
    struct recommend_item *out = arena_alloc(c->arena, c->limit * sizeof *out);
    for (size_t place = 0; place < kept; place++) {
        size_t best = c->count;
        double value = 0;
        for (size_t i = 0; i < c->count; i++) {
            double v = (1 - share) * d.relevance[i] - share * d.nearest[i];
            if (!d.used[i] && (best == c->count || v > value)) {
                best = i;
                value = v;
            }
        }
        out[place] = c->items[best];
        diverse_note(&d, best);
    }
    c->items = out;
    c->count = kept;
}

void recommend(const struct recommender *r, const struct recommend_request *q, struct arena *arena,
               struct recommend_answer *out)
{
    size_t n = q->n < RECOMMEND_N_MAX ? q->n : RECOMMEND_N_MAX;
    bool diverse = q->diversity > 0 && n <= RECOMMEND_DIVERSE_MAX;
    struct choice c = { .r = r, .q = q, .arena = arena, .limit = diverse ? 4 * n : n };
    struct lists_row row;
    *out = (struct recommend_answer){ .note = RECOMMEND_FINE };
    c.items = arena_alloc(arena, (c.limit + 1) * sizeof *c.items);
    exclude(&c);
    if (q->of == RECOMMEND_USER)
        out->note = recommend_user(&c, &out->history_known);
    else
        out->note = recommend_key(&c, kinds[q->of].section, kinds[q->of].source);
    if (diverse)
        diversify(&c, n);
    c.limit = n;
    if (q->fill && kinds[q->of].items && c.count < n && find(r, SECTION_POPULAR, STR(""), &row))
        offer_list(&c, SECTION_POPULAR, row, RECOMMEND_POPULAR);
    out->items = c.items;
    out->count = c.count;
}
