/* fetch.h - HTTP requests, some at a time, each until it has an answer, is refused, or was tried often enough. libcurl; http and https, no redirects, no proxy.
 *
 * Tried again, after a pause that doubles (or as Retry-After asks, up to FETCH_PAUSE_MAX_MS): no connection, no answer in time, an answer that was cut off, and
 * status 408, 429 and 5xx. Not: another status than 200, an answer that is too large, a certificate that is not good. */
#pragma once
#include "base/mem.h"
#include "base/str.h"

enum { FETCH_PAUSE_MS = 200, FETCH_PAUSE_MAX_MS = 10000 };

struct fetch_options {
    uint32_t at_once;          /* 1 or more */
    uint32_t tries;            /* 1 or more */
    uint32_t timeout_s;        /* of one try, from connecting to the last byte */
    size_t max_bytes;          /* of an answer, unpacked */
    bool verify;               /* the certificate; against ca, or the host's own when ca.n is 0 */
    struct str ca;             /* PEM */
    const struct str *headers; /* "Name: value"; */
    size_t headers_count;
};
struct fetch_request {
    const char *url;
    struct str body; /* p NULL: GET; else a POST of JSON */
};
struct fetch_calls {
    /* The answer to request `index`, or why there is none (answer.p NULL). False ends all. */
    bool (*on_answer)(void *arg, size_t index, struct str answer, const struct err *why, struct err *err);
    /* At least twice a second. False ends all. */
    bool (*on_tick)(void *arg, struct err *err);
    void *arg;
};
bool fetch_all(const struct fetch_options *options, const struct fetch_request *requests, size_t count,
               const struct fetch_calls *calls, struct err *err) MUSTCHECK;
