#include "trainer/kernels/spelling/head.h"

#include <stdlib.h>

#include "trainer/kernels/spelling/distance.h"
#include "trainer/kernels/spelling/sound.h"

enum {
    MAGIC = 0x31444548, /* "HED1" */
    FORMS_MAX = 72,     /* of HEAD_PREFIX letters without at most HEAD_DISTANCE_MAX: 1 + 7 + 21 + 35; and the key */
    SLOTS_LOG2_MIN = 4,
    BITS_OF_WORD = 64
};
#define HEAD_BYTES_MAX ((size_t)4 << 30)
#define SOUND_SEED UINT64_C(0x9E3779B97F4A7C15)

struct fixed {
    uint32_t magic, distance, terms, entries, slots_log2, text_bytes;
    uint64_t traffic, dictionary;
};

/* ---- forms ---- */

static uint64_t hash_letters(uint64_t seed, const uint32_t *at, uint32_t n, uint32_t without)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ seed;
    for (uint32_t i = 0; i < n; i++)
        if (!(without >> i & 1))
            h = (h ^ at[i]) * UINT64_C(1099511628211);
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    return h ^ (h >> 33);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Hashes of the forms and of the key, each once. */
static uint32_t forms_of(const struct letters *w, uint32_t distance, uint64_t *out)
{
    struct letters key;
    uint32_t n = w->n < HEAD_PREFIX ? w->n : HEAD_PREFIX, count = 0, unique = 0;
    for (uint32_t without = 0; without < 1U << n; without++)
        if ((uint32_t)__builtin_popcount(without) <= distance)
            out[count++] = hash_letters(0, w->at, n, without);
    sound_key(w, &key);
    if (key.n)
        out[count++] = hash_letters(SOUND_SEED, key.at, key.n, 0);
    qsort(out, count, sizeof *out, by_number);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || out[i] != out[i - 1])
            out[unique++] = out[i];
    return unique;
}

static uint32_t slot_of(uint64_t hash, uint32_t slots_log2)
{
    return (uint32_t)(hash >> (BITS_OF_WORD - slots_log2));
}

/* ---- writing ---- */

void head_begin(struct head_out *o, uint32_t distance)
{
    *o = (struct head_out){ .distance = distance < HEAD_DISTANCE_MAX ? distance : HEAD_DISTANCE_MAX };
    arena_init(&o->arena, 1 << 16);
}

void head_release(struct head_out *o)
{
    mem_free(o->terms);
    arena_release(&o->arena);
    *o = (struct head_out){ .count = 0 };
}

void head_add(struct head_out *o, const struct head_term *term)
{
    struct letters w;
    if (!letters_of(term->text, &w) || o->count == HEAD_TERMS_MAX)
        return;
    if (o->count == o->room) {
        o->room = o->room ? 2 * o->room : 1024;
        o->terms = mem_realloc(o->terms, o->room * sizeof *o->terms);
    }
    o->terms[o->count] = *term;
    o->terms[o->count++].text = arena_str(&o->arena, term->text);
}

static bool is_word(struct str text)
{
    return !memchr(text.p, ' ', text.n);
}

struct table {
    uint32_t *slot_at, *entries, *masks;
    struct fixed fixed;
};

static void letters_or_die(struct str text, struct letters *out)
{
    if (!letters_of(text, out))
        out->n = 0; /* head_add saw to it that none is such */
}

static void count_forms(const struct head_out *o, struct table *t)
{
    uint64_t forms[FORMS_MAX];
    uint32_t entries = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        struct letters w;
        letters_or_die(o->terms[i].text, &w);
        t->masks[i] = letters_mask(&w);
        entries += forms_of(&w, o->distance, forms);
        t->fixed.text_bytes += (uint32_t)o->terms[i].text.n;
        if (!is_word(o->terms[i].text))
            continue;
        t->fixed.traffic += o->terms[i].searches;
        t->fixed.dictionary += o->terms[i].listed;
    }
    t->fixed.entries = entries;
    t->fixed.slots_log2 = SLOTS_LOG2_MIN;
    while (UINT32_C(1) << t->fixed.slots_log2 < entries)
        t->fixed.slots_log2++;
}

