/* state.h - what the server decided about an experiment (experiments.state): slots of its layer, ramp, weights of a bandit, how it ended. */
#pragma once
#include "base/json.h"
#include "experimentd/config/snapshot.h"

/* Members that are absent or make no sense leave what stands. */
void state_read(const json_t *state, struct arena *arena, struct snapshot_experiment *e);
struct str state_write(const struct snapshot_experiment *e, struct arena *arena);
/* [[lo, hi], …] */
void slots_read(const json_t *list, struct arena *arena, struct slot_ranges *out);
struct str slots_write(const struct slot_ranges *slots, struct arena *arena); /* {"slots":[[lo, hi], …]} */
