/* class_scores.h - pure: how right a classifier's probabilities were, and a champion's of the same texts.
 *
 * Of each text, means with normal intervals: accuracy (the share of its labels that the most likely class is), top3_accuracy (that the three most likely
 * ones are), log_likelihood (Σ share · ln p, p at least SCORES_LEAST; log loss with the other sign). Of the whole: confusion; macro F1, the mean over classes
 * that are there or were said of 2 tp / (2 tp + fp + fn); ECE (M. Naeini et al., AAAI 2015): over bins of the probability of the most likely class, Σ share
 * of texts |accuracy - probability|. Their intervals leave out one of SCORES_GROUPS groups of texts after the other (jackknife).
 *
 *   class_scores_init → class_scores_add for each text → class_scores_write … class_scores_read adds up, in the order of calls → class_scores_value */
#pragma once
#include "base/buf.h"
#include "stats/moments.h"
#include "trainer/kernels/classify/example.h"

#define SCORES_LEAST 1e-15
enum { SCORES_GROUPS = 20, SCORES_BINS = 15, SCORES_TOP = 3 };
enum class_score { SCORE_ACCURACY, SCORE_TOP3, SCORE_LIKELIHOOD, SCORE_COUNT };
enum class_side { SIDE_CANDIDATE, SIDE_CHAMPION, SIDE_COUNT };

struct class_bin {
    double texts, right, probability; /* sums */
};
struct class_scores {
    uint32_t classes;
    bool champion;
    struct moments2 m[SCORE_COUNT]; /* x: the candidate, y: the champion; x twice when there is none */
    /* Sums by group: of each class true positives, false positives, false negatives; bins. */
    double *counts[SIDE_COUNT]; /* [SCORES_GROUPS][classes][3] */
    struct class_bin bins[SIDE_COUNT][SCORES_GROUPS][SCORES_BINS];
    double *confusion; /* [classes: it is][classes: it was said to be], of the candidate */
};
void class_scores_init(struct class_scores *s, uint32_t classes, bool champion, struct arena *arena);

/* What one side says of a text: probabilities by the candidate's classes (0 where a champion does not know one), and the most likely ones, best first,
 * as such numbers, UINT32_MAX for a class that the candidate has not. */
struct class_said {
    const double *p;
    uint32_t best[SCORES_TOP], best_count;
    double best_p;
};
/* champion NULL: there is none. */
void class_scores_add(struct class_scores *s, const struct example *e, uint32_t group,
                      const struct class_said *candidate, const struct class_said *champion);

void class_scores_write(const struct class_scores *s, struct buf *out);
/* Adds what class_scores_write made, but moments, which go to *out_m for moments2_tree. */
bool class_scores_read(struct class_scores *s, struct str bytes, struct moments2 out_m[SCORE_COUNT]);

enum class_whole { WHOLE_MACRO_F1, WHOLE_ECE, WHOLE_COUNT };
struct class_value {
    double value[SIDE_COUNT], difference; /* candidate - champion */
    double se[SIDE_COUNT], difference_se;
};
/* False: fewer than two groups have texts. */
bool class_scores_whole(const struct class_scores *s, enum class_whole which, struct class_value *out);
/* Of all groups. */
struct class_bin class_scores_bin(const struct class_scores *s, enum class_side side, uint32_t bin);
void class_scores_counts(const struct class_scores *s, enum class_side side, uint32_t class, double out[3]);
