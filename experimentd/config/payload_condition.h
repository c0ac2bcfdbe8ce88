/* payload_condition.h - inside of config/: who gets in, as conditions of GrowthBook's model. */
#pragma once
#include "base/jsonw.h"
#include "base/mem.h"
#include "experimentd/config/snapshot.h"

/* "condition": targeting, segments and URL rules together; nothing when everybody may. */
void payload_write_condition(struct jsonw *w, const struct snapshot *s, const struct snapshot_experiment *e,
                             struct arena *arena);
/* "parentConditions": prerequisites, and the holdouts among `live` that hold units of e out. */
void payload_write_parents(struct jsonw *w, const struct snapshot *s, const struct snapshot_experiment *e,
                           const struct snapshot_experiment *const *live, size_t live_count);
/* "savedGroups": values of the segments that `live` name. */
void payload_write_groups(struct jsonw *w, const struct snapshot *s, const struct snapshot_experiment *const *live,
                          size_t live_count);
