/* log_view.h - what a run says: GET …/log.
 *
 *   ?from=&size=                       {"lines": [{"seq", "at", "source", "line"}…], "log_lines", "state", "ended"}, from number `from` (1) on
 *   Accept: text/event-stream          the same as they come: event "line" (id: its number), "state" when it changes, "end" behind the last line.
 *                                      ?from= or Last-Event-ID: go on behind it
 *
 * A worker asks the database twice a second for each of its streams, at most LOG_VIEWS_MAX; a stream that has its end is closed. */
#pragma once
#include "experimentd/http/http.h"

struct worker;
struct log_views;

enum { LOG_VIEWS_MAX = 64, LOG_PAGE = 1000, LOG_PAGE_MAX = 10000 };

struct log_views *log_views_new(struct worker *w);
void log_views_free(struct log_views *all); /* after pgloop and the server, which end its streams */
void runs_log(struct http_request *req, void *arg);
