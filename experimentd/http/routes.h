/* routes.h - the table of routes: method, pattern, who may call, handler. One table (experimentd/routes.c) for the whole
 * daemon; it also feeds /openapi.json, the per-route counters and the list of methods of a 405. */
#pragma once
#include "experimentd/http/http.h"

struct route {
    enum http_method method;
    const char
        *pattern; /* "/v1/experiments/{key}/start"; a {name} matches one non-empty segment; "/assets/{*}" the rest */
    enum key_scope scope;                        /* least scope that may call; SCOPE_NONE: no key needed */
    http_request_fn handler;                     /* arg is the worker */
    const char *summary;                         /* a sentence for the API document */
    struct str (*key)(struct http_request *req); /* where a client that sends no header puts its key; NULL: nowhere */
};

/* A pattern with {client_key} as its first name takes the key from there: its handler looks at req->scope and refuses by itself.
 * Routes of scope client may be called by pages of other sites: cors.h. `key` is only for these: what it finds must have scope client.
 *
 * Finds the route, fills req->params and req->route, checks the key (Bearer, X-API-Key, Basic user) against the snapshot's
 * keyring and the scope, and calls the handler; or answers 404, 405 (with Allow), 401, 403. HEAD finds GET routes. */
void routes_dispatch(struct http_request *req, void *worker);

extern const struct route routes[]; /* experimentd/routes.c */
extern const size_t routes_count;

/* When on, GET routes of scope analyst need no key: for a page on a trusted network. Before the workers start. */
void routes_set_open_page(bool open);
