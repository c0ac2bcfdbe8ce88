/* rewrite.h - rewriting a query by rules: what is done to it before it is searched, and why. Artifacts of kind "rewrites".
 *
 * For each type that has rules, two sections: lists of that name (key: input; entries: outputs, the best first; columns confidence, manual, direction)
 * and NAME_ids, the u64 id of each entry. How a query is rewritten, in this order:
 *
 *   1. it is brought to the normal form (model/query_text.h)
 *   2. query         the whole query is one that a person rewrote: 3 to 5 are left out
 *   3. spelling      from left to right, the longest rule that begins at a word; what was put in is not looked at again
 *   4. head_tail     the whole query, as it is now
 *   5. remove_words  as in 3; left out when nothing would stay
 *   6. phrase        as in 3; words are put into quotes, none changes
 *   7. synonym       as in 3; what else is to be searched. It never begins or ends inside a phrase and reaches out of it
 *
 * Each step is made once, on what the one before left, so that rules that lead in a circle do no harm. A rule that would make the query longer than
 * QUERY_TEXT_MAX is passed over. Of several outputs the first one counts, of synonyms all (REWRITE_SYNONYMS_MAX). Pure. */
#pragma once
#include "base/buf.h"
#include "model/artifact.h"
#include "model/lists.h"
#include "model/query_text.h"

#define REWRITES_KIND "rewrites"
enum rewrite_type {
    REWRITE_QUERY,
    REWRITE_SPELLING,
    REWRITE_HEAD_TAIL,
    REWRITE_REMOVE_WORDS,
    REWRITE_PHRASE,
    REWRITE_SYNONYM,
    REWRITE_TYPE_COUNT
};
extern const char *const rewrite_type_names[REWRITE_TYPE_COUNT]; /* "query", "spelling", … */
enum rewrite_type rewrite_type_of(struct str name);              /* REWRITE_TYPE_COUNT: of none */

enum {
    REWRITE_WORDS_MAX = 12, /* of the input of a rule that looks for words in a query */
    REWRITE_TOKENS_MAX = QUERY_TEXT_MAX / 2,
    REWRITE_STEPS_MAX = 100,   /* a query that takes more is left as it is behind them */
    REWRITE_SYNONYMS_MAX = 20, /* of a term */
    REWRITE_ALL_TYPES = (1 << REWRITE_TYPE_COUNT) - 1
};

struct rewrite_rule {
    enum rewrite_type type;
    struct str input, output; /* in normal form; of a phrase the same */
    bool bidirectional;       /* of synonyms */
    bool manual;              /* written by a person: stands before what jobs found */
    double confidence;
    uint64_t id;
};

/* What is wrong with a rule; true: nothing. ERR_INVALID. */
bool rewrite_check(const struct rewrite_rule *rule, struct err *err) MUSTCHECK;
/* Makes the artifact of checked rules, in whatever order they come: the bytes follow from the rules and the card. */
bool rewrites_pack(const struct rewrite_rule *rules, size_t count, struct str card, struct buf *out_file,
                   char out_digest[ARTIFACT_DIGEST], struct err *err) MUSTCHECK;

struct rewrites {
    struct rewrites_of_type {
        struct lists lists; /* keys 0: there are none */
        struct str ids;
        uint32_t words_max; /* of its inputs */
    } of[REWRITE_TYPE_COUNT];
    uint64_t entries; /* a bidirectional one is two */
};
/* Borrows the artifact's bytes; checks everything that is relied on. */
bool rewrites_read(const struct artifact *a, struct rewrites *out, struct err *err) MUSTCHECK;
/* An entry of a type as a rule: of a bidirectional one in the direction of its key. */
struct rewrite_rule rewrites_rule(const struct rewrites *r, enum rewrite_type type, struct str key, uint32_t entry);
/* All rules as they were given, one after the other, by type and input; `at` begins as zeros. False behind the last one. */
struct rewrites_at {
    unsigned type;
    uint32_t key, entry;
};
bool rewrites_next(const struct rewrites *r, struct rewrites_at *at, struct rewrite_rule *out);

struct rewrite_ask {
    unsigned types;        /* 1 << rewrite_type; REWRITE_ALL_TYPES */
    double min_confidence; /* of rules that jobs found */
};

struct rewrite_step {
    struct rewrite_rule rule; /* as it was applied: of a bidirectional synonym in this direction */
    struct str query;         /* what it left; of phrases and synonyms, which change nothing, the same as before */
};
struct rewrite_synonym {
    struct str text;
    uint64_t id;
    double confidence;
    bool manual;
};
/* Words that are searched together, in the order of the query. */
struct rewrite_term {
    struct str text;
    bool phrase;
    uint32_t first_synonym, synonyms_count;
};
struct rewriting {
    struct str normalised, rewritten;
    struct rewrite_step steps[REWRITE_STEPS_MAX];
    uint32_t steps_count;
    struct rewrite_term terms[REWRITE_TOKENS_MAX];
    uint32_t terms_count;
    struct rewrite_synonym synonyms[REWRITE_TOKENS_MAX];
    uint32_t synonyms_count;
};

/* Texts are in the arena, or in the artifact. Of a blank query everything is empty. `r` NULL: there are no rules. */
void rewrite_apply(const struct rewrites *r, struct str query, const struct rewrite_ask *ask, struct arena *arena,
                   struct rewriting *out);
/* The words with phrases in quotes: "new york" hotel. */
void rewriting_quoted(const struct rewriting *w, struct buf *out);
/* In the syntax of Lucene's query parsers, which Solr and Elasticsearch share, what is special escaped: "new york" (tv OR television). */
void rewriting_expanded(const struct rewriting *w, struct buf *out);
