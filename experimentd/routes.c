/* The table of routes of the daemon: see http/routes.h. Order does not matter. */
#include "experimentd/http/routes.h"

#include "experimentd/admin/handlers.h"
#include "experimentd/config/handlers.h"
#include "experimentd/config/object_handlers.h"
#include "experimentd/evaluate/handlers.h"
#include "experimentd/front/growthbook.h"
#include "experimentd/front/ofrep.h"
#include "experimentd/http/static_files.h"
#include "experimentd/ingest/handlers.h"
#include "experimentd/interleave/handlers.h"
#include "experimentd/preflight/handlers.h"
#include "experimentd/results/handlers.h"

const struct route routes[] = {
    { HTTP_POST_, "/v1/assign", SCOPE_CLIENT, evaluate_post, "variants of one or more units in running experiments" },
    { HTTP_GET_, "/v1/assign/{experiment}", SCOPE_CLIENT, evaluate_get, "variant of one unit in one experiment" },

    { HTTP_POST_, "/v1/interleave", SCOPE_CLIENT, interleave_post,
      "rankings of an experiment's variants merged into one list, with its owners" },

    { HTTP_POST_, "/ofrep/v1/evaluate/flags/{key}", SCOPE_CLIENT, ofrep_flag, "OpenFeature: one flag" },
    { HTTP_POST_, "/ofrep/v1/evaluate/flags", SCOPE_CLIENT, ofrep_flags, "OpenFeature: all flags, with an ETag" },
    { HTTP_GET_, "/ofrep/v1/events/{client_key}", SCOPE_CLIENT, ofrep_events,
      "OpenFeature: stream that says when to ask again (server-sent events)" },
    { HTTP_GET_, "/api/features/{client_key}", SCOPE_CLIENT, growthbook_features, "GrowthBook: the payload" },
    { HTTP_GET_, "/sub/{client_key}", SCOPE_CLIENT, growthbook_sub,
      "GrowthBook: stream of payloads (server-sent events)" },
    { HTTP_POST_, "/api/eval/{client_key}", SCOPE_CLIENT, growthbook_eval,
      "GrowthBook: remote evaluation, values without rules" },
    { HTTP_GET_, "/remote/sub/{client_key}", SCOPE_CLIENT, growthbook_sub_remote,
      "GrowthBook with remote evaluation: stream of changes" },

    { HTTP_POST_, "/v1/signals", SCOPE_CLIENT, ingest_signals, "signals: one object, an array, or NDJSON" },
    { HTTP_POST_, "/v1/exposures", SCOPE_CLIENT, ingest_exposures,
      "exposures that SDKs report: one object, an array, or NDJSON" },
    { HTTP_POST_, "/ubi_events", SCOPE_CLIENT, ingest_ubi_events, "UBI events" },
    { HTTP_PUT_, "/ubi_events", SCOPE_CLIENT, ingest_ubi_events, "UBI events" },
    { HTTP_POST_, "/ubi_queries", SCOPE_CLIENT, ingest_ubi_queries, "UBI queries" },
    { HTTP_PUT_, "/ubi_queries", SCOPE_CLIENT, ingest_ubi_queries, "UBI queries" },

    { HTTP_GET_, "/v1/experiments", SCOPE_ANALYST, results_list, "experiments with their verdicts" },
    { HTTP_POST_, "/v1/experiments", SCOPE_ADMIN, experiments_create, "make an experiment (a draft)" },
    { HTTP_GET_, "/v1/experiments/{key}", SCOPE_ANALYST, experiments_get, "one experiment" },
    { HTTP_PATCH_, "/v1/experiments/{key}", SCOPE_ADMIN, experiments_patch,
      "change what may change (JSON merge patch)" },
    { HTTP_DELETE_, "/v1/experiments/{key}", SCOPE_ADMIN, experiments_delete, "delete a draft" },
    { HTTP_POST_, "/v1/experiments/{key}/preflight", SCOPE_ANALYST, preflight_dry_run,
      "what starting it would say: findings, simulated split, power by week; changes nothing" },
    { HTTP_GET_, "/v1/experiments/{key}/preflight", SCOPE_ANALYST, preflight_dry_run, "the same, for pages" },
    { HTTP_POST_, "/v1/experiments/{key}/start", SCOPE_ADMIN, experiments_start,
      "start: from now on units are assigned; refused when the pre-flight finds an error" },
    { HTTP_POST_, "/v1/experiments/{key}/stop", SCOPE_ADMIN, experiments_stop, "stop: no unit is assigned any more" },
    { HTTP_POST_, "/v1/experiments/{key}/conclude", SCOPE_ADMIN, experiments_conclude,
      "end it with a winner, which can be rolled out" },
    { HTTP_POST_, "/v1/experiments/{key}/phases", SCOPE_ADMIN, experiments_new_phase,
      "begin a new phase with other weights, targeting, …: units are counted from now on" },
    { HTTP_GET_, "/v1/experiments/{key}/revisions", SCOPE_ANALYST, experiments_revisions,
      "who changed what, when, from what to what" },
    { HTTP_GET_, "/v1/experiments/{key}/results", SCOPE_ANALYST, results_get,
      "verdict, SRM, metrics with lift and interval" },
    { HTTP_GET_, "/v1/experiments/{key}/timeseries", SCOPE_ANALYST, results_timeseries,
      "cumulative values and lifts by day" },

    { HTTP_GET_, "/v1/layers", SCOPE_ANALYST, layers_list, "sets of experiments of which a unit is in at most one" },
    { HTTP_POST_, "/v1/layers", SCOPE_ADMIN, layers_create, "make a layer" },
    { HTTP_GET_, "/v1/layers/{key}", SCOPE_ANALYST, layers_get, "one layer" },
    { HTTP_PATCH_, "/v1/layers/{key}", SCOPE_ADMIN, layers_patch, "change a layer" },
    { HTTP_DELETE_, "/v1/layers/{key}", SCOPE_ADMIN, layers_delete, "delete a layer that nothing uses" },
    { HTTP_GET_, "/v1/layers/{key}/revisions", SCOPE_ANALYST, layers_revisions, "its revisions" },
    { HTTP_GET_, "/v1/domains", SCOPE_ANALYST, domains_list, "parts of a layer that have layers of their own" },
    { HTTP_POST_, "/v1/domains", SCOPE_ADMIN, domains_create, "make a domain" },
    { HTTP_GET_, "/v1/domains/{key}", SCOPE_ANALYST, domains_get, "one domain" },
    { HTTP_PATCH_, "/v1/domains/{key}", SCOPE_ADMIN, domains_patch, "change a domain" },
    { HTTP_DELETE_, "/v1/domains/{key}", SCOPE_ADMIN, domains_delete, "delete a domain that nothing uses" },
    { HTTP_GET_, "/v1/domains/{key}/revisions", SCOPE_ANALYST, domains_revisions, "its revisions" },
    { HTTP_GET_, "/v1/segments", SCOPE_ANALYST, segments_list, "units by attribute values or a condition" },
    { HTTP_POST_, "/v1/segments", SCOPE_ADMIN, segments_create, "make a segment" },
    { HTTP_GET_, "/v1/segments/{key}", SCOPE_ANALYST, segments_get, "one segment" },
    { HTTP_PATCH_, "/v1/segments/{key}", SCOPE_ADMIN, segments_patch, "change a segment" },
    { HTTP_DELETE_, "/v1/segments/{key}", SCOPE_ADMIN, segments_delete, "delete a segment that nothing uses" },
    { HTTP_GET_, "/v1/segments/{key}/revisions", SCOPE_ANALYST, segments_revisions, "its revisions" },
    { HTTP_GET_, "/v1/holdouts", SCOPE_ANALYST, holdouts_list, "experiments of kind holdout" },
    { HTTP_POST_, "/v1/holdouts", SCOPE_ADMIN, holdouts_create,
      "keep a share of the units out of all experiments, or of those with a metric" },

    { HTTP_GET_, "/healthz", SCOPE_NONE, admin_healthz, "alive" },
    { HTTP_GET_, "/readyz", SCOPE_NONE, admin_readyz, "ready for traffic" },
    { HTTP_GET_, "/version", SCOPE_NONE, admin_version, "name and version" },
    { HTTP_GET_, "/metrics", SCOPE_NONE, admin_metrics, "counters for Prometheus" },
    { HTTP_GET_, "/openapi.json", SCOPE_NONE, admin_openapi, "this API" },

    { HTTP_GET_, "/", SCOPE_NONE, static_get, "the page" },
    { HTTP_GET_, "/{*}", SCOPE_NONE, static_get, "the page and its files" },
};
const size_t routes_count = sizeof routes / sizeof *routes;
