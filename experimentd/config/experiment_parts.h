/* experiment_parts.h - inside of config/: the parts that the document of an experiment is read and written in. */
#pragma once
#include "experimentd/config/experiment.h"

/* What the document holds of each part, until it is read. */
struct audience_json {
    json_t *targeting, *segments, *not_segments, *urls, *prerequisites, *forced;
};
struct rollout_json {
    json_t *schedule, *ramp, *bandit, *interleave, *holdout, *analysis;
    struct str multiplicity, adjustment; /* {NULL, 0}: not said */
};

/* experiment.c: the reader's error stands when a check fails. */
void check_key(struct json_reader *r, const char *field, struct str key, bool capitals);
bool check_length(struct json_reader *r, const char *field, struct str text);
struct str json_text(const json_t *v, struct arena *arena);

/* audience.c: who gets in. Fields of the document, then (the variants are known) what they hold. */
void audience_fields(struct json_reader *r, struct audience_json *j, struct snapshot_experiment *e,
                     struct arena *arena);
bool audience_read(const struct audience_json *j, struct snapshot_experiment *e, struct arena *arena,
                   struct err *err) MUSTCHECK;
void audience_write(struct jsonw *w, const struct snapshot_experiment *e);
/* Refuses operators that no SDK knows: they would never be met. `what` names the field. */
bool condition_check(const json_t *condition, const char *what, struct err *err) MUSTCHECK;
/* A list of keys; field named in errors. */
bool read_keys(const json_t *list, const char *field, struct str_list *out, struct arena *arena,
               struct err *err) MUSTCHECK;

/* rollout.c: how it runs: default value, layer, schedule, ramp, sticky, bandit, interleaving, holdout. */
void rollout_fields(struct json_reader *r, struct rollout_json *j, struct snapshot_experiment *e, struct arena *arena);
bool rollout_read(const struct rollout_json *j, struct snapshot_experiment *e, struct arena *arena,
                  struct err *err) MUSTCHECK;
bool rollout_check(const struct snapshot_experiment *e, struct err *err) MUSTCHECK;
void rollout_write(struct jsonw *w, const struct snapshot_experiment *e);
/* A holdout's variants follow from its share. */
bool holdout_variants(const json_t *given, struct snapshot_experiment *e, struct arena *arena,
                      struct err *err) MUSTCHECK;

/* analysis.c: how its results are looked at, and what is decided from them. */
void analysis_fields(struct json_reader *r, struct rollout_json *j, struct snapshot_experiment *e, struct arena *arena);
bool analysis_read(const struct rollout_json *j, struct snapshot_experiment *e, struct err *err) MUSTCHECK;
bool analysis_check(const struct snapshot_experiment *e, struct err *err) MUSTCHECK; /* against metrics and variants */
void analysis_write(struct jsonw *w, const struct snapshot_experiment *e);
