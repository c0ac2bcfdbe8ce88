/* Replies: the head is written, the body copied, and the bytes leave in the order of the requests. */
#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "experimentd/http/conn.h"

enum { PROBLEM_MAX = 4096, BAD_LINE_JSON_MAX = 2048 };
#define USUAL_WAIT_US US_PER_SECOND
#define NO_END SIZE_MAX /* body bytes of a stream */

static const char json_type[] = "application/json";

static const int status_of_kind[] = {
    [ERR_NONE] = 500,      [ERR_INVALID] = 400, [ERR_DENIED] = 403, [ERR_NOT_FOUND] = 404, [ERR_CONFLICT] = 409,
    [ERR_TOO_LARGE] = 413, [ERR_BUSY] = 503,    [ERR_DB] = 503,     [ERR_SYSTEM] = 500,
};
static_assert(sizeof status_of_kind / sizeof *status_of_kind == ERR_COUNT, "a status for every kind");

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 304, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
};

int http_status_of(enum err_kind kind)
{
    return status_of_kind[kind];
}

const char *http_reason(int status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

static struct http_call *call_of(struct http_request *req)
{
    return (struct http_call *)(void *)req; /* the request is the call's first member */
}

/* The Date header is made once a second. */
static const char *date_header(struct http_server *s)
{
    if (s->now_us >= s->date_until_us) {
        int64_t now = clock_now_us();
        time_t t = (time_t)(now / US_PER_SECOND);
        struct tm tm;
        (void)gmtime_r(&t, &tm);
        (void)strftime(s->date, sizeof s->date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
        s->usual_head_n = (size_t)snprintf(s->usual_head, sizeof s->usual_head,
                                           "HTTP/1.1 200 OK\r\n%sContent-Type: %s\r\nContent-Length: ", s->date,
                                           json_type);
        s->date_until_us = s->now_us + US_PER_SECOND - now % US_PER_SECOND;
    }
    return s->date;
}

void http_reply_header(struct http_request *req, struct str name, struct str value)
{
    struct buf *extra = &call_of(req)->extra;
    for (size_t i = 0; i < value.n; i++)
        assert(value.p[i] != '\r' && value.p[i] != '\n');
    buf_add_str(extra, name);
    buf_add(extra, ": ", 2);
    buf_add_str(extra, value);
    buf_add(extra, "\r\n", 2);
}

static void write_head(struct buf *b, struct http_call *call, int status, const char *content_type, size_t body_bytes)
{
    struct http_server *s = call->req.conn->server;
    bool no_body = status == 204 || status == 304, no_length = no_body || body_bytes == NO_END;
    const char *date = date_header(s);
    if (status == 200 && content_type == json_type && call->extra.n == 0 && call->keep_alive && !call->http10) {
        buf_add(b, s->usual_head, s->usual_head_n);
        buf_add_u64(b, body_bytes);
        buf_add(b, "\r\n\r\n", 4);
        return;
    }
    buf_add(b, "HTTP/1.1 ", 9);
    buf_add_u64(b, (uint64_t)status);
    buf_add_byte(b, ' ');
    buf_add_c(b, http_reason(status));
    buf_add(b, "\r\n", 2);
    buf_add_c(b, date);
    if (content_type && !no_body) {
        buf_add_c(b, "Content-Type: ");
        buf_add_c(b, content_type);
        buf_add(b, "\r\n", 2);
    }
    if (!no_length) {
        buf_add_c(b, "Content-Length: ");
        buf_add_u64(b, body_bytes);
        buf_add(b, "\r\n", 2);
    }
    buf_add_str(b, buf_str(&call->extra));
    if (!call->keep_alive)
        buf_add_c(b, "Connection: close\r\n");
    else if (call->http10)
        buf_add_c(b, "Connection: keep-alive\r\n");
    buf_add(b, "\r\n", 2);
}

static void pop(struct http_conn *c)
{
    struct http_call *call = c->first;
    c->first = call->next;
    if (!c->first)
        c->last = NULL;
    c->calls--;
    call_free(call);
}

void reply_release_ready(struct http_conn *c)
{
    while (c->first && c->first->replied) {
        if (!c->gone)
            buf_add_str(&c->out, buf_str(&c->first->reply));
        pop(c);
    }
    conn_mark(c);
}

void http_reply_parts(struct http_request *req, int status, const char *content_type, const struct str *parts,
                      size_t count)
{
    struct http_call *call = call_of(req);
    struct http_conn *c = req->conn;
    size_t bytes = 0;
    assert(call->dispatched && !call->replied);
    if (content_type && strcmp(content_type, json_type) == 0)
        content_type = json_type;
    call->replied = true;
    if (c->server->draining && call == c->last) {
        call->keep_alive = false;
        c->closing = true;
    }
    counter_add(&c->server->counters->by_status[status / 100 % 6], 1);
    for (size_t i = 0; i < count; i++)
        bytes += parts[i].n;
    struct buf *to = c->first == call ? &c->out : &call->reply;
    if (!c->gone) {
        write_head(to, call, status, content_type, bytes);
        if (req->method != HTTP_HEAD_ && status != 204 && status != 304)
            for (size_t i = 0; i < count; i++)
                buf_add_str(to, parts[i]);
    }
    if (c->first == call) {
        pop(c);
        reply_release_ready(c);
    }
}

void reply_without_end(struct http_request *req, const char *content_type)
{
    struct http_call *call = call_of(req);
    struct http_conn *c = req->conn;
    assert(call->dispatched && !call->replied && call == c->last);
    call->replied = true;
    call->keep_alive = false;
    c->closing = true;
    counter_add(&c->server->counters->by_status[2], 1);
    if (!c->gone)
        write_head(c->first == call ? &c->out : &call->reply, call, 200, content_type, NO_END);
    if (c->first == call) {
        pop(c);
        reply_release_ready(c);
    }
}

void http_reply(struct http_request *req, int status, const char *content_type, struct str body)
{
    http_reply_parts(req, status, content_type, &body, 1);
}

void http_reply_json(struct http_request *req, int status, struct str body)
{
    http_reply_parts(req, status, json_type, &body, 1);
}

void http_reply_buf(struct http_request *req, int status, struct buf *b, const char *what)
{
    struct err err;
    if (buf_ok(b, what, &err))
        http_reply_json(req, status, buf_str(b));
    else
        http_reply_err(req, &err);
    buf_release(b);
}

static void reply_problem(struct http_request *req, int status, const char *type, const char *detail, int64_t wait_us)
{
    int64_t seconds = (wait_us + US_PER_SECOND - 1) / US_PER_SECOND;
    struct buf b;
    struct jsonw w;
    buf_init(&b, PROBLEM_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "type", arena_printf(&req->arena, "urn:experimentd:%s", type));
    jsonw_text(&w, "title", http_reason(status));
    jsonw_i64(&w, "status", status);
    jsonw_text(&w, "detail", detail);
    jsonw_close(&w);
    if (status == 503 || status == 429)
        http_reply_header(req, STR("Retry-After"), arena_printf(&req->arena, "%lld", (long long)seconds));
    http_reply(req, status, "application/problem+json", buf_str(&b));
    buf_release(&b);
}

void http_reply_err_later(struct http_request *req, const struct err *err, int64_t wait_us)
{
    /* A text may hold bytes of the client; what is no UTF-8 must not get into JSON. */
    const char *text = str_is_utf8(str_of(err->text)) ? err->text : "the request holds bytes that are not UTF-8";
    reply_problem(req, http_status_of(err->kind), err_kind_name(err->kind), text, wait_us);
}

void http_reply_err(struct http_request *req, const struct err *err)
{
    http_reply_err_later(req, err, USUAL_WAIT_US);
}

void http_reply_problem(struct http_request *req, int status, const char *detail)
{
    reply_problem(req, status, "http", detail, USUAL_WAIT_US);
}

void http_reply_later(struct http_request *req, int status, int64_t wait_us, const char *detail)
{
    reply_problem(req, status, "http", detail, wait_us);
}

void http_reply_bad_lines(struct http_request *req, int status, const struct bad_lines *bad, const struct err *err)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, PROBLEM_MAX + BAD_LINES_MAX * BAD_LINE_JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "type", "about:blank");
    jsonw_text(&w, "title", http_reason(status));
    jsonw_i64(&w, "status", status);
    jsonw_text(&w, "detail", err->text);
    jsonw_open(&w, "errors", '[');
    for (size_t i = 0; i < bad->count && i < BAD_LINES_MAX; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "line", (int64_t)bad->first[i].line);
        jsonw_text(&w, "error", bad->first[i].err.text);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply(req, status, "application/problem+json", buf_str(&b));
    buf_release(&b);
}
