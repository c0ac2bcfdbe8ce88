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
struct signal_schema;

enum experiment_status {
    EXPERIMENT_DRAFT,
    EXPERIMENT_RUNNING,
    EXPERIMENT_STOPPED,
    EXPERIMENT_CONCLUDED,
    EXPERIMENT_STATUS_COUNT
};
enum experiment_kind {
    EXPERIMENT_AB,
    EXPERIMENT_BANDIT,     /* a job sets the weights */
    EXPERIMENT_INTERLEAVE, /* variants' rankings are merged into one list */
    EXPERIMENT_HOLDOUT,    /* units that other experiments leave out */
    EXPERIMENT_KIND_COUNT
};
extern const char *const experiment_status_names[EXPERIMENT_STATUS_COUNT];
extern const char *const experiment_kind_names[EXPERIMENT_KIND_COUNT];

struct snapshot_variant {
    struct str key, name;
    double weight;
    struct str value_json; /* serialised once */
};

struct str_list {
    struct str *p;
    size_t n;
};

/* A rule on the attribute "url": the whole address, or the part from its path on. */
struct experiment_url {
    struct str pattern;
    bool regex, include;
};

/* Only units whose variant of another experiment is one of these. */
struct experiment_prerequisite {
    struct str experiment;
    struct str_list variants;
};

struct experiment_ramp_step {
    double coverage;
    int64_t hold_us;
};

/* A unit that gets this variant whatever its hash. */
struct experiment_forced {
    struct str unit;
    int variant;
};

/* A half-open part of a layer: slots lo <= n < hi of SNAPSHOT_SLOTS. */
enum { SNAPSHOT_SLOTS = 10000 };
struct slot_range {
    int lo, hi;
};
struct slot_ranges {
    struct slot_range *p;
    size_t n;
};

/* How its results are looked at. Declared before it starts: who chooses between them when the numbers are there has looked twice. */
enum analysis_method {
    ANALYSIS_ANY_TIME,         /* as often as one likes */
    ANALYSIS_GROUP_SEQUENTIAL, /* at planned looks, and stopped when one of them is clear */
    ANALYSIS_FIXED,            /* once, at the end that was planned */
    ANALYSIS_METHOD_COUNT
};
extern const char *const analysis_method_names[ANALYSIS_METHOD_COUNT];
/* How much of the error each planned look may spend. */
enum analysis_spending {
    ANALYSIS_OBRIEN_FLEMING,
    ANALYSIS_POCOCK,
    ANALYSIS_POWER,
    ANALYSIS_HSD,
    ANALYSIS_HAYBITTLE_PETO,
    ANALYSIS_SPENDING_COUNT
};
extern const char *const analysis_spending_names[ANALYSIS_SPENDING_COUNT];
enum { ANALYSIS_LOOKS_MAX = 50 };
struct experiment_analysis {
    enum analysis_method method;
    int64_t
        planned_units; /* of all variants together; of any time: where the intervals are narrowest; of fixed: 0, not said */
    int64_t
        planned_days; /* of fixed: the end; of group_sequential: looks are shares of them, not of units; 0: not said */
    double level;
    enum analysis_spending spending;  /* this and what follows: of group_sequential */
    double spending_parameter;        /* of power and hsd */
    double looks[ANALYSIS_LOOKS_MAX]; /* shares of planned_units, ascending, the last one 1 */
    size_t looks_count;
};

/* A look that was taken (group_sequential): what each comparison was then, so that later signals cannot change it. */
struct experiment_look_cell {
    struct str metric, variant;
    int64_t n_c, n_t;
    int by; /* enum effect_by */
    double difference, se, base, base_variance, with_variance, covariance, variance_reduction;
    double log_p; /* sequential, up to and with this look */
};
struct experiment_look {
    double share; /* of the planned units */
    int64_t units, as_of_us;
    struct experiment_look_cell *cells;
    size_t cells_count;
};

/* What is done about many metrics and variants that are tested together. */
enum multiplicity {
    MULTIPLICITY_HIERARCHICAL, /* primary metrics first, secondary ones when those have been shown; guardrails by themselves */
    MULTIPLICITY_HOLM,
    MULTIPLICITY_BH,
    MULTIPLICITY_NONE,
    MULTIPLICITY_COUNT
};
extern const char *const multiplicity_names[MULTIPLICITY_COUNT];
/* What is made of what was known of the units before. */
enum adjustment { ADJUSTMENT_NONE, ADJUSTMENT_CUPED, ADJUSTMENT_STRATA, ADJUSTMENT_BOTH, ADJUSTMENT_COUNT };
extern const char *const adjustment_names[ADJUSTMENT_COUNT];

