/* ask.h - who asks for what: the body of POST /v1/assign, read without a JSON library (that would cost as much as all the rest). */
#pragma once
#include "assign/assign.h"
#include "experimentd/http/http.h"

/* Of one request: asks in its array, names in an ask. */
enum { ASKS_MAX = 1000, ASK_NAMES_MAX = 1000 };

struct ask {
    struct str unit;
    struct assign_value attributes, names; /* MISSING: none */
    struct assign_value force;             /* QA: {"experiment": "variant"} */
    struct str url;
    int64_t at_us; /* of the exposures */
};

/* One object or an array of them (*out_many). All are read before the first is answered; the first bad one fails the whole request,
 * naming its index. In the request's arena. */
bool asks_read(struct http_request *req, struct ask **out, size_t *out_n, bool *out_many, struct err *err) MUSTCHECK;

/* Of every door: lengths and UTF-8 of a unit; `timestamp` {NULL, 0} is now, another needs scope analyst. */
bool ask_check_unit(const char *field, struct str unit, struct err *err) MUSTCHECK;
bool ask_check_timestamp(const struct http_request *req, struct str timestamp, int64_t *out_us,
                         struct err *err) MUSTCHECK;
/* A JSON text into the request's arena; ERR_INVALID when it is none. */
bool ask_read_json(struct http_request *req, struct str text, struct assign_value *out, struct err *err) MUSTCHECK;
/* "a list", "null", …: for messages. */
const char *ask_kind(const struct assign_value *v);
