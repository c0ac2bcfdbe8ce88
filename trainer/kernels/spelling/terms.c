#include "trainer/kernels/spelling/terms.h"

#include <stdlib.h>

#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/spelling/distance.h"

enum { QUERY_WORDS_MAX = 32, TERM_BYTES = TERMS_LONGEST * (LETTERS_MAX * 4 + 1), KEY_BYTES = TERM_BYTES + 1 };

/* What a pair's second text begins with: none, the term itself; else one of a list. */
static const char list_marks[TERM_LIST_KIND_COUNT] = { [TERM_BEFORE] = 'a', [TERM_BEHIND] = 'b', [TERM_NEXT] = 'n' };

struct terms {
    struct pair_table *table; /* of struct term_counts */
    uint32_t longest;
    bool with_lists;
};

struct terms *terms_new(uint32_t longest, bool with_lists)
{
    struct terms *t = mem_zalloc(sizeof *t);
    t->table = pair_table_new(sizeof(struct term_counts));
    t->longest = longest < TERMS_LONGEST ? longest : TERMS_LONGEST;
    t->with_lists = with_lists;
    return t;
}

void terms_free(struct terms *t)
{
    if (!t)
        return;
    pair_table_free(t->table);
    mem_free(t);
}

uint32_t term_words(struct str text)
{
    uint32_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ' ';
    return n;
}

/* ---- adding ---- */

static void add(struct terms *t, struct str term, struct str second, const struct term_counts *c)
{
    struct term_counts *at = pair_table_at(t->table, term, second);
    at->searches += c->searches;
    at->clicks += c->clicks;
    at->zero_results += c->zero_results;
}

static void add_to_list(struct terms *t, struct str term, enum term_list_kind kind, struct str text, uint64_t count)
{
    char key[KEY_BYTES];
    if (text.n + 1 > sizeof key)
        return;
    key[0] = list_marks[kind];
    memcpy(key + 1, text.p, text.n);
    add(t, term, (struct str){ key, text.n + 1 }, &(struct term_counts){ .searches = count });
}

struct split {
    struct str words[QUERY_WORDS_MAX]; /* p NULL: it is none that counts, and breaks phrases */
    uint32_t count;
};

/* A letter or digit of any script, and not too long. */
static bool is_word(struct str s)
{
    struct letters w;
    if (!letters_of(s, &w))
        return false;
    for (uint32_t i = 0; i < w.n; i++)
        if (w.at[i] >= 0x80 || letter_base(w.at[i]) || letter_is_digit(w.at[i]))
            return true;
    return false;
}

static void split_words(struct str text, struct split *out)
{
    struct str word;
    out->count = 0;
    while (out->count < QUERY_WORDS_MAX && str_split(&text, ' ', &word))
        out->words[out->count++] = is_word(word) ? word : (struct str){ NULL, 0 };
}

/* Words first … first + n - 1 as they stand in the text; p NULL: one of them does not count. */
static struct str phrase(const struct split *s, uint32_t first, uint32_t n)
{
    if (n == 0 || first + n > s->count)
        return (struct str){ NULL, 0 };
    for (uint32_t i = first; i < first + n; i++)
        if (!s->words[i].p)
            return (struct str){ NULL, 0 };
    struct str last = s->words[first + n - 1];
    return (struct str){ s->words[first].p, (size_t)(last.p + last.n - s->words[first].p) };
}

static bool came_before(const struct split *s, uint32_t first, uint32_t n, struct str text)
{
    for (uint32_t i = 0; i < first; i++)
        if (str_eq(phrase(s, i, n), text))
            return true;
    return false;
}

static void add_terms(struct terms *t, const struct split *s, const struct term_counts *counts)
{
    for (uint32_t n = 1; n <= t->longest; n++)
        for (uint32_t i = 0; i + n <= s->count; i++) {
            struct str term = phrase(s, i, n);
            if (term.p && !came_before(s, i, n, term))
                add(t, term, STR(""), counts);
        }
}

