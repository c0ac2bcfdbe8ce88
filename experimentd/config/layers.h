/* layers.h - who has which part of a layer. A layer's hash cuts its traffic into SNAPSHOT_SLOTS slots; running experiments and domains
 * each own some, so a unit is in at most one of them. */
#pragma once
#include "base/mem.h"
#include "experimentd/config/snapshot.h"

/* Slots for `share` of the layer: those that are there already (`have`) stay, more come from the free ones, lowest first. `self` (an experiment's
 * or domain's key) does not stand in its own way. ERR_CONFLICT when too few are free: says how many are, and who has the rest. */
bool layers_allocate(const struct snapshot *s, struct str layer, struct str self, double share,
                     const struct slot_ranges *have, struct arena *arena, struct slot_ranges *out,
                     struct err *err) MUSTCHECK;

/* The nested layers and domains above an experiment of this layer, from the layer itself outwards; at most LAYERS_DEPTH_MAX. */
enum { LAYERS_DEPTH_MAX = 8 };
struct layer_step {
    const struct snapshot_object *layer;
    const struct slot_ranges *slots; /* of it; NULL for the first: the experiment's own */
};
size_t layers_above(const struct snapshot *s, struct str layer, struct layer_step out[LAYERS_DEPTH_MAX]);

/* True when no unit can be in both: they have different parts of a layer that both lie under. */
bool layers_exclusive(const struct snapshot *s, const struct snapshot_experiment *a,
                      const struct snapshot_experiment *b);
bool layers_is_launch(const struct snapshot *s, const struct snapshot_experiment *e);
