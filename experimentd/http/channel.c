/* Channels: one event for many streams, written to a bounded number of them each turn.
 *
 * A walk visits every stream once, with what is newest at the visit. Whoever was visited before a publishing gets it in the next walk, which
 * begins after a rest as long as this walk took: changes that come faster than all streams can be told are told together, and streams take
 * at most half of the worker's time. */
#include <assert.h>

#include "base/clock.h"
#include "experimentd/http/conn.h"
#include "experimentd/http/stream.h"

struct http_channel {
    struct http_server *server;
    struct http_channel *next;                  /* of the server */
    struct http_stream *first;                  /* newest first */
    struct http_stream *cursor;                 /* the next to be looked at; NULL: begin again */
    size_t count, to_visit;                     /* to_visit: in this walk */
    bool missed;                                /* by streams that this walk has passed */
    int64_t started_us, rest_us, rest_until_us; /* of the last walk's rest: how long, until when */
    struct http_piece *event;
    size_t event_bytes;
    int64_t version;
};

struct http_channel *http_channel_new(struct http_server *s)
{
    struct http_channel *c = mem_zalloc(sizeof *c);
    c->server = s;
    c->version = -1;
    c->next = s->streams.channels;
    s->streams.channels = c;
    return c;
}

void http_channel_free(struct http_channel *c)
{
    if (!c)
        return;
    struct http_channel **at = &c->server->streams.channels;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    while (c->first) {
        http_stream_close(c->first);
        channel_leave(c->first);
    }
    http_piece_release(c->event);
    mem_free(c);
}

static void begin_walk(struct http_channel *c)
{
    c->to_visit = c->count;
    c->missed = false;
    c->started_us = clock_mono_us();
}

static void end_walk(struct http_channel *c)
{
    int64_t now = clock_mono_us(), took = now - c->started_us;
    c->rest_us = took < STREAM_REST_MAX_US ? took : STREAM_REST_MAX_US;
    c->rest_until_us = now + c->rest_us;
}

void http_channel_publish(struct http_channel *c, int64_t version, struct str event)
{
    http_piece_release(c->event);
    c->event = http_piece_new(event);
    c->event_bytes = event.n;
    c->version = version;
    if (c->to_visit || clock_mono_us() < c->rest_until_us)
        c->missed = true;
    else
        begin_walk(c);
}

void http_channel_join(struct http_channel *c, struct http_stream *st, int64_t version)
{
    assert(!st->channel);
    st->channel = c;
    st->version = version;
    st->channel_next = c->first;
    if (c->first)
        c->first->channel_prev = st;
    c->first = st;
    c->count++;
    if (c->event && version != c->version) {
        st->version = c->version;
        http_stream_send(st, c->event);
    }
}

void channel_leave(struct http_stream *st)
{
    struct http_channel *c = st->channel;
    if (!c)
        return;
    if (c->cursor == st)
        c->cursor = st->channel_next;
    if (st->channel_prev)
        st->channel_prev->channel_next = st->channel_next;
    else
        c->first = st->channel_next;
    if (st->channel_next)
        st->channel_next->channel_prev = st->channel_prev;
    st->channel = NULL;
    st->channel_next = st->channel_prev = NULL;
    c->count--;
}

size_t http_channel_count(const struct http_channel *c)
{
    return c->count;
}

int64_t http_channel_version(const struct http_channel *c)
{
    return c->version;
}

struct budget {
    int streams;
    int64_t bytes;
};

/* From where the last walk stopped, not from the front: with many publishings, each stream has its turn. */
static void walk(struct http_channel *c, struct budget *left)
{
    while (c->to_visit && left->streams > 0 && left->bytes > 0) {
        struct http_stream *st = c->cursor ? c->cursor : c->first;
        if (!st) {
            c->to_visit = 0;
            break;
        }
        c->cursor = st->channel_next;
        c->to_visit--;
        if (st->version == c->version)
            continue;
        st->version = c->version;
        http_stream_send(st, c->event);
        left->streams--;
        left->bytes -= (int64_t)c->event_bytes;
    }
    if (!c->to_visit)
        end_walk(c);
}

/* When the channel wants to go on, in µs from now; -1: not before something is published. */
static int64_t turn(struct http_channel *c, struct budget *left)
{
    if (c->missed && !c->to_visit) {
        int64_t rest_us = c->rest_until_us - clock_mono_us();
        if (rest_us > 0)
            return rest_us;
        begin_walk(c);
    }
    if (!c->to_visit)
        return -1;
    walk(c, left);
    if (c->to_visit)
        return 0;
    return c->missed ? c->rest_us : -1;
}

int64_t channels_turn(struct http_server *s)
{
    struct budget left = { STREAM_TURN_MAX, STREAM_TURN_BYTES };
    int64_t first_us = -1;
    for (struct http_channel *c = s->streams.channels; c; c = c->next) {
        int64_t wait_us = turn(c, &left);
        if (wait_us >= 0 && (first_us < 0 || wait_us < first_us))
            first_us = wait_us;
    }
    return first_us;
}