static void add_beside(struct terms *t, const struct split *s, uint64_t searches)
{
    for (uint32_t i = 0; i + 1 < s->count; i++)
        if (s->words[i].p && s->words[i + 1].p) {
            add_to_list(t, s->words[i], TERM_BEHIND, s->words[i + 1], searches);
            add_to_list(t, s->words[i + 1], TERM_BEFORE, s->words[i], searches);
        }
}

/* ---- the next search ---- */

struct difference {
    const struct split *was, *next;
    uint32_t first;          /* where they begin to differ */
    uint32_t words, instead; /* how many words differ */
};

/* One or two words in the place of one or two others; all else is the same. */
static bool differ(const struct split *was, const struct split *next, struct difference *out)
{
    uint32_t first = 0, last = 0, shorter = was->count < next->count ? was->count : next->count;
    while (first < shorter && str_eq(was->words[first], next->words[first]))
        first++;
    while (last < shorter - first && str_eq(was->words[was->count - 1 - last], next->words[next->count - 1 - last]))
        last++;
    *out = (struct difference){ was, next, first, was->count - first - last, next->count - first - last };
    return out->words >= 1 && out->words <= 2 && out->instead >= 1 && out->instead <= 2;
}

static bool is_near(struct str a, struct str b)
{
    struct letters x, y;
    return a.p && b.p && letters_of(a, &x) && letters_of(b, &y) &&
           letters_distance(&x, &y, TERMS_NEXT_DISTANCE) <= TERMS_NEXT_DISTANCE;
}

/* The words that differ, with `before` more before them and `behind` more behind them. */
static void add_next_as(struct terms *t, const struct difference *d, uint32_t before, uint32_t behind, uint64_t count)
{
    if (d->first < before || d->words + before + behind > 2 || d->instead + before + behind > 2)
        return;
    struct str was = phrase(d->was, d->first - before, d->words + before + behind);
    struct str next = phrase(d->next, d->first - before, d->instead + before + behind);
    if (is_near(was, next))
        add_to_list(t, was, TERM_NEXT, next, count);
}

static void add_next(struct terms *t, const struct split *was, const struct query_entry *next)
{
    struct split s;
    struct difference d;
    split_words(next->text, &s);
    if (!differ(was, &s, &d))
        return;
    add_next_as(t, &d, 0, 0, next->count);
    add_next_as(t, &d, 1, 0, next->count);
    add_next_as(t, &d, 0, 1, next->count);
}

void terms_add_query(struct terms *t, const struct query_record *q)
{
    const struct term_counts counts = { q->searches, q->clicks, q->zero_results };
    struct split s;
    split_words(q->text, &s);
    add_terms(t, &s, &counts);
    if (!t->with_lists)
        return;
    add_beside(t, &s, q->searches);
    for (uint32_t i = 0; i < q->lists[QUERY_NEXT].count; i++)
        add_next(t, &s, &q->lists[QUERY_NEXT].entries[i]);
}

void terms_add_record(struct terms *t, const struct term_record *r)
{
    add(t, r->text, STR(""), &r->counts);
    for (int k = 0; k < TERM_LIST_KIND_COUNT; k++)
        for (uint32_t i = 0; i < r->lists[k].count; i++)
            add_to_list(t, r->text, (enum term_list_kind)k, r->lists[k].entries[i].text, r->lists[k].entries[i].count);
}

/* ---- records ---- */

static int best_first(const void *a, const void *b)
{
    const struct query_entry *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return pair_text_compare(x->text, y->text);
}

