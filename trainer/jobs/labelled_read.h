/* labelled_read.h - labelled texts (docs/query-intent.md) as one snapshot has them. */
#pragma once
#include "trainer/jobs/job.h"

struct labelled_label {
    struct str label;
    uint64_t texts;
};
struct labelled_read {
    struct pg *pg;       /* in a transaction that only reads */
    struct str snapshot; /* its name, for kernels; in the arena */
    const char *set;     /* the run's parameter "texts" */
    int64_t version, updated_us;
    struct labelled_label *labels; /* all, sorted by bytes */
    uint32_t labels_count;
    struct str *bounds; /* the first text of each range; as many as the run's parameter "ranges", or fewer */
    uint32_t ranges;
};
/* ERR_INVALID: there is no such set. Close it in any case. */
bool labelled_read_open(struct labelled_read *r, struct run_context *run, struct arena *arena,
                        struct err *err) MUSTCHECK;
void labelled_read_close(struct labelled_read *r);
