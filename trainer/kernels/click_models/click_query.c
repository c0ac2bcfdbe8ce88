#include "trainer/kernels/click_models/click_query.h"

#include <stdlib.h>

#include "trainer/kernels/record.h"

enum { PIECE_BYTES = 1 << 20, LAST_PIECE = 1 };

/* ---- cells ---- */

#define BY(x, y)    \
    if ((x) != (y)) \
    return (x) < (y) ? -1 : 1

struct key {
    uint32_t doc, key;
    bool clicked;
    uint64_t count;
};

static int by_place(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    BY(x->doc, y->doc);
    BY(x->key, y->key);
    return 0;
}

/* What is summed: by slot or by position, of what is trained on or held out. */
struct side {
    bool slots, held;
};

static size_t fill_keys(const struct serp_query *s, struct side side, struct key *keys)
{
    size_t n = 0;
    for (uint32_t i = 0; i < s->patterns_count; i++) {
        const struct serp_pattern *p = &s->patterns[i];
        uint64_t count = side.held ? p->held : p->count;
        for (uint32_t r = 0, before = 0; count && r < p->n; r++) {
            bool clicked = p->clicked >> r & 1;
            keys[n++] = (struct key){ p->docs[r], side.slots ? click_slot(r, before) : r, clicked, count };
            before = clicked ? r + 1 : before;
        }
    }
    return n;
}

static bool add_count(uint32_t *to, uint64_t count)
{
    uint64_t sum = *to + count;
    *to = (uint32_t)sum;
    return count <= UINT32_MAX && sum <= UINT32_MAX;
}

static bool make_cells(const struct serp_query *s, struct side side, struct key *keys, struct arena *arena,
                       struct click_cells *out)
{
    size_t count = fill_keys(s, side, keys), n = 0;
    bool fits = true;
    if (count)
        qsort(keys, count, sizeof *keys, by_place);
    for (size_t i = 0; i < count; i++)
        n += i == 0 || by_place(&keys[i - 1], &keys[i]) != 0;
    struct click_cell *cells = arena_alloc(arena, (n + 1) * sizeof *cells);
    n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct key *k = &keys[i];
        if (i == 0 || by_place(k - 1, k) != 0)
            cells[n++] = (struct click_cell){ k->doc, k->key, 0, 0 };
        fits = add_count(k->clicked ? &cells[n - 1].clicks : &cells[n - 1].skips, k->count) && fits;
    }
    *out = (struct click_cells){ cells, n };
    return fits;
}

static bool make_all_cells(const struct serp_query *s, struct arena *arena, struct click_query *out)
{
    size_t room = 0;
    for (uint32_t i = 0; i < s->patterns_count; i++)
        room += s->patterns[i].n;
    struct key *keys = mem_alloc((room + 1) * sizeof *keys);
    bool fits = make_cells(s, (struct side){ false, false }, keys, arena, &out->places);
    fits = make_cells(s, (struct side){ true, false }, keys, arena, &out->slots) && fits;
    fits = make_cells(s, (struct side){ false, true }, keys, arena, &out->held_places) && fits;
    fits = make_cells(s, (struct side){ true, true }, keys, arena, &out->held_slots) && fits;
    mem_free(keys);
    return fits;
}

/* ---- sums by document ---- */

/* The sums are below those of the cells, which were seen to fit. */
static void add_sums(struct click_sums *s, const struct serp_pattern *p, uint32_t r, uint64_t count)
{
    bool clicked = p->clicked >> r & 1, further = p->clicked >> r >> 1, any = p->clicked,
         before = p->clicked & ((UINT64_C(1) << r) - 1);
    uint32_t n = (uint32_t)count;
    s->shown += n;
    s->clicks += clicked ? n : 0;
    s->above += !clicked && further ? n : 0;
    s->gone_on += clicked && further ? n : 0;
    s->at_end += clicked && r + 1 == p->n ? n : 0;
    s->first += clicked && !before ? n : 0;
    s->above_first += !clicked && !before ? n : 0;
    s->last += clicked && !further ? n : 0;
    s->reached += !clicked && (further || !any) ? n : 0;
}

static void make_sums(const struct serp_query *s, struct click_query *out)
{
    for (uint32_t i = 0; i < s->patterns_count; i++)
        for (uint32_t r = 0; r < s->patterns[i].n; r++) {
            struct click_doc *d = &out->of[s->patterns[i].docs[r]];
            add_sums(&d->train, &s->patterns[i], r, s->patterns[i].count);
            add_sums(&d->held, &s->patterns[i], r, s->patterns[i].held);
        }
}

/* ---- lists ---- */

