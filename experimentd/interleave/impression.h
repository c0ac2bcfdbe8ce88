/* impression.h - the list that a query was shown, kept as a signal of type "interleave", so that clicks can be credited later by query id.
 *
 * params: {"experiment", "method", "length", "docs": […], "owners": [variant or null, …]} and what credit needs besides:
 *   optimized   "credit": […]              what a click on each position gives its owner
 *   balanced    "ranks": [[a, b], …]       of each document in both rankings, 0 absent
 * At most SIGNAL_PARAMS_MAX bytes: of a longer list the first positions that fit; "length" is what was shown.
 *
 * Its id is made of experiment and query id: a query that is asked for again, here or on another daemon, stays one impression, the first. */
#pragma once
#include "experimentd/ingest/signal.h"
#include "experimentd/interleave/request.h"

struct impression {
    struct str experiment;
    enum interleave_method method;
    const struct str *variants; /* as the rankings are numbered */
    const struct interleave_docs *docs;
    const struct interleave_list *list;
};

/* A signal whose id, type, query id, unit and params are filled in; its times are now. Texts are in the arena or borrowed. */
void impression_signal(const struct impression *im, const struct interleave_request *q, struct arena *arena,
                       struct signal *out);
