/* assign.h - libassign: which variant a unit gets. The one public header; needs nothing but libc.
 *
 * The algorithm is GrowthBook's (SDK specification 0.8.0), so that every GrowthBook SDK gives the same answer for the same payload:
 * conditions, force rules, experiments, namespaces, filters, prerequisites, sticky buckets, URL targeting, encrypted payloads,
 * contextual bandits.
 *
 *   payload (JSON)  --assign_payload_new-->  struct assign_payload     compiled once; immutable; any number of threads read it
 *   unit            --assign_bind-------->   struct assign_session     one unit on one payload; lives in the caller's arena
 *   session         --assign_eval-------->   struct assign_result      one feature; no allocation but the arena
 *
 * No I/O, no global state. Text is UTF-8 here, never ended by 0 unless said; it is hashed as its UTF-16 form would be. Bytes that are no
 * UTF-8 count as U+FFFD each. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default) /* what stands here is what the shared library shows */

#define ASSIGN_VERSION_MAJOR 1
#define ASSIGN_VERSION_MINOR 0
#define ASSIGN_VERSION_PATCH 0
/* "1.0.0": of the library that runs, which may be newer than this header. */
const char *assign_version(void);

enum { ASSIGN_VARIANTS_MAX = 100 };

struct assign_text {
    const char *p; /* NULL: absent */
    size_t n;
};

struct assign_error {
    char text[200]; /* lower case, no full stop; names what was wrong and where */
};

/* ---- memory: the caller's ---- */

/* A piece of memory of the caller's, taken from the front. When it is used up, `more` (may be NULL) is asked for a new piece of at least
 * `bytes`, aligned to 16; NULL from it fails the call that asked, cleanly. The caller frees the pieces, when nothing is used any more. */
struct assign_arena {
    char *at, *end;
    char *(*more)(void *owner, size_t bytes);
    void *owner;
};

/* ---- JSON values ---- */

enum assign_type {
    ASSIGN_MISSING, /* JavaScript's undefined */
    ASSIGN_NULL,
    ASSIGN_BOOL,
    ASSIGN_NUMBER,
    ASSIGN_STRING,
    ASSIGN_ARRAY,
    ASSIGN_OBJECT
};

struct assign_member;
struct assign_value {
    enum assign_type type;
    uint32_t count; /* of items or members */
    union {
        bool boolean;
        double number;
        struct assign_text text;
        const struct assign_value *items;
        const struct assign_member
            *members; /* as JavaScript orders them: array indexes ascending, then as they came; no key twice */
    };
};
struct assign_member {
    struct assign_text key;
    struct assign_value value;
};

enum { ASSIGN_DEPTH_MAX = 64 };
/* Reads a whole JSON text. Texts without escapes point into `json`, which must outlive the value; everything else is in the arena. Of a key
 * that is there twice the last value counts, as in JavaScript. False: *e says why and at which byte. */
bool assign_json_read(const char *json, size_t n, struct assign_arena *arena, struct assign_value *out,
                      struct assign_error *e);
/* JSON text as JSON.stringify writes it. Returns the length it needs, without the 0; at most `room` bytes are written, the last a 0. */
size_t assign_json_write(const struct assign_value *v, char *out, size_t room);
/* The member's value, or NULL when it is absent or this is no object. */
const struct assign_value *assign_member(const struct assign_value *object, const char *key, size_t key_n);
/* JavaScript's truthiness: false for missing, null, false, 0, NaN and "". */
bool assign_truthy(const struct assign_value *v);

/* ---- payloads ---- */

struct assign_payload;

/* Compiles {"features":{…}, "experiments":[…], "savedGroups":{…}, "contextualBandits":{…}}; all are optional, and so are the encrypted forms
 * ("encryptedFeatures", …), which need `decryption_key` (base64; {NULL, 0}: none). Rules and conditions that make no sense never apply, as in
 * the SDKs; NULL only for what is no JSON object, cannot be decrypted, or passes a limit. The JSON text need not outlive the call. */