bool click_lists_next(struct click_lists *l, bool held, struct click_list *out)
{
    if (l->count == 0)
        return false;
    uint32_t n = l->words[0];
    size_t words = 2 + (size_t)n * (held ? 3 : 2);
    *out = (struct click_list){ n, l->words + 1, l->words + 1 + n, held ? l->words + 2 + 2 * (size_t)n : NULL };
    l->words += words;
    l->count -= words;
    return true;
}

static bool same_docs(const struct serp_pattern *a, const struct serp_pattern *b)
{
    return a->n == b->n && memcmp(a->docs, b->docs, a->n * sizeof *a->docs) == 0;
}

static uint32_t last_click(const struct serp_pattern *p)
{
    return p->clicked ? 64 - (uint32_t)__builtin_clzll(p->clicked) : 0;
}

/* The list of the patterns [from, end), which have the same documents. Returns how many words it takes; 0: no search of this side had it. */
static size_t put_list(uint32_t *to, const struct serp_pattern *p, uint32_t count, bool held)
{
    uint32_t n = p->n, *last = to + 1 + n, *clicks = last + n + 1;
    uint64_t searches = 0;
    size_t words = 2 + (size_t)n * (held ? 3 : 2);
    memset(to, 0, words * sizeof *to);
    to[0] = n;
    memcpy(to + 1, p->docs, n * sizeof *to);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = (uint32_t)(held ? p[i].held : p[i].count);
        searches += k;
        last[last_click(&p[i])] += k;
        for (uint32_t r = 0; held && r < n; r++)
            clicks[r] += p[i].clicked >> r & 1 ? k : 0;
    }
    return searches ? words : 0;
}

static struct click_lists make_lists(const struct serp_query *s, bool held, struct arena *arena)
{
    size_t room = 0, n = 0;
    for (uint32_t i = 0; i < s->patterns_count; i++)
        room += i && same_docs(&s->patterns[i - 1], &s->patterns[i]) ? 0 : 2 + (size_t)s->patterns[i].n * 3;
    uint32_t *words = arena_alloc(arena, (room + 1) * sizeof *words);
    for (uint32_t i = 0, end; i < s->patterns_count; i = end) {
        for (end = i + 1; end < s->patterns_count && same_docs(&s->patterns[i], &s->patterns[end]);)
            end++;
        n += put_list(words + n, &s->patterns[i], end - i, held);
    }
    return (struct click_lists){ words, n };
}

bool click_query_make(const struct serp_query *s, struct arena *arena, struct click_query *out, struct err *err)
{
    static const double unknown = 0.5;
    *out = (struct click_query){ .text = s->text,
                                 .docs = s->docs,
                                 .docs_count = s->docs_count,
                                 .of = arena_zalloc(arena, (s->docs_count + (size_t)1) * sizeof *out->of),
                                 .sessions = s->sessions,
                                 .held_sessions = s->held };
    if (!make_all_cells(s, arena, out))
        return err_set(err, ERR_TOO_LARGE, "query \"" STR_FMT "\" has more than %u searches with one document",
                       STR_ARG(s->text), UINT32_MAX);
    make_sums(s, out);
    out->train = make_lists(s, false, arena);
    out->held = make_lists(s, true, arena);
    for (uint32_t d = 0; d < out->docs_count; d++) {
        struct click_doc *c = &out->of[d];
        c->pbm = c->ubm = c->dbn = c->satisfied = c->ccm = unknown;
    }
    return true;
}

/* ---- bytes ---- */

/* What has a fixed size, as it lies in memory; the arrays behind it in this order, then texts. */
enum { ARRAYS = 7 };
struct head {
    uint64_t counts[ARRAYS]; /* documents, cells, words */
    uint64_t sessions, held_sessions;
};
static const size_t widths[ARRAYS] = { sizeof(struct click_doc),  sizeof(struct click_cell), sizeof(struct click_cell),
                                       sizeof(struct click_cell), sizeof(struct click_cell), sizeof(uint32_t),
                                       sizeof(uint32_t) };

static void put_all(const struct click_query *q, struct buf *b)
{
    const struct head h = { { q->docs_count, q->places.count, q->slots.count, q->held_places.count, q->held_slots.count,
                              q->train.count, q->held.count },
                            q->sessions,
                            q->held_sessions };
    const void *const arrays[ARRAYS] = { q->of,          q->places.of, q->slots.of, q->held_places.of, q->held_slots.of,
                                         q->train.words, q->held.words };
    record_put(b, &h, sizeof h);
    for (int i = 0; i < ARRAYS; i++)
        record_put(b, arrays[i], h.counts[i] * widths[i]);
    record_put_text(b, q->text);
    for (uint32_t d = 0; d < q->docs_count; d++)
        record_put_text(b, q->docs[d]);
}

