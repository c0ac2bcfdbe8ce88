#include "trainer/kernels/serps/serp_merge.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/serps/serp_day.h"

enum { FIRST_ROOM = 1024, KEY_MAX = 2 * (SERP_DOCS_MAX + 8) };

/* A pattern's contents as words, one behind the other: what is equal has equal words.
 * [query, documents | randomised << 8 | last << 16, clicked (2 words), documents …, propensities …] */
enum { KEY_QUERY, KEY_SHAPE, KEY_CLICKED, KEY_DOCS = KEY_CLICKED + 2 };

struct pattern {
    size_t words; /* where its contents begin */
    uint64_t hash, count, held;
};

struct moment {
    int64_t at_us;
    uint64_t unit;
    uint32_t query, pattern;
};

struct serp_merge {
    struct serp_merge_rules rules;
    struct intern queries, docs; /* docs under queries */
    uint32_t *words;
    size_t words_count, words_room;
    struct pattern *patterns;
    uint32_t *slots; /* number + 1; 0: free */
    uint32_t patterns_count, patterns_room, slots_count;
    struct moment *moments; /* of each search, when some are to be held out */
    size_t moments_count, moments_room;
};

struct serp_merge *serp_merge_new(const struct serp_merge_rules *rules)
{
    struct serp_merge *m = mem_zalloc(sizeof *m);
    m->rules = *rules;
    intern_init(&m->queries);
    intern_init(&m->docs);
    m->slots_count = 2 * FIRST_ROOM;
    m->slots = mem_zalloc(m->slots_count * sizeof *m->slots);
    return m;
}

void serp_merge_free(struct serp_merge *m)
{
    if (!m)
        return;
    intern_release(&m->queries);
    intern_release(&m->docs);
    mem_free(m->words);
    mem_free(m->patterns);
    mem_free(m->slots);
    mem_free(m->moments);
    mem_free(m);
}

/* ---- patterns ---- */

static uint32_t *words_of(const struct serp_merge *m, uint32_t pattern)
{
    return m->words + m->patterns[pattern].words;
}

static uint32_t docs_of(const uint32_t *w)
{
    return w[KEY_SHAPE] & 0xFF;
}

static bool is_randomised(const uint32_t *w)
{
    return w[KEY_SHAPE] >> 8 & 1;
}

static size_t length_of(const uint32_t *w)
{
    return KEY_DOCS + docs_of(w) * (is_randomised(w) ? (size_t)2 : 1);
}

static uint64_t clicked_of(const uint32_t *w)
{
    return w[KEY_CLICKED] | (uint64_t)w[KEY_CLICKED + 1] << 32;
}

static void grow_slots(struct serp_merge *m)
{
    mem_free(m->slots);
    m->slots_count *= 2;
    m->slots = mem_zalloc(m->slots_count * sizeof *m->slots);
    for (uint32_t i = 0; i < m->patterns_count; i++) {
        size_t at = m->patterns[i].hash & (m->slots_count - 1);
        while (m->slots[at])
            at = (at + 1) & (m->slots_count - 1);
        m->slots[at] = i + 1;
    }
}

static uint32_t add_pattern(struct serp_merge *m, const uint32_t *key, size_t n, uint64_t hash)
{
    if (m->patterns_count == m->patterns_room) {
        m->patterns_room = m->patterns_room ? 2 * m->patterns_room : FIRST_ROOM;
        m->patterns = mem_realloc(m->patterns, m->patterns_room * sizeof *m->patterns);
    }
    if (m->words_count + n > m->words_room) {
        m->words_room = 2 * (m->words_room + n) + (size_t)FIRST_ROOM * KEY_DOCS;
        m->words = mem_realloc(m->words, m->words_room * sizeof *m->words);
    }
    memcpy(m->words + m->words_count, key, n * sizeof *key);
    m->patterns[m->patterns_count] = (struct pattern){ m->words_count, hash, 0, 0 };
    m->words_count += n;
    return m->patterns_count++;
}

static uint32_t pattern_of(struct serp_merge *m, const uint32_t *key)
{
    size_t n = length_of(key);
    uint64_t hash = hash64((struct str){ (const char *)key, n * sizeof *key });
    size_t at = hash & (m->slots_count - 1);
    for (; m->slots[at]; at = (at + 1) & (m->slots_count - 1)) {
        uint32_t i = m->slots[at] - 1;
        if (m->patterns[i].hash == hash && length_of(words_of(m, i)) == n &&
            memcmp(words_of(m, i), key, n * sizeof *key) == 0)
            return i;
    }
    uint32_t pattern = add_pattern(m, key, n, hash);
    m->slots[at] = pattern + 1;
    if (2 * m->patterns_count >= m->slots_count)
        grow_slots(m);
    return pattern;
}

