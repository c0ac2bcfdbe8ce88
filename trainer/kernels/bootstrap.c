#include "trainer/kernels/bootstrap.h"

#include <float.h>
#include <math.h>

#include "stats/ranks/quantile.h"
#include "stats/ranks/sketch.h"
#include "trainer/kernels/record.h"

/* ---- weights ---- */

/* splitmix64's last step (S. Vigna): every bit of what goes in moves half of those that come out. */
static uint64_t mixed(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t bootstrap_seed(uint32_t seed)
{
    return mixed(seed);
}

unsigned bootstrap_weight(uint64_t unit, uint32_t replicate)
{
    if (replicate == 0)
        return 1;
    double u = (double)(mixed(unit + replicate * UINT64_C(0x9E3779B97F4A7C15)) >> 11) * 0x1p-53;
    double term = exp(-1), below = term;
    unsigned w = 0;
    for (; u >= below && w < 30; below += term)
        term /= ++w;
    return w;
}

/* ---- arms ---- */

void bootstrap_init(struct bootstrap_arm *a, size_t replicates)
{
    *a = (struct bootstrap_arm){ .replicates = replicates };
    a->units = mem_zalloc(3 * replicates * sizeof *a->units);
    a->x = a->units + replicates;
    a->y = a->x + replicates;
}

void bootstrap_release(struct bootstrap_arm *a)
{
    for (size_t i = 0; i < a->used; i++)
        mem_free(a->buckets[i].counts);
    mem_free(a->buckets);
    mem_free(a->units);
    *a = (struct bootstrap_arm){ .replicates = 0 };
}

void bootstrap_add(struct bootstrap_arm *a, size_t replicate, unsigned weight, double x, double y)
{
    a->units[replicate] += weight;
    a->x[replicate] += weight * x;
    a->y[replicate] += weight * y;
}

static size_t place_of(const struct bootstrap_arm *a, int64_t key)
{
    size_t lo = 0, hi = a->used;
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (a->buckets[middle].key < key)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

/* NULL when there is no room for another. */
static uint32_t *counts_of(struct bootstrap_arm *a, int64_t key)
{
    size_t at = place_of(a, key);
    if (at < a->used && a->buckets[at].key == key)
        return a->buckets[at].counts;
    if (a->used == BOOTSTRAP_BUCKETS)
        return NULL;
    if (!a->buckets)
        a->buckets = mem_alloc(BOOTSTRAP_BUCKETS * sizeof *a->buckets);
    memmove(&a->buckets[at + 1], &a->buckets[at], (a->used - at) * sizeof *a->buckets);
    a->buckets[at] = (struct bootstrap_bucket){ key, mem_zalloc(a->replicates * sizeof(uint32_t)) };
    a->used++;
    return a->buckets[at].counts;
}

bool bootstrap_add_value(struct bootstrap_arm *a, const unsigned *weights, double value, struct err *err)
{
    if (!isfinite(value))
        return err_set(err, ERR_INVALID, "a value is not finite");
    uint32_t *counts = counts_of(a, sketch_key(value));
    if (!counts)
        return err_set(err, ERR_INVALID, "the values need more than %d buckets", BOOTSTRAP_BUCKETS);
    for (size_t r = 0; r < a->replicates; r++)
        counts[r] += weights[r];
    return true;
}

double bootstrap_quantile(const struct bootstrap_arm *a, size_t replicate, double q)
{
    int64_t all = 0, below = 0;
    for (size_t i = 0; i < a->used; i++)
        all += a->buckets[i].counts[replicate];
    if (all == 0)
        return (double)NAN;
    int64_t rank = quantile_rank(all, q);
    for (size_t i = 0; i < a->used; i++) {
        below += a->buckets[i].counts[replicate];
        if (below >= rank)
            return sketch_key_middle(a->buckets[i].key);
    }
    return (double)NAN;
}

int64_t bootstrap_count(const struct bootstrap_arm *a)
{
    int64_t n = (int64_t)a->units[0];
    for (size_t i = 0; i < a->used; i++)
        n += a->buckets[i].counts[0];
    return n;
}

/* ---- bytes ---- */

/* LEB128: most counts of a range of buckets take one byte. */
static void put_count(struct buf *b, uint32_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_add_byte(b, (char)(v | 0x80));
    buf_add_byte(b, (char)v);
}

static bool take_count(struct str *in, uint32_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 32; shift += 7) {
        unsigned char byte;
        if (!record_take(in, &byte, 1))
            return false;
        *out |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

void bootstrap_write(struct buf *b, struct str variant, const struct bootstrap_arm *a)
{
    uint32_t n = (uint32_t)variant.n, used = (uint32_t)a->used;
    buf_add(b, &n, sizeof n);
    buf_add_str(b, variant);
    buf_add(b, a->units, 3 * a->replicates * sizeof *a->units);
    buf_add(b, &used, sizeof used);
    for (size_t i = 0; i < a->used; i++) {
        buf_add(b, &a->buckets[i].key, sizeof a->buckets[i].key);
        for (size_t r = 0; r < a->replicates; r++)
            put_count(b, a->buckets[i].counts[r]);
    }
}

bool bootstrap_read_variant(struct str *in, struct str *out_variant)
{
    return record_take_text(in, out_variant);
}

static bool merge_buckets(struct bootstrap_arm *into, struct str *in, uint32_t used)
{
    const int64_t greatest = sketch_key(DBL_MAX);
    for (uint32_t i = 0; i < used; i++) {
        int64_t key;
        uint32_t *counts = record_take(in, &key, sizeof key) && key >= -greatest && key <= greatest
                               ? counts_of(into, key)
                               : NULL;
        uint32_t more;
        for (size_t r = 0; r < into->replicates; r++) {
            if (!counts || !take_count(in, &more))
                return false;
            counts[r] += more;
        }
    }
    return true;
}

bool bootstrap_merge(struct bootstrap_arm *into, struct str *in, struct err *err)
{
    uint32_t used;
    bool ok = true;
    for (size_t i = 0; ok && i < 3 * into->replicates; i++) {
        double more;
        ok = record_take(in, &more, sizeof more);
        into->units[i] += ok ? more : 0;
    }
    if (!ok || !record_take(in, &used, sizeof used) || !merge_buckets(into, in, used))
        return err_set(err, ERR_SYSTEM, "replicates of a range are damaged, or of more than %d buckets",
                       BOOTSTRAP_BUCKETS);
    return true;
}
