/* evidence.h - what the result of the experiment says of the version that is tried, by the code of results/: the verdict for the rule, why, and the numbers
 * that go into the story. Reads the database (a blocking connection); the leader's thread. */
#pragma once
#include "base/pg.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/loop/rule.h"

struct loop_evidence {
    enum loop_verdict verdict;
    struct str reason; /* in words, for the story; {NULL, 0}: nothing was aggregated of this phase */
    struct str
        json; /* {"measure": "lift"|"difference"|"delta", "value", "low", "high", "p", "level", …, "series": […]}; "{}" */
};

/* Of the current phase alone: what was aggregated before it began says nothing. Lives in the arena. */
bool loop_evidence_read(struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                        struct arena *arena, struct loop_evidence *out, struct err *err) MUSTCHECK;
