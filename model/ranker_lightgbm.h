/* ranker_lightgbm.h - models of LightGBM: reading the text of Booster.save_model (version 3 and 4).
 *
 * What is read decides as LightGBM does on float32 values: a value goes left when it is at most the threshold, a double, so ours is the float above the
 * greatest one that does. Leaves become floats, and their sum is a float's. A missing value: of type NaN it goes where the node says, of type None it is 0.
 * Refused, by name: categorical splits, linear leaves, missing type Zero, several trees an iteration. */
#pragma once
#include "model/ranker.h"

/* All is the arena's. */
bool ranker_lightgbm_read(struct str text, struct arena *arena, struct ranker_forest *out, struct err *err) MUSTCHECK;