struct assign_payload *assign_payload_new(const char *json, size_t n, struct assign_text decryption_key,
                                          struct assign_error *e);
void assign_payload_free(struct assign_payload *p); /* when no session is on it any more */

/* Features are numbered 0 … count-1, in the payload's order. */
size_t assign_feature_count(const struct assign_payload *p);
int assign_feature_index(const struct assign_payload *p, const char *key, size_t n); /* -1: unknown */
struct assign_text assign_feature_key(const struct assign_payload *p, size_t feature);
size_t assign_rule_count(const struct assign_payload *p, size_t feature);
/* Automatic experiments (the list "experiments": redirects and changes of a page), likewise. */
size_t assign_auto_count(const struct assign_payload *p);
/* Names of attributes that sticky buckets are kept under: hashAttribute and fallbackAttribute of the experiment rules. */
size_t assign_sticky_attribute_count(const struct assign_payload *p);
struct assign_text assign_sticky_attribute(const struct assign_payload *p, size_t i);

/* ---- a unit ---- */

/* Assignments that were made before under one attribute's value. `assignments` is an object: "experimentKey__bucketVersion" → variation key. */
struct assign_sticky {
    struct assign_text attribute, value;
    struct assign_value assignments;
};

struct assign_run;

/* What is known of who asks. Zero it, then fill in what there is; everything is borrowed until the session is done with. */
struct assign_unit {
    struct assign_value attributes; /* an object; MISSING: none */
    struct assign_text url;
    const struct assign_value *forced_variations; /* {"experiment": index}, or NULL */
    const struct assign_value *forced_features;   /* {"feature": value}, or NULL */
    bool disabled;                                /* the context's enabled:false */
    bool qa_mode;                                 /* only forced variations */
    bool sticky_on; /* a store of sticky buckets is there; without one they are not looked at */
    const struct assign_sticky *sticky;
    size_t sticky_count;
    /* Called for each experiment whose hash put the unit in, also as a prerequisite of another; the same one more than once. */
    void (*on_exposure)(void *arg, const struct assign_run *run);
    /* A document of sticky assignments is new or has changed: store it whole. Valid during the call only. */
    void (*on_sticky)(void *arg, const struct assign_sticky *doc);
    void *arg;
};

struct assign_session;
/* NULL: the arena gave no more. One thread at a time. */
struct assign_session *assign_bind(const struct assign_payload *p, const struct assign_unit *unit,
                                   struct assign_arena *arena);
/* A hint, optional: many of the features will be asked for. Hashes the unit for all of them at once, which is faster than one by one. */
bool assign_hash_all(struct assign_session *s);

/* ---- answers ---- */

/* Why an experiment (or a rule) let a unit in or not. */
enum assign_why {
    ASSIGN_NOT_TRIED, /* an earlier rule answered */
    ASSIGN_IN,
    ASSIGN_NO_VARIATIONS, /* fewer than two */
    ASSIGN_DISABLED,
    ASSIGN_URL,
    ASSIGN_QUERY_STRING,     /* in, by the URL's query string */
    ASSIGN_FORCED_VARIATION, /* in, by forced_variations; or out, when that names no variation */
    ASSIGN_INACTIVE,
    ASSIGN_NO_HASH_VALUE,
    ASSIGN_FILTERED, /* outside a filter's ranges: another part of the layer */
    ASSIGN_NAMESPACE,
    ASSIGN_CONDITION,
    ASSIGN_PREREQUISITE,
    ASSIGN_CYCLE,
    ASSIGN_HASH_VERSION,
    ASSIGN_STICKY_BLOCKED,
    ASSIGN_COVERAGE, /* outside every variation's range */
    ASSIGN_FORCE,    /* in, by the experiment's own "force" */
    ASSIGN_QA_MODE,
    ASSIGN_PASSTHROUGH, /* in, but the rule lets the next ones decide */
    ASSIGN_WHY_COUNT
};
const char *assign_why_name(enum assign_why why); /* "coverage", … */

