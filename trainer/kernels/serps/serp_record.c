#include "trainer/kernels/serps/serp_record.h"

#include "trainer/kernels/record.h"
#include "trainer/kernels/varint.h"

enum { RANDOMISED = 0x80, LAST_RECORD = 1, FIRST_ROOM = 256, ARENA_BYTES = 64 << 10 };

/* ---- writing ---- */

static void put_pattern(struct buf *b, const struct serp_pattern *p)
{
    buf_add_byte(b, (char)(p->n | (p->propensities ? RANDOMISED : 0)));
    for (uint32_t i = 0; i < p->n; i++)
        varint_put(b, p->docs[i]);
    varint_put(b, p->clicked);
    buf_add_byte(b, (char)p->last);
    varint_put(b, p->count);
    varint_put(b, p->held);
    if (p->propensities)
        buf_add(b, p->propensities, p->n * sizeof *p->propensities);
}

/* Documents come with the first record that has room for them: patterns behind them may name any of these. */
static uint32_t put_docs(struct buf *b, const struct serp_query *q, uint32_t from)
{
    enum { WIDEST = 8 };
    uint32_t end = from;
    for (size_t bytes = 0; end < q->docs_count && bytes < SERP_RECORD_BYTES; end++)
        bytes += q->docs[end].n + WIDEST;
    varint_put(b, end - from);
    for (uint32_t i = from; i < end; i++)
        varint_put_text(b, q->docs[i]);
    return end;
}

/* How many patterns from `from` on go into the record. */
static uint32_t fit_patterns(const struct buf *b, const struct serp_query *q, uint32_t from)
{
    enum { WIDEST_DOC = 5 + sizeof(float), WIDEST_HEAD = 32 };
    uint32_t end = from;
    for (size_t bytes = b->n; end < q->patterns_count && bytes < SERP_RECORD_BYTES; end++)
        bytes += WIDEST_HEAD + (size_t)q->patterns[end].n * WIDEST_DOC;
    return end;
}

bool serp_query_write(const struct serp_query *q, struct buf *scratch, serp_bytes_fn fn, void *arg, struct err *err)
{
    uint32_t doc = 0, pattern = 0;
    do {
        uint32_t bytes = 0;
        buf_clear(scratch);
        buf_add(scratch, &bytes, sizeof bytes);
        buf_add_byte(scratch, 0);
        varint_put_text(scratch, q->text);
        doc = put_docs(scratch, q, doc);
        uint32_t end = doc < q->docs_count ? pattern : fit_patterns(scratch, q, pattern);
        varint_put(scratch, end - pattern);
        for (; pattern < end; pattern++)
            put_pattern(scratch, &q->patterns[pattern]);
        if (!buf_ok(scratch, "a record of what was shown", err))
            return false;
        bytes = (uint32_t)(scratch->n - sizeof bytes);
        memcpy(scratch->p, &bytes, sizeof bytes);
        scratch->p[sizeof bytes] = pattern == q->patterns_count && doc == q->docs_count ? LAST_RECORD : 0;
        if (!fn(arg, buf_str(scratch), err))
            return false;
    } while (pattern < q->patterns_count || doc < q->docs_count);
    return true;
}

/* ---- reading ---- */

void serp_reader_init(struct serp_reader *r, bool borrow)
{
    *r = (struct serp_reader){ .borrow = borrow };
    arena_init(&r->arena, ARENA_BYTES);
}

void serp_reader_release(struct serp_reader *r)
{
    arena_release(&r->arena);
    mem_free(r->docs);
    mem_free(r->patterns);
}

static bool take_docs(struct serp_reader *r, struct str *in)
{
    uint64_t count;
    if (!varint_take(in, &count) || count > in->n)
        return false;
    size_t all = r->q.docs_count + (size_t)count;
    if (all > r->docs_room) {
        r->docs_room = all < FIRST_ROOM ? FIRST_ROOM : 2 * all;
        r->docs = mem_realloc(r->docs, r->docs_room * sizeof *r->docs);
    }
    for (struct str text; r->q.docs_count < all; r->q.docs_count++) {
        if (!varint_take_text(in, &text))
            return false;
        r->docs[r->q.docs_count] = r->borrow ? text : arena_str(&r->arena, text);
    }
    return true;
}

