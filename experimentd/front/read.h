/* read.h - what the front doors are asked, read from the body into the request's arena. */
#pragma once
#include "assign/assign.h"
#include "experimentd/http/http.h"

enum { REMOTE_ENTRIES_MAX = 1000, REMOTE_URL_MAX = 8192 };

/* {"context": {"targetingKey": unit, attribute…}}; all of it may be missing. */
struct ofrep_ask {
    struct assign_value context; /* MISSING: none */
    struct str unit;             /* {NULL, 0}: none */
};
/* False: *code is OpenFeature's name of the kind of error. */
bool ofrep_read(struct http_request *req, struct ofrep_ask *out, const char **code, struct err *err) MUSTCHECK;

/* {"attributes", "forcedVariations", "forcedFeatures": [["key", value]…], "url"}; what is not there is MISSING. */
struct remote_ask {
    struct assign_value attributes, variations, features; /* objects */
    struct str url;
};
/* `out` is zeroed by the caller. */
bool remote_read(struct http_request *req, struct remote_ask *out, struct err *err) MUSTCHECK;
