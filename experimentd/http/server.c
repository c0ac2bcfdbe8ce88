/* The server of one worker thread: accepting, the coarse timer, the end of the turn, draining. */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "experimentd/http/conn.h"

enum { ACCEPT_BATCH = 64, LINGER_US = 2000000 };

const struct http_limits http_limits_default = {
    .header_bytes = 16 << 10,
    .headers = 100,
    .body_bytes = 8 << 20,
    .connections = 10000,
    .pipeline = 64,
    .unsent_bytes = 4 << 20,
    .stream_unsent_bytes = 1 << 20,
    .header_timeout_us = 10 * US_PER_SECOND,
    .body_timeout_us = 60 * US_PER_SECOND,
    .idle_timeout_us = 75 * US_PER_SECOND,
    .write_timeout_us = 30 * US_PER_SECOND,
};

static void refuse_connection(struct http_server *s, int fd)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
                                 "Retry-After: 1\r\nConnection: close\r\nContent-Length: 106\r\n\r\n"
                                 "{\"type\":\"urn:experimentd:busy\",\"title\":\"Service Unavailable\",\"status\":503,"
                                 "\"detail\":\"too many connections\"}";
    counter_add(&s->counters->connections_refused, 1);
    (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    close(fd);
}

/* True when there may be more to accept. */
static bool accept_one(struct http_server *s)
{
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            log_warn("accept_failed", "errno=%d", errno);
        return errno == EINTR || errno == ECONNABORTED;
    }
    counter_add(&s->counters->connections_accepted, 1);
    if (s->conns_count + s->streams.count >= s->limits.connections)
        refuse_connection(s, fd);
    else
        (void)conn_new(s, fd);
    return true;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct http_server *s = arg;
    s->now_us = clock_mono_us();
    for (int i = 0; i < ACCEPT_BATCH && accept_one(s); i++) {
    }
}

/* ---- timeouts: once a second over all connections, no timer of their own ---- */

static void check_conn(struct http_conn *c, int64_t now)
{
    const struct http_limits *l = &c->server->limits;
    int64_t in_stage = now - c->stage_since_us;
    if (c->write_since_us && now - c->write_since_us > l->write_timeout_us) {
        counter_add(&c->server->counters->timeouts, 1);
        conn_gone(c);
    } else if (c->closing) {
        if (!c->first && !c->write_since_us && in_stage > LINGER_US)
            conn_gone(c);
    } else if (c->stage == CONN_HEAD && in_stage > l->header_timeout_us) {
        counter_add(&c->server->counters->timeouts, 1);
        conn_refuse(c, 408, "the request's header fields did not come in time");
    } else if (c->stage == CONN_BODY && in_stage > l->body_timeout_us) {
        counter_add(&c->server->counters->timeouts, 1);
        conn_refuse(c, 408, "the request's body did not come in time");
    } else if (c->stage == CONN_IDLE && !c->first && in_stage > l->idle_timeout_us) {
        conn_gone(c);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct http_server *s = arg;
    s->now_us = clock_mono_us();
    for (struct http_conn *c = s->conns; c; c = c->next)
        if (!c->gone)
            check_conn(c, s->now_us);
    streams_tick(s);
}

/* ---- the end of the turn ---- */

static void turn_conn(struct http_conn *c)
{
    if (c->becoming && !c->first && !c->gone) {
        stream_adopt(c);
        return;
    }
    if (!c->gone && c->paused && c->calls < c->server->limits.pipeline &&
        c->out.n - c->out_sent < c->server->limits.unsent_bytes)
        conn_resume(c);
    if (!c->gone)
        conn_flush(c);
    if (!c->gone && c->out.n - c->out_sent > c->server->limits.unsent_bytes && !c->paused) {
        c->paused = true; /* who does not read his answers is not read from */
        llhttp_pause(&c->parser);
        (void)event_del(c->read_event);
    }
    if (!c->gone && c->server->draining && c->stage == CONN_IDLE && !c->first && c->out_sent == c->out.n)
        conn_gone(c);
}

static void turn_conns(struct http_server *s)
{
    while (s->dirty) {
        struct http_conn *c = s->dirty;
        s->dirty = c->next_dirty;
        turn_conn(c);
        if (c->gone)
            reply_release_ready(c); /* replies to nobody */
        c->dirty = false;
        if (c->gone && !c->first)
            conn_free(c);
    }
}

void http_server_turn(struct http_server *s)
{
    s->now_fresh = false;
    turn_conns(s);
    streams_turn(s);
    turn_conns(s); /* of streams that ended before they had the socket */
}

/* ---- life ---- */

struct http_server *http_server_new(struct event_base *base, int listen_fd, const struct http_limits *limits,
                                    struct http_counters *counters, http_request_fn on_request, void *arg)
{
    struct http_server *s = mem_zalloc(sizeof *s);
    s->base = base;
    s->listen_fd = listen_fd;
    s->limits = *limits;
    s->counters = counters;
    s->on_request = on_request;
    s->arg = arg;
    s->now_us = clock_mono_us();
    if (listen_fd >= 0) {
        s->listen_event = event_new(base, listen_fd, EV_READ | EV_PERSIST, on_accept, s);
        (void)event_add(s->listen_event, NULL);
    }
    s->tick = event_new(base, -1, EV_PERSIST, on_tick, s);
    (void)event_add(s->tick, &(struct timeval){ .tv_sec = 1 });
    streams_init(s);
    return s;
}

static void close_listener(struct http_server *s)
{
    if (!s->listen_event)
        return;
    event_free(s->listen_event);
    s->listen_event = NULL;
    close(s->listen_fd);
}

void http_server_drain(struct http_server *s)
{
    s->now_us = clock_mono_us();
    /* What waits in this socket's queue would be reset when it is closed: take it in first. */
    while (s->listen_event && accept_one(s)) {
    }
    close_listener(s);
    s->draining = true;
    for (struct http_conn *c = s->conns; c; c = c->next)
        conn_mark(c);
    streams_close_all(s);
}

bool http_server_drained(const struct http_server *s)
{
    return s->draining && s->conns == NULL && s->streams.first == NULL;
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    close_listener(s);
    for (struct http_conn *c = s->conns; c; c = c->next) {
        conn_gone(c);
        for (struct http_call *call = c->first; call; call = call->next)
            call->replied = true; /* nobody will reply any more */
    }
    streams_close_all(s);
    http_server_turn(s);
    streams_release(s);
    event_free(s->tick);
    while (s->spare) {
        struct http_call *call = s->spare;
        s->spare = call->next;
        call_destroy(call);
    }
    mem_free(s);
}