/* Pairs from..until of the sorted numbers are those of one term. */
static void read_pairs(const struct terms *t, const uint32_t *numbers, size_t from, size_t until,
                       struct query_entry *entries, struct term_record *out)
{
    memset(out, 0, sizeof *out);
    out->text = pair_table_first(t->table, numbers[from]);
    for (int k = 0; k < TERM_LIST_KIND_COUNT; k++) {
        uint32_t n = 0;
        for (size_t i = from; i < until; i++) {
            struct str second = pair_table_second(t->table, numbers[i]);
            const struct term_counts *c = pair_table_value(t->table, numbers[i]);
            if (second.n == 0)
                out->counts = *c;
            else if (second.p[0] == list_marks[k])
                entries[n++] = (struct query_entry){ { second.p + 1, second.n - 1 }, c->searches };
        }
        if (n)
            qsort(entries, n, sizeof *entries, best_first);
        out->lists[k] = (struct query_list){ entries, n };
        entries += n;
    }
}

static size_t end_of(const struct terms *t, const uint32_t *numbers, size_t from, size_t count)
{
    struct str text = pair_table_first(t->table, numbers[from]);
    size_t i = from + 1;
    while (i < count && str_eq(pair_table_first(t->table, numbers[i]), text))
        i++;
    return i;
}

bool terms_finish(const struct terms *t, uint32_t list_max, term_fn fn, void *arg, struct err *err)
{
    size_t count = pair_table_count(t->table), room = 0;
    uint32_t *numbers = pair_table_sort(t->table);
    struct query_entry *entries = NULL;
    bool ok = true;
    for (size_t i = 0, end; ok && i < count; i = end) {
        struct term_record r;
        end = end_of(t, numbers, i, count);
        if (end - i > room) {
            room = end - i;
            entries = mem_realloc(entries, room * sizeof *entries);
        }
        read_pairs(t, numbers, i, end, entries, &r);
        for (int k = 0; k < TERM_LIST_KIND_COUNT; k++)
            if (r.lists[k].count > list_max)
                r.lists[k].count = list_max;
        ok = fn(arg, &r, err);
    }
    mem_free(entries);
    mem_free(numbers);
    return ok;
}

void term_record_write(struct buf *out, const struct term_record *r)
{
    size_t at = out->n;
    uint32_t bytes = 0;
    record_put(out, &bytes, sizeof bytes);
    record_put_text(out, r->text);
    record_put(out, &r->counts, sizeof r->counts);
    for (int k = 0; k < TERM_LIST_KIND_COUNT; k++) {
        record_put(out, &r->lists[k].count, sizeof r->lists[k].count);
        for (uint32_t i = 0; i < r->lists[k].count; i++) {
            record_put_text(out, r->lists[k].entries[i].text);
            record_put(out, &r->lists[k].entries[i].count, sizeof r->lists[k].entries[i].count);
        }
    }
    if (out->failed)
        return;
    bytes = (uint32_t)(out->n - at - sizeof bytes);
    memcpy(out->p + at, &bytes, sizeof bytes);
}

static bool read_list(struct str *rest, struct arena *arena, struct query_list *out)
{
    enum { LEAST = 12 }; /* bytes of an entry */
    uint32_t n;
    if (!record_take(rest, &n, sizeof n) || n > rest->n / LEAST)
        return false;
    struct query_entry *entries = arena_alloc(arena, (n + (size_t)1) * sizeof *entries);
    for (uint32_t i = 0; i < n; i++)
        if (!record_take_text(rest, &entries[i].text) || !record_take(rest, &entries[i].count, sizeof entries[i].count))
            return false;
    *out = (struct query_list){ entries, n };
    return true;
}

bool term_record_read(struct str *block, struct arena *arena, struct term_record *out)
{
    struct str rest;
    if (!record_take_text(block, &rest) || !record_take_text(&rest, &out->text) ||
        !record_take(&rest, &out->counts, sizeof out->counts))
        return false;
    for (int k = 0; k < TERM_LIST_KIND_COUNT; k++)
        if (!read_list(&rest, arena, &out->lists[k]))
            return false;
    return rest.n == 0;
}
