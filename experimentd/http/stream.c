/* A stream: takes the socket over from its connection when its head is next in line, then writes pieces as the socket takes them. */
#include "experimentd/http/stream.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "experimentd/http/conn.h"

struct http_piece {
    unsigned holders;
    size_t n;
    char bytes[];
};

struct http_piece *http_piece_new(struct str bytes)
{
    struct http_piece *p = mem_alloc(sizeof *p + bytes.n);
    p->holders = 1;
    p->n = bytes.n;
    if (bytes.n)
        memcpy(p->bytes, bytes.p, bytes.n);
    return p;
}

void http_piece_release(struct http_piece *p)
{
    if (p && --p->holders == 0)
        mem_free(p);
}

/* ---- the list of the server's streams ---- */

static void list_add(struct http_stream *st)
{
    struct http_streams *all = &st->server->streams;
    st->next = all->first;
    if (all->first)
        all->first->prev = st;
    all->first = st;
    all->count++;
}

static void list_remove(struct http_stream *st)
{
    struct http_streams *all = &st->server->streams;
    if (all->ping_next == st)
        all->ping_next = st->next;
    if (st->prev)
        st->prev->next = st->next;
    else
        all->first = st->next;
    if (st->next)
        st->next->prev = st->prev;
    all->count--;
}

/* ---- life ---- */

struct http_stream *http_stream_begin(struct http_request *req, const char *content_type, http_stream_closed_fn closed,
                                      void *arg)
{
    struct http_conn *c = req->conn;
    struct http_server *s = c->server;
    struct http_stream *st = mem_zalloc(sizeof *st);
    bool head_only = req->method == HTTP_HEAD_;
    st->server = s;
    st->fd = -1;
    st->closed = closed;
    st->arg = arg;
    list_add(st);
    if (!c->gone) {
        st->conn = c;
        c->becoming = st;
    }
    reply_without_end(req, content_type);
    if (c->gone || s->draining || head_only)
        http_stream_close(st);
    return st;
}

void http_stream_close(struct http_stream *st)
{
    struct http_streams *all = &st->server->streams;
    if (st->gone)
        return;
    st->gone = true;
    if (st->conn) { /* the connection sends what it has and closes */
        st->conn->becoming = NULL;
        conn_mark(st->conn);
    }
    st->conn = NULL;
    if (st->event)
        (void)event_del(st->event);
    st->next_ended = all->ended;
    all->ended = st;
}

/* Whether bytes wait since now, or no longer. */
static void note_waiting(struct http_stream *st, bool waits)
{
    struct http_server *s = st->server;
    if (waits && !st->write_since_us)
        s->streams.waiting++;
    if (!waits && st->write_since_us)
        s->streams.waiting--;
    st->write_since_us = waits ? s->now_us : 0;
}

static void stream_free(struct http_stream *st)
{
    struct http_server *s = st->server;
    if (st->closed)
        st->closed(st, st->arg);
    channel_leave(st);
    if (st->event)
        event_free(st->event);
    if (st->fd >= 0) {
        close(st->fd);
        counter_add(&s->counters->connections_open, (uint64_t)-1);
        counter_add(&s->counters->streams_open, (uint64_t)-1);
    }
    note_waiting(st, false);
    for (unsigned i = 0; i < st->pieces_count; i++)
        http_piece_release(st->pieces[i]);
    list_remove(st);
    mem_free(st);
}

static void cut(struct http_stream *st)
{
    counter_add(&st->server->counters->streams_cut, 1);
    http_stream_close(st);
}

/* ---- writing ---- */

static void on_event(evutil_socket_t fd, short what, void *arg);

/* Writing is listened for only while something waits. */
static void listen_for(struct http_stream *st, bool writable)
{
    short what = (short)(EV_READ | EV_PERSIST | (writable ? EV_WRITE : 0));
    if (st->write_armed == writable)
        return;
    (void)event_del(st->event);
    (void)event_assign(st->event, st->server->base, st->fd, what, on_event, st);
    (void)event_add(st->event, NULL);
    st->write_armed = writable;
}

/* n bytes left: the pieces that are done with are released. */
static void advance(struct http_stream *st, size_t n)
{
    unsigned done = 0;
    st->sent += n;
    while (done < st->pieces_count && st->sent >= st->pieces[done]->n) {
        st->sent -= st->pieces[done]->n;
        http_piece_release(st->pieces[done++]);
    }
    st->pieces_count -= done;
    memmove(st->pieces, st->pieces + done, st->pieces_count * sizeof(void *));
}

static ssize_t send_pieces(struct http_stream *st)
{
    struct iovec parts[STREAM_PIECES_MAX];
    for (unsigned i = 0; i < st->pieces_count; i++)
        parts[i] = (struct iovec){ st->pieces[i]->bytes, st->pieces[i]->n };
    parts[0].iov_base = (char *)parts[0].iov_base + st->sent;
    parts[0].iov_len -= st->sent;
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = st->pieces_count };
    return sendmsg(st->fd, &message, MSG_NOSIGNAL);
}