static bool take_numbers(struct serp_reader *r, struct str *in, struct serp_pattern *p, bool randomised)
{
    uint32_t *docs = arena_alloc(&r->arena, p->n * sizeof *docs);
    float *propensities = randomised ? arena_alloc(&r->arena, p->n * sizeof *propensities) : NULL;
    uint64_t number;
    for (uint32_t i = 0; i < p->n; i++) {
        if (!varint_take(in, &number) || number >= r->q.docs_count)
            return false;
        docs[i] = (uint32_t)number;
    }
    if (!varint_take(in, &p->clicked) || p->clicked >> p->n || !record_take(in, &p->last, 1) || p->last >= p->n ||
        !varint_take(in, &p->count) || !varint_take(in, &p->held))
        return false;
    p->docs = docs;
    p->propensities = propensities;
    return !randomised || record_take(in, propensities, p->n * sizeof *propensities);
}

static bool take_pattern(struct serp_reader *r, struct str *in)
{
    uint8_t head;
    if (r->q.patterns_count == r->patterns_room) {
        r->patterns_room = r->patterns_room ? 2 * r->patterns_room : FIRST_ROOM;
        r->patterns = mem_realloc(r->patterns, r->patterns_room * sizeof *r->patterns);
    }
    struct serp_pattern *p = &r->patterns[r->q.patterns_count++];
    if (!record_take(in, &head, 1))
        return false;
    p->n = head & (RANDOMISED - 1U);
    if (p->n == 0 || p->n > SERP_DOCS_MAX || !take_numbers(r, in, p, head & RANDOMISED))
        return false;
    r->q.sessions += p->count;
    r->q.held += p->held;
    r->q.clicks += p->count * (uint64_t)__builtin_popcountll(p->clicked);
    return true;
}

static void begin_query(struct serp_reader *r, struct str text)
{
    arena_reset(&r->arena);
    r->q = (struct serp_query){ .text = r->borrow ? text : arena_str(&r->arena, text) };
}

bool serp_reader_take(struct serp_reader *r, struct str *block, bool *out_whole)
{
    uint8_t flags;
    uint64_t patterns;
    struct str text, rest;
    if (!record_take_whole(block, &rest) || !record_take(&rest, &flags, 1) || !varint_take_text(&rest, &text))
        return false;
    if (!r->open)
        begin_query(r, text);
    r->open = !(flags & LAST_RECORD);
    if (!str_eq(r->q.text, text) || !take_docs(r, &rest) || !varint_take(&rest, &patterns))
        return false;
    for (; patterns; patterns--)
        if (!take_pattern(r, &rest))
            return false;
    r->q.docs = r->docs;
    r->q.patterns = r->patterns;
    *out_whole = flags & LAST_RECORD;
    return rest.n == 0;
}

void serp_query_copy(const struct serp_query *q, struct arena *arena, struct serp_query *out)
{
    struct str *docs = arena_alloc(arena, (q->docs_count + (size_t)1) * sizeof *docs);
    struct serp_pattern *patterns = arena_alloc(arena, (q->patterns_count + (size_t)1) * sizeof *patterns);
    for (uint32_t i = 0; i < q->docs_count; i++)
        docs[i] = q->docs[i];
    for (uint32_t i = 0; i < q->patterns_count; i++) {
        const struct serp_pattern *p = &q->patterns[i];
        uint32_t *numbers = arena_alloc(arena, p->n * sizeof *numbers);
        float *propensities = p->propensities ? arena_alloc(arena, p->n * sizeof *propensities) : NULL;
        memcpy(numbers, p->docs, p->n * sizeof *numbers);
        if (propensities)
            memcpy(propensities, p->propensities, p->n * sizeof *propensities);
        patterns[i] = *p;
        patterns[i].docs = numbers;
        patterns[i].propensities = propensities;
    }
    *out = *q;
    out->docs = docs;
    out->patterns = patterns;
}