/* ---- adding ---- */

/* What is left of the search within the positions that count; local: numbers of the record's documents. */
static void make_key(const struct serp_merge *m, uint32_t query, const struct serp_search *s, const uint32_t *local,
                     uint32_t *key)
{
    uint32_t n = s->count < m->rules.positions ? s->count : m->rules.positions, last = 0;
    uint64_t clicked = 0;
    for (uint32_t i = 0; i < s->clicks_count; i++) {
        if (s->clicks[i] >= n)
            continue;
        last = s->clicks[i];
        clicked |= UINT64_C(1) << last;
    }
    key[KEY_QUERY] = query;
    key[KEY_SHAPE] = n | (uint32_t)s->randomised << 8 | last << 16;
    key[KEY_CLICKED] = (uint32_t)clicked;
    key[KEY_CLICKED + 1] = (uint32_t)(clicked >> 32);
    for (uint32_t i = 0; i < n; i++)
        key[KEY_DOCS + i] = local[s->docs[i]];
    if (s->randomised)
        memcpy(key + KEY_DOCS + n, s->propensities, n * sizeof *key);
}

static void note_moment(struct serp_merge *m, const struct moment *at)
{
    if (m->moments_count == m->moments_room) {
        m->moments_room = m->moments_room ? 2 * m->moments_room : FIRST_ROOM;
        m->moments = mem_realloc(m->moments, m->moments_room * sizeof *m->moments);
    }
    m->moments[m->moments_count++] = *at;
}

/* Of a record: what its local numbers are here, and whose query it is. */
struct record {
    uint32_t query, *local;
    size_t known, room;
};

static void learn_docs(struct serp_merge *m, struct record *r, const struct serp_search *s)
{
    if (r->known + SERP_DOCS_MAX > r->room) {
        r->room = 2 * r->room + FIRST_ROOM;
        r->local = mem_realloc(r->local, r->room * sizeof *r->local);
    }
    for (uint32_t i = 0; i < s->fresh_count; i++)
        r->local[r->known++] = intern_add_under(&m->docs, r->query, s->fresh[i]);
}

static bool add_record(struct serp_merge *m, int64_t day_us, struct serp_day_record *in, struct record *r,
                       uint64_t *out_searches)
{
    uint32_t key[KEY_MAX];
    struct serp_search s;
    r->known = 0;
    r->query = intern_add(&m->queries, in->query);
    for (; in->rest.n; ++*out_searches) {
        if (!serp_day_search(in, &s))
            return false;
        learn_docs(m, r, &s);
        if (marked_has_hash(m->rules.marked, s.unit))
            continue;
        make_key(m, r->query, &s, r->local, key);
        uint32_t pattern = pattern_of(m, key);
        bool held = m->rules.held_from_us && day_us + s.at_us >= m->rules.held_from_us;
        *(held ? &m->patterns[pattern].held : &m->patterns[pattern].count) += 1;
        if (m->rules.holdout_share > 0)
            note_moment(m, &(struct moment){ day_us + s.at_us, s.unit, r->query, pattern });
    }
    return true;
}

bool serp_merge_add(struct serp_merge *m, int64_t day_us, struct str block, uint64_t *out_searches, struct err *err)
{
    struct serp_day_record in;
    struct record r = { .local = NULL };
    bool ok = true;
    *out_searches = 0;
    while (ok && block.n)
        ok = serp_day_read(&block, &in) && add_record(m, day_us, &in, &r, out_searches);
    mem_free(r.local);
    return ok || err_set(err, ERR_SYSTEM, "a record of what was shown is damaged");
}

/* ---- order ---- */

#define BY(x, y)    \
    if ((x) != (y)) \
    return (x) < (y) ? -1 : 1

static int by_query_text(const void *a, const void *b, void *merge)
{
    const struct serp_merge *m = merge;
    return pair_text_compare(m->queries.texts[*(const uint32_t *)a], m->queries.texts[*(const uint32_t *)b]);
}

