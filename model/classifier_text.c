#include "model/classifier_text.h"

#include <assert.h>
#include <math.h>

#include "base/hash.h"

#define WORD_MARK UINT64_C(0x9E3779B97F4A7C15)
static_assert(CLASSIFIER_TEXT <= UINT16_MAX, "places fit");

bool classifier_rules_check(const struct classifier_rules *r, struct err *err)
{
    if (r->bits < CLASSIFIER_BITS_MIN || r->bits > CLASSIFIER_BITS_MAX)
        return err_set(err, ERR_INVALID, "%u bits of a hash, not %d to %d", r->bits, CLASSIFIER_BITS_MIN,
                       CLASSIFIER_BITS_MAX);
    if (r->chars_max > CLASSIFIER_CHARS_MAX || (r->chars_max && (r->chars_min < 1 || r->chars_min > r->chars_max)))
        return err_set(err, ERR_INVALID, "n-grams of %u to %u characters, not within 1 to %d", r->chars_min,
                       r->chars_max, CLASSIFIER_CHARS_MAX);
    if (r->words_max > CLASSIFIER_WORDS_MAX)
        return err_set(err, ERR_INVALID, "n-grams of %u words, more than %d", r->words_max, CLASSIFIER_WORDS_MAX);
    return r->chars_max || r->words_max || err_set(err, ERR_INVALID, "n-grams of neither characters nor words");
}

/* ---- n-grams ---- */

static void add(const struct classifier_rules *r, struct classifier_text *t, size_t at, size_t end, bool word)
{
    const uint64_t h = hash64((struct str){ t->text + at, end - at }) ^ (word ? WORD_MARK : 0);
    t->grams[t->grams_count++] = (struct classifier_gram){ (uint32_t)(h >> (64 - r->bits)), (uint16_t)at,
                                                           (uint16_t)(end - at), word };
}

static bool is_space(char c)
{
    return c == ' ' || (c && strchr(",;!?()[]{}\"<>|", c));
}

static void set_text(struct str raw, struct classifier_text *t)
{
    char normal[QUERY_TEXT_MAX];
    const struct str s = query_text(raw, normal);
    t->n = 0;
    t->text[t->n++] = ' ';
    for (size_t i = 0; i < s.n; i++) {
        const char c = is_space(s.p[i]) ? ' ' : s.p[i];
        if (c != ' ' || t->text[t->n - 1] != ' ')
            t->text[t->n++] = c;
    }
    if (t->text[t->n - 1] != ' ')
        t->text[t->n++] = ' ';
}

/* Behind the character that begins at `at`. */
static size_t next_char(const struct classifier_text *t, size_t at)
{
    for (at++; at < t->n && ((unsigned char)t->text[at] & 0xC0) == 0x80;)
        at++;
    return at;
}

/* Those of the word with its spaces, [from, to). */
static void add_chars(const struct classifier_rules *r, struct classifier_text *t, size_t from, size_t to)
{
    for (uint32_t n = r->chars_min; n <= r->chars_max; n++) {
        size_t at = from, end = from;
        for (uint32_t k = 0; k < n && end < to; k++)
            end = next_char(t, end);
        add(r, t, at, end, false);
        if (end == to)
            break; /* longer ones are no others */
        while (end < to) {
            at = next_char(t, at);
            end = next_char(t, end);
            add(r, t, at, end, false);
        }
    }
}

static void add_words(const struct classifier_rules *r, struct classifier_text *t, size_t from)
{
    size_t end = from;
    for (uint32_t k = 0; k < r->words_max && end + 1 < t->n; k++) {
        for (end += k > 0; t->text[end] != ' ';)
            end++;
        add(r, t, from, end, true);
    }
}

void classifier_read(const struct classifier_rules *r, struct str raw, struct classifier_text *out)
{
    set_text(raw, out);
    out->grams_count = 0;
    for (size_t at = 1; at < out->n;) {
        size_t end = at;
        while (out->text[end] != ' ')
            end++;
        if (r->chars_max)
            add_chars(r, out, at - 1, end + 1);
        if (r->words_max)
            add_words(r, out, at);
        at = end + 1;
    }
}

/* ---- values ---- */

/* By bucket, eight bits at a time, from the last ones on. */
static void sort(uint32_t *a, uint32_t *b, uint32_t n)
{
    for (unsigned shift = 0; shift < 24; shift += 8) {
        uint32_t ends[256] = { 0 }, at = 0;
        for (uint32_t i = 0; i < n; i++)
            ends[a[i] >> shift & 255]++;
        for (unsigned k = 0; k < 256; k++) {
            const uint32_t count = ends[k];
            ends[k] = at;
            at += count;
        }
        for (uint32_t i = 0; i < n; i++)
            b[ends[a[i] >> shift & 255]++] = a[i];
        memcpy(a, b, n * sizeof *a);
    }
}
static_assert(CLASSIFIER_BITS_MAX <= 24, "three times eight bits");

uint32_t classifier_buckets(const struct classifier_text *t, struct classifier_feature *out)
{
    uint32_t a[CLASSIFIER_GRAMS_MAX], b[CLASSIFIER_GRAMS_MAX], n = 0;
    for (uint32_t i = 0; i < t->grams_count; i++)
        a[i] = t->grams[i].bucket;
    sort(a, b, t->grams_count);
    for (uint32_t i = 0; i < t->grams_count; i++) {
        if (n && out[n - 1].id == a[i])
            out[n - 1].count++;
        else
            out[n++] = (struct classifier_feature){ .id = a[i], .count = 1 };
    }
    return n;
}

uint32_t classifier_vector(const struct classifier_table *table, const struct classifier_text *t,
                           struct classifier_feature *out)
{
    const uint32_t buckets = classifier_buckets(t, out);
    uint32_t n = 0;
    double square = 0;
    for (uint32_t i = 0; i < buckets; i++) {
        const uint32_t slot = table->slots[out[i].id];
        if (!slot)
            continue;
        const double v = (double)out[i].count * (double)table->idf[slot - 1];
        out[n++] = (struct classifier_feature){ slot - 1, out[i].count, v };
        square += v * v;
    }
    const double length = sqrt(square);
    for (uint32_t i = 0; i < n && length > 0; i++)
        out[i].value /= length;
    return length > 0 ? n : 0;
}
