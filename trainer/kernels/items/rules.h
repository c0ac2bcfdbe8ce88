/* rules.h - pure: rules of a market basket: who has A (one item or two) also has c. From counts of sets of one, two and three items to rules with their measures.
 *
 *     support = n(A,c)/N   confidence = n(A,c)/n(A)   lift = confidence/(n(c)/N)   leverage = support - n(A)/N · n(c)/N
 *     p: Fisher's exact test of one side, that A and c come together no more often than by chance; q: p adjusted over all rules that there could have been
 *     (Benjamini-Hochberg), so that of the rules with q at most x a share of x is chance. Frequent sets alone are not that family: they were
 *     chosen by what is tested
 *     improvement of a rule of two: its confidence less the better one of its halves alone; of a rule of one, its confidence less n(c)/N
 *
 * R. Agrawal, R. Srikant, VLDB 1994; R. Bayardo, R. Agrawal, D. Gunopulos, ICDE 1999 (improvement); S. Brin et al., SIGMOD 1997 (lift). */
#pragma once
#include "base/mem.h"
#include "trainer/kernels/items/pair_sums.h"

enum rule_measure { RULE_CONFIDENCE, RULE_LIFT, RULE_LEVERAGE, RULE_SUPPORT, RULE_MEASURE_COUNT };
extern const char *const rule_measure_names[RULE_MEASURE_COUNT];
#define RULE_ONE UINT32_MAX /* second item of an antecedent of one */

struct rule {
    uint32_t first, second, then; /* first < second */
    uint64_t units;               /* n(A,c) */
    double measures[RULE_MEASURE_COUNT], improvement, log_p, log_q;
};

/* What was counted: item_units[i] units had item i; pairs (key a < b) and triples (key: number of the pair, c > b) are the frequent ones, by key. */
struct rule_counts {
    uint64_t units, min_count; /* a set of fewer units is not frequent */
    uint32_t items;
    const uint32_t *item_units;
    const struct pair_sum *pairs, *triples;
    size_t pairs_count, triples_count;
};
/* All rules of these sets, two of a pair and three of a triple, in the order of sets. */
size_t rules_count(const struct rule_counts *c);
void rules_make(const struct rule_counts *c, struct rule *out);
/* Rules that there could have been: of each two items with min_count units or more, both ways; of each frequent pair to each other such item. */
double rules_possible(const struct rule_counts *c);
/* Sets log_q of all, as the smallest p of so many tests. */
void rules_adjust(struct rule *rules, size_t count, double possible);

struct rule_limits {
    double min_confidence, min_lift, min_improvement, max_q;
    enum rule_measure by;
};
/* Keeps those within the limits, ordered by antecedent, then greatest measure, then number; how many. A lift of at most 1 is never kept. */
size_t rules_choose(struct rule *rules, size_t count, const struct rule_limits *limits);
