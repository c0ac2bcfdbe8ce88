#include "trainer/kernels/queries/query_merge.h"

#include <stdlib.h>

#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/queries/query_day.h"

enum { FIRST_ROOM = 1024 };

/* Units by query, each once: a set of what both are hashed to. */
struct unit_set {
    uint64_t *slots; /* 0: free */
    size_t count, room;
};

struct sums {
    uint64_t searches, zero_results, clicks, sessions, units;
};

struct query_merge {
    const struct marked_hashes *marked;
    struct intern queries;
    struct sums *sums; /* of each query */
    size_t sums_room;
    struct intern others[QUERY_LIST_KIND_COUNT]; /* under queries */
    uint64_t *counts[QUERY_LIST_KIND_COUNT];
    size_t counts_room[QUERY_LIST_KIND_COUNT];
    struct unit_set units;
};

struct query_merge *query_merge_new(const struct marked_hashes *marked)
{
    struct query_merge *m = mem_zalloc(sizeof *m);
    m->marked = marked;
    intern_init(&m->queries);
    for (int k = 0; k < QUERY_LIST_KIND_COUNT; k++)
        intern_init(&m->others[k]);
    m->units.room = FIRST_ROOM;
    m->units.slots = mem_zalloc(m->units.room * sizeof *m->units.slots);
    return m;
}

void query_merge_free(struct query_merge *m)
{
    if (!m)
        return;
    intern_release(&m->queries);
    for (int k = 0; k < QUERY_LIST_KIND_COUNT; k++) {
        intern_release(&m->others[k]);
        mem_free(m->counts[k]);
    }
    mem_free(m->sums);
    mem_free(m->units.slots);
    mem_free(m);
}

/* ---- units ---- */

static bool set_put(uint64_t *slots, size_t room, uint64_t key)
{
    size_t at = key & (room - 1);
    for (; slots[at]; at = (at + 1) & (room - 1))
        if (slots[at] == key)
            return false;
    slots[at] = key;
    return true;
}

static void set_grow(struct unit_set *s)
{
    uint64_t *old = s->slots;
    size_t room = s->room;
    s->room *= 2;
    s->slots = mem_zalloc(s->room * sizeof *s->slots);
    for (size_t i = 0; i < room; i++)
        if (old[i])
            (void)set_put(s->slots, s->room, old[i]);
    mem_free(old);
}

/* True: the query had not had this unit yet. Two pairs of one hash, in one of 2^64 cases, count as one. */
static bool set_add(struct unit_set *s, uint32_t query, uint64_t unit)
{
    uint64_t key = (unit ^ (query + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xFF51AFD7ED558CCD);
    key ^= key >> 32;
    if (2 * s->count >= s->room)
        set_grow(s);
    bool is_new = set_put(s->slots, s->room, key ? key : 1);
    s->count += is_new;
    return is_new;
}

/* ---- adding ---- */

static uint32_t query_of(struct query_merge *m, struct str text)
{
    uint32_t known = m->queries.count, i = intern_add(&m->queries, text);
    if (i < known)
        return i;
    if (i >= m->sums_room) {
        m->sums_room = m->sums_room ? 2 * m->sums_room : FIRST_ROOM;
        m->sums = mem_realloc(m->sums, m->sums_room * sizeof *m->sums);
    }
    m->sums[i] = (struct sums){ 0 };
    return i;
}

static void add_other(struct query_merge *m, enum query_list_kind kind, uint32_t query, struct str text, uint64_t count)
{
    uint32_t known = m->others[kind].count, i = intern_add_under(&m->others[kind], query, text);
    if (i >= m->counts_room[kind]) {
        m->counts_room[kind] = m->counts_room[kind] ? 2 * m->counts_room[kind] : FIRST_ROOM;
        m->counts[kind] = mem_realloc(m->counts[kind], m->counts_room[kind] * sizeof *m->counts[kind]);
    }
    m->counts[kind][i] = count + (i < known ? m->counts[kind][i] : 0);
}

static void add_fact(struct query_merge *m, uint32_t query, uint64_t unit, enum query_fact_kind kind, struct str other,
                     uint64_t count)
{
    struct sums *s = &m->sums[query];
    if (kind == QUERY_FACT_SEARCHES) {
        s->searches += count;
        s->units += set_add(&m->units, query, unit);
    } else if (kind == QUERY_FACT_ZERO) {
        s->zero_results += count;
    } else if (kind == QUERY_FACT_SESSIONS) {
        s->sessions += count;
    } else if (kind == QUERY_FACT_CLICK) {
        s->clicks += count;
        add_other(m, QUERY_DOCS, query, other, count);
    } else {
        add_other(m, kind == QUERY_FACT_NEXT ? QUERY_NEXT : QUERY_SAME, query, other, count);
    }
}

/* The query is looked up for the first unit that counts: one that only marked units searched for is none. */
static bool add_record(struct query_merge *m, struct query_day_record *r, uint64_t *out_units)
{
    uint32_t query = UINT32_MAX;
    for (; r->rest.n; ++*out_units) {
        uint64_t unit, facts, count;
        enum query_fact_kind kind;
        struct str other;
        if (!query_day_unit(r, &unit, &facts))
            return false;
        bool counts = !marked_has_hash(m->marked, unit);
        if (counts && query == UINT32_MAX)
            query = query_of(m, r->query);
        for (; facts; facts--) {
            if (!query_day_fact(r, &kind, &other, &count))
                return false;
            if (counts)
                add_fact(m, query, unit, kind, other, count);
        }
    }
    return true;
}

bool query_merge_add(struct query_merge *m, struct str block, uint64_t *out_units, struct err *err)
{
    struct query_day_record r;
    *out_units = 0;
    while (block.n)
        if (!query_day_read(&block, &r) || !add_record(m, &r, out_units))
            return err_set(err, ERR_SYSTEM, "a record of queries is damaged");
    return true;
}

/* ---- telling ---- */

/* Entries of one kind, sorted so that those of a query lie together, best first. */
struct placed {
    uint32_t query;
    struct query_entry entry;
};

static int by_query_and_count(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->query != y->query)
        return x->query < y->query ? -1 : 1;
    if (x->entry.count != y->entry.count)
        return x->entry.count > y->entry.count ? -1 : 1;
    return pair_text_compare(x->entry.text, y->entry.text);
}

