#include "stats/ranks/sketch_bytes.h"

#include <float.h>
#include <string.h>

/* ---- varints ---- */

static size_t put(unsigned char *out, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (unsigned char)(v | 0x80);
    out[n++] = (unsigned char)v;
    return n;
}

struct reader {
    const unsigned char *at, *end;
    bool bad;
};

static uint64_t take(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        unsigned char byte = *r->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    r->bad = true;
    return 0;
}

/* A count: not negative as int64_t. */
static int64_t take_count(struct reader *r)
{
    uint64_t v = take(r);
    r->bad = r->bad || v > INT64_MAX;
    return r->bad ? 0 : (int64_t)v;
}

static uint64_t zigzag(int64_t v)
{
    return v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1;
}

static int64_t zagzig(uint64_t v)
{
    return (int64_t)(v & 1 ? ~(v >> 1) : v >> 1);
}

/* ---- sketches ---- */

size_t sketch_bytes_write(const struct sketch *s, unsigned char *out)
{
    size_t n = 0;
    out[n++] = SKETCH_BYTES_VERSION;
    out[n++] = (unsigned char)(s->bits + 1);
    n += put(out + n, s->used);
    n += put(out + n, (uint64_t)s->units);
    n += put(out + n, (uint64_t)s->events);
    n += put(out + n, (uint64_t)s->squares);
    for (size_t i = 0; i < s->used; i++) {
        const struct sketch_bucket *b = &s->buckets[i];
        n += put(out + n, i ? (uint64_t)b->key - (uint64_t)s->buckets[i - 1].key : zigzag(b->key));
        n += put(out + n, (uint64_t)b->events);
        n += put(out + n, (uint64_t)b->squares);
        n += put(out + n, (uint64_t)b->products);
    }
    return n;
}

static bool add_up(int64_t *sum, int64_t v)
{
    return !__builtin_add_overflow(*sum, v, sum);
}

/* The greatest key that a value has at this many bits. */
static int64_t greatest_key(int bits)
{
    double size = DBL_MAX;
    int64_t raw;
    memcpy(&raw, &size, sizeof raw);
    return raw >> (52 - bits);
}

/* Σ N_i² is the sum of the buckets' squares, and of their products too: both go from 0 to all events of each unit. */
static bool read_buckets(struct reader *r, struct sketch *s)
{
    int64_t events = 0, squares = 0, products = 0, greatest = greatest_key(s->bits);
    for (size_t i = 0; i < s->used; i++) {
        struct sketch_bucket *b = &s->buckets[i];
        uint64_t step = take(r);
        b->key = i ? (int64_t)((uint64_t)s->buckets[i - 1].key + step) : zagzig(step);
        b->events = take_count(r);
        b->squares = take_count(r);
        b->products = take_count(r);
        if (r->bad || b->key < -greatest || b->key > greatest || (i && b->key <= s->buckets[i - 1].key) ||
            b->events < 1 || !add_up(&events, b->events) || !add_up(&squares, b->squares) ||
            !add_up(&products, b->products))
            return false;
    }
    return events == s->events && squares == s->squares && products == s->squares && squares >= events &&
           (s->units > 0 || events == 0);
}

bool sketch_bytes_read(const void *bytes, size_t n, struct sketch *out, struct err *err)
{
    struct reader r = { .at = bytes, .end = (const unsigned char *)bytes + n };
    if (n < 2 || r.at[0] != SKETCH_BYTES_VERSION || r.at[1] > SKETCH_BITS + 1)
        return err_set(err, ERR_INVALID, "the sketch is not of version %d", SKETCH_BYTES_VERSION);
    out->bits = r.at[1] - 1;
    r.at += 2;
    out->used = (size_t)take(&r);
    out->units = take_count(&r);
    out->events = take_count(&r);
    out->squares = take_count(&r);
    if (r.bad || out->used > SKETCH_ROOM || !read_buckets(&r, out) || r.at != r.end)
        return err_set(err, ERR_INVALID, "the sketch is damaged");
    return true;
}
