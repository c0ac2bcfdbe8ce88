#include "stats/ranks/sketch.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "stats/ranks/sorted.h"

enum { FRACTION_BITS = 52 };
#define NEXT_TO_ZERO (2 * DBL_MIN)

/* ---- keys ---- */

static int64_t key_of(double x, int bits)
{
    double size = fabs(x);
    int64_t raw;
    if (size < NEXT_TO_ZERO)
        return 0;
    memcpy(&raw, &size, sizeof raw);
    raw >>= FRACTION_BITS - bits;
    return x < 0 ? -raw : raw;
}

static int64_t halved(int64_t key)
{
    return key < 0 ? -(-key >> 1) : key >> 1;
}

/* The ends of a bucket's sizes, |x|. */
static double edge_of(int64_t size_key, int bits)
{
    uint64_t raw = (uint64_t)size_key << (FRACTION_BITS - bits), last;
    double edge = DBL_MAX;
    memcpy(&last, &edge, sizeof last);
    if (raw < last) /* with one bit less than none the last bucket ends behind all doubles */
        memcpy(&edge, &raw, sizeof edge);
    return edge;
}

static double low_edge(int64_t key, int bits)
{
    return key == 0 ? 0 : key > 0 ? edge_of(key, bits) : -edge_of(1 - key, bits);
}

static double high_edge(int64_t key, int bits)
{
    return key == 0 ? 0 : key > 0 ? edge_of(key + 1, bits) : -edge_of(-key, bits);
}

static double middle(int64_t key, int bits)
{
    double lo = low_edge(key, bits), hi = high_edge(key, bits);
    return lo + (hi - lo) / 2;
}

int64_t sketch_key(double value)
{
    return key_of(value, SKETCH_BITS);
}

double sketch_key_middle(int64_t key)
{
    return middle(key, SKETCH_BITS);
}

double sketch_error(const struct sketch *s)
{
    return s->bits >= 0 ? ldexp(1, -(s->bits + 1)) : (edge_of(2, -1) / edge_of(1, -1) - 1) / 2;
}

/* ---- buckets ---- */

static void add_bucket(struct sketch_bucket *into, const struct sketch_bucket *b)
{
    into->events += b->events;
    into->squares += b->squares;
    into->products += b->products;
}

static void lose_a_bit(struct sketch *s)
{
    size_t used = 0;
    s->bits--;
    for (size_t i = 0; i < s->used; i++) {
        struct sketch_bucket b = s->buckets[i];
        b.key = halved(b.key);
        if (used > 0 && s->buckets[used - 1].key == b.key)
            add_bucket(&s->buckets[used - 1], &b);
        else
            s->buckets[used++] = b;
    }
    s->used = used;
}