/* The lists of one kind of all queries. */
struct lists {
    struct query_entry *entries;
    uint32_t *first; /* of each query, and behind the last one the end */
};

static struct lists lists_of(const struct query_merge *m, enum query_list_kind kind)
{
    const struct intern *t = &m->others[kind];
    struct placed *placed = mem_alloc(((size_t)t->count + 1) * sizeof *placed);
    struct lists l = { mem_alloc(((size_t)t->count + 1) * sizeof *l.entries),
                       mem_alloc(((size_t)m->queries.count + 1) * sizeof *l.first) };
    for (uint32_t i = 0; i < t->count; i++)
        placed[i] = (struct placed){ t->under[i], { t->texts[i], m->counts[kind][i] } };
    qsort(placed, t->count, sizeof *placed, by_query_and_count);
    for (uint32_t q = 0, i = 0; q <= m->queries.count; q++) {
        l.first[q] = i;
        for (; i < t->count && placed[i].query == q; i++)
            l.entries[i] = placed[i].entry;
    }
    mem_free(placed);
    return l;
}

static int by_text(const void *a, const void *b, void *arg)
{
    const struct query_merge *m = arg;
    return pair_text_compare(m->queries.texts[*(const uint32_t *)a], m->queries.texts[*(const uint32_t *)b]);
}

static uint32_t *sorted_queries(const struct query_merge *m)
{
    uint32_t *sorted = mem_alloc(((size_t)m->queries.count + 1) * sizeof *sorted);
    for (uint32_t i = 0; i < m->queries.count; i++)
        sorted[i] = i;
    qsort_r(sorted, m->queries.count, sizeof *sorted, by_text, (void *)(uintptr_t)m);
    return sorted;
}

static struct query_record record_of(const struct query_merge *m, const struct lists *lists, uint32_t query)
{
    const struct sums *s = &m->sums[query];
    struct query_record q = { .text = m->queries.texts[query],
                              .searches = s->searches,
                              .zero_results = s->zero_results,
                              .clicks = s->clicks,
                              .sessions = s->sessions,
                              .units = s->units };
    for (int k = 0; k < QUERY_LIST_KIND_COUNT; k++) {
        uint32_t first = lists[k].first[query], count = lists[k].first[query + 1] - first;
        q.lists[k] = (struct query_list){ lists[k].entries + first, count < QUERY_LIST_MAX ? count : QUERY_LIST_MAX };
    }
    return q;
}

static void add_totals(struct query_totals *t, const struct query_record *q)
{
    t->queries++;
    t->searches += q->searches;
    t->zero_results += q->zero_results;
    t->clicks += q->clicks;
}

static bool tell_all(const struct query_merge *m, const struct lists *lists, query_merge_fn fn, void *arg,
                     struct query_totals *out, struct err *err)
{
    uint32_t *sorted = sorted_queries(m);
    bool ok = true;
    *out = (struct query_totals){ 0 };
    for (uint32_t i = 0; ok && i < m->queries.count; i++) {
        const struct query_record q = record_of(m, lists, sorted[i]);
        if (q.text.n == 0) {
            out->sessions = q.sessions;
            continue;
        }
        add_totals(out, &q);
        ok = fn(arg, &q, err);
    }
    mem_free(sorted);
    return ok;
}

bool query_merge_finish(struct query_merge *m, query_merge_fn fn, void *arg, struct query_totals *out, struct err *err)
{
    struct lists lists[QUERY_LIST_KIND_COUNT];
    for (int k = 0; k < QUERY_LIST_KIND_COUNT; k++)
        lists[k] = lists_of(m, (enum query_list_kind)k);
    bool ok = tell_all(m, lists, fn, arg, out, err);
    for (int k = 0; k < QUERY_LIST_KIND_COUNT; k++) {
        mem_free(lists[k].entries);
        mem_free(lists[k].first);
    }
    return ok;
}