/* By counting: how many of each slot, where each begins, then each to its place in the order of terms. */
static void fill_slots(const struct head_out *o, struct table *t)
{
    uint64_t forms[FORMS_MAX];
    uint32_t slots = UINT32_C(1) << t->fixed.slots_log2, *next;
    t->slot_at = mem_zalloc((slots + 2) * sizeof *t->slot_at);
    t->entries = mem_alloc((t->fixed.entries + 1) * sizeof *t->entries);
    for (int pass = 0; pass < 2; pass++) {
        next = t->slot_at + 1; /* in pass 1 the begin of the slot, which becomes its end */
        for (uint32_t i = 0; i < o->count; i++) {
            struct letters w;
            letters_or_die(o->terms[i].text, &w);
            uint32_t n = forms_of(&w, o->distance, forms);
            for (uint32_t k = 0; k < n; k++) {
                uint32_t slot = slot_of(forms[k], t->fixed.slots_log2);
                if (pass == 0)
                    next[slot + 1]++;
                else
                    t->entries[next[slot]++] = i;
            }
        }
        for (uint32_t s = 1; pass == 0 && s <= slots; s++)
            next[s] += next[s - 1];
    }
}

static void pad(struct buf *out)
{
    while (out->n % 8)
        buf_add_byte(out, 0);
}

static void add_array(struct buf *out, const void *p, size_t n)
{
    buf_add(out, p, n);
    pad(out);
}

static void write_terms(const struct head_out *o, struct buf *out)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        buf_add(out, &at, sizeof at);
        at += (uint32_t)o->terms[i].text.n;
    }
    add_array(out, &at, sizeof at);
}

static void write_counts(const struct head_out *o, struct buf *out)
{
    for (uint32_t i = 0; i < o->count; i++)
        buf_add(out, &o->terms[i].searches, sizeof o->terms[i].searches);
    for (uint32_t i = 0; i < o->count; i++)
        buf_add(out, &o->terms[i].clicks, sizeof o->terms[i].clicks);
    for (uint32_t i = 0; i < o->count; i++)
        buf_add(out, &o->terms[i].listed, sizeof o->terms[i].listed);
}

bool head_end(struct head_out *o, struct buf *out, struct err *err)
{
    struct table t = { .fixed = { .magic = MAGIC, .distance = o->distance, .terms = o->count } };
    AUTO(mem_free) char *masks = mem_zalloc((o->count + 1) * sizeof *t.masks);
    t.masks = (void *)masks;
    count_forms(o, &t);
    fill_slots(o, &t);
    buf_init(out, HEAD_BYTES_MAX);
    buf_add(out, &t.fixed, sizeof t.fixed);
    write_terms(o, out);
    add_array(out, t.masks, o->count * sizeof *t.masks);
    write_counts(o, out);
    add_array(out, t.slot_at, ((size_t)1 << t.fixed.slots_log2) * sizeof *t.slot_at + sizeof *t.slot_at);
    add_array(out, t.entries, t.fixed.entries * sizeof *t.entries);
    for (uint32_t i = 0; i < o->count; i++)
        buf_add_str(out, o->terms[i].text);
    mem_free(t.slot_at);
    mem_free(t.entries);
    return buf_ok(out, "the table of words", err);
}

/* ---- reading ---- */

/* The next n bytes, and what pads them. */
static const void *take(struct str *rest, size_t n)
{
    const void *p = rest->p;
    size_t padded = (n + 7) / 8 * 8;
    if (rest->n < n)
        return NULL;
    padded = padded < rest->n ? padded : rest->n;
    rest->p += padded;
    rest->n -= padded;
    return p;
}

static bool ascends(const uint32_t *at, size_t count, uint32_t last)
{
    for (size_t i = 1; i <= count; i++)
        if (at[i] < at[i - 1])
            return false;
    return at[0] == 0 && at[count] == last;
}

static bool entries_fit(const struct head *h, uint32_t entries)
{
    for (uint32_t i = 0; i < entries; i++)
        if (h->entries[i] >= h->terms)
            return false;
    return true;
}

bool head_read(struct str bytes, struct head *out, struct err *err)
{
    const struct fixed *f = take(&bytes, sizeof *f);
    bool ok = f && f->magic == MAGIC && f->distance <= HEAD_DISTANCE_MAX && f->terms <= HEAD_TERMS_MAX &&
              f->slots_log2 >= SLOTS_LOG2_MIN && f->slots_log2 < 32;
    if (!ok)
        return err_set(err, ERR_INVALID, "the table of words has no head that is one");
    struct head h = { .distance = f->distance,
                      .terms = f->terms,
                      .slots_log2 = f->slots_log2,
                      .traffic = f->traffic,
                      .dictionary = f->dictionary };
    size_t slots = (size_t)1 << f->slots_log2;
    h.text_at = take(&bytes, (f->terms + (size_t)1) * sizeof *h.text_at);
    h.masks = h.text_at ? take(&bytes, f->terms * sizeof *h.masks) : NULL;
    h.searches = h.masks ? take(&bytes, f->terms * sizeof *h.searches) : NULL;
    h.clicks = h.searches ? take(&bytes, f->terms * sizeof *h.clicks) : NULL;
    h.listed = h.clicks ? take(&bytes, f->terms * sizeof *h.listed) : NULL;
    h.slot_at = h.listed ? take(&bytes, (slots + 1) * sizeof *h.slot_at) : NULL;
    h.entries = h.slot_at ? take(&bytes, f->entries * sizeof *h.entries) : NULL;
    h.texts = bytes;
    if (!h.entries || bytes.n != f->text_bytes || !ascends(h.text_at, h.terms, f->text_bytes) ||
        !ascends(h.slot_at, slots, f->entries) || !entries_fit(&h, f->entries))
        return err_set(err, ERR_INVALID, "the table of words is damaged");
    *out = h;
    return true;
}

