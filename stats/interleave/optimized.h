/* optimized.h - optimised interleaving (F. Radlinski, N. Craswell, WSDM 2013) of two rankings.
 *
 * Lists: each position shows the best document that is not there yet of either ranking, so that no list shows anything that both rankings
 * put lower (the prefix constraint). Two choices at most a position: a tree of at most 2^10 lists.
 * Credit δ(d) of a click: positive for the first ranking, negative for the second.
 * Distribution: p >= 0, Σ p(L) = 1, and for each position k: Σ p(L) δ(L_k) = 0, so that whoever clicks without reading, however deep,
 * prefers neither. Of those the one with the largest Σ p(L) s(L), where s(L) is the entropy of who gets a click that falls on position i
 * in proportion to 1/i.
 * Two rankings of one length allow such a distribution with inverse and linear credit; where a ranking ends early, or with binary credit,
 * there may be none. Then as many positions are optimised as can be, and the rest follows by taking turns and belongs to nobody: what has
 * an owner is fair, always.
 *
 * A linear program of at most 11 rows and 2^10 columns, solved by the simplex method: 200 kB of stack.
 * Positions behind the tenth likewise belong to nobody. */
#pragma once
#include "stats/interleave/interleave.h"

enum interleave_credit_kind {
    INTERLEAVE_CREDIT_BINARY,  /* sign of (rank_B - rank_A): who has it higher */
    INTERLEAVE_CREDIT_INVERSE, /* 1/rank_A - 1/rank_B */
    INTERLEAVE_CREDIT_LINEAR   /* rank_B - rank_A */
};
/* A document that a ranking lacks has the rank behind its last. */
double interleave_credit_of(enum interleave_credit_kind kind, size_t rank_a, size_t length_a, size_t rank_b,
                            size_t length_b);

/* What a pair of rankings allows: a list is the path of its choices, bit i set where position i is the second ranking's. */
struct interleave_lists {
    size_t count, positions;
    uint16_t paths[1 << INTERLEAVE_OPTIMIZED_MAX];
    double credit[INTERLEAVE_OPTIMIZED_MAX][1 << INTERLEAVE_OPTIMIZED_MAX]; /* δ(L_k) of each list */
    double p[1 << INTERLEAVE_OPTIMIZED_MAX];
};
/* All lists of the first `length` positions (at most INTERLEAVE_OPTIMIZED_MAX), or of as many as can be unbiased, with their
 * probabilities. */
void interleave_optimize(const struct interleave_rankings *r, size_t length, enum interleave_credit_kind kind,
                         struct interleave_lists *out);
/* One coin draws the list. Owners are the signs of δ (INTERLEAVE_NEUTRAL where it is 0), credits its size. */
void interleave_optimized(const struct interleave_rankings *r, size_t length, enum interleave_credit_kind kind,
                          const struct interleave_coins *coins, struct interleave_list *out);