static int by_doc_text(const void *a, const void *b, void *merge)
{
    const struct serp_merge *m = merge;
    return pair_text_compare(m->docs.texts[*(const uint32_t *)a], m->docs.texts[*(const uint32_t *)b]);
}

/* The place of each of `count` numbers in the order of `by`. The caller frees it. */
static uint32_t *places_of(struct serp_merge *m, uint32_t count, int (*by)(const void *, const void *, void *))
{
    uint32_t *sorted = mem_alloc(((size_t)count + 1) * sizeof *sorted),
             *places = mem_alloc(((size_t)count + 1) * sizeof *places);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = i;
    qsort_r(sorted, count, sizeof *sorted, by, m);
    for (uint32_t i = 0; i < count; i++)
        places[sorted[i]] = i;
    mem_free(sorted);
    return places;
}

/* Numbers of queries and documents in patterns become places in the orders of their texts. */
static void use_places(struct serp_merge *m, const uint32_t *queries, const uint32_t *docs)
{
    for (uint32_t i = 0; i < m->patterns_count; i++) {
        uint32_t *w = words_of(m, i);
        w[KEY_QUERY] = queries[w[KEY_QUERY]];
        for (uint32_t k = 0; k < docs_of(w); k++)
            w[KEY_DOCS + k] = docs[w[KEY_DOCS + k]];
    }
    for (size_t i = 0; i < m->moments_count; i++)
        m->moments[i].query = queries[m->moments[i].query];
}

static int by_contents(const void *a, const void *b, void *merge)
{
    const struct serp_merge *m = merge;
    const uint32_t *x = words_of(m, *(const uint32_t *)a), *y = words_of(m, *(const uint32_t *)b);
    BY(x[KEY_QUERY], y[KEY_QUERY]);
    for (uint32_t i = 0; i < docs_of(x) && i < docs_of(y); i++)
        BY(x[KEY_DOCS + i], y[KEY_DOCS + i]);
    BY(docs_of(x), docs_of(y));
    BY(clicked_of(x), clicked_of(y));
    BY(x[KEY_SHAPE], y[KEY_SHAPE]);
    for (size_t i = KEY_DOCS + docs_of(x); i < length_of(x); i++)
        BY(x[i], y[i]);
    return 0;
}

/* ---- holding out ---- */

static int by_time(const void *a, const void *b, void *places)
{
    const struct moment *x = a, *y = b;
    const uint32_t *place = places;
    BY(x->query, y->query);
    BY(x->at_us, y->at_us);
    BY(x->unit, y->unit);
    BY(place[x->pattern], place[y->pattern]);
    return 0;
}

/* `places` of patterns: of two searches of one unit at one instant the contents decide. */
static void hold_out(struct serp_merge *m, uint32_t *places)
{
    static const double rounding = 1e-9; /* 0.2 of 35 are 7 */
    if (m->moments_count)
        qsort_r(m->moments, m->moments_count, sizeof *m->moments, by_time, places);
    for (size_t i = 0, end; i < m->moments_count; i = end) {
        for (end = i + 1; end < m->moments_count && m->moments[end].query == m->moments[i].query;)
            end++;
        size_t held = (size_t)floor((double)(end - i) * m->rules.holdout_share + rounding);
        for (size_t k = end - held; k < end; k++) {
            m->patterns[m->moments[k].pattern].count--;
            m->patterns[m->moments[k].pattern].held++;
        }
    }
}

/* ---- telling ---- */

struct telling {
    struct serp_merge *m;
    const uint32_t *sorted;     /* patterns */
    const uint32_t *query_at;   /* number of the query at each place */
    const uint32_t *doc_at;     /* likewise */
    uint32_t *local, *query_of; /* of each document's place: its number in the query, and in which */
    struct arena arena;         /* of a query */
    struct serp_totals *totals;
};

static uint32_t local_of(struct telling *t, uint32_t query, uint32_t place, struct str *docs, uint32_t *count)
{
    if (t->query_of[place] != query + 1) {
        t->query_of[place] = query + 1;
        t->local[place] = *count;
        docs[(*count)++] = t->m->docs.texts[t->doc_at[place]];
    }
    return t->local[place];
}