static struct str text_of(const struct head *h, uint32_t i)
{
    return (struct str){ h->texts.p + h->text_at[i], h->text_at[i + 1] - h->text_at[i] };
}

struct head_term head_term(const struct head *h, uint32_t i)
{
    return (struct head_term){ text_of(h, i), h->searches[i], h->clicks[i], h->listed[i] };
}

bool head_find(const struct head *h, struct str text, uint32_t *out)
{
    struct letters w;
    if (!letters_of(text, &w))
        return false;
    uint64_t hash = hash_letters(0, w.at, w.n < HEAD_PREFIX ? w.n : HEAD_PREFIX, 0);
    uint32_t slot = slot_of(hash, h->slots_log2);
    for (uint32_t k = h->slot_at[slot]; k < h->slot_at[slot + 1]; k++)
        if (str_eq(text_of(h, h->entries[k]), text)) {
            *out = h->entries[k];
            return true;
        }
    return false;
}

/* ---- searching ---- */

void head_search_init(struct head_search *s, const struct head *h)
{
    *s = (struct head_search){ .head = h };
    s->seen = mem_zalloc((h->terms + (size_t)1) * sizeof *s->seen);
}

void head_search_release(struct head_search *s)
{
    mem_free(s->seen);
    mem_free(s->found);
    *s = (struct head_search){ .head = NULL };
}

static void found(struct head_search *s, uint32_t term, uint32_t distance)
{
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 256;
        s->found = mem_realloc(s->found, s->room * sizeof *s->found);
    }
    s->found[s->count++] = (struct head_near){ term, distance };
}

static bool sounds_same(const struct letters *a, const struct letters *key)
{
    struct letters other;
    sound_key(a, &other);
    return other.n == key->n && memcmp(other.at, key->at, key->n * sizeof *key->at) == 0;
}

struct wanted {
    const struct letters *text;
    struct letters key;
    uint32_t mask, most, most_alike;
};

static void look_at(struct head_search *s, const struct wanted *w, uint32_t term)
{
    const struct head *h = s->head;
    struct letters letters;
    uint32_t furthest = w->most > w->most_alike ? w->most : w->most_alike;
    bool hopeless = (uint32_t)__builtin_popcount(h->masks[term] ^ w->mask) > 2 * furthest;
    if (s->seen[term] == s->stamp)
        return;
    s->seen[term] = s->stamp;
    if (hopeless || !letters_of(text_of(h, term), &letters))
        return;
    uint32_t d = letters_distance(w->text, &letters, furthest);
    if (d == 0 || d > furthest || (d > w->most && !sounds_same(&letters, &w->key)))
        return;
    found(s, term, d);
}

static int by_term(const void *a, const void *b)
{
    const struct head_near *x = a, *y = b;
    return x->term < y->term ? -1 : x->term > y->term;
}

void head_near(struct head_search *s, const struct letters *text, uint32_t most, uint32_t most_alike)
{
    uint64_t forms[FORMS_MAX];
    struct wanted w = { .text = text, .mask = letters_mask(text), .most_alike = most_alike };
    const struct head *h = s->head;
    w.most = most < h->distance ? most : h->distance;
    sound_key(text, &w.key);
    s->count = 0;
    if (++s->stamp == 0) {
        memset(s->seen, 0, h->terms * sizeof *s->seen);
        s->stamp = 1;
    }
    uint32_t n = forms_of(text, h->distance, forms);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t slot = slot_of(forms[i], h->slots_log2);
        for (uint32_t k = h->slot_at[slot]; k < h->slot_at[slot + 1]; k++)
            look_at(s, &w, h->entries[k]);
    }
    if (s->count)
        qsort(s->found, s->count, sizeof *s->found, by_term);
}
