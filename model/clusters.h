/* clusters.h - documents in groups: an artifact of kind "clusters", asked for a document it knows, for a text it has never seen, or for what is in a group.
 *
 * Sections, all lists (lists.h) but the last:
 *   sizes           key "": the groups; columns documents, share, cohesion (mean cosine to the centre)
 *   labels          group → terms that tell it from others; columns score (log-likelihood ratio), documents, share of the group's documents
 *   frequent_terms  group → its most frequent terms; columns documents, share
 *   documents       group → its documents, nearest to the centre first; column distance (1 - cosine)
 *   cluster_of      document → its group (its groups, where classes overlap); column distance
 *   space           centres, and how a text is put beside them. Optional: without it nothing is said of texts
 *
 * Section "space": header (64) · u64 key of each term, ascending (text_terms.h) · f64 idf of each · then either, by term, u64 end of its entries · { u32 centre,
 * f32 weight }, or vectors of terms (f32, terms × dims) · centres (f32, centres × dims) · then, each with its length before it (u32): fields, stop words, a name
 * of each centre. Numbers are little-endian and may lie anywhere. Pure. */
#pragma once
#include "base/mem.h"
#include "model/artifact.h"
#include "model/lists.h"
#include "model/text_terms.h"

#define CLUSTERS_KIND "clusters"
enum { CLUSTERS_CENTRES_MAX = 4096, CLUSTERS_DIMS_MAX = 1024 };
/* A text's language decides its stop words. */
extern const char *const clusters_languages[]; /* "none", "english", "german", NULL */

/* ---- writing ---- */

struct clusters_entry {
    uint32_t centre;
    float weight;
};
struct clusters_space {
    uint32_t language, ngrams, max_terms, terms, centres;
    uint32_t outliers;    /* the last of the centres are groups of outliers */
    uint32_t dims;        /* 0: centres are over terms; else over vectors of words */
    const uint64_t *keys; /* ascending */
    const double *idf;
    const uint64_t *ends;                 /* dims 0: of each term in `entries` */
    const struct clusters_entry *entries; /* by centre within a term */
    const float *rows, *middles;          /* dims above 0: terms × dims, centres × dims */
    struct str fields, stop_words;
    const struct str *names;
};
bool clusters_space_write(const struct clusters_space *s, struct buf *out, struct err *err) MUSTCHECK;

/* ---- reading ---- */

enum clusters_section {
    CLUSTERS_SIZES,
    CLUSTERS_LABELS,
    CLUSTERS_FREQUENT,
    CLUSTERS_DOCUMENTS,
    CLUSTERS_CLUSTER_OF,
    CLUSTERS_SECTION_COUNT
};
extern const char *const clusters_section_names[CLUSTERS_SECTION_COUNT];

struct clusters {
    struct lists lists[CLUSTERS_SECTION_COUNT];
    bool has_space;
    uint32_t ngrams, max_terms, terms, centres, outliers, dims;
    const char *keys, *idf, *ends, *entries, *rows, *middles;
    struct str fields;
    struct str *names;
    struct stop_words stop;
};
/* ERR_INVALID when a section is missing or damaged. The artifact's bytes and the arena stay. */
bool clusters_open(const struct artifact *a, struct arena *arena, struct clusters *out, struct err *err) MUSTCHECK;
/* Of a group's name: it is made of what belongs nowhere. */
bool clusters_is_outlier(const struct clusters *c, struct str name);

/* Where a text belongs: its terms one after the other, then the nearest centre. */
struct clusters_text;
struct clusters_text *clusters_text_new(const struct clusters *c, struct arena *arena);
void clusters_text_clear(struct clusters_text *t);
/* `weight`: of its field, above 0. */
void clusters_text_add(struct clusters_text *t, struct str text, double weight);
struct clusters_near {
    uint32_t centre, second; /* nearest, next nearest; second = centre: there is one only */
    double cosine, second_cosine;
    uint32_t terms; /* of the text, that the model knows */
};
/* False: it has no term that the model knows, or nothing in common with any centre. The model has a space (asserted). */
bool clusters_text_near(struct clusters_text *t, struct clusters_near *out);
/* How much nearer the own centre is than the next: (b - a) / max(a, b) of the distances a, b = 1 - cosine; from -1 to 1, 0 with one centre. */
double clusters_silhouette(double cosine, double second_cosine);
