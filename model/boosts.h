/* boosts.h - which documents to raise for a query, and by how much: an artifact of kind "boosts".
 *
 * Two sections of lists: "boosts" gives for a query in its normal form (or query, \x1f and filters, as the job clicks writes them) documents with the
 * columns weight (clicks, carts, purchases, weighted and decayed), and, if the job made them, calibrated (the share of searches that are expected to
 * choose the document, shrunk towards what others do) and signals; "similar", if there, gives for a query others with a score up to 1.
 *
 * A query's own documents count with similarity 1; those of similar queries with theirs. What a document of one query is worth:
 *   classic     log(weight + 1) + 10 log(similarity + 1)        Fusion's weight expression, with similarity as the score of the match
 *   calibrated  calibrated * similarity                         a share: half as often chosen is half the boost
 * Of a document of several queries the greatest counts, or the sum. Pure. */
#pragma once
#include "base/mem.h"
#include "model/artifact.h"
#include "model/lists.h"

#define BOOSTS_KIND "boosts"
#define BOOSTS_FILTERS '\x1f'
enum { BOOSTS_N_MAX = 1000, BOOSTS_SIMILAR_MAX = 50 };

struct boosts {
    struct lists boosts, similar;
    bool has_similar;
    int weight, calibrated, signals; /* columns; -1: not there */
};
/* Borrows the artifact's bytes. ERR_INVALID: a section is damaged or missing. */
bool boosts_open(const struct artifact *a, struct boosts *out, struct err *err) MUSTCHECK;

enum boosts_expression { BOOSTS_CLASSIC, BOOSTS_CALIBRATED, BOOSTS_EXPRESSION_COUNT };
extern const char *const boosts_expression_names[BOOSTS_EXPRESSION_COUNT];
enum boosts_rollup { BOOSTS_MAX, BOOSTS_SUM, BOOSTS_ROLLUP_COUNT };
extern const char *const boosts_rollup_names[BOOSTS_ROLLUP_COUNT];

struct boosts_request {
    struct str query, filters; /* in normal form; filters {NULL, 0}: none */
    uint32_t n;                /* up to BOOSTS_N_MAX */
    uint32_t similar;          /* queries that are looked at besides, up to BOOSTS_SIMILAR_MAX */
    double min_similarity;
    enum boosts_expression expression;
    enum boosts_rollup rollup;
    double scale_low, scale_high; /* both 0: as the expression says; else the least and the greatest become these */
};

struct boost {
    struct str doc;
    double boost;
    double weight, calibrated, signals; /* of the query that counts most; NAN: not known */
    struct str by;                      /* that query */
    double similarity;                  /* 1: the query itself */
};

/* How the query itself was found. */
enum boosts_match { BOOSTS_NONE, BOOSTS_QUERY, BOOSTS_QUERY_AND_FILTERS, BOOSTS_MATCH_COUNT };

struct boosts_answer {
    struct boost *boosts; /* best first, equal ones by text; the arena's */
    size_t count;
    enum boosts_match match; /* with filters that are not known, the query without them counts */
    uint32_t similar;        /* queries that added something */
};
/* False: the artifact has no calibrated weights, and they were asked for. */
bool boosts_for(const struct boosts *b, const struct boosts_request *q, struct arena *arena, struct boosts_answer *out,
                struct err *err) MUSTCHECK;
