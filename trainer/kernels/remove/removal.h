/* removal.h - pure: whether queries do better without a word.
 *
 * A case is a query with the word beside the query without it, both known. How a query does is the share of its searches that find something, or that end in a
 * click. Over all cases of a word, whether their queries do well or badly,
 *
 *   gain = Σ n (p' - p) / Σ n,   p = (x + 1) / (n + 2) with the word, p' without it, n the searches with it
 *   SE²  = Σ (n / Σ n)² (p (1 - p) / (n + 2) + p' (1 - p') / (n' + 2))
 *
 * which for one case is A. Agresti and B. Caffo's interval (American Statistician 54, 2000). A word passes where the gain is large enough and its lower
 * bound above 0 for results or for clicks. Where the other measure is worse by more than chance, it is refused.
 *
 * Of a word that passes in enough cases, all are one rule: leave it out, unless too many searches are in cases that do worse without it. Else each case that
 * passes by itself is a rule for its query. */
#pragma once
#include "base/buf.h"

struct removal_counts {
    uint64_t searches, found, clicked; /* found: searches with results; clicked: searches, at most all of them */
};
struct removal_case {
    struct str query, rest; /* with, without the word */
    struct removal_counts with, without;
};

enum removal_measure { REMOVAL_RESULTS, REMOVAL_CLICKS, REMOVAL_MEASURE_COUNT };
extern const char *const removal_measure_names[REMOVAL_MEASURE_COUNT];

struct removal_rules {
    double min_gain;       /* 0 … 1 */
    double z;              /* of the test */
    uint64_t min_contexts; /* cases of a word, for it to be a rule for all queries */
    double max_harm;       /* share of searches in cases that do worse without */
};

struct removal {
    struct str input, output; /* the word and nothing, or a query and what stays */
    enum removal_measure measure;
    double gain, low;     /* low: of 95 % */
    double with, without; /* the measure's shares, without the additions: with weighed by the searches with the word */
    double harm;
    uint64_t contexts, searches;
    struct str example; /* a query, when the input is a word */
};
void removal_write(struct buf *out, const struct removal *r);
bool removal_read(struct str *in, struct removal *out);
/* Most searches first, of as many by text. */
int removal_compare(const void *a, const void *b);

/* Sorts the cases of one word by query; gives each rule to fn. */
typedef bool (*removal_fn)(void *arg, const struct removal *r, struct err *err);
bool removal_judge(struct str word, struct removal_case *cases, size_t count, const struct removal_rules *rules,
                   removal_fn fn, void *arg, struct err *err) MUSTCHECK;

/* Of all that was found: no rule for a query where a word's rule applies, and of several for a query the one that keeps most words, of these the surest. Moves
 * them to the front, in the order of removal_compare; how many. */
size_t removals_choose(struct removal *list, size_t count);
