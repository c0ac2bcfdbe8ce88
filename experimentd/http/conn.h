/* conn.h - inside of http/: one connection, its calls (requests under way) and the server they belong to.
 *
 * Life of a call: parsed by conn.c (callbacks of llhttp) → dispatched → replied by reply.c, at once or later → its bytes leave in
 * the order of the calls → freed. A connection whose client has left (`gone`) lives until its last call was replied to. Nothing
 * is freed inside a callback: server.c does it in http_server_turn. */
#pragma once
#include <llhttp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/counter.h"
#include "experimentd/http/http.h"
#include "experimentd/http/stream.h"

struct event;

enum { HTTP_READ_BYTES = 64 << 10, HTTP_CALL_ARENA = 2048, HTTP_SPARE_CALLS = 256 };

struct http_call {
    struct http_request req; /* first: a request is a call */
    struct http_call *next;
    struct buf head; /* URL, then names and values one after the other */
    size_t url_bytes;
    struct {
        uint32_t name, name_n, value, value_n;
    } * spans; /* into head */
    size_t spans_count, spans_room;
    struct buf body;  /* as it came */
    struct buf reply; /* whole reply, when it cannot leave yet */
    struct buf extra; /* headers that the handler added */
    bool gzip, keep_alive, http10, dispatched, replied;
};

enum conn_stage { CONN_IDLE, CONN_HEAD, CONN_BODY };

struct http_conn {
    struct http_server *server;
    struct http_conn *next, *prev; /* all connections */
    struct http_conn *next_dirty;
    int fd;
    struct event *read_event, *write_event;
    llhttp_t parser;
    enum conn_stage stage;
    struct http_call *building;     /* the one being parsed */
    struct http_call *first, *last; /* dispatched, oldest first */
    unsigned calls;
    struct buf held; /* bytes read but not parsed: too many calls under way */
    struct buf out;
    size_t out_sent;
    int64_t stage_since_us;       /* when this stage began */
    int64_t write_since_us;       /* last progress while bytes wait; 0: none wait */
    struct http_stream *becoming; /* its last answer has no end: takes the socket over when it is next in line */
    bool paused, closing, gone, dirty, write_armed, continue_wanted;
};

/* Life of a stream: begun by a call → has the socket (stream_adopt), its connection is freed → gone → freed in streams_turn. */
struct http_stream {
    struct http_server *server;
    struct http_stream *next, *prev; /* all of the server */
    struct http_stream *next_ended;
    struct http_conn *conn; /* until it has the socket */
    struct event *event;
    struct http_piece *pieces[STREAM_PIECES_MAX]; /* that wait, oldest first */
    size_t sent;                                  /* of the first */
    int64_t write_since_us;                       /* last progress while bytes wait; 0: none wait */
    http_stream_closed_fn closed;
    void *arg;
    struct http_channel *channel;
    struct http_stream *channel_next, *channel_prev;
    int64_t version; /* of the channel's event that it got last */
    int fd;          /* -1: not yet */
    unsigned pieces_count;
    bool gone, write_armed, finishing;
};

struct http_streams {
    struct http_stream *first, *ended, *ping_next;
    struct http_channel *channels;
    unsigned count, pings_due, ping_share, waiting; /* waiting: streams with unsent bytes */
    struct http_piece *ping;
    struct event *again;
};

struct http_server {
    struct event_base *base;
    struct event *listen_event, *tick;
    int listen_fd;
    struct http_limits limits;
    http_request_fn on_request;
    void *arg;
    struct http_conn *conns, *dirty;
    struct http_call *spare;
    unsigned conns_count, spare_count;
    bool draining, parsing;
    int64_t now_us; /* monotonic, read once a turn */
    bool now_fresh;
    int64_t date_until_us; /* monotonic: the Date header is made anew then */
    char date[48];         /* "Date: …\r\n" */
    char usual_head[160];  /* of a 200 with JSON that keeps the connection, up to the length */
    size_t usual_head_n;
    struct http_counters *counters;
    struct http_streams streams;
    char read_buffer[HTTP_READ_BYTES];
};

/* conn.c */
struct http_conn *conn_new(struct http_server *s, int fd);
void conn_on_readable(struct http_conn *c);
void conn_resume(struct http_conn *c); /* after a reply made room for more calls */
void conn_gone(struct http_conn *c);   /* the client has left, or must */
void conn_flush(struct http_conn *c);  /* writes what waits */
void conn_mark(struct http_conn *c);   /* look at it at the end of the turn */
void conn_free(struct http_conn *c);
int conn_take_fd(struct http_conn *c); /* the connection is gone, its socket is the caller's */
/* Answers on behalf of no handler, then closes: the request cannot be read on. */
void conn_refuse(struct http_conn *c, int status, const char *detail);
struct http_call *call_new(struct http_conn *c);
void call_free(struct http_call *call); /* back to the spares */
void call_destroy(struct http_call *call);

/* reply.c */
void reply_release_ready(struct http_conn *c); /* moves replies that are next in line to the output */
const char *http_reason(int status);
void reply_without_end(struct http_request *req,
                       const char *content_type); /* the head alone; the connection's last answer */

/* stream.c */
void streams_init(struct http_server *s);
void streams_close_all(struct http_server *s);
void streams_release(struct http_server *s);
void streams_tick(struct http_server *s); /* once a second */
void streams_turn(struct http_server *s);
void stream_adopt(struct http_conn *c); /* its last answer becomes the stream */

/* channel.c */
int64_t
channels_turn(struct http_server *s); /* in how many µs it wants to be called again, 0: in the next turn; -1: not yet */
void channel_leave(struct http_stream *st);

/* gzip.c: false with ERR_INVALID or ERR_TOO_LARGE */
bool gzip_inflate(struct str in, struct buf *out, struct err *err) MUSTCHECK;

/* uri.c */
void uri_split(struct str target, struct str *out_path, struct str *out_query);
