/* The table of routes of the daemon: see http/routes.h. Order does not matter. */
#include "experimentd/http/routes.h"

#include "experimentd/admin/handlers.h"
#include "experimentd/config/handlers.h"
#include "experimentd/evaluate/handlers.h"
#include "experimentd/http/static_files.h"
#include "experimentd/ingest/handlers.h"
#include "experimentd/results/handlers.h"

const struct route routes[] = {
    { HTTP_POST_, "/v1/assign", SCOPE_CLIENT, evaluate_post, "variants of one or more units in running experiments" },
    { HTTP_GET_, "/v1/assign/{experiment}", SCOPE_CLIENT, evaluate_get, "variant of one unit in one experiment" },

    { HTTP_POST_, "/v1/signals", SCOPE_CLIENT, ingest_signals, "signals: one object, an array, or NDJSON" },
    { HTTP_POST_, "/ubi_events", SCOPE_CLIENT, ingest_ubi_events, "UBI events" },
    { HTTP_PUT_, "/ubi_events", SCOPE_CLIENT, ingest_ubi_events, "UBI events" },
    { HTTP_POST_, "/ubi_queries", SCOPE_CLIENT, ingest_ubi_queries, "UBI queries" },
    { HTTP_PUT_, "/ubi_queries", SCOPE_CLIENT, ingest_ubi_queries, "UBI queries" },

    { HTTP_GET_, "/v1/experiments", SCOPE_ANALYST, results_list, "experiments with their verdicts" },
    { HTTP_POST_, "/v1/experiments", SCOPE_ADMIN, experiments_create, "make an experiment (a draft)" },
    { HTTP_GET_, "/v1/experiments/{key}", SCOPE_ANALYST, experiments_get, "one experiment" },
    { HTTP_DELETE_, "/v1/experiments/{key}", SCOPE_ADMIN, experiments_delete, "delete a draft" },
    { HTTP_POST_, "/v1/experiments/{key}/start", SCOPE_ADMIN, experiments_start,
      "start: from now on units are assigned" },
    { HTTP_POST_, "/v1/experiments/{key}/stop", SCOPE_ADMIN, experiments_stop, "stop: no unit is assigned any more" },
    { HTTP_GET_, "/v1/experiments/{key}/results", SCOPE_ANALYST, results_get,
      "verdict, SRM, metrics with lift and interval" },
    { HTTP_GET_, "/v1/experiments/{key}/timeseries", SCOPE_ANALYST, results_timeseries,
      "cumulative values and lifts by day" },

    { HTTP_GET_, "/healthz", SCOPE_NONE, admin_healthz, "alive" },
    { HTTP_GET_, "/readyz", SCOPE_NONE, admin_readyz, "ready for traffic" },
    { HTTP_GET_, "/version", SCOPE_NONE, admin_version, "name and version" },
    { HTTP_GET_, "/metrics", SCOPE_NONE, admin_metrics, "counters for Prometheus" },
    { HTTP_GET_, "/openapi.json", SCOPE_NONE, admin_openapi, "this API" },

    { HTTP_GET_, "/", SCOPE_NONE, static_get, "the page" },
    { HTTP_GET_, "/{*}", SCOPE_NONE, static_get, "the page and its files" },
};
const size_t routes_count = sizeof routes / sizeof *routes;
