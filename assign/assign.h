/* assign.h - libassign: which variant a unit gets. The one public header; needs nothing but libc.
 *
 * The algorithm is GrowthBook's (SDK specification 0.8.0), so that every GrowthBook SDK gives the same answer: FNV-1a, 32 bit,
 * over UTF-16 code units (JavaScript's charCodeAt), in two versions:
 *     v1: (fnv(value + seed) mod 1000) / 1000
 *     v2: (fnv(decimal(fnv(seed + value))) mod 10000) / 10000
 * Text is UTF-8 here; it is hashed as its UTF-16 form would be. Bytes that are no UTF-8 count as U+FFFD each.
 *
 * No I/O, no global state, no allocation: everything is plain values of the caller's; all functions may run on any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ASSIGN_VARIANTS_MAX = 100 };

/* A half-open range of the unit interval: lo <= n < hi. */
struct assign_range {
    double lo, hi;
};

/* n in [0, 1) for seed and value, or false when the version is neither 1 nor 2. Texts need not end with 0. */
bool assign_hash(const char *seed, size_t seed_n, const char *value, size_t value_n, int version, double *out_n);

/* Equal weights 1/n each. */
void assign_equal_weights(size_t n, double *out);
/* Variant i gets [cum, cum + coverage·w_i], cum += w_i; coverage is clamped to [0, 1]. weights NULL, or with a sum outside
 * [0.99, 1.01]: equal weights. weights_n other than n: likewise. */
void assign_bucket_ranges(size_t n, double coverage, const double *weights, size_t weights_n, struct assign_range *out);
/* Index of the first range that holds n, or -1. */
int assign_choose(double n, const struct assign_range *ranges, size_t count);
/* Whether value lies in the namespace's part: hash of "__" + namespace, version 1, lo <= n < hi. */
bool assign_in_namespace(const char *value, size_t value_n, const char *name, size_t name_n, double lo, double hi);
/* The variant that a URL's query string forces ("…?key=1"), 0 <= it < n, or -1. The key's first appearance decides. */
int assign_query_string_override(const char *key, const char *url, size_t n);

/* A number as JavaScript prints it ("3", "3.5", "1e+21"): how SDKs hash an id that is no text. Returns its length; out is ended by 0. */
enum { ASSIGN_NUMBER_TEXT_MAX = 32 };
size_t assign_number_text(double v, char out[ASSIGN_NUMBER_TEXT_MAX]);

/* An experiment made ready: ranges and the hash state behind the seed, so that a unit costs one pass over its own bytes. */
struct assign_experiment {
    int hash_version;
    uint32_t seed_state; /* version 2: FNV-1a after the seed */
    const char *seed;    /* borrowed; version 1 hashes it after the value */
    size_t seed_n, ranges_count;
    struct assign_range ranges[ASSIGN_VARIANTS_MAX];
};

/* False when hash_version is neither 1 nor 2 or there are more variants than ASSIGN_VARIANTS_MAX. The seed must outlive it. */
bool assign_experiment_init(struct assign_experiment *e, const char *seed, size_t seed_n, int hash_version,
                            double coverage, const double *weights, size_t variants);
/* The variant's index, or -1: not in the experiment (an empty unit, or beyond the coverage). */
int assign_variant(const struct assign_experiment *e, const char *unit, size_t unit_n);
