/* Ranges, choice, namespaces, overrides, and an experiment made ready. Source: GrowthBook SDK specification 0.8.0. */
#include <string.h>

#include "assign/assign.h"
#include "assign/hash.h"
#include "assign/payload.h"

enum { PARSED_MAX = 1 << 20 };

void assign_equal_weights(size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = 1.0 / (double)n;
}

static bool usable(const double *weights, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[i];
    return !(sum < 0.99 || sum > 1.01);
}

void assign_bucket_ranges(size_t n, double coverage, const double *weights, size_t weights_n, struct assign_range *out)
{
    bool given = weights && weights_n == n && usable(weights, n);
    double from = 0;
    coverage = coverage < 0 ? 0 : coverage > 1 ? 1 : coverage;
    for (size_t i = 0; i < n; i++) {
        double w = given ? weights[i] : 1.0 / (double)n;
        out[i] = (struct assign_range){ from, from + coverage * w };
        from += w;
    }
}

int assign_choose(double n, const struct assign_range *ranges, size_t count)
{
    /* Without branches: the variant is what no processor can guess, and guessing wrong means to wait for the hash. */
    unsigned chosen = 0; /* 1 + index */
    for (size_t i = count; i-- > 0;) {
        unsigned above = n >= ranges[i].lo, below = n < ranges[i].hi, inside = 0u - (above & below);
        chosen = (chosen & ~inside) | ((unsigned)(i + 1) & inside);
    }
    return (int)chosen - 1;
}

bool assign_in_namespace(const char *value, size_t value_n, const char *name, size_t name_n, double lo, double hi)
{
    uint32_t h = assign_fnv(ASSIGN_FNV_BASIS, value, value_n);
    h = assign_fnv(assign_fnv(h, "__", 2), name, name_n);
    double n = (h % 1000) / 1000.0;
    return n >= lo && n < hi;
}

static int digit_of(char c, int radix)
{
    int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : radix;
    return d < radix ? d : -1;
}

/* JavaScript's parseInt of text up to `end`: spaces, a sign, "0x" for hexadecimal, then digits; what follows them is ignored. -1 when
 * there are none, or the number is negative or beyond any count of variants. */
static int parse_int(const char *p, const char *end)
{
    int v = 0, radix = 10, d;
    while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
        p++;
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (end - p >= 2 && p[0] == '0' && (p[1] | 32) == 'x') {
        radix = 16;
        p += 2;
    }
    const char *from = p;
    for (; p < end && v < PARSED_MAX && (d = digit_of(*p, radix)) >= 0; p++)
        v = v * radix + d;
    return p == from || (minus && v > 0) ? -1 : v; /* JavaScript's -0 is an index, too */
}

int assign_query_override(struct assign_text key, struct assign_text url, size_t n)
{
    const char *p = url.n ? memchr(url.p, '?', url.n) : NULL, *end;
    size_t key_n = key.n;
    if (!p)
        return -1;
    for (end = ++p; end < url.p + url.n && *end != '?' && *end != '#';)
        end++; /* as split("?")[1] and the cut at "#" do */
    for (const char *stop; p <= end; p = stop + 1) {
        const char *next = memchr(p, '&', (size_t)(end - p));
        stop = next ? next : end;
        const char *equals = memchr(p, '=', (size_t)(stop - p)), *key_end = equals ? equals : stop;
        if ((size_t)(key_end - p) != key_n || memcmp(p, key.p, key_n) != 0)
            continue;
        int v = equals ? parse_int(equals + 1, stop) : -1;
        return v >= 0 && (size_t)v < n ? v : -1;
    }
    return -1;
}

int assign_query_string_override(const char *key, const char *url, size_t n)
{
    return assign_query_override((struct assign_text){ key, strlen(key) }, (struct assign_text){ url, strlen(url) }, n);
}

bool assign_experiment_init(struct assign_experiment *e, const char *seed, size_t seed_n, int hash_version,
                            double coverage, const double *weights, size_t variants)
{
    if ((hash_version != 1 && hash_version != 2) || variants > ASSIGN_VARIANTS_MAX)
        return false;
    e->hash_version = hash_version;
    e->seed = seed;
    e->seed_n = seed_n;
    e->seed_state = assign_fnv(ASSIGN_FNV_BASIS, seed, seed_n);
    e->ranges_count = variants;
    assign_bucket_ranges(variants, coverage, weights, variants, e->ranges);
    return true;
}

int assign_variant(const struct assign_experiment *e, const char *unit, size_t unit_n)
{
    double n;
    if (unit_n == 0)
        return -1;
    if (e->hash_version == 2)
        n = (assign_fnv_decimal(ASSIGN_FNV_BASIS, assign_fnv(e->seed_state, unit, unit_n)) % 10000) / 10000.0;
    else
        (void)assign_hash(e->seed, e->seed_n, unit, unit_n, 1, &n);
    return assign_choose(n, e->ranges, e->ranges_count);
}
