/* training.h - from what a job trained to a version of a model: the champion it has to beat, the artifact into the database, the alias moved or not.
 *
 *   training_begin → train → artifact (its section "card": training_card) → training_champion, a gate (gate.h) → training_publish
 *
 * Artifact, version and alias are one transaction with the end of the run: there is never one without the others. Two runs of one model that end at
 * the same time are one behind the other; the later one is refused when the champion is not the one that it was compared with. */
#pragma once
#include "model/artifact.h"
#include "trainer/jobs/job.h"
#include "trainer/models/gate.h"

/* What a job says of what it trained. */
struct training {
    const char *model; /* training_model() */
    const char *kind;  /* of the artifact */
    struct str file;   /* the artifact ... */
    const char *digest;
    int32_t from, until;           /* days of the data, both included; from INT32_MIN: all up to then */
    int32_t eval_from, eval_until; /* of the evaluation; eval_from > eval_until: there was none */
    uint64_t days;                 /* how many of the days have rows; 0: not counted */
    uint64_t seed, rows, units, items;
    struct str metrics; /* JSON object (gate_metrics_json); {NULL, 0}: none */
};

/* The run's parameter "model", by default the job's name. */
const char *training_model(const struct run_context *run);
/* First of all: refuses what would be refused at the end. ERR_INVALID when the name is none, or the model is there with another kind. */
bool training_begin(struct run_context *run, const char *kind, struct err *err) MUSTCHECK;
/* The section "card" of the artifact: job, parameters, windows, counts. Nothing of the run itself: the same data gives the same bytes. */
void training_card(const struct run_context *run, const struct training *t, struct buf *out);

/* run_too_little when `seen` is below the run's parameter `param`: "too little data: 12 units, parameter "min_units" asks for 100". */
bool training_enough(const struct run_context *run, const char *what, uint64_t seen, const char *param,
                     struct err *err) MUSTCHECK;

/* The artifact that alias champion points to: its bytes in *file (init it with ARTIFACT_BYTES_MAX), which *out borrows. *out_version 0 and bytes.p NULL: there
 * is none. One that is damaged in the database is an error: it cannot be compared with. */
bool training_champion(struct run_context *run, const char *model, struct buf *file, struct artifact *out,
                       int *out_version, struct err *err) MUSTCHECK;

/* The same of any version: its number, or an alias. */
bool training_version(struct run_context *run, const char *model, const char *which, struct buf *file,
                      struct artifact *out, int *out_version, struct err *err) MUSTCHECK;

/* Stores artifact and version; moves alias champion when the gate passed it, else its status is "refused", with the reason. Of a model with a loop
 * (docs/loop.md) that has a champion what passed becomes alias challenger or next instead, and users decide. Each is a success of the run, and said.
 * Begins and ends the publishing transaction. */
bool training_publish(struct run_context *run, const struct training *t, const struct gate_outcome *gate,
                      struct err *err) MUSTCHECK;
/* The middle of it, for a job that publishes more in the same transaction: between run_publish_begin and run_publish_end; sets run_result. */
bool training_store(struct run_context *run, const struct training *t, const struct gate_outcome *gate,
                    struct err *err) MUSTCHECK;
