/* spec.h - what a person tells the loop of a model: its document, read and written in one form, and the experiment that it makes.
 *
 *   {"kind": "ab"|"interleave", "experiment": "loop-ranker", "traffic": 0.1, "metrics": […], "min_days": 7, "max_days": 28,
 *    "approve": "automatic"|"person", "on_alarm": "roll_back"|"wait", "notify": {"url"}, and members of the experiment: fields[] in spec.c}
 *
 * The experiment stands: it is made once and begins a new phase for each challenger. Its variants are "champion" (the control) and "challenger", whose values
 * name model and alias, so that a front end asks for the alias of its variant. Units outside it have the champion's. Pure. */
#pragma once
#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/config/snapshot.h"

enum { LOOP_SPEC_MAX = 64 << 10 };

struct loop_spec {
    enum experiment_kind kind; /* AB or INTERLEAVE */
    struct str model, experiment;
    double traffic; /* share of the units that are in the experiment; half of them see the challenger */
    int64_t min_days, max_days;
    bool asks; /* a person has to approve */
    bool
        alarm_ends; /* an alarm that spoils the numbers ends it; else it waits until the alarm has gone or max_days have passed */
    struct str notify_url;
    const json_t *root; /* borrowed: members that are the experiment's are there as they were given */
};

/* Strict; defaults stand. `root` has to live as long as *out. What the experiment's own members say is checked by loop_spec_experiment. */
bool loop_spec_read(json_t *root, struct str model, struct arena *arena, struct loop_spec *out,
                    struct err *err) MUSTCHECK;
void loop_spec_write(struct jsonw *w, const struct loop_spec *s);
/* The experiment's document; for a new phase what may change in one, with null for what the loop does not say. */
struct str loop_spec_document(const struct loop_spec *s, bool phase, struct arena *arena);
/* That document, read: what is wrong with it is an error of the loop. */
bool loop_spec_experiment(const struct loop_spec *s, struct arena *arena, struct snapshot_experiment *out,
                          struct err *err) MUSTCHECK;
/* Is this experiment one that the loop may take for its own: variants, kind, parameter and unit are what they would be. */
bool loop_spec_fits(const struct loop_spec *s, const struct snapshot_experiment *e, struct arena *arena,
                    struct err *err) MUSTCHECK;
