/* drawn.h - intervals by drawing the units anew, as the job "bootstrap" published them (docs/bootstrap.md): beside those of the formulas, never in
 * their place. */
#pragma once
#include "base/jsonw.h"
#include "experimentd/results/model.h"

struct result_drawn_interval {
    double estimate, se, lo, hi; /* NAN: the control is not above 0 in some replicate */
};

/* Of a metric, a treatment against the control. */
struct result_drawn {
    struct str metric, variant, control, run;
    int64_t n, control_n, replicates, seed;
    struct result_drawn_interval difference, lift;
    double level;
    int64_t as_of_us; /* when its run began */
    bool stale;       /* the moments are of a run that began later */
};

/* The rows of QUERY_RESULTS_BOOTSTRAP, in the arena; *out_count of them. */
const struct result_drawn *drawn_read(const PGresult *r, struct arena *arena, size_t *out_count);
/* "bootstrap" of a comparison with the control: null when there is none. */
void drawn_write(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant);
