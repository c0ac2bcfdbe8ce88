/* experiment.h - an experiment as a user describes it: read, checked, every fault named, and written again in one form.
 *
 * The document (docs/experiments.md has it by example) is stored as experiments.spec; API bodies and stored rows are read by the same
 * function, so what is in the database can always be sent back. */
#pragma once
#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/config/snapshot.h"

/* BYTES: of the whole document, so of all values together. */
enum {
    EXPERIMENT_VARIANTS_MAX = 100,
    EXPERIMENT_METRICS_MAX = 50,
    EXPERIMENT_KEY_MAX = 100,
    EXPERIMENT_TEXT_MAX = 2000,
    EXPERIMENT_LIST_MAX = 100, /* segments, URL rules, prerequisites, steps of a ramp */
    EXPERIMENT_FORCED_MAX = 1000,
    EXPERIMENT_BYTES_MAX = 256 << 10
};

/* Fills in what a user wrote; defaults stand, weights are explicit. Everything is copied to the arena. Knows nothing of the rest of the
 * configuration: that is experiment_check. */
bool experiment_read(json_t *root, struct arena *arena, struct snapshot_experiment *e, struct err *err) MUSTCHECK;
/* The members of the document, in their one order. */
void experiment_write(struct jsonw *w, const struct snapshot_experiment *e);
/* Of how it is looked at: the method, its level and what was planned, without the looks. */
void analysis_write_plan(struct jsonw *w, const struct experiment_analysis *a);
/* The whole document as text, as it is stored. ERR_TOO_LARGE beyond EXPERIMENT_BYTES_MAX. */
bool experiment_spec(const struct snapshot_experiment *e, struct arena *arena, struct str *out,
                     struct err *err) MUSTCHECK;

/* What it names is there and fits: metrics, layer, segments, prerequisites (no cycle). */
bool experiment_check(const struct snapshot_experiment *e, const struct snapshot *s, struct err *err) MUSTCHECK;
/* What may not change while `was` is as it is (ERR_CONFLICT, with the reason and what to do instead); both also as documents. `now` has the
 * state of `was`. */
bool experiment_change(const struct snapshot_experiment *was, const json_t *before, const json_t *after,
                       const struct snapshot_experiment *now, struct err *err) MUSTCHECK;

/* The coverage that counts now: of the ramp's step, or as written. */
double experiment_coverage(const struct snapshot_experiment *e);
/* Weight of a variant now: a bandit's own, or as written. */
double experiment_weight(const struct snapshot_experiment *e, size_t variant);
/* The seed that is hashed now: as written, with the number of times that units were assigned anew behind it. */
struct str experiment_seed(const struct snapshot_experiment *e, struct arena *arena);
int experiment_variant(const struct snapshot_experiment *e, struct str key); /* its index, or -1 */
