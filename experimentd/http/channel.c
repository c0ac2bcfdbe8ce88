/* Channels: one event for many streams, written to a bounded number of them each turn. */
#include <assert.h>

#include "experimentd/http/conn.h"
#include "experimentd/http/stream.h"

struct http_channel {
    struct http_server *server;
    struct http_channel *next;  /* of the server */
    struct http_stream *first;  /* newest first */
    struct http_stream *cursor; /* the next to be looked at; NULL: begin again */
    size_t count, to_visit;     /* since the last publishing */
    struct http_piece *event;
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

void http_channel_publish(struct http_channel *c, int64_t version, struct str event)
{
    http_piece_release(c->event);
    c->event = http_piece_new(event);
    c->version = version;
    c->to_visit = c->count;
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

/* From where the last walk stopped, not from the front: with many publishings, each stream has its turn. */
static void walk(struct http_channel *c, unsigned *budget)
{
    while (c->to_visit && *budget) {
        struct http_stream *st = c->cursor ? c->cursor : c->first;
        if (!st) {
            c->to_visit = 0;
            return;
        }
        c->cursor = st->channel_next;
        c->to_visit--;
        if (st->version == c->version)
            continue;
        st->version = c->version;
        http_stream_send(st, c->event);
        (*budget)--;
    }
}

bool channels_walk(struct http_server *s)
{
    unsigned budget = STREAM_TURN_MAX;
    bool more = false;
    for (struct http_channel *c = s->streams.channels; c; c = c->next) {
        walk(c, &budget);
        more = more || c->to_visit;
    }
    return more;
}
