/* compare.h - pure: two versions of a model side by side: what they were told, on which days, how good they were, and how much of their lists is the same.
 *
 * {"a", "b", "params": [{"name", "a", "b"}] that differ, "window", "evaluation", "counts": each {"a", "b"}, "metrics": [{"name", "a", "b", "difference"}], "lists":
 * [{"section", "keys_a", "keys_b", "keys_both", "same", "overlap"}]}
 * same: keys of both whose first COMPARE_TOP entries are the same in the same order. overlap: the mean over keys of both of |A ∩ B| / |A ∪ B| of these (Jaccard).
 * Metrics are compared as they were measured: on the days of each, which may be others. */
#pragma once
#include "base/buf.h"
#include "model/artifact.h"

enum { COMPARE_TOP = 10 };

struct compared {
    int version;
    struct str card, metrics; /* JSON */
    const struct artifact *artifact;
};
/* ERR_SYSTEM: a card, a metric or a section cannot be read. */
bool compare_write(const struct compared *a, const struct compared *b, struct buf *out, struct err *err) MUSTCHECK;
