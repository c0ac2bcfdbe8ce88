/* feeds.h - the streams of one worker that follow the configuration: each gets an event when what SDKs evaluate has changed.
 *
 * An event is built once per change, feed and worker, and only when somebody listens; all streams share its bytes. Its id is the payload's
 * version: who comes again with "Last-Event-ID" of the newest gets no repeat, everybody else the newest at once, so that no change is
 * lost between a client's first request and its stream. */
#pragma once
#include "experimentd/http/http.h"

enum feed {
    FEED_FEATURES, /* GrowthBook: event "features" with the payload */
    FEED_UPDATED,  /* GrowthBook with remote evaluation: event "features-updated", ask again */
    FEED_REFETCH,  /* OpenFeature: a message of type refetchEvaluation */
    FEED_COUNT
};

struct feeds;

struct feeds *feeds_new(struct http_server *http);
void feeds_free(struct feeds *f); /* before its server */
/* Once per loop turn: what has changed goes out. */
void feeds_turn(struct feeds *f);
/* Answers the request with a stream of the feed. Only from inside on_request. */
void feeds_answer(struct feeds *f, enum feed which, struct http_request *req);
