/* stream.h - answers without an end (server-sent events): a request becomes a stream, which gets pieces until one side leaves.
 *
 * The answer has no Content-Length and no chunks: it ends with the connection ("Connection: close"). So the bytes of an event are the same
 * for every stream, also for HTTP/1.0 (what proxies speak to upstreams by default), and one piece is shared by all of them; what
 * chunks would add, telling a cut event from a whole one, server-sent events tell by their blank line.
 *
 * A stream keeps a socket, one event and a few pointers, some 400 bytes: its parser, buffers and arena go back when it begins. A client that
 * does not read is cut (it comes again and gets the newest state). All calls from the server's thread. */
#pragma once
#include "experimentd/http/http.h"

struct http_stream;
struct http_piece;
struct http_channel;

enum {
    STREAM_PIECES_MAX = 8, /* waiting on one stream */
    STREAM_TURN_MAX =
        256, /* streams that are written to in one turn of the loop, so that other answers do not wait for all */
    STREAM_TURN_BYTES = 256 << 10, /* likewise; a fraction of a millisecond */
    STREAM_REST_MAX_US = 250000,   /* between two walks over a channel's streams */
    STREAM_PING_SECONDS = 30,      /* every stream gets a comment so often: proxies close what is silent for a minute */
};

/* Bytes that many streams share; counted by its holders. */
struct http_piece *http_piece_new(struct str bytes);
void http_piece_release(struct http_piece *p);

/* Called once, at the end of a turn: the stream is no more. */
typedef void (*http_stream_closed_fn)(struct http_stream *st, void *arg);
/* Answers 200 with the headers added so far, and keeps the connection for pieces. Only from inside on_request; req must not be used
 * afterwards. Never NULL: of a client that has left the stream closes at the end of the turn. HEAD: the head alone. */
struct http_stream *http_stream_begin(struct http_request *req, const char *content_type, http_stream_closed_fn closed,
                                      void *arg);
/* Writes it, or keeps it until the socket takes it. A stream that has STREAM_PIECES_MAX pieces or more than
 * limits.stream_unsent_bytes waiting behind the first is cut. */
void http_stream_send(struct http_stream *st, struct http_piece *p);
void http_stream_send_text(struct http_stream *st, struct str bytes);
void http_stream_close(struct http_stream *st); /* at once, whatever waits */
void http_stream_finish(
    struct http_stream *st); /* when the client has been sent what waits; nothing may be sent behind it */

/* A channel: streams that show the newest state of one thing. Publishing reaches all of them, STREAM_TURN_MAX or
 * STREAM_TURN_BYTES a turn; a stream that was not reached before the next publishing gets only that. What is published faster than all can be
 * reached is put together: streams take at most half of the server's time. */
struct http_channel *http_channel_new(struct http_server *s);
void http_channel_free(struct http_channel *c); /* its streams are closed */
/* `version` names this state, from 0; copies the bytes. */
void http_channel_publish(struct http_channel *c, int64_t version, struct str event);
/* From now on; at once, when `version` (what its client has; -1: nothing) is not the newest. */
void http_channel_join(struct http_channel *c, struct http_stream *st, int64_t version);
size_t http_channel_count(const struct http_channel *c); /* of its streams */
int64_t http_channel_version(const struct http_channel *c);
