/* asks.h - what many handlers ask of a request in the same words. */
#pragma once
#include "experimentd/http/http.h"

enum { HTTP_NAME_MAX = 64 };

/* The version that "If-Match" names, as text; NULL: any. `what`: whose ETag it must be, in the error; NULL: an ETag. */
bool http_if_match(struct http_request *req, const char *what, const char **out, struct err *err) MUSTCHECK;
/* A query parameter that is true or false; false when it is absent. */
bool http_query_flag(struct http_request *req, struct str name, bool *out, struct err *err) MUSTCHECK;
/* A whole number from 1 to max; `fallback` when it is absent. */
bool http_query_count(struct http_request *req, struct str name, uint32_t fallback, uint32_t max, uint32_t *out,
                      struct err *err) MUSTCHECK;
/* One of `names` (ended by NULL), its place in *out; `fallback` names the one when it is absent, NULL: it must be there. */
bool http_query_choice(struct http_request *req, struct str name, const char *const *names, const char *fallback,
                       size_t *out, struct err *err) MUSTCHECK;
/* Small letters, digits and _ . - behind the first, at most HTTP_NAME_MAX. `what`: "the name of a dictionary". */
bool http_name_check(struct str name, const char *what, struct err *err) MUSTCHECK;