static struct serp_pattern pattern_told(struct telling *t, uint32_t number, struct str *docs, uint32_t *docs_count)
{
    const struct pattern *p = &t->m->patterns[number];
    const uint32_t *w = words_of(t->m, number);
    uint32_t n = docs_of(w), *numbers = arena_alloc(&t->arena, n * sizeof *numbers);
    float *propensities = is_randomised(w) ? arena_alloc(&t->arena, n * sizeof *propensities) : NULL;
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = local_of(t, w[KEY_QUERY], w[KEY_DOCS + i], docs, docs_count);
    if (propensities)
        memcpy(propensities, w + KEY_DOCS + n, n * sizeof *propensities);
    return (struct serp_pattern){
        numbers, propensities, clicked_of(w), p->count, p->held, n, (uint8_t)(w[KEY_SHAPE] >> 16)
    };
}

static void add_totals(struct serp_totals *t, const struct serp_query *q)
{
    t->queries++;
    t->documents += q->docs_count;
    t->sessions += q->sessions;
    t->held += q->held;
    t->clicks += q->clicks;
    for (uint32_t i = 0; i < q->patterns_count; i++)
        t->clicked_sessions += q->patterns[i].clicked ? q->patterns[i].count : 0;
}

/* The patterns [from, end) in the order are those of one query. */
static bool tell_query(struct telling *t, uint32_t from, uint32_t end, serp_merge_fn fn, void *arg, struct err *err)
{
    const struct serp_merge *m = t->m;
    size_t room = 0;
    for (uint32_t i = from; i < end; i++)
        room += docs_of(words_of(m, t->sorted[i]));
    arena_reset(&t->arena);
    struct str *docs = arena_alloc(&t->arena, room * sizeof *docs);
    struct serp_pattern *patterns = arena_alloc(&t->arena, (end - from) * sizeof *patterns);
    struct serp_query q = { .text = m->queries.texts[t->query_at[words_of(m, t->sorted[from])[KEY_QUERY]]],
                            .docs = docs,
                            .patterns = patterns };
    for (uint32_t i = from; i < end; i++) {
        struct serp_pattern *p = &patterns[q.patterns_count++];
        *p = pattern_told(t, t->sorted[i], docs, &q.docs_count);
        q.sessions += p->count;
        q.held += p->held;
        q.clicks += p->count * (uint64_t)__builtin_popcountll(p->clicked);
    }
    add_totals(t->totals, &q);
    return fn(arg, &q, err);
}

static bool tell_all(struct telling *t, serp_merge_fn fn, void *arg, struct err *err)
{
    const struct serp_merge *m = t->m;
    bool ok = true;
    for (uint32_t i = 0, end; ok && i < m->patterns_count; i = end) {
        uint32_t query = words_of(m, t->sorted[i])[KEY_QUERY];
        for (end = i + 1; end < m->patterns_count && words_of(m, t->sorted[end])[KEY_QUERY] == query;)
            end++;
        ok = tell_query(t, i, end, fn, arg, err);
    }
    return ok;
}

static uint32_t *inverse(const uint32_t *places, uint32_t count)
{
    uint32_t *at = mem_alloc(((size_t)count + 1) * sizeof *at);
    for (uint32_t i = 0; i < count; i++)
        at[places[i]] = i;
    return at;
}

bool serp_merge_finish(struct serp_merge *m, serp_merge_fn fn, void *arg, struct serp_totals *out, struct err *err)
{
    uint32_t *queries = places_of(m, m->queries.count, by_query_text), *docs = places_of(m, m->docs.count, by_doc_text);
    use_places(m, queries, docs);
    uint32_t *patterns = places_of(m, m->patterns_count, by_contents);
    hold_out(m, patterns);
    uint32_t *sorted = inverse(patterns, m->patterns_count), *query_at = inverse(queries, m->queries.count),
             *doc_at = inverse(docs, m->docs.count);
    *out = (struct serp_totals){ 0 };
    struct telling t = { .m = m,
                         .sorted = sorted,
                         .query_at = query_at,
                         .doc_at = doc_at,
                         .local = mem_alloc(((size_t)m->docs.count + 1) * sizeof *t.local),
                         .query_of = mem_zalloc(((size_t)m->docs.count + 1) * sizeof *t.query_of),
                         .totals = out };
    arena_init(&t.arena, 1 << 16);
    bool ok = tell_all(&t, fn, arg, err);
    arena_release(&t.arena);
    uint32_t *const all[] = { queries, docs, patterns, sorted, query_at, doc_at, t.local, t.query_of };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        mem_free(all[i]);
    return ok;
}
