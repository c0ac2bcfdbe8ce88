/* worker.h - one worker thread: its loop, its listener, its connections, its database connection, its place in the journal.
 *
 * Workers are identical and share nothing but the snapshot (read without locks) and the journal (one hand-over a loop turn). */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#include "experimentd/http/http.h"
#include "experimentd/ingest/format.h"

struct event_base;
struct http_server;
struct journal_client;
struct pgloop;
struct exposure_filter;
struct publish_wait;
struct desk;
struct sticky;
struct feeds;
struct live_views;
struct log_views;
struct server;

struct worker {
    unsigned index; /* also its slot in the snapshot's table of readers */
    struct event_base *base;
    struct http_server *http;
    struct pgloop *pg;
    struct journal_client *journal;
    struct server *server;              /* what all share: settings, counters */
    struct exposure_filter *exposures;  /* what was recorded lately: evaluate/exposure_filter.h */
    struct exposure_filter *answers;    /* likewise, all exposures of an answer together */
    struct sticky *sticky;              /* sticky assignments: evaluate/sticky.h */
    struct feeds *feeds;                /* streams that follow the configuration: front/feeds.h */
    struct live_views *live_views;      /* streams that follow what clients send: ingest/live/live_view.h */
    struct log_views *log_views;        /* streams that follow runs' logs: jobs/log_view.h */
    struct desk *desk;                  /* work that takes long, in threads: models/desk.h */
    struct publish_wait *publish_waits; /* edits whose answer waits for the snapshot: config/publish_wait.h */
    struct ingest_counters ingested;    /* what clients sent */
    struct http_counters http_counters; /* of `http`, and read by others when that is not there */
};
