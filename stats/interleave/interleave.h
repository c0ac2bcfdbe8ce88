/* interleave.h - merging the rankings of two or more variants into the one list that a user sees, and giving his clicks to variants.
 *
 * Pure: documents are numbers that the caller gave them, coins come from a stream of the caller's, memory is the caller's. The same
 * rankings and the same coins give the same list.
 *
 *   method       rankings  who owns a document                       reference
 *   team_draft   2         the team that drafted it                  F. Radlinski, M. Kurup, T. Joachims, CIKM 2008
 *   balanced     2         the ranking whose turn it was; credit      T. Joachims, KDD 2002; O. Chapelle, T. Joachims, F. Radlinski,
 *                          goes by ranks instead                      Y. Yue, TOIS 30 (2012)
 *   optimized    2         the ranking that has it higher            F. Radlinski, N. Craswell, WSDM 2013
 *   multileave   2 … 10    the team that drafted it                  A. Schuth, F. Sietsma, S. Whiteson, D. Lefortier, M. de Rijke,
 *                                                                     CIKM 2014
 *
 * A ranking may be empty or shorter than the list: the others go on alone, and the list ends when all are used up. A document twice in one
 * ranking is refused. Any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    INTERLEAVE_RANKINGS_MAX = 10,
    INTERLEAVE_RANKING_MAX = 1000, /* documents of one ranking */
    INTERLEAVE_DOCS_MAX = INTERLEAVE_RANKINGS_MAX * INTERLEAVE_RANKING_MAX,
    INTERLEAVE_OPTIMIZED_MAX = 10, /* positions that are optimised: 2^10 lists at most */
    INTERLEAVE_COIN_MAX = 1 << 30
};
#define INTERLEAVE_NEUTRAL (-1) /* owner of what counts for nobody */

enum interleave_method {
    INTERLEAVE_TEAM_DRAFT,
    INTERLEAVE_BALANCED,
    INTERLEAVE_OPTIMIZED,
    INTERLEAVE_MULTILEAVE,
    INTERLEAVE_METHOD_COUNT
};
extern const char *const interleave_method_names[INTERLEAVE_METHOD_COUNT];
/* INTERLEAVE_METHOD_COUNT: no method of that name. */
enum interleave_method interleave_method_of(const char *name, size_t n);

/* Documents are numbered 0 … docs_count-1, best first. */
struct interleave_rankings {
    size_t count, docs_count;
    const int32_t *docs[INTERLEAVE_RANKINGS_MAX];
    size_t lengths[INTERLEAVE_RANKINGS_MAX];
};

/* A number 0 … n-1, each as likely as the others; n is at most INTERLEAVE_COIN_MAX. One call is one coin. */
struct interleave_coins {
    unsigned (*toss)(void *arg, unsigned n);
    void *arg;
};

/* Room for `length` positions is the caller's. */
struct interleave_list {
    size_t n;
    int32_t *docs;
    int8_t *owners; /* index of a ranking, or INTERLEAVE_NEUTRAL */
    double *credit; /* what a click on it gives its owner: 1, but for optimised; may be NULL */
};

/* Refuses a number of rankings that the method cannot merge, a ranking over its limit, a document twice in one ranking, length 0. The
 * functions that merge expect what passed. */
bool interleave_check(enum interleave_method method, const struct interleave_rankings *r, size_t length,
                      struct err *err) MUSTCHECK;
/* Merges into at most `length` positions. */
void interleave_merge(enum interleave_method method, const struct interleave_rankings *r, size_t length,
                      const struct interleave_coins *coins, struct interleave_list *out);

/* Team draft for any number of teams: of the teams with the fewest documents one picks its best that nobody has; a coin decides, and is
 * tossed only when several are level. A team whose ranking is used up lets the others pick. */
void interleave_draft(const struct interleave_rankings *r, size_t length, const struct interleave_coins *coins,
                      struct interleave_list *out);
/* The ranking that is read less far gives its next document, if it is not there yet; `first` goes first when both are read as far. */
void interleave_balanced(const struct interleave_rankings *r, size_t length, size_t first, struct interleave_list *out);

/* The rank of a document, from 1, or 0 when the ranking lacks it. */
size_t interleave_rank(const struct interleave_rankings *r, size_t ranking, int32_t doc);

/* ---- credit ---- */

/* Refuses clicks that are not positions 0 … n-1. */
bool interleave_check_clicks(const size_t *clicks, size_t clicks_n, size_t n, struct err *err) MUSTCHECK;
/* The sum over the clicks of what each gives its owner (`credit`; NULL: 1 each). A position that is given twice counts twice. */
void interleave_credit(const int8_t *owners, const double *credit, const size_t *clicks, size_t clicks_n,
                       double *out_credit, size_t teams);
/* Balanced merging: how many of the clicked documents are among the first k of each ranking, where k is the best rank that either gives to
 * the lowest clicked document. ranks[i][t] is the rank of position i in ranking t, 0 absent. */
void interleave_credit_balanced(const uint16_t (*ranks)[2], const size_t *clicks, size_t clicks_n,
                                double out_credit[2]);
/* The one with the most credit, or INTERLEAVE_NEUTRAL when several have it. */
int interleave_winner(const double *credit, size_t teams);
