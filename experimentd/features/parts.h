/* parts.h - inside of features: what its handlers share. */
#pragma once
#include "base/pgloop.h"
#include "experimentd/features/spec.h"
#include "experimentd/http/http.h"
#include "experimentd/worker.h"

/* Columns of QUERY_FEATURE_SETS. */
enum feature_set_column {
    SET_NAME,
    SET_DESCRIPTION,
    SET_SPEC,
    SET_ROWS,
    SET_VERSION,
    SET_CREATED,
    SET_UPDATED,
    SET_ROWS_AT,
    SET_BY
};

struct feature_wait {
    struct http_request *req;
    struct worker *worker;
    const char *name;
    bool created;
};
struct feature_wait feature_wait_of(struct http_request *req, void *worker);
void feature_set_unknown(struct feature_wait *w); /* answers 404 */
bool feature_set_name_check(struct str name, struct err *err) MUSTCHECK;
/* false when the parameter is not given. */
bool feature_flag(struct http_request *req, const char *name, bool *out, struct err *err) MUSTCHECK;
