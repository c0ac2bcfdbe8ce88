/* One worker thread: builds its parts on its own loop, turns the loop until it is drained, takes them down again. */
#include "experimentd/worker.h"

#include <event2/event.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pgloop.h"
#include "experimentd/config/publish_wait.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/evaluate/exposure_filter.h"
#include "experimentd/evaluate/sticky.h"
#include "experimentd/front/feeds.h"
#include "experimentd/http/http.h"
#include "experimentd/http/routes.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/ingest/live/live_view.h"
#include "experimentd/jobs/log_view.h"
#include "experimentd/models/desk.h"
#include "experimentd/queries.h"
#include "experimentd/server.h"
#include "experimentd/serving/serving.h"

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    (void)arg;
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg; /* only keeps an idle loop turning, so that old snapshots can be freed */
}

static struct http_limits limits_of(const struct serve_settings *s)
{
    struct http_limits limits = http_limits_default;
    limits.body_bytes = (size_t)s->http_body_bytes;
    limits.connections = s->http_connections;
    limits.idle_timeout_us = s->http_idle_us;
    limits.header_timeout_us = s->http_header_us;
    limits.body_timeout_us = s->http_body_us;
    return limits;
}

static void start(struct server_worker *sw)
{
    struct worker *w = &sw->w;
    struct server *server = w->server;
    struct http_limits limits = limits_of(&server->settings);
    struct event_config *config = event_config_new();
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    w->base = event_base_new_with_config(config);
    event_config_free(config);
    w->pg = pgloop_new(w->base, server->database_url, "experimentd worker", queries, QUERY_COUNT,
                       (int)server->settings.statement_timeout_ms);
    w->journal = journal_client_new(server->journal, w->base);
    w->exposures = exposure_filter_new();
    w->answers = exposure_filter_new();
    w->sticky = sticky_new(w->pg, &server->sticky_unavailable);
    w->http = http_server_new(w->base, sw->listen_fd, &limits, &w->http_counters, routes_dispatch, w);
    w->feeds = feeds_new(w->http);
    w->live_views = live_views_new(w);
    w->log_views = log_views_new(w);
    w->desk = desk_new(w);
    sw->wake_event = event_new(w->base, sw->wake_fd, EV_READ | EV_PERSIST, on_wake, sw);
    sw->turn_timer = event_new(w->base, -1, EV_PERSIST, on_second, sw);
    (void)event_add(sw->wake_event, NULL);
    (void)event_add(sw->turn_timer, &(struct timeval){ .tv_sec = 1 });
}

static void stop(struct server_worker *sw)
{
    struct worker *w = &sw->w;
    publish_wait_drop(w);
    desk_free(w->desk); /* before requests go: it may read their bodies */
    pgloop_free(w->pg);
    journal_client_free(w->journal);
    exposure_filter_free(w->exposures);
    exposure_filter_free(w->answers);
    sticky_free(w->sticky);
    feeds_free(w->feeds);
    http_server_free(w->http);
    live_views_free(w->live_views);
    log_views_free(w->log_views);
    event_free(sw->wake_event);
    event_free(sw->turn_timer);
    event_base_free(w->base);
}

static bool may_leave(struct server_worker *sw, bool *told)
{
    struct server *server = sw->w.server;
    if (!atomic_load(&server->drain))
        return false;
    if (!*told) {
        http_server_drain(sw->w.http);
        *told = true;
    }
    return http_server_drained(sw->w.http) || atomic_load(&server->abandon);
}

void *server_worker_run(void *arg)
{
    struct server_worker *sw = arg;
    bool told = false;
    log_set_thread(sw->log_prefix);
    start(sw);
    while (!may_leave(sw, &told)) {
        (void)event_base_loop(sw->w.base, EVLOOP_ONCE);
        journal_hand_over(sw->w.journal);
        publish_wait_turn(&sw->w);
        desk_turn(sw->w.desk);
        feeds_turn(sw->w.feeds);
        http_server_turn(sw->w.http);
        snapshot_quiescent(sw->w.index);
        serving_quiescent(sw->w.index);
        if (!atomic_load_explicit(&sw->connected, memory_order_relaxed) && pgloop_is_connected(sw->w.pg))
            atomic_store(&sw->connected, true);
        atomic_fetch_add_explicit(&sw->turns, 1, memory_order_relaxed);
    }
    stop(sw);
    snapshot_leave(sw->w.index);
    serving_leave(sw->w.index);
    atomic_store(&sw->ended, true);
    return NULL;
}
