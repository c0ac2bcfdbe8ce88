/* The table of routes of the daemon: see http/routes.h. Order matters only where a comment says so. */
#include "experimentd/http/routes.h"

#include "experimentd/admin/handlers.h"
#include "experimentd/config/handlers.h"
#include "experimentd/config/key_handlers.h"
#include "experimentd/config/metric_handlers.h"
#include "experimentd/config/object_handlers.h"
#include "experimentd/dictionaries/handlers.h"
#include "experimentd/evaluate/handlers.h"
#include "experimentd/front/growthbook.h"
#include "experimentd/front/ofrep.h"
#include "experimentd/health/handlers.h"
#include "experimentd/http/static_files.h"
#include "experimentd/ingest/handlers.h"
#include "experimentd/ingest/live/live_view.h"
#include "experimentd/interleave/handlers.h"
#include "experimentd/items/handlers.h"
#include "experimentd/jobs/handlers.h"
#include "experimentd/jobs/log_view.h"
#include "experimentd/marks/handlers.h"
#include "experimentd/models/handlers.h"
#include "experimentd/plan/handlers.h"
#include "experimentd/preflight/handlers.h"
#include "experimentd/results/handlers.h"
#include "experimentd/rewrites/handlers.h"
#include "experimentd/serving/handlers.h"
#include "experimentd/plan/handlers.h"
#include "experimentd/preflight/handlers.h"
#include "experimentd/results/handlers.h"
#include "experimentd/serving/handlers.h"
#include "experimentd/serving/predict.h"
#include "experimentd/statistics/handlers.h"
#include "experimentd/units/handlers.h"