static void stream_flush(struct http_stream *st)
{
    struct http_server *s = st->server;
    bool progress = st->write_since_us == 0;
    while (!st->gone && st->pieces_count) {
        ssize_t n = send_pieces(st);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            http_stream_close(st);
            return;
        }
        progress = true;
        counter_add(&s->counters->bytes_out, (uint64_t)n);
        advance(st, (size_t)n);
    }
    if (st->finishing && !st->pieces_count) {
        http_stream_close(st);
        return;
    }
    if (progress)
        note_waiting(st, st->pieces_count > 0);
    listen_for(st, st->pieces_count > 0);
}

static size_t unsent_behind_first(const struct http_stream *st)
{
    size_t n = 0;
    for (unsigned i = 1; i < st->pieces_count; i++)
        n += st->pieces[i]->n;
    return n;
}

void http_stream_send(struct http_stream *st, struct http_piece *p)
{
    if (st->gone)
        return;
    if (st->pieces_count == STREAM_PIECES_MAX ||
        (st->pieces_count && unsent_behind_first(st) + p->n > st->server->limits.stream_unsent_bytes)) {
        cut(st);
        return;
    }
    p->holders++;
    st->pieces[st->pieces_count++] = p;
    if (st->fd >= 0 && !st->write_armed)
        stream_flush(st);
}

void http_stream_send_text(struct http_stream *st, struct str bytes)
{
    struct http_piece *p = http_piece_new(bytes);
    http_stream_send(st, p);
    http_piece_release(p);
}

void http_stream_finish(struct http_stream *st)
{
    st->finishing = true;
    if (st->fd >= 0 && !st->pieces_count)
        http_stream_close(st);
}

/* ---- the socket ---- */

/* What a client of a stream sends is read and dropped; its end is the stream's end. */
static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct http_stream *st = arg;
    struct http_server *s = st->server;
    if (st->gone)
        return;
    s->now_us = clock_mono_us();
    if (what & EV_READ) {
        ssize_t n = read(fd, s->read_buffer, sizeof s->read_buffer);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            http_stream_close(st);
            return;
        }
    }
    if (what & EV_WRITE)
        stream_flush(st);
}

/* What the connection has not sent (answers before, the head) goes first. */
static void take_unsent(struct http_stream *st, struct str unsent)
{
    if (!unsent.n)
        return;
    memmove(st->pieces + 1, st->pieces, st->pieces_count * sizeof(void *));
    st->pieces[0] = http_piece_new(unsent);
    st->pieces_count++;
}

void stream_adopt(struct http_conn *c)
{
    struct http_stream *st = c->becoming;
    struct http_server *s = c->server;
    c->becoming = NULL;
    st->conn = NULL;
    if (st->pieces_count == STREAM_PIECES_MAX) { /* no room for the head: nothing could be sent in order */
        cut(st);
        conn_gone(c);
        return;
    }
    take_unsent(st, (struct str){ c->out.p + c->out_sent, c->out.n - c->out_sent });
    st->fd = conn_take_fd(c);
    st->event = event_new(s->base, st->fd, EV_READ | EV_PERSIST, on_event, st);
    (void)event_add(st->event, NULL);
    counter_add(&s->counters->connections_open, 1); /* conn_free takes the connection's own off */
    counter_add(&s->counters->streams_open, 1);
    stream_flush(st);
}

/* ---- the server's side ---- */

void streams_tick(struct http_server *s)
{
    struct http_streams *all = &s->streams;
    all->ping_share += all->count; /* thirtieths of a ping: few streams are not pinged more often than many */
    all->pings_due += all->ping_share / STREAM_PING_SECONDS;
    all->ping_share %= STREAM_PING_SECONDS;
    if (all->pings_due > all->count)
        all->pings_due = all->count;
    for (struct http_stream *st = all->waiting ? all->first : NULL; st; st = st->next)
        if (!st->gone && st->write_since_us && s->now_us - st->write_since_us > s->limits.write_timeout_us)
            cut(st);
}

/* Round and round the list, a thirtieth of it a second. */
static void ping(struct http_server *s)
{
    struct http_streams *all = &s->streams;
    for (int i = 0; i < STREAM_TURN_MAX && all->pings_due; i++, all->pings_due--) {
        struct http_stream *st = all->ping_next ? all->ping_next : all->first;
        if (!st)
            break;
        all->ping_next = st->next;
        if (st->fd >= 0 && !st->pieces_count)
            http_stream_send(st, all->ping);
    }
    if (!all->count)
        all->pings_due = 0;
}

void streams_turn(struct http_server *s)
{
    struct http_streams *all = &s->streams;
    int64_t wait_us = channels_turn(s);
    if (all->pings_due)
        ping(s);
    while (all->ended) {
        struct http_stream *st = all->ended;
        all->ended = st->next_ended;
        stream_free(st);
    }
    if (wait_us == 0 || all->pings_due)
        event_active(all->again, EV_TIMEOUT, 0); /* the next turn must not wait for something to happen */
    else if (wait_us > 0)
        (void)event_add(all->again, &(struct timeval){ .tv_usec = wait_us });
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

void streams_init(struct http_server *s)
{
    s->streams.ping = http_piece_new(STR(":\n\n"));
    s->streams.again = event_new(s->base, -1, 0, on_again, s);
}

void streams_close_all(struct http_server *s)
{
    for (struct http_stream *st = s->streams.first; st; st = st->next)
        http_stream_close(st);
}

void streams_release(struct http_server *s)
{
    assert(!s->streams.first);
    event_free(s->streams.again);
    http_piece_release(s->streams.ping);
}
