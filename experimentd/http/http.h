/* http.h - HTTP/1.1 on a libevent loop: one http_server per worker thread, llhttp parses, replies are coalesced into one write.
 *
 * A request is handed to `on_request` when it is whole (headers and body, decoded from chunked and gzip). The handler replies at
 * once or later, exactly once, from the same thread; until then the request and its arena live, also when the client has left
 * (the reply is then dropped). Replies of pipelined requests leave in the order of the requests.
 *
 * Limits (struct http_limits) bound everything a client can make grow; passing one is answered with 408, 413, 414, 431 or 503. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bad_lines.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/net.h"
#include "base/str.h"

struct event_base;
struct http_server;
struct http_conn;

enum http_method {
    HTTP_GET_,
    HTTP_HEAD_,
    HTTP_POST_,
    HTTP_PUT_,
    HTTP_DELETE_,
    HTTP_PATCH_,
    HTTP_OPTIONS_,
    HTTP_METHOD_COUNT
};
/* Each may do what those before it may. QA: evaluates drafts, forces variants, and is never counted. */
enum key_scope { SCOPE_NONE, SCOPE_CLIENT, SCOPE_QA, SCOPE_ANALYST, SCOPE_ADMIN, SCOPE_COUNT };
extern const char *const key_scope_names[SCOPE_COUNT]; /* "none", "client", … */
enum key_scope key_scope_of(struct str name);          /* SCOPE_NONE: no scope of a key */

struct http_header {
    struct str name; /* lower case */
    struct str value;
};

struct http_request {
    struct arena arena; /* ends with the request */
    enum http_method method;
    struct str path;  /* as sent, without the query string, not percent-decoded */
    struct str query; /* as sent, without "?" */
    struct str body;  /* decoded */
    struct http_header *headers;
    size_t headers_count;
    struct str params[4];      /* {names} of the route's pattern, percent-decoded */
    enum key_scope scope;      /* of the key that came with it; set by the router */
    struct str key;            /* as it came; never logged */
    struct str key_label;      /* who: the key's label */
    const struct route *route; /* set by the router, for the counters */
    void *worker;              /* struct worker */
    int64_t started_us;        /* monotonic, when its first byte was parsed */
    struct http_conn *conn;    /* of http.c */
};

struct http_limits {
    size_t header_bytes;        /* request line and headers together; 16k */
    size_t headers;             /* count; 100 */
    size_t body_bytes;          /* before and after gzip; 8m */
    unsigned connections;       /* per worker, streams among them; 10000 */
    unsigned pipeline;          /* requests under way on one connection; 64 */
    size_t unsent_bytes;        /* replies that a client does not read; 4m */
    size_t stream_unsent_bytes; /* pieces that the client of a stream does not read, behind the first; 1m */
    int64_t header_timeout_us;  /* from first byte to whole headers; 10 s */
    int64_t body_timeout_us;    /* from headers to whole body; 60 s */
    int64_t idle_timeout_us;    /* keep-alive without a request; 75 s */
    int64_t write_timeout_us;   /* no progress in sending; 30 s */
};
extern const struct http_limits http_limits_default;

typedef void (*http_request_fn)(struct http_request *req, void *arg);

/* A borrowed, lower-case header name; {NULL, 0} when absent. */
struct str http_header(const struct http_request *req, struct str lower_name);
/* Who is at the other end of the connection; false when that has gone. */
bool http_peer(const struct http_request *req, struct net_address *out);
/* Whether "If-None-Match" names the tag (with its quotes), or "*": then 304 says it all. */
bool http_etag_matches(const struct http_request *req, struct str etag);
/* Query-string parameter, percent-decoded ("+" is a space) into the request's arena; false when absent. */
bool http_query(struct http_request *req, struct str name, struct str *out);
/* Percent-decodes into the arena; false on a bad escape or a NUL byte. */
bool http_percent_decode(struct arena *arena, struct str in, bool plus_is_space, struct str *out);

/* For one segment of a path: all but letters, digits and "-._~" is escaped. */
struct str http_percent_encode(struct arena *arena, struct str in);

/* Adds a header to the reply that will be sent. The value must hold no CR or LF (asserted). */
void http_reply_header(struct http_request *req, struct str name, struct str value);
/* Sends the reply; body is copied before return; req must not be used afterwards. `content_type` NULL: no body type.
 * HEAD, 204 and 304 send no body. */
void http_reply(struct http_request *req, int status, const char *content_type, struct str body);
/* The same, the body in pieces, without joining them first. */
void http_reply_parts(struct http_request *req, int status, const char *content_type, const struct str *parts,
                      size_t count);
void http_reply_json(struct http_request *req, int status, struct str body); /* application/json */
/* The same of a buf that was filled without asking; one that passed its limit is answered with the error. `what` names it there. Releases it. */
void http_reply_buf(struct http_request *req, int status, struct buf *b, const char *what);
/* application/problem+json {"type","title","status","detail"}; the status follows from the kind by one table. */
void http_reply_err(struct http_request *req, const struct err *err);
/* The same for what passes (503): "Retry-After" says after how long to come again, in whole seconds, rounded up; otherwise it says 1. */
void http_reply_err_later(struct http_request *req, const struct err *err, int64_t wait_us);
/* The same with a status that no kind stands for (401, 405, 406, …). */
void http_reply_problem(struct http_request *req, int status, const char *detail);
/* 429 or 503 that says after how long to come again ("Retry-After": whole seconds, rounded up). */
void http_reply_later(struct http_request *req, int status, int64_t wait_us, const char *detail);
/* The same of a body's lines that are wrong, with {"errors": [{"line", "error"} …]}. */
void http_reply_bad_lines(struct http_request *req, int status, const struct bad_lines *bad, const struct err *err);
int http_status_of(enum err_kind kind);

/* Counters of one server, read by other threads (relaxed). */
struct http_counters {
    _Atomic uint64_t requests, bytes_in, bytes_out, connections_accepted, connections_refused, timeouts, parse_errors;
    _Atomic uint64_t by_status[6]; /* [2] = 2xx */
    _Atomic uint64_t connections_open, streams_open, streams_cut;
};
/* One per worker. `listen_fd` is a bound, non-blocking SO_REUSEPORT socket that the server owns from now on; the counters are the caller's, since
 * others may read them when the server is not there yet, or gone. */
struct http_server *http_server_new(struct event_base *base, int listen_fd, const struct http_limits *limits,
                                    struct http_counters *counters, http_request_fn on_request, void *arg);
/* Stops accepting, answers what is under way with "Connection: close", closes idle connections. */
void http_server_drain(struct http_server *s);
bool http_server_drained(const struct http_server *s); /* no connection left */
/* Frees what ended in this loop turn; call after every turn. */
void http_server_turn(struct http_server *s);
void http_server_free(struct http_server *s);
/* Bound, listening, non-blocking, close-on-exec, SO_REUSEPORT, TCP_NODELAY; port 0 picks one (`out_port`). */
int http_listen(const char *host, uint16_t port, uint16_t *out_port, struct err *err) MUSTCHECK;
