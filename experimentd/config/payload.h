/* payload.h - the configuration compiled into GrowthBook's model: the text that SDKs get, and what each of its rules stands for.
 *
 * A feature is a parameter that experiments vary. Its rules, in order: units that are forced into a variant; experiments; experiments of
 * launch layers (they give way to the others); the winner of a concluded experiment that is rolled out.
 *   layer and domains  → filters: one hash a level, over the slots
 *   holdout            → a feature of its own and parentConditions on it
 *   prerequisite       → parentConditions on the other's value
 *   segment            → savedGroups, or its condition put in
 *   URL rules          → conditions on the attribute "url" */
#pragma once
#include "base/mem.h"
#include "experimentd/config/snapshot.h"

struct payload {
    struct str json;                       /* {"features":{…},"savedGroups":{…}} */
    struct str features_json, groups_json; /* its two objects */
    struct snapshot_feature *list;
    size_t count;
};

enum { PAYLOAD_BYTES_MAX = 64 << 20 };

/* `drafts`: experiments that are drafts run, too (for QA keys). Text and rules are in the arena. ERR_TOO_LARGE beyond the limit. */
bool payload_build(const struct snapshot *s, bool drafts, struct arena *arena, struct payload *out,
                   struct err *err) MUSTCHECK;
/* Whether the holdout keeps units from the experiment. */
bool payload_holds_out(const struct snapshot_experiment *holdout, const struct snapshot_experiment *e);
