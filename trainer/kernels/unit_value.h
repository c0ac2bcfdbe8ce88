/* unit_value.h - pure: what one unit is in one metric, from what is kept of it. */
#pragma once
#include "trainer/kernels/unit_total.h"

/* x, or x and y of a ratio; then, where the metric has covariates, the same of the time before: z, or z and w. */
struct unit_value {
    double values[4];
};

/* Up to which a unit's value counts: the definition's own cap and one from all units (NAN: none), the smaller one; INFINITY when there is
 * neither. */
double unit_value_cap(const struct program_metric *m, double pooled);
/* Whether enough time has passed to say what the unit is: a retention's window must be over. */
bool unit_value_is_known(const struct program_metric *m, const struct total *t, int64_t data_end_us);
/* What a sum of the numerator is worth. */
double unit_value_of_sum(const struct program_metric *m, double sum, double cap);
/* Of all forms but quantile. */
struct unit_value unit_value_of(const struct unit_totals *t, const struct total *total, const struct program_metric *m,
                                double cap);
