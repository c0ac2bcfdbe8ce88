/* experiment.h - an experiment as a client describes it: parsed, checked, every fault named. */
#pragma once
#include "base/mem.h"
#include "experimentd/config/snapshot.h"

/* BYTES: of the canonical object, so of all values together. */
enum {
    EXPERIMENT_VARIANTS_MAX = 100,
    EXPERIMENT_METRICS_MAX = 50,
    EXPERIMENT_KEY_MAX = 100,
    EXPERIMENT_TEXT_MAX = 2000,
    EXPERIMENT_BYTES_MAX = 256 << 10
};

/* Reads and checks the body of POST /v1/experiments; *out_json is the canonical object that the statement takes: defaults filled
 * in, weights explicit. The snapshot says which metrics there are. */
bool experiment_parse(struct str body, const struct snapshot *s, struct arena *arena, struct str *out_key,
                      struct str *out_json, struct err *err) MUSTCHECK;