struct experiment_metric {
    struct str metric, role;
    double margin;          /* a guardrail may be worse by this share of the control; 0: no margin */
    double margin_absolute; /* or by so much; 0: no margin */
};

/* How the job "bandit" sets the weights. */
struct experiment_bandit {
    struct str policy; /* thompson, top_two or epsilon_greedy */
    double floor;      /* least weight of a variant */
    double epsilon, beta;
    int64_t burn_in_units; /* that every variant has before the weights move */
    struct str metric;     /* {NULL, 0}: the primary one */
};

struct snapshot_experiment {
    /* What a user wrote (experiments.spec). */
    struct str key, name, hypothesis, hash_attribute, seed, origin;
    enum experiment_kind kind;
    int hash_version;
    double coverage;
    struct snapshot_variant *variants;
    size_t variants_count;
    struct experiment_metric *metrics;
    size_t metrics_count;
    struct str parameter;      /* the feature that it varies; its own key unless said */
    struct str default_json;   /* value of units that are in no variant; "null": the caller's own default */
    struct str targeting_json; /* condition on attributes; {NULL, 0}: everybody */
    struct str_list segments, not_segments;
    struct experiment_url *urls;
    size_t urls_count;
    struct experiment_prerequisite *prerequisites;
    size_t prerequisites_count;
    struct str layer; /* {NULL, 0}: overlaps with everything */
    double layer_share;
    int64_t start_at_us, stop_at_us; /* schedule; 0: by hand */
    struct experiment_ramp_step *ramp;
    size_t ramp_count;
    bool guardrail_stop;
    struct experiment_forced *forced;
    size_t forced_count;
    bool sticky, ignore_holdouts;
    struct str fallback_attribute;
    struct experiment_bandit bandit; /* kind BANDIT */
    struct str interleave_method;
    double holdout_share;            /* kind HOLDOUT */
    struct str_list holdout_metrics; /* only experiments that have one of these as primary metric; none: all */
    struct experiment_analysis analysis;
    double mde; /* least relative effect worth finding, of the primary metric */
    enum multiplicity multiplicity;
    enum adjustment adjustment;
    struct str stratify_by; /* a dimension of exposures; for STRATA and BOTH */
    double target_effect;   /* least estimated lift that is shipped; 0: any that has been shown */
    int64_t minimum_days;   /* before which nothing is shipped */

    /* What the server decided (the other columns, and experiments.state). */
    enum experiment_status status;
    int64_t version, created_us, started_us, stopped_us, concluded_us; /* 0: not yet */
    int phase;
    int64_t phase_started_us;
    struct slot_ranges slots; /* of the layer */
    int bucket_version;       /* raised when units are assigned anew; part of the seed */
    size_t ramp_step;
    int64_t ramp_since_us;
    double *live_weights;          /* of a bandit; NULL: as written */
    struct experiment_look *looks; /* taken so far in this phase */
    size_t looks_count;
    int weights_version;
    struct str stop_reason, winner;
    struct str alarms;    /* of health/: keys of checks, comma between them; {NULL, 0}: none */
    struct str held_back; /* why what is due by the clock was not done; {NULL, 0}: nothing is */
    bool rollout;         /* concluded: everybody gets the winner's value */

    struct str spec_json, state_json; /* both as stored */
    const void *assign;               /* of config/: the reply fragments */
};

/* Layers, domains, segments: what a user wrote, and what a domain was given of its layer. */
enum object_kind { OBJECT_LAYER, OBJECT_DOMAIN, OBJECT_SEGMENT, OBJECT_KIND_COUNT };
struct snapshot_object {
    enum object_kind kind;
    struct str key, name;
    int64_t version, created_us, updated_us;
    /* layer: a set of experiments of which a unit is in at most one */
    struct str domain; /* the part of the traffic that it lies in; {NULL, 0}: all */
    struct str seed, hash_attribute;
    bool launch; /* runs over all traffic; gives way to experiments of ordinary layers */
    /* domain: a part of a layer that has layers of its own */
    struct str layer;
    double share;
    struct slot_ranges slots;
    /* segment: units by an attribute's values, or by a condition */
    struct str attribute;
    struct str values_json, condition_json; /* one of them */
    struct str spec_json;
};
struct snapshot_objects {
    struct snapshot_object *p; /* by key, ascending */
    size_t n;
};

