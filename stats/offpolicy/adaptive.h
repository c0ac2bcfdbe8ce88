/* adaptive.h - values of a bandit's arms after it has run: its weights moved, so the mean of an arm's units is not the mean of the arm.
 *
 * Who was ahead got the traffic of the later periods; when traffic itself changes (weekends, seasons), a pooled mean compares different days. Three ways out from the
 * same sums: inverse propensities (IPW: every reward divided by the probability that its arm had), the same self-normalised (Hájek), and means by period, each
 * with the period's share of all traffic; that one has a standard error from within the periods (V. Hadad et al., PNAS 118, 2021, has the theory).
 * Propensities must be logged; keep them at 1 % at least. Values in, values out. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/moments.h"

/* One arm in one period. */
struct adaptive_cell {
    double prob;      /* of the arm, while the period lasted */
    struct moments m; /* of its units */
};

struct adaptive_value {
    double naive, ipw, hajek; /* naive and hajek when the arm has units */
    double stratified;        /* when it has some in every period */
    double stratified_se;     /* when it has two in every period */
    bool has_units, has_stratified, has_se;
};

/* cells[period * arms + arm], totals[period]: units of all arms. Refuses no periods, probabilities that are not above 0 and up to 1, counts and moments that no
 * data can have, and a period of nobody. */
bool adaptive_values(const struct adaptive_cell *cells, const int64_t *totals, size_t periods, size_t arms,
                     struct adaptive_value *out, struct err *err) MUSTCHECK;
