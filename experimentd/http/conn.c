/* One connection: read() into the server's buffer, llhttp, calls; write() once at the end of the turn. */
#include "experimentd/http/conn.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { OUT_KEEP_BYTES = 256 << 10, SPANS_FIRST = 16 };

/* ---- calls ---- */

struct http_call *call_new(struct http_conn *c)
{
    struct http_server *s = c->server;
    struct http_call *call = s->spare;
    if (call) {
        s->spare = call->next;
        s->spare_count--;
    } else {
        call = mem_zalloc(sizeof *call);
        arena_init(&call->req.arena, HTTP_CALL_ARENA);
        call->spans_room = SPANS_FIRST;
        call->spans = mem_alloc(call->spans_room * sizeof *call->spans);
        buf_init(&call->head, s->limits.header_bytes);
        buf_init(&call->body, s->limits.body_bytes);
        buf_init(&call->reply, SIZE_MAX / 2);
        buf_init(&call->extra, 16 << 10);
    }
    call->next = NULL;
    call->req.conn = c;
    call->req.worker = s->arg;
    call->req.started_us = s->now_us;
    return call;
}

void call_destroy(struct http_call *call)
{
    arena_release(&call->req.arena);
    mem_free(call->spans);
    buf_release(&call->head);
    buf_release(&call->body);
    buf_release(&call->reply);
    buf_release(&call->extra);
    mem_free(call);
}

static void shrink(struct buf *b)
{
    if (b->room > OUT_KEEP_BYTES)
        buf_release(b);
    else
        buf_clear(b);
}

void call_free(struct http_call *call)
{
    struct http_server *s = call->req.conn->server;
    if (s->spare_count >= HTTP_SPARE_CALLS) {
        call_destroy(call);
        return;
    }
    struct arena arena = call->req.arena;
    arena_reset(&arena);
    shrink(&call->head);
    shrink(&call->body);
    shrink(&call->reply);
    shrink(&call->extra);
    call->req = (struct http_request){ .arena = arena };
    call->url_bytes = call->spans_count = 0;
    call->gzip = call->keep_alive = call->http10 = call->dispatched = call->replied = false;
    call->next = s->spare;
    s->spare = call;
    s->spare_count++;
}

/* ---- llhttp callbacks: a non-zero result stops the parser ---- */

static void enter(struct http_conn *c, enum conn_stage stage)
{
    c->stage = stage;
    c->stage_since_us = c->server->now_us;
}

static int on_message_begin(llhttp_t *p)
{
    struct http_conn *c = p->data;
    if (!c->building)
        c->building = call_new(c);
    enter(c, CONN_HEAD);
    return 0;
}

static int add_head(struct http_conn *c, const char *at, size_t n, int status, const char *detail)
{
    struct http_call *call = c->building;
    buf_add(&call->head, at, n);
    if (!call->head.failed)
        return 0;
    conn_refuse(c, status, detail);
    return -1;
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
    struct http_conn *c = p->data;
    c->building->url_bytes += n;
    return add_head(c, at, n, 414, "the request target is too long");
}

static int on_header_field(llhttp_t *p, const char *at, size_t n)
{
    struct http_conn *c = p->data;
    struct http_call *call = c->building;
    size_t k = call->spans_count;
    bool fresh = k == 0 || call->spans[k - 1].value != UINT32_MAX;
    if (fresh) {
        if (k >= c->server->limits.headers) {
            conn_refuse(c, 431, "too many header fields");
            return -1;
        }
        if (k == call->spans_room) {
            call->spans_room *= 2;
            call->spans = mem_realloc(call->spans, call->spans_room * sizeof *call->spans);
        }
        call->spans[k].name = (uint32_t)call->head.n;
        call->spans[k].name_n = 0;
        call->spans[k].value = UINT32_MAX;
        call->spans[k].value_n = 0;
        call->spans_count++;
    }
    call->spans[call->spans_count - 1].name_n += (uint32_t)n;
    return add_head(c, at, n, 431, "the header fields are too large");
}

static int on_header_field_complete(llhttp_t *p)
{
    struct http_conn *c = p->data;
    struct http_call *call = c->building;
    call->spans[call->spans_count - 1].value = (uint32_t)call->head.n;
    return 0;
}

static int on_header_value(llhttp_t *p, const char *at, size_t n)
{
    struct http_conn *c = p->data;
    struct http_call *call = c->building;
    call->spans[call->spans_count - 1].value_n += (uint32_t)n;
    return add_head(c, at, n, 431, "the header fields are too large");
}

static void lower_case(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
}

static void build_headers(struct http_call *call)
{
    struct http_request *req = &call->req;
    req->headers = arena_alloc(&req->arena, call->spans_count * sizeof *req->headers);
    req->headers_count = call->spans_count;
    for (size_t i = 0; i < call->spans_count; i++) {
        lower_case(call->head.p + call->spans[i].name, call->spans[i].name_n);
        req->headers[i].name = (struct str){ call->head.p + call->spans[i].name, call->spans[i].name_n };
        req->headers[i].value = str_trim((struct str){ call->head.p + call->spans[i].value, call->spans[i].value_n });
    }
    uri_split((struct str){ call->head.p, call->url_bytes }, &req->path, &req->query);
}