/* The place of a key, or where it would stand. */
static size_t find(const struct sketch *s, int64_t key)
{
    size_t lo = 0, hi = s->used;
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (s->buckets[middle].key < key)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

/* b's key is of a value at the present bits; `x` is that value, should bits be lost. */
static void put(struct sketch *s, double x, struct sketch_bucket b)
{
    for (;;) {
        b.key = key_of(x, s->bits);
        size_t at = find(s, b.key);
        if (at < s->used && s->buckets[at].key == b.key) {
            add_bucket(&s->buckets[at], &b);
            return;
        }
        if (s->used < SKETCH_ROOM) {
            memmove(&s->buckets[at + 1], &s->buckets[at], (s->used - at) * sizeof b);
            s->buckets[at] = b;
            s->used++;
            return;
        }
        lose_a_bit(s);
    }
}

void sketch_init(struct sketch *s)
{
    *s = (struct sketch){ .bits = SKETCH_BITS };
}

/* Every sum of a bucket is at most Σ N_i², so that one check holds for all. */
static bool count_totals(struct sketch *s, int64_t units, int64_t events, int64_t squares, struct err *err)
{
    if (squares > INT64_MAX - s->squares || units > INT64_MAX - s->units)
        return err_set(err, ERR_INVALID, "there are more events than the sketch can count");
    s->units += units;
    s->events += events;
    s->squares += squares;
    return true;
}

static size_t end_of_bucket(const struct sketch *s, const double *sorted, size_t n, size_t from)
{
    size_t to = from + 1;
    while (to < n && key_of(sorted[to], s->bits) == key_of(sorted[from], s->bits))
        to++;
    return to;
}

bool sketch_add_unit(struct sketch *s, double *events, size_t n, struct err *err)
{
    if (n > INT32_MAX)
        return err_set(err, ERR_INVALID, "the unit has %zu events, more than the sketch can count", n);
    int64_t all = (int64_t)n;
    if (!sorted_make(events, n, err) || !count_totals(s, 1, all, all * all, err))
        return false;
    for (size_t from = 0, to; from < n; from = to) {
        to = end_of_bucket(s, events, n, from);
        int64_t before = (int64_t)from, after = (int64_t)to;
        put(s, events[from],
            (struct sketch_bucket){ .events = after - before,
                                    .squares = after * after - before * before,
                                    .products = (after - before) * all });
    }
    return true;
}

static size_t union_size(const struct sketch *a, const struct sketch *b)
{
    size_t i = 0, j = 0, n = 0;
    for (; i < a->used && j < b->used; n++) {
        int64_t left = a->buckets[i].key, right = b->buckets[j].key;
        i += left <= right;
        j += right <= left;
    }
    return n + (a->used - i) + (b->used - j);
}

/* From the ends, so that nothing is overwritten before it is read. */
static void merge_buckets(struct sketch *into, const struct sketch *other)
{
    size_t n = union_size(into, other), i = into->used, j = other->used;
    into->used = n;
    while (j > 0) {
        const struct sketch_bucket *left = i > 0 ? &into->buckets[i - 1] : NULL, *right = &other->buckets[j - 1];
        struct sketch_bucket b = left && left->key >= right->key ? *left : *right;
        if (left && left->key == right->key)
            add_bucket(&b, right);
        j -= !left || right->key >= left->key;
        i -= left && b.key == left->key;
        into->buckets[--n] = b;
    }
}

bool sketch_merge(struct sketch *into, const struct sketch *other, struct err *err)
{
    struct sketch copy = *other;
    if (!count_totals(into, other->units, other->events, other->squares, err))
        return false;
    while (into->bits > copy.bits)
        lose_a_bit(into);
    while (copy.bits > into->bits)
        lose_a_bit(&copy);
    while (union_size(into, &copy) > SKETCH_ROOM) {
        lose_a_bit(into);
        lose_a_bit(&copy);
    }
    merge_buckets(into, &copy);
    return true;
}

/* ---- what is read from it ---- */

/* Sums up to and with the bucket of a rank. */
static size_t bucket_of_rank(const struct sketch *s, int64_t rank, struct sketch_bucket *out_sums)
{
    struct sketch_bucket sums = { 0 };
    size_t at = 0;
    for (add_bucket(&sums, &s->buckets[0]); sums.events < rank && at + 1 < s->used;)
        add_bucket(&sums, &s->buckets[++at]);
    *out_sums = sums;
    return at;
}

static double centered(int64_t n, int64_t products, int64_t x, int64_t y)
{
    return (double)((__int128)n * products - (__int128)x * y) / (double)n;
}

static void look_up(const struct sketch *s, struct quantile_range *r)
{
    struct sketch_bucket sums;
    r->lo = low_edge(s->buckets[bucket_of_rank(s, r->rank_lo, &sums)].key, s->bits);
    r->hi = high_edge(s->buckets[bucket_of_rank(s, r->rank_hi, &sums)].key, s->bits);
}

/* Sums up to the quantile's bucket, and the moments that they give. */
static size_t split_at(const struct sketch *s, double q, struct moments2 *out)
{
    struct sketch_bucket sums;
    size_t at = bucket_of_rank(s, quantile_rank(s->events, q), &sums);
    double k = (double)s->units;
    *out = (struct moments2){ s->units,
                              (double)sums.events / k,
                              centered(s->units, sums.squares, sums.events, sums.events),
                              (double)s->events / k,
                              centered(s->units, s->squares, s->events, s->events),
                              centered(s->units, sums.products, sums.events, s->events) };
    return at;
}

static double middle_of(const struct sketch *s, size_t at)
{
    return middle(s->buckets[at].key, s->bits);
}

static bool has_quantile(const struct sketch *s, double q, struct err *err)
{
    if (!quantile_check(q, err))
        return false;
    return s->events > 0 || err_set(err, ERR_INVALID, "there are no events");
}

bool sketch_moments(const struct sketch *s, double q, struct moments2 *out, double *out_value, struct err *err)
{
    if (!has_quantile(s, q, err))
        return false;
    *out_value = middle_of(s, split_at(s, q, out));
    return true;
}

bool sketch_quantile(const struct sketch *s, double q, double z, struct quantile *out, struct err *err)
{
    struct moments2 m;
    struct quantile p;
    if (!has_quantile(s, q, err))
        return false;
    size_t at = split_at(s, q, &m);
    if (!quantile_plan(&m, s->events, q, z, &p, err))
        return false;
    p.value = middle_of(s, at);
    look_up(s, &p.outer);
    look_up(s, &p.iid);
    quantile_conclude(z, &p);
    *out = p;
    return true;
}

size_t sketch_groups(const struct sketch *control, const struct sketch *treatment, struct rank_sum_group *out)
{
    struct sketch c = *control, t = *treatment;
    size_t i = 0, j = 0, n = 0;
    while (c.bits > t.bits)
        lose_a_bit(&c);
    while (t.bits > c.bits)
        lose_a_bit(&t);
    for (; i < c.used || j < t.used; n++) {
        bool left = j == t.used || (i < c.used && c.buckets[i].key <= t.buckets[j].key);
        bool right = i == c.used || (j < t.used && t.buckets[j].key <= c.buckets[i].key);
        int64_t key = left ? c.buckets[i].key : t.buckets[j].key;
        double lo = low_edge(key, c.bits);
        out[n] = (struct rank_sum_group){ lo + (high_edge(key, c.bits) - lo) / 2, left ? c.buckets[i].events : 0,
                                          right ? t.buckets[j].events : 0 };
        i += left;
        j += right;
    }
    return n;
}