/* A run of an experiment (the SDK's experimentResult). */
struct assign_run {
    struct assign_text experiment; /* its key */
    int feature, rule;             /* where it stands; feature -1: an automatic experiment, and rule is its number */
    int variation;
    bool in_experiment, hash_used, sticky_used, passthrough, has_bucket, has_leaf;
    double bucket;
    enum assign_why why;
    struct assign_text key, name;                                  /* of the variation */
    struct assign_text hash_attribute, hash_text;                  /* the value as it is hashed; {…, 0}: none */
    struct assign_value hash_value;                                /* as it was given */
    const struct assign_value *value;                              /* never NULL */
    int leaf;                                                      /* contextual bandits: leafId, -1 none matched */
    const struct assign_value *variation_weights, *bandit_version; /* NULL: not of a contextual bandit */
};

enum assign_source {
    ASSIGN_SOURCE_UNKNOWN_FEATURE,
    ASSIGN_SOURCE_DEFAULT_VALUE,
    ASSIGN_SOURCE_FORCE,
    ASSIGN_SOURCE_OVERRIDE,
    ASSIGN_SOURCE_EXPERIMENT,
    ASSIGN_SOURCE_PREREQUISITE,
    ASSIGN_SOURCE_CYCLIC_PREREQUISITE,
    ASSIGN_SOURCE_COUNT
};
const char *assign_source_name(enum assign_source s); /* "defaultValue", … as the SDKs write it */

/* The SDK's FeatureResult. */
struct assign_result {
    const struct assign_value *value; /* never NULL */
    enum assign_source source;
    int rule;                   /* that answered, or -1 */
    struct assign_text rule_id; /* "" when it has none */
    bool has_run;               /* source EXPERIMENT; else `run` says nothing */
    struct assign_run run;
};

/* False: the arena gave no more. `why` (NULL, or room for one byte a rule of the feature) says what each rule did. */
bool assign_eval(struct assign_session *s, size_t feature, struct assign_result *out, uint8_t *why);
/* By key; an unknown one answers ASSIGN_SOURCE_UNKNOWN_FEATURE with null (or what forced_features says). */
bool assign_eval_key(struct assign_session *s, const char *key, size_t n, struct assign_result *out);
/* An automatic experiment. */
bool assign_run_auto(struct assign_session *s, size_t i, struct assign_run *out);
/* The URL to go to instead of this one, of the first redirect that the unit is in; *out {NULL, 0}: stay. */
bool assign_redirect(struct assign_session *s, struct assign_text *out, struct assign_run *out_run);

/* ---- the parts, for tools and tests ---- */

/* A half-open range of the unit interval: lo <= n < hi. */
struct assign_range {
    double lo, hi;
};

/* n in [0, 1) for seed and value, or false when the version is neither 1 nor 2:
 *     v1: (fnv(value + seed) mod 1000) / 1000
 *     v2: (fnv(decimal(fnv(seed + value))) mod 10000) / 10000
 * FNV-1a, 32 bit, over UTF-16 code units (JavaScript's charCodeAt). */
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
/* Whether the attributes (an object) meet the condition; saved_groups may be NULL. False also when the arena gave no more. */
bool assign_condition(const struct assign_value *condition, const struct assign_value *attributes,
                      const struct assign_value *saved_groups, struct assign_arena *arena);
/* AES-128-CBC, PKCS#7: base64(iv) "." base64(ciphertext), key base64 of 16 bytes. False: any failure. The text is in the arena. */
bool assign_decrypt(struct assign_text text, struct assign_text key, struct assign_arena *arena,
                    struct assign_text *out);
bool assign_encrypt(struct assign_text text, struct assign_text key, const unsigned char iv[16],
                    struct assign_arena *arena, struct assign_text *out);

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

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
