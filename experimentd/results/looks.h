/* looks.h - the looks of a test with planned looks (group_sequential): which are taken, when the next one comes, and what they say.
 *
 * A look is due when the units (or, where those are planned, the days) have reached the next planned share, and once more when the experiment has been stopped before its end. It is taken by the
 * schedule from the moments that are there, and kept in the experiment's state: later signals change neither it nor the bounds. Between looks the
 * result is the last look's. A look that comes late (at 47 % when 40 % were planned) is a look at 47 %; shares that were jumped over are not looked
 * at. Pure, but for the state that life.h writes. */
#pragma once
#include "experimentd/results/analysis.h"

struct looks_plan result_looks_plan(const struct experiment_analysis *a);
/* The next one: at so many units of all variants, or, where days are planned, at an instant; the other is 0. */
struct looks_next {
    bool any;
    int64_t units, at_us;
};
struct looks_next looks_next(const struct snapshot_experiment *e);
/* Is a look due now? The share of the planned units, up to 1; 0: no. */
double looks_due(const struct result *r);
/* The look, as it would be kept. *out holds no cell when nothing can be compared yet. */
void looks_take(struct experiment_look *out, const struct result *r, double share, struct arena *arena);
/* The comparison of the last look into the cell; false with the reason when there is none. */
bool looks_read(const struct result *r, const struct result_metric *m, size_t variant, double alpha,
                struct arena *arena, struct analysed *cell, struct err *err) MUSTCHECK;
/* What the stop says, at the level at which it was one: of its family. */
void looks_read_stop(const struct result *r, const struct result_metric *m, size_t variant, double alpha,
                     struct arena *arena, struct tested_looks *t);
/* Its intervals at another level. */
bool looks_at_level(const struct result *r, const struct analysed *cell, double alpha, struct comparison *out,
                    struct err *err) MUSTCHECK;
