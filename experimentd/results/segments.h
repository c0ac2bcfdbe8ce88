/* segments.h - the effect in each part of the units that a dimension makes: by country, device, language, …
 *
 * Looking at segments is looking often, and the best of many is lucky. So beside each comparison stand: p adjusted for all comparisons of
 * this view (Benjamini-Hochberg: of those that are found, a share of alpha is wrong), the difference drawn towards the common one as far
 * as chance explains the spread (stats/multiple/shrink.h), and, for each metric and treatment, whether the segments differ at all (Cochran's
 * Q) and whether all of them say one thing and the whole the opposite (Simpson). Pure; lives in the arena. */
#pragma once
#include "experimentd/results/model.h"
#include "stats/multiple/shrink.h"

struct segment_cell {
    bool compared;
    struct comparison c;
    struct str reason;     /* why not */
    double log_p_adjusted; /* natural logarithm */
    bool has_shrunk;
    struct shrunk shrunk; /* of c.difference */
};

/* A treatment over all segments. */
struct segment_effect {
    size_t compared;
    bool has_q;
    double q, q_df, log_p_q;
    bool simpson;
    bool has_shrink;
    struct shrink shrink;
    struct str why_not; /* no shrinkage: the reason */
};

struct segment_metric {
    const struct result_metric *metric;
    const struct result_part **values; /* most units first, what is other or unknown last */
    size_t values_count;
    struct segment_cell *cells;     /* [value * variants + variant]; of the control they are empty */
    struct segment_effect *effects; /* [variant] */
};

struct segments {
    size_t looks; /* comparisons of the view */
    struct segment_metric *metrics;
    size_t metrics_count;
};

/* Of the parts RESULT_SEGMENT that r holds. */
void segments_make(struct segments *out, const struct result *r, struct arena *arena);