static bool method_of(uint8_t method, enum http_method *out)
{
    switch (method) {
    case HTTP_GET:
        *out = HTTP_GET_;
        return true;
    case HTTP_HEAD:
        *out = HTTP_HEAD_;
        return true;
    case HTTP_POST:
        *out = HTTP_POST_;
        return true;
    case HTTP_PUT:
        *out = HTTP_PUT_;
        return true;
    case HTTP_DELETE:
        *out = HTTP_DELETE_;
        return true;
    case HTTP_PATCH:
        *out = HTTP_PATCH_;
        return true;
    case HTTP_OPTIONS:
        *out = HTTP_OPTIONS_;
        return true;
    default:
        return false;
    }
}

static int refuse(struct http_conn *c, int status, const char *detail)
{
    conn_refuse(c, status, detail);
    return -1;
}

static int refuse_body(struct http_conn *c)
{
    struct arena *arena = &c->building->req.arena;
    return refuse(c, 413,
                  arena_printf(arena, "the request body is larger than %zu bytes", c->server->limits.body_bytes).p);
}

static int check_headers(struct http_conn *c, struct http_call *call)
{
    struct str encoding = http_header(&call->req, STR("content-encoding"));
    struct str expect = http_header(&call->req, STR("expect"));
    bool http11 = c->parser.http_major == 1 && c->parser.http_minor == 1;
    if (c->parser.http_major != 1)
        return refuse(c, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    if (http11 && !http_header(&call->req, STR("host")).p)
        return refuse(c, 400, "header \"Host\" is missing");
    if (encoding.n && !str_eq_nocase(encoding, STR("identity"))) {
        if (!str_eq_nocase(encoding, STR("gzip")) && !str_eq_nocase(encoding, STR("x-gzip")))
            return refuse(
                c, 415,
                arena_printf(&call->req.arena,
                             "header \"Content-Encoding\" is \"%.40s\": only gzip and identity are understood",
                             arena_cstr(&call->req.arena, encoding))
                    .p);
        call->gzip = true;
    }
    if ((c->parser.flags & F_CONTENT_LENGTH) && c->parser.content_length > c->server->limits.body_bytes)
        return refuse_body(c);
    if (expect.n && !str_eq_nocase(expect, STR("100-continue")))
        return refuse(c, 417, "header \"Expect\": only 100-continue is understood");
    c->continue_wanted = expect.n > 0 && http11;
    call->http10 = !http11;
    return 0;
}

static int on_headers_complete(llhttp_t *p)
{
    struct http_conn *c = p->data;
    struct http_call *call = c->building;
    build_headers(call);
    if (!method_of(p->method, &call->req.method))
        return refuse(c, 501, "this method is not known here");
    if (check_headers(c, call) != 0)
        return -1;
    call->keep_alive = llhttp_should_keep_alive(p) != 0;
    enter(c, CONN_BODY);
    /* Only the next in line may be told to go on; others send their body after a while by themselves. */
    if (c->continue_wanted && !c->first) {
        buf_add_c(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        conn_mark(c);
    }
    return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    struct http_conn *c = p->data;
    buf_add(&c->building->body, at, n);
    return c->building->body.failed ? refuse_body(c) : 0;
}

static void enqueue(struct http_conn *c, struct http_call *call)
{
    if (c->last)
        c->last->next = call;
    else
        c->first = call;
    c->last = call;
    c->calls++;
}

static bool decode_body(struct http_call *call, struct err *err)
{
    call->req.body = buf_str(&call->body);
    if (!call->gzip)
        return true;
    struct buf plain;
    buf_init(&plain, call->body.limit_bytes);
    bool ok = gzip_inflate(buf_str(&call->body), &plain, err);
    if (ok)
        call->req.body = arena_str(&call->req.arena, buf_str(&plain));
    buf_release(&plain);
    return ok;
}

static int on_message_complete(llhttp_t *p)
{
    struct http_conn *c = p->data;
    struct http_server *s = c->server;
    struct http_call *call = c->building;
    struct err err;
    c->building = NULL;
    enter(c, CONN_IDLE);
    counter_add(&s->counters->requests, 1);
    call->dispatched = true;
    enqueue(c, call);
    if (!call->keep_alive)
        c->closing = true;
    if (!decode_body(call, &err))
        http_reply_err(&call->req, &err);
    else
        s->on_request(&call->req, s->arg);
    if (c->closing)
        return HPE_PAUSED; /* what follows on this connection is not for us */
    if (c->calls >= s->limits.pipeline) {
        c->paused = true;
        return HPE_PAUSED;
    }
    return 0;
}

static const llhttp_settings_t parser_settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_field_complete = on_header_field_complete,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- reading ---- */

void conn_refuse(struct http_conn *c, int status, const char *detail)
{
    struct http_call *call = c->building ? c->building : call_new(c);
    c->building = NULL;
    c->closing = true;
    call->dispatched = true;
    call->keep_alive = false;
    enqueue(c, call);
    http_reply_problem(&call->req, status, detail);
}

static void parse(struct http_conn *c, const char *p, size_t n)
{
    enum llhttp_errno e = llhttp_execute(&c->parser, p, n);
    if (e == HPE_OK || c->gone)
        return;
    if (e == HPE_PAUSED) {
        const char *stop = llhttp_get_error_pos(&c->parser);
        if (c->paused && stop)
            buf_add(&c->held, stop, n - (size_t)(stop - p));
        return;
    }
    if (c->closing)
        return; /* refused by a callback: already answered */
    if (e == HPE_PAUSED_UPGRADE) {
        conn_refuse(c, 501, "no protocol upgrade is offered");
        return;
    }
    counter_add(&c->server->counters->parse_errors, 1);
    conn_refuse(c, 400, llhttp_get_error_reason(&c->parser));
}

void conn_resume(struct http_conn *c)
{
    struct buf held = c->held;
    if (!c->paused || c->closing || c->gone)
        return;
    c->paused = false;
    llhttp_resume(&c->parser);
    (void)event_add(c->read_event, NULL);
    buf_init(&c->held, HTTP_READ_BYTES);
    if (held.n)
        parse(c, held.p, held.n);
    buf_release(&held);
}

void conn_on_readable(struct http_conn *c)
{
    struct http_server *s = c->server;
    if (!s->now_fresh) {
        s->now_us = clock_mono_us();
        s->now_fresh = true;
    }
    ssize_t n = read(c->fd, s->read_buffer, sizeof s->read_buffer);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        conn_gone(c);
        return;
    }
    counter_add(&s->counters->bytes_in, (uint64_t)n);
    if (c->closing)
        return; /* the answer is on its way; what still comes is read and dropped */
    parse(c, s->read_buffer, (size_t)n);
    if (c->paused && !c->gone)
        (void)event_del(c->read_event);
}

/* ---- writing ---- */

void conn_mark(struct http_conn *c)
{
    if (c->dirty)
        return;
    c->dirty = true;
    c->next_dirty = c->server->dirty;
    c->server->dirty = c;
}

static void finish_write(struct http_conn *c)
{
    c->out_sent = 0;
    c->write_since_us = 0;
    shrink(&c->out);
    if (c->write_armed) {
        (void)event_del(c->write_event);
        c->write_armed = false;
    }
    if (c->closing && !c->first && !c->becoming) {
        /* Half-close, then let the client's end close ours: an answer must not be cut by a reset (RFC 9112, 9.6). */
        (void)shutdown(c->fd, SHUT_WR);
        c->stage_since_us = c->server->now_us;
    }
}

void conn_flush(struct http_conn *c)
{
    struct http_server *s = c->server;
    while (!c->gone && c->out_sent < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + c->out_sent, c->out.n - c->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (!c->write_armed) {
                (void)event_add(c->write_event, NULL);
                c->write_armed = true;
            }
            if (!c->write_since_us)
                c->write_since_us = s->now_us;
            return;
        }
        if (n <= 0) {
            conn_gone(c);
            return;
        }
        c->out_sent += (size_t)n;
        c->write_since_us = s->now_us;
        counter_add(&s->counters->bytes_out, (uint64_t)n);
    }
    if (!c->gone)
        finish_write(c);
}

