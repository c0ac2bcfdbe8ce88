/* live_view.h - GET /v1/signals/live: the streams of one worker that follow what clients send (live.h).
 *
 * Server-sent events: `signal`, `exposure` and `reject` with a record (live_record.h) and its sequence number as id, first what the rings
 * hold; `ready` between that and what comes; `skipped` {"count"} when records that the filter picks were left out. Every view is looked
 * after LIVE_LOOKS_PER_SECOND times a second. Asked for JSON (`wait=0`, or Accept: application/json): {"records":[…]}, once. */
#pragma once
#include "experimentd/http/http.h"

enum { LIVE_LOOKS_PER_SECOND = 5 };

struct worker;
struct live_views;

struct live_views *live_views_new(struct worker *w);
void live_views_free(struct live_views *v); /* after its HTTP server, whose streams are its views */

void live_get(struct http_request *req, void *arg);
