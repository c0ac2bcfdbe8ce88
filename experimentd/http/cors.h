/* cors.h - which pages of other sites may call (Fetch standard, cross-origin resource sharing): by setting, and only what a client key
 * may call. No cookies are used, so "*" gives a page nothing that its key does not give it anyway. */
#pragma once
#include "experimentd/http/routes.h"

/* "*", or origins separated by commas ("https://shop.example"), or "": none. Before the workers start. */
bool cors_set_origins(const char *list, struct err *err) MUSTCHECK;
void cors_release(void);
/* A client key suffices for the route, so pages may call it. */
bool cors_covers(const struct route *r);
/* Of a request whose key is in no header, so that the browser sent it without asking first: whether its page may. True for what has no
 * "Origin", and for the daemon's own. */
bool cors_may_send(const struct http_request *req);
/* Adds what the page needs to read the answer, whatever the answer will be; nothing for a request without "Origin". */
void cors_allow(struct http_request *req);
/* The same for an answer that caches keep: says "*" also to who sent no "Origin", since the cache may give it to a page. */
void cors_allow_cached(struct http_request *req);
/* Adds what the browser asks for before the request proper (OPTIONS): `methods` is its list of methods. */
void cors_preflight(struct http_request *req, struct str methods);
