#include "trainer/kernels/near.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "assign/text.h"
#include "base/hash.h"
#include "trainer/kernels/words.h"

enum { RESTS_MAX = 1 + NEAR_PREFIX_MAX + NEAR_PREFIX_MAX * (NEAR_PREFIX_MAX - 1) / 2, CHAR_BYTES = 4 };

struct entry {
    uint64_t rest;
    uint32_t number;
};
struct near_index {
    unsigned edits;
    size_t prefix;
    struct str *texts;
    uint32_t *chars; /* of each */
    struct entry *entries;
    size_t texts_count, texts_room, entries_count, entries_room;
};

struct near_index *near_new(unsigned edits, size_t prefix)
{
    struct near_index *n = mem_zalloc(sizeof *n);
    assert(edits <= NEAR_EDITS_MAX && prefix <= NEAR_PREFIX_MAX && edits < prefix);
    n->edits = edits;
    n->prefix = prefix;
    return n;
}

void near_free(struct near_index *n)
{
    if (!n)
        return;
    mem_free(n->texts);
    mem_free(n->chars);
    mem_free(n->entries);
    mem_free(n);
}

/* ---- rests ---- */

struct prefix {
    size_t from[NEAR_PREFIX_MAX + 1]; /* where each character begins; behind them, the end */
    size_t count;
    const char *p;
};

static void prefix_of(struct str s, size_t max, struct prefix *out)
{
    size_t at = 0;
    uint32_t cp;
    out->p = s.p;
    for (out->count = 0; out->count < max && at < s.n; out->count++) {
        out->from[out->count] = at;
        at += assign_decode(s.p + at, s.n - at, &cp);
    }
    out->from[out->count] = at;
}

/* Without the characters i and j; out of range: all stay. */
static uint64_t rest(const struct prefix *p, size_t i, size_t j)
{
    char text[NEAR_PREFIX_MAX * CHAR_BYTES];
    size_t n = 0;
    for (size_t c = 0; c < p->count; c++) {
        if (c == i || c == j)
            continue;
        memcpy(text + n, p->p + p->from[c], p->from[c + 1] - p->from[c]);
        n += p->from[c + 1] - p->from[c];
    }
    return hash64((struct str){ text, n });
}

static size_t rests_of(struct str s, size_t prefix, unsigned edits, uint64_t *out)
{
    struct prefix p;
    size_t n = 0;
    prefix_of(s, prefix, &p);
    out[n++] = rest(&p, SIZE_MAX, SIZE_MAX);
    for (size_t i = 0; edits >= 1 && i < p.count; i++)
        out[n++] = rest(&p, i, SIZE_MAX);
    for (size_t i = 0; edits >= 2 && i < p.count; i++)
        for (size_t j = i + 1; j < p.count; j++)
            out[n++] = rest(&p, i, j);
    return n;
}

/* ---- the index ---- */

void near_add(struct near_index *n, struct str text)
{
    uint64_t rests[RESTS_MAX];
    size_t count = rests_of(text, n->prefix, n->edits, rests);
    if (n->texts_count == n->texts_room) {
        n->texts_room = n->texts_room ? 2 * n->texts_room : 256;
        n->texts = mem_realloc(n->texts, n->texts_room * sizeof *n->texts);
        n->chars = mem_realloc(n->chars, n->texts_room * sizeof *n->chars);
    }
    while (n->entries_count + count > n->entries_room) {
        n->entries_room = n->entries_room ? 2 * n->entries_room : 4096;
        n->entries = mem_realloc(n->entries, n->entries_room * sizeof *n->entries);
    }
    for (size_t i = 0; i < count; i++)
        n->entries[n->entries_count++] = (struct entry){ rests[i], (uint32_t)n->texts_count };
    n->chars[n->texts_count] = (uint32_t)words_chars(text);
    n->texts[n->texts_count++] = text;
}

static int by_rest(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->rest != y->rest)
        return x->rest < y->rest ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

void near_end(struct near_index *n)
{
    if (n->entries_count)
        qsort(n->entries, n->entries_count, sizeof *n->entries, by_rest);
}

static size_t first_of(const struct near_index *n, uint64_t rest)
{
    size_t lo = 0, hi = n->entries_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (n->entries[mid].rest < rest)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Into its place among ascending numbers. False: it was there, or there is no room for it. */
static bool insert(uint32_t *out, size_t *count, size_t max, uint32_t number)
{
    size_t i = *count;
    while (i > 0 && out[i - 1] > number)
        i--;
    if ((i > 0 && out[i - 1] == number) || i == max)
        return false;
    size_t moved = (*count < max ? *count : max - 1) - i;
    memmove(out + i + 1, out + i, moved * sizeof *out);
    out[i] = number;
    *count += *count < max;
    return true;
}

size_t near_find(const struct near_index *n, struct str s, unsigned limit, uint32_t *out, size_t max)
{
    uint64_t rests[RESTS_MAX];
    size_t found = 0, count = rests_of(s, n->prefix, limit, rests), chars = words_chars(s);
    for (size_t r = 0; max && r < count; r++)
        for (size_t i = first_of(n, rests[r]); i < n->entries_count && n->entries[i].rest == rests[r]; i++) {
            uint32_t number = n->entries[i].number;
            if (i > 0 && n->entries[i - 1].rest == rests[r] && n->entries[i - 1].number == number)
                continue;
            if (n->chars[number] > chars + limit || chars > n->chars[number] + limit)
                continue;
            if (words_distance(n->texts[number], s, limit) <= limit)
                (void)insert(out, &found, max, number);
        }
    return found;
}