bool click_query_write(const struct click_query *q, struct buf *scratch, click_bytes_fn fn, void *arg, struct err *err)
{
    struct piece {
        uint32_t bytes, flags;
    } piece;
    buf_clear(scratch);
    record_put(scratch, &piece, sizeof piece); /* room before the first piece */
    put_all(q, scratch);
    if (!buf_ok(scratch, "a query with its lists", err))
        return false;
    for (size_t at = sizeof piece; at < scratch->n;) {
        size_t n = scratch->n - at < PIECE_BYTES ? scratch->n - at : PIECE_BYTES;
        piece = (struct piece){ (uint32_t)n, at + n == scratch->n ? LAST_PIECE : 0 };
        /* The head takes the place of bytes that were given away before. */
        memcpy(scratch->p + at - sizeof piece, &piece, sizeof piece);
        if (!fn(arg, (struct str){ scratch->p + at - sizeof piece, n + sizeof piece }, err))
            return false;
        at += n;
    }
    return true;
}

static void *take_array(struct str *in, struct arena *arena, size_t count, size_t bytes)
{
    void *out = arena_alloc(arena, (count + 1) * bytes);
    return record_take(in, out, count * bytes) ? out : NULL;
}

static bool take_texts(struct str *in, struct arena *arena, struct click_query *q)
{
    struct str *docs = arena_alloc(arena, (q->docs_count + (size_t)1) * sizeof *docs);
    if (!record_take_text(in, &q->text))
        return false;
    for (uint32_t d = 0; d < q->docs_count; d++)
        if (!record_take_text(in, &docs[d]))
            return false;
    q->docs = docs;
    return in->n == 0;
}

static bool are_lists(struct click_lists l, bool held, uint32_t docs)
{
    while (l.count) {
        uint32_t n = l.words[0];
        if (n == 0 || n > CLICK_POSITIONS || l.count < 2 + (size_t)n * (held ? 3 : 2))
            return false;
        struct click_list one;
        (void)click_lists_next(&l, held, &one);
        for (uint32_t r = 0; r < n; r++)
            if (one.docs[r] >= docs)
                return false;
    }
    return true;
}

static bool are_cells(struct click_cells c, uint32_t docs, uint32_t keys)
{
    for (size_t i = 0; i < c.count; i++)
        if (c.of[i].doc >= docs || c.of[i].key >= keys)
            return false;
    return true;
}

static bool is_whole(const struct click_query *q)
{
    return are_cells(q->places, q->docs_count, CLICK_POSITIONS) && are_cells(q->slots, q->docs_count, CLICK_SLOTS) &&
           are_cells(q->held_places, q->docs_count, CLICK_POSITIONS) &&
           are_cells(q->held_slots, q->docs_count, CLICK_SLOTS) && are_lists(q->train, false, q->docs_count) &&
           are_lists(q->held, true, q->docs_count);
}

/* Texts stay in `in`. */
static bool take_all(struct str in, struct arena *arena, struct click_query *q)
{
    struct head h;
    void *arrays[ARRAYS];
    if (!record_take(&in, &h, sizeof h))
        return false;
    for (int i = 0; i < ARRAYS; i++) {
        arrays[i] = h.counts[i] <= in.n ? take_array(&in, arena, h.counts[i], widths[i]) : NULL;
        if (!arrays[i])
            return false;
    }
    *q = (struct click_query){ .of = arrays[0],
                               .docs_count = (uint32_t)h.counts[0],
                               .places = { arrays[1], h.counts[1] },
                               .slots = { arrays[2], h.counts[2] },
                               .held_places = { arrays[3], h.counts[3] },
                               .held_slots = { arrays[4], h.counts[4] },
                               .train = { arrays[5], h.counts[5] },
                               .held = { arrays[6], h.counts[6] },
                               .sessions = h.sessions,
                               .held_sessions = h.held_sessions };
    return is_whole(q) && take_texts(&in, arena, q);
}

bool click_query_take(struct buf *gathered, struct str *block, struct arena *arena, bool *out_whole,
                      struct click_query *out)
{
    uint32_t bytes, flags;
    if (!record_take(block, &bytes, sizeof bytes) || !record_take(block, &flags, sizeof flags) || block->n < bytes)
        return false;
    struct str piece = { block->p, bytes };
    *block = (struct str){ block->p + bytes, block->n - bytes };
    *out_whole = flags & LAST_PIECE;
    if (*out_whole && gathered->n == 0)
        return take_all(piece, arena, out);
    buf_add_str(gathered, piece);
    if (!*out_whole)
        return !gathered->failed;
    piece = arena_str(arena, buf_str(gathered));
    bool ok = !gathered->failed && take_all(piece, arena, out);
    buf_clear(gathered);
    return ok;
}