/* ---- life ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conn_on_readable(arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct http_conn *c = arg;
    c->server->now_us = clock_mono_us();
    conn_mark(c);
}

struct http_conn *conn_new(struct http_server *s, int fd)
{
    struct http_conn *c = mem_zalloc(sizeof *c);
    c->server = s;
    c->fd = fd;
    c->stage_since_us = s->now_us;
    buf_init(&c->held, HTTP_READ_BYTES);
    buf_init(&c->out, SIZE_MAX / 2);
    llhttp_init(&c->parser, HTTP_REQUEST, &parser_settings);
    c->parser.data = c;
    c->read_event = event_new(s->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->write_event = event_new(s->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    (void)event_add(c->read_event, NULL);
    c->next = s->conns;
    if (s->conns)
        s->conns->prev = c;
    s->conns = c;
    s->conns_count++;
    counter_add(&s->counters->connections_open, 1);
    return c;
}

int conn_take_fd(struct http_conn *c)
{
    c->gone = true;
    event_free(c->read_event);
    event_free(c->write_event);
    if (c->building) {
        call_free(c->building);
        c->building = NULL;
    }
    conn_mark(c);
    return c->fd;
}

void conn_gone(struct http_conn *c)
{
    if (c->gone)
        return;
    close(conn_take_fd(c));
    if (c->becoming)
        http_stream_close(c->becoming);
}

void conn_free(struct http_conn *c)
{
    struct http_server *s = c->server;
    assert(c->gone && !c->first);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    s->conns_count--;
    counter_add(&s->counters->connections_open, (uint64_t)-1);
    buf_release(&c->held);
    buf_release(&c->out);
    mem_free(c);
}
