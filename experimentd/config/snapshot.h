/* snapshot.h - everything a worker needs to answer without the database: experiments ready to evaluate, keys, metrics.
 *
 * Built whole by the control thread, checked, then published; never edited. Workers read it without a lock: snapshot_get() is
 * valid until the callback returns; snapshot_quiescent() after each loop turn says that no callback is on the stack, and a
 * retired snapshot is freed when every slot has said so since (house style, section 7). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "experimentd/http/http.h"

struct pg;
struct assign_payload;

enum experiment_status { EXPERIMENT_DRAFT, EXPERIMENT_RUNNING, EXPERIMENT_STOPPED, EXPERIMENT_STATUS_COUNT };
enum experiment_kind { EXPERIMENT_AB, EXPERIMENT_BANDIT, EXPERIMENT_INTERLEAVE, EXPERIMENT_KIND_COUNT };

struct snapshot_variant {
    struct str key, name;
    double weight;
    struct str value_json; /* serialised once */
};

struct snapshot_experiment {
    struct str key, name, hypothesis, hash_attribute, seed, origin;
    enum experiment_status status;
    int hash_version;
    double coverage;
    int64_t version, created_us, started_us, stopped_us; /* 0: not yet */
    struct snapshot_variant *variants;
    size_t variants_count;
    struct {
        struct str metric, role;
    } * metrics;
    size_t metrics_count;
    const void *assign; /* of config/: libassign's compiled form and the reply fragments */
};

struct snapshot_metric {
    struct str key, name, description, kind, direction, display;
};

/* What a rule of a feature stands for: the payload's rules, one to one. */
enum rule_kind {
    RULE_EXPERIMENT, /* splits units over the experiment's variants */
    RULE_FORCED,     /* named units get this variant */
    RULE_HOLDOUT,    /* units that are held out get the default value */
    RULE_KIND_COUNT
};
struct snapshot_rule {
    enum rule_kind kind;
    const struct snapshot_experiment *experiment; /* NULL: of a holdout's own feature */
    int variant;                                  /* RULE_FORCED */
};

/* A feature (a parameter of the search that experiments vary): what SDKs and OpenFeature call a flag. */
struct snapshot_feature {
    struct str key;
    const struct snapshot_rule *rules;
    size_t rules_count;
    bool internal; /* a holdout's own: evaluated for others, in no list of flags */
};

struct snapshot {
    int64_t version;                         /* config_version */
    struct snapshot_experiment *experiments; /* by key, ascending */
    size_t experiments_count;
    struct snapshot_metric *metrics; /* by key, ascending */
    size_t metrics_count;
    /* The configuration compiled into GrowthBook's model; every front door evaluates this, and SDKs get the same as text. */
    const struct assign_payload *payload;
    const struct snapshot_feature *features; /* numbered as in the payload */
    size_t features_count;
    struct str payload_json; /* body of GET /api/features/{client_key}: {"status":200,"features":…,"dateUpdated":…} */
    struct str payload_etag; /* with its quotes; changes with the payload, the same on every daemon */
    int64_t payload_version; /* config_version of the last edit that changed the payload as this daemon saw it */
    /* private parts behind: arena, keyring */
};

/* Reads the whole configuration (one transaction) and builds it. Control thread. */
struct snapshot *snapshot_load(struct pg *pg, struct err *err);
void snapshot_free(struct snapshot *s);

/* Readers' slots: workers 0 … slots-1. Call once before the first worker starts. */
void snapshot_init(unsigned slots);
void snapshot_publish(struct snapshot *next); /* control thread; owns next from now on */
void snapshot_collect(void);                  /* control thread, by timer: frees what no reader can hold */
const struct snapshot *snapshot_get(void);    /* NULL before the first publish */
void snapshot_quiescent(unsigned slot);
void snapshot_leave(unsigned slot); /* the worker has ended */
void snapshot_shutdown(void);       /* frees all; no reader is left */

const struct snapshot_experiment *snapshot_experiment(const struct snapshot *s, struct str key);
const struct snapshot_metric *snapshot_metric(const struct snapshot *s, struct str key);
/* The scope of a presented key, SCOPE_NONE when unknown or revoked; *out_label is valid as long as the snapshot. */
enum key_scope snapshot_key_scope(const struct snapshot *s, struct str key, struct str *out_label);