const struct route routes[] = {
    { HTTP_POST_, "/v1/assign", SCOPE_CLIENT, evaluate_post, "variants of one or more units in running experiments",
      NULL },
    { HTTP_GET_, "/v1/assign/{experiment}", SCOPE_CLIENT, evaluate_get, "variant of one unit in one experiment", NULL },

    { HTTP_GET_, "/v1/recommend", SCOPE_CLIENT, serve_recommend,
      "items for a user, an item or a query; users for an item; queries for a query; what is popular", NULL },
    { HTTP_POST_, "/v1/recommend", SCOPE_CLIENT, serve_recommend,
      "the same with a body: history, exclusions, a filter on the catalogue", NULL },
    { HTTP_GET_, "/v1/boosts", SCOPE_CLIENT, serve_boosts,
      "documents to raise for a query, its own and those of similar ones; as JSON, for Solr, for Elasticsearch", NULL },
    { HTTP_POST_, "/v1/boosts", SCOPE_CLIENT, serve_boosts, "the same with a body", NULL },
    { HTTP_POST_, "/v1/models/{name}/predict", SCOPE_CLIENT, serve_predict,
      "several requests of a model at once, as its kind takes them", NULL },
    { HTTP_GET_, "/v1/serving", SCOPE_ANALYST, serve_status,
      "which version of which model this daemon serves under each alias, and what it could not have", NULL },

    { HTTP_POST_, "/v1/interleave", SCOPE_CLIENT, interleave_post,
      "rankings of an experiment's variants merged into one list, with its owners", NULL },

    { HTTP_POST_, "/ofrep/v1/evaluate/flags/{key}", SCOPE_CLIENT, ofrep_flag, "OpenFeature: one flag", NULL },
    { HTTP_POST_, "/ofrep/v1/evaluate/flags", SCOPE_CLIENT, ofrep_flags, "OpenFeature: all flags, with an ETag", NULL },
    { HTTP_GET_, "/ofrep/v1/events/{client_key}", SCOPE_CLIENT, ofrep_events,
      "OpenFeature: stream that says when to ask again (server-sent events)", NULL },
    { HTTP_GET_, "/api/features/{client_key}", SCOPE_CLIENT, growthbook_features, "GrowthBook: the payload", NULL },
    { HTTP_GET_, "/sub/{client_key}", SCOPE_CLIENT, growthbook_sub,
      "GrowthBook: stream of payloads (server-sent events)", NULL },
    { HTTP_POST_, "/api/eval/{client_key}", SCOPE_CLIENT, growthbook_eval,
      "GrowthBook: remote evaluation, values without rules", NULL },
    { HTTP_GET_, "/remote/sub/{client_key}", SCOPE_CLIENT, growthbook_sub_remote,
      "GrowthBook with remote evaluation: stream of changes", NULL },

    { HTTP_POST_, "/v1/signals", SCOPE_CLIENT, ingest_signals, "signals: one object, an array, or NDJSON",
      ingest_query_key },
    { HTTP_GET_, "/v1/signals/live", SCOPE_ANALYST, live_get,
      "what clients send, as it arrives (server-sent events, or JSON once)", NULL },
    { HTTP_POST_, "/v1/exposures", SCOPE_CLIENT, ingest_exposures,
      "exposures that SDKs report: one object, an array, or NDJSON", ingest_query_key },
    { HTTP_POST_, "/ubi_events", SCOPE_CLIENT, ingest_ubi_events, "UBI events", ingest_query_key },
    { HTTP_PUT_, "/ubi_events", SCOPE_CLIENT, ingest_ubi_events, "UBI events", ingest_query_key },
    { HTTP_POST_, "/ubi_queries", SCOPE_CLIENT, ingest_ubi_queries, "UBI queries", ingest_query_key },
    { HTTP_PUT_, "/ubi_queries", SCOPE_CLIENT, ingest_ubi_queries, "UBI queries", ingest_query_key },
    { HTTP_POST_, "/log/ingest", SCOPE_CLIENT, ingest_ubi_either, "UBI events and queries, as Data Prepper takes them",
      ingest_query_key },
    { HTTP_POST_, "/v1/batch", SCOPE_CLIENT, ingest_segment_batch, "Segment protocol: events", ingest_segment_key },
    { HTTP_POST_, "/v1/import", SCOPE_CLIENT, ingest_segment_batch, "Segment protocol: old events",
      ingest_segment_key },
    { HTTP_POST_, "/v1/track", SCOPE_CLIENT, ingest_segment_one, "Segment protocol: an event", ingest_segment_key },
    { HTTP_POST_, "/v1/identify", SCOPE_CLIENT, ingest_segment_one, "Segment protocol: who it is", ingest_segment_key },
    { HTTP_POST_, "/v1/page", SCOPE_CLIENT, ingest_segment_one, "Segment protocol: a page was seen",
      ingest_segment_key },
    { HTTP_POST_, "/v1/screen", SCOPE_CLIENT, ingest_segment_one, "Segment protocol: a screen was seen",
      ingest_segment_key },
    { HTTP_POST_, "/v1/group", SCOPE_CLIENT, ingest_segment_one, "Segment protocol: a group was joined",
      ingest_segment_key },
    { HTTP_POST_, "/v1/alias", SCOPE_CLIENT, ingest_segment_one, "Segment protocol: two ids are one",
      ingest_segment_key },
    { HTTP_POST_, "/1/events", SCOPE_CLIENT, ingest_insights, "Algolia Insights: events", ingest_insights_key },

    { HTTP_GET_, "/v1/experiments", SCOPE_ANALYST, results_list, "experiments with their verdicts", NULL },
    { HTTP_POST_, "/v1/experiments", SCOPE_ADMIN, experiments_create, "make an experiment (a draft)", NULL },
    { HTTP_GET_, "/v1/experiments/{key}", SCOPE_ANALYST, experiments_get, "one experiment", NULL },
    { HTTP_PATCH_, "/v1/experiments/{key}", SCOPE_ADMIN, experiments_patch, "change what may change (JSON merge patch)",
      NULL },
    { HTTP_DELETE_, "/v1/experiments/{key}", SCOPE_ADMIN, experiments_delete, "delete a draft", NULL },
    { HTTP_POST_, "/v1/experiments/{key}/preflight", SCOPE_ANALYST, preflight_dry_run,
      "what starting it would say: findings, simulated split, power by week; changes nothing", NULL },
    { HTTP_GET_, "/v1/experiments/{key}/preflight", SCOPE_ANALYST, preflight_dry_run, "the same, for pages", NULL },
    { HTTP_POST_, "/v1/experiments/{key}/start", SCOPE_ADMIN, experiments_start,
      "start: from now on units are assigned; refused when the pre-flight finds an error", NULL },
    { HTTP_POST_, "/v1/experiments/{key}/stop", SCOPE_ADMIN, experiments_stop, "stop: no unit is assigned any more",
      NULL },
    { HTTP_POST_, "/v1/experiments/{key}/conclude", SCOPE_ADMIN, experiments_conclude,
      "end it with a winner, which can be rolled out", NULL },
    { HTTP_POST_, "/v1/experiments/{key}/phases", SCOPE_ADMIN, experiments_new_phase,
      "begin a new phase with other weights, targeting, …: units are counted from now on", NULL },
    { HTTP_GET_, "/v1/experiments/{key}/revisions", SCOPE_ANALYST, experiments_revisions,
      "who changed what, when, from what to what", NULL },
    { HTTP_GET_, "/v1/experiments/{key}/results", SCOPE_ANALYST, results_get,
      "verdict, SRM, metrics with lift and interval; ?segment=DIMENSION: by its values", NULL },
    { HTTP_GET_, "/v1/experiments/{key}/results.csv", SCOPE_ANALYST, results_csv,
      "every metric, variant and day as a table; ?segment=DIMENSION: its values, too", NULL },
    { HTTP_GET_, "/v1/experiments/{key}/results.json", SCOPE_ANALYST, results_json, "the same as JSON", NULL },
    { HTTP_GET_, "/v1/experiments/{key}/timeseries", SCOPE_ANALYST, results_timeseries,
      "cumulative values and lifts by day; ?by=since_exposure, ?by=cohort", NULL },
    { HTTP_GET_, "/v1/experiments/{key}/health", SCOPE_ANALYST, health_get,
      "can it be believed: split, units, effects, data; each with numbers, what they mean and what to do", NULL },

    { HTTP_GET_, "/v1/layers", SCOPE_ANALYST, layers_list, "sets of experiments of which a unit is in at most one",
      NULL },
    { HTTP_POST_, "/v1/layers", SCOPE_ADMIN, layers_create, "make a layer", NULL },
    { HTTP_GET_, "/v1/layers/{key}", SCOPE_ANALYST, layers_get, "one layer", NULL },
    { HTTP_PATCH_, "/v1/layers/{key}", SCOPE_ADMIN, layers_patch, "change a layer", NULL },
    { HTTP_DELETE_, "/v1/layers/{key}", SCOPE_ADMIN, layers_delete, "delete a layer that nothing uses", NULL },
    { HTTP_GET_, "/v1/layers/{key}/revisions", SCOPE_ANALYST, layers_revisions, "its revisions", NULL },
    { HTTP_GET_, "/v1/domains", SCOPE_ANALYST, domains_list, "parts of a layer that have layers of their own", NULL },
    { HTTP_POST_, "/v1/domains", SCOPE_ADMIN, domains_create, "make a domain", NULL },
    { HTTP_GET_, "/v1/domains/{key}", SCOPE_ANALYST, domains_get, "one domain", NULL },
    { HTTP_PATCH_, "/v1/domains/{key}", SCOPE_ADMIN, domains_patch, "change a domain", NULL },
    { HTTP_DELETE_, "/v1/domains/{key}", SCOPE_ADMIN, domains_delete, "delete a domain that nothing uses", NULL },
    { HTTP_GET_, "/v1/domains/{key}/revisions", SCOPE_ANALYST, domains_revisions, "its revisions", NULL },
    { HTTP_GET_, "/v1/segments", SCOPE_ANALYST, segments_list, "units by attribute values or a condition", NULL },
    { HTTP_POST_, "/v1/segments", SCOPE_ADMIN, segments_create, "make a segment", NULL },
    { HTTP_GET_, "/v1/segments/{key}", SCOPE_ANALYST, segments_get, "one segment", NULL },
    { HTTP_PATCH_, "/v1/segments/{key}", SCOPE_ADMIN, segments_patch, "change a segment", NULL },
    { HTTP_DELETE_, "/v1/segments/{key}", SCOPE_ADMIN, segments_delete, "delete a segment that nothing uses", NULL },
    { HTTP_GET_, "/v1/segments/{key}/revisions", SCOPE_ANALYST, segments_revisions, "its revisions", NULL },
    { HTTP_GET_, "/v1/holdouts", SCOPE_ANALYST, holdouts_list, "experiments of kind holdout", NULL },
    { HTTP_POST_, "/v1/holdouts", SCOPE_ADMIN, holdouts_create,
      "keep a share of the units out of all experiments, or of those with a metric", NULL },

    { HTTP_GET_, "/v1/metrics", SCOPE_ANALYST, metrics_list, "metrics with their definitions, and who measures them",
      NULL },
    { HTTP_POST_, "/v1/metrics", SCOPE_ADMIN, metrics_create,
      "define a metric; ?dry_run=true: only say how it is understood", NULL },
    { HTTP_GET_, "/v1/metrics/{key}", SCOPE_ANALYST, metrics_get, "one metric", NULL },
    { HTTP_PATCH_, "/v1/metrics/{key}", SCOPE_ADMIN, metrics_patch,
      "change a metric; not what it counts, once an experiment was started with it", NULL },
    { HTTP_DELETE_, "/v1/metrics/{key}", SCOPE_ADMIN, metrics_delete, "delete a metric that nothing uses", NULL },
    { HTTP_GET_, "/v1/metrics/{key}/revisions", SCOPE_ANALYST, metrics_revisions, "its revisions", NULL },

    { HTTP_POST_, "/v1/plan", SCOPE_ANALYST, plan_post,
      "before an experiment: units, days, power and detectable effect by week, for every way of looking", NULL },

    { HTTP_GET_, "/v1/stats", SCOPE_ANALYST, statistics_list, "statistical methods with formula, source and fields",
      NULL },
    { HTTP_GET_, "/v1/stats/{method}", SCOPE_ANALYST, statistics_explain, "one method: formula, source, fields", NULL },
    { HTTP_POST_, "/v1/stats/{method}", SCOPE_ANALYST, statistics_compute,
      "compute it: one input, or an array of inputs", NULL },

    { HTTP_GET_, "/v1/keys", SCOPE_ADMIN, keys_list, "the keys' ids, labels, scopes and schemas; never the keys",
      NULL },
    { HTTP_PUT_, "/v1/keys/{id}/schema", SCOPE_ADMIN, keys_put_schema, "what signals sent with this key must look like",
      NULL },
    { HTTP_DELETE_, "/v1/keys/{id}/schema", SCOPE_ADMIN, keys_delete_schema, "signals may look as they like", NULL },

    { HTTP_GET_, "/v1/rewrite", SCOPE_CLIENT, rewrite_query,
      "a query → what is to be searched, with each step and its rule", NULL },
    { HTTP_POST_, "/v1/rewrite", SCOPE_CLIENT, rewrite_query, "the same, asked by a JSON object", NULL },
    /* Before the one with a name in it: of rows that fit, the first counts. */
    { HTTP_GET_, "/v1/rewrites/counts", SCOPE_ANALYST, rewrites_counts, "rewrites of queries by type and review",
      NULL },
    { HTTP_GET_, "/v1/rewrites/export", SCOPE_ANALYST, rewrites_export,
      "rewrites as files of Solr, Elasticsearch, Querqy, Typesense, Algolia; CSV, JSON lines", NULL },
    { HTTP_GET_, "/v1/rewrites", SCOPE_ANALYST, rewrites_list,
      "rewrites of queries that jobs found and people wrote; filters, order, pages", NULL },
    { HTTP_POST_, "/v1/rewrites", SCOPE_ADMIN, rewrites_create, "write rewrites by hand: one object, or an array",
      NULL },
    { HTTP_POST_, "/v1/rewrites/review", SCOPE_ADMIN, rewrites_bulk_review,
      "approve or deny rewrites: by ids, or all of a filter", NULL },
    { HTTP_GET_, "/v1/rewrites/{id}", SCOPE_ANALYST, rewrites_get, "one rewrite, with the evidence for it", NULL },
    { HTTP_PATCH_, "/v1/rewrites/{id}", SCOPE_ADMIN, rewrites_patch,
      "review one; change one that was written by hand (JSON merge patch)", NULL },
    { HTTP_DELETE_, "/v1/rewrites/{id}", SCOPE_ADMIN, rewrites_delete, "delete one that was written by hand", NULL },

    { HTTP_GET_, "/v1/marks", SCOPE_ANALYST, marks_list, "units that count in no experiment: bots, internal traffic",
      NULL },
    { HTTP_PUT_, "/v1/marks/{unit}", SCOPE_ADMIN, marks_put, "mark a unit by hand, or say that it is none", NULL },
    { HTTP_DELETE_, "/v1/marks/{unit}", SCOPE_ADMIN, marks_delete, "forget what is known; rules may mark it again",
      NULL },

    { HTTP_DELETE_, "/v1/units/{unit}", SCOPE_ADMIN, units_delete,
      "delete what is stored of a unit: 202, and a receipt that tells how far it is", NULL },
    { HTTP_GET_, "/v1/units/deletions", SCOPE_ADMIN, units_deletions_list, "receipts of the last deletions", NULL },
    { HTTP_GET_, "/v1/units/deletions/{id}", SCOPE_ADMIN, units_deletion_get, "the receipt of one deletion", NULL },

    { HTTP_GET_, "/v1/items", SCOPE_ANALYST, items_list, "documents of the catalogue, by id, and how many there are",
      NULL },
    { HTTP_POST_, "/v1/items", SCOPE_ADMIN, items_post,
      "put documents into the catalogue: one object, an array, or NDJSON; ?merge=true: only the fields that are given",
      NULL },
    { HTTP_POST_, "/v1/items/delete", SCOPE_ADMIN, items_remove,
      "take documents out of the catalogue: ids, or objects that have one", NULL },
    { HTTP_GET_, "/v1/items/{id}", SCOPE_ANALYST, items_get, "one document", NULL },
    { HTTP_PUT_, "/v1/items/{id}", SCOPE_ADMIN, items_put, "put one document; ?merge=true likewise", NULL },
    { HTTP_DELETE_, "/v1/items/{id}", SCOPE_ADMIN, items_delete, "take one document out", NULL },

    { HTTP_GET_, "/v1/dictionaries", SCOPE_ANALYST, dictionaries_list, "lists of words that jobs take for correct",
      NULL },
    { HTTP_GET_, "/v1/dictionaries/{name}", SCOPE_ANALYST, dictionaries_get, "what is known of one", NULL },
    { HTTP_GET_, "/v1/dictionaries/{name}/words", SCOPE_ANALYST, dictionaries_words,
      "its words, one a line with its count", NULL },
    { HTTP_PUT_, "/v1/dictionaries/{name}", SCOPE_ADMIN, dictionaries_put,
      "make one, or give it other words: text, one word a line with its count; ?dry_run=true: only check it", NULL },
    { HTTP_DELETE_, "/v1/dictionaries/{name}", SCOPE_ADMIN, dictionaries_delete, "delete one that no job uses", NULL },

    { HTTP_GET_, "/v1/job-types", SCOPE_ANALYST, job_types_list,
      "types of jobs, each with the JSON Schema of its parameters", NULL },
    { HTTP_GET_, "/v1/jobs", SCOPE_ANALYST, jobs_list, "jobs with their next and last runs", NULL },
    { HTTP_POST_, "/v1/jobs", SCOPE_ADMIN, jobs_create, "make a job", NULL },
    { HTTP_GET_, "/v1/jobs/{id}", SCOPE_ANALYST, jobs_get, "one job", NULL },
    { HTTP_PUT_, "/v1/jobs/{id}", SCOPE_ADMIN, jobs_put, "change a job: the whole document", NULL },
    { HTTP_DELETE_, "/v1/jobs/{id}", SCOPE_ADMIN, jobs_delete, "delete a job that is not predefined", NULL },
    { HTTP_PUT_, "/v1/jobs/{id}/schedule", SCOPE_ADMIN, jobs_put_schedule,
      "change only what starts it, and whether it is enabled", NULL },
    { HTTP_GET_, "/v1/jobs/{id}/revisions", SCOPE_ANALYST, jobs_revisions, "its revisions", NULL },
    { HTTP_GET_, "/v1/jobs/{id}/runs", SCOPE_ANALYST, runs_of_job, "its runs, newest first", NULL },
    { HTTP_POST_, "/v1/jobs/{id}/runs", SCOPE_ADMIN, runs_start, "run it now: 202, and where to see how far it is",
      NULL },
    { HTTP_GET_, "/v1/jobs/{id}/runs/{run}", SCOPE_ANALYST, runs_get, "one run, with its passes", NULL },
    { HTTP_POST_, "/v1/jobs/{id}/runs/{run}/cancel", SCOPE_ADMIN, runs_cancel, "end it", NULL },
    { HTTP_POST_, "/v1/jobs/{id}/runs/{run}/retry", SCOPE_ADMIN, runs_retry, "the same once more", NULL },
    { HTTP_GET_, "/v1/jobs/{id}/runs/{run}/log", SCOPE_ANALYST, runs_log,
      "what it says: a page of lines, or as they come (server-sent events)", NULL },
    { HTTP_GET_, "/v1/models", SCOPE_ANALYST, models_list, "models with their aliases", NULL },
    { HTTP_GET_, "/v1/models/{name}", SCOPE_ANALYST, models_get, "one model", NULL },
    { HTTP_PATCH_, "/v1/models/{name}", SCOPE_ADMIN, models_patch, "change description or tags of a model", NULL },
    { HTTP_DELETE_, "/v1/models/{name}", SCOPE_ADMIN, models_delete, "delete a model that no alias serves", NULL },
    { HTTP_GET_, "/v1/models/{name}/revisions", SCOPE_ANALYST, models_revisions, "its revisions", NULL },
    { HTTP_GET_, "/v1/models/{name}/versions", SCOPE_ANALYST, model_versions_list, "its versions, newest first", NULL },
    { HTTP_POST_, "/v1/models/{name}/versions", SCOPE_ADMIN, model_versions_upload,
      "a new version from an artifact, which is the body", NULL },
    { HTTP_GET_, "/v1/models/{name}/versions/{version}", SCOPE_ANALYST, model_versions_get,
      "one version, by number or @alias: card, metrics, what its gate said", NULL },
    { HTTP_PATCH_, "/v1/models/{name}/versions/{version}", SCOPE_ADMIN, model_versions_patch,
      "change description or tags of a version", NULL },
    { HTTP_DELETE_, "/v1/models/{name}/versions/{version}", SCOPE_ADMIN, model_versions_delete,
      "delete a version that no alias points to", NULL },
    { HTTP_GET_, "/v1/models/{name}/versions/{version}/artifact", SCOPE_ANALYST, model_versions_artifact,
      "its artifact, as it is", NULL },
    { HTTP_GET_, "/v1/models/{name}/versions/{version}/export", SCOPE_ANALYST, model_versions_export,
      "one of its lists as CSV or JSON lines", NULL },
    { HTTP_GET_, "/v1/models/{name}/compare", SCOPE_ANALYST, models_compare,
      "two versions: parameters, windows, metrics, overlap of lists", NULL },
    { HTTP_PUT_, "/v1/models/{name}/aliases/{alias}", SCOPE_ADMIN, model_aliases_put, "point an alias to a version",
      NULL },
    { HTTP_DELETE_, "/v1/models/{name}/aliases/{alias}", SCOPE_ADMIN, model_aliases_delete, "take an alias away",
      NULL },
    { HTTP_POST_, "/v1/models/{name}/aliases/{alias}/rollback", SCOPE_ADMIN, model_aliases_rollback,
      "point an alias to the version of before", NULL },
    { HTTP_GET_, "/v1/runs", SCOPE_ANALYST, runs_list, "runs of all jobs, and those of the shell, newest first", NULL },
    { HTTP_GET_, "/v1/runs/{run}", SCOPE_ANALYST, runs_get, "one run, whoever started it", NULL },
    { HTTP_POST_, "/v1/runs/{run}/cancel", SCOPE_ADMIN, runs_cancel, "end it", NULL },
    { HTTP_GET_, "/v1/runs/{run}/log", SCOPE_ANALYST, runs_log, "its log", NULL },

    { HTTP_GET_, "/healthz", SCOPE_NONE, admin_healthz, "alive", NULL },
    { HTTP_GET_, "/readyz", SCOPE_NONE, admin_readyz, "ready for traffic", NULL },
    { HTTP_GET_, "/version", SCOPE_NONE, admin_version, "name and version", NULL },
    { HTTP_GET_, "/metrics", SCOPE_NONE, admin_metrics, "counters for Prometheus", NULL },
    { HTTP_GET_, "/openapi.json", SCOPE_NONE, admin_openapi, "this API", NULL },

    { HTTP_GET_, "/", SCOPE_NONE, static_get, "the page", NULL },
    { HTTP_GET_, "/{*}", SCOPE_NONE, static_get, "the page and its files", NULL },
};
const size_t routes_count = sizeof routes / sizeof *routes;