struct metric_def;
struct snapshot_metric {
    struct str key, name, description, kind, direction, display; /* as words; def has them as numbers */
    const struct metric_def *def;                                /* metric/metric.h */
    bool builtin;                                                /* cannot be changed */
    int64_t version, created_us, updated_us;
};

/* What a rule of a feature stands for: the payload's rules, one to one. */
enum rule_kind {
    RULE_EXPERIMENT, /* splits units over the experiment's variants */
    RULE_FORCED,     /* named units get this variant */
    RULE_ROLLOUT,    /* the winner of a concluded experiment, for everybody */
    RULE_KIND_COUNT
};
struct snapshot_rule {
    enum rule_kind kind;
    const struct snapshot_experiment *experiment;
    int variant; /* of a forced or rollout rule */
};

/* A feature (a parameter of the search that experiments vary): what SDKs and OpenFeature call a flag. */
struct snapshot_feature {
    struct str key;
    const struct snapshot_rule *rules;
    size_t rules_count;
    bool internal; /* a holdout's: evaluated for others, in no list of flags */
};

struct snapshot {
    int64_t version;                         /* config_version */
    struct snapshot_experiment *experiments; /* by key, ascending */
    size_t experiments_count;
    struct snapshot_metric *metrics; /* by key, ascending */
    size_t metrics_count;
    struct snapshot_objects objects[OBJECT_KIND_COUNT];
    /* The configuration compiled into GrowthBook's model; every front door evaluates this, and SDKs get the same as text. */
    const struct assign_payload *payload;
    const struct snapshot_feature *features; /* numbered as in the payload */
    size_t features_count;
    struct str payload_json; /* body of GET /api/features/{client_key}: {"status":200,"features":…,"dateUpdated":…} */
    struct str payload_etag;      /* with its quotes; changes with the payload, the same on every daemon */
    struct str payload_encrypted; /* the same for clients that have a decryption key; {NULL, 0}: nothing is encrypted */
    struct str payload_updated;   /* its dateUpdated */
    int64_t payload_version;      /* config_version of the last edit that changed the payload as this daemon saw it */
    /* private parts behind: arena, keyring */
};

/* Reads the whole configuration (one transaction) and builds it. Control thread. */
struct snapshot *snapshot_load(struct pg *pg, struct err *err);
/* The same for another thread, which keeps it to itself and frees it: without the payload's text, which is made from what was published before. */
struct snapshot *snapshot_load_aside(struct pg *pg, struct err *err);
void snapshot_free(struct snapshot *s);

/* Readers' slots: workers 0 … slots-1. Call once before the first worker starts. */
void snapshot_init(unsigned slots);
void snapshot_publish(struct snapshot *next); /* control thread; owns next from now on */
void snapshot_collect(void);                  /* control thread, by timer: frees what no reader can hold */
const struct snapshot *snapshot_get(void);    /* NULL before the first publish */
void snapshot_quiescent(unsigned slot);
void snapshot_leave(unsigned slot); /* the worker has ended */
void snapshot_shutdown(void);       /* frees all; no reader is left */

/* What clients are sent: encrypted when there is a key. */
static inline struct str snapshot_body(const struct snapshot *s)
{
    return s->payload_encrypted.p ? s->payload_encrypted : s->payload_json;
}

const struct snapshot_experiment *snapshot_experiment(const struct snapshot *s, struct str key);
const struct snapshot_object *snapshot_object(const struct snapshot *s, enum object_kind kind, struct str key);
const struct snapshot_metric *snapshot_metric(const struct snapshot *s, struct str key);
/* The scope of a presented key, SCOPE_NONE when unknown or revoked; *out_label is valid as long as the snapshot. */
enum key_scope snapshot_key_scope(const struct snapshot *s, struct str key, struct str *out_label);
/* What signals sent with the key must look like; NULL: anything (or the key is not known). */
const struct signal_schema *snapshot_key_schema(const struct snapshot *s, struct str key);
