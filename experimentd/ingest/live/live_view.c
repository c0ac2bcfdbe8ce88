#include "experimentd/ingest/live/live_view.h"

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "experimentd/http/stream.h"
#include "experimentd/ingest/live/live.h"
#include "experimentd/server.h"

enum { ANSWER_MAX = 64 << 20, WORDS_MAX = 300 };

struct view {
    struct live_views *all;
    struct view *next;
    struct live_watch *watch;
    struct http_stream *stream;
};

struct live_views {
    struct worker *worker;
    struct event *timer; /* runs while there is a view */
    struct view *first;
};

/* ---- what was asked for ---- */

static bool read_word(struct http_request *req, const char *name, size_t max, char *out, struct err *err)
{
    struct str v;
    if (!http_query(req, str_of(name), &v))
        return true;
    if (v.n > max)
        return err_set(err, ERR_INVALID, "parameter \"%s\" has %zu bytes, more than %zu", name, v.n, max);
    if (v.n)
        memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return true;
}

static bool read_rejects(struct http_request *req, struct live_filter *out, struct err *err)
{
    struct str v;
    if (!http_query(req, STR("rejects"), &v) || !v.n)
        return true;
    out->rejects_only = str_eq(v, STR("only"));
    return out->rejects_only || err_set(err, ERR_INVALID, "parameter \"rejects\" is \"" STR_FMT "\", not only",
                                        STR_ARG(str_cut(v, WORDS_MAX / 4)));
}

static bool read_format(struct http_request *req, struct live_filter *out, struct err *err)
{
    struct str v;
    if (!http_query(req, STR("format"), &v) || !v.n)
        return true;
    out->has_format = true;
    return signal_format_of(v, &out->format, err) || err_prefix(err, "parameter \"format\": ");
}

static bool read_filter(struct http_request *req, struct live_filter *out, struct err *err)
{
    *out = (struct live_filter){ 0 };
    return read_word(req, "type", SIGNAL_TYPE_MAX, out->type, err) &&
           read_word(req, "unit", SIGNAL_UNIT_MAX, out->unit, err) && read_format(req, out, err) &&
           read_rejects(req, out, err);
}

static bool wants_once(struct http_request *req)
{
    struct str v, accept = http_header(req, STR("accept"));
    if (http_query(req, STR("wait"), &v))
        return str_eq(v, STR("0"));
    return accept.n && memmem(accept.p, accept.n, "application/json", 16) &&
           !memmem(accept.p, accept.n, "text/event-stream", 17);
}

/* ---- once ---- */

static void answer_once(struct http_request *req, struct live *live, const struct live_filter *f)
{
    struct live_batch batch;
    struct buf b;
    live_last(live, f, &req->arena, &batch);
    buf_init(&b, ANSWER_MAX);
    buf_add_c(&b, "{\"records\":[");
    for (size_t i = 0; i < batch.count; i++) {
        if (i)
            buf_add_byte(&b, ',');
        buf_add_str(&b, batch.entries[i].json);
    }
    buf_add_c(&b, "]}");
    http_reply_header(req, STR("Cache-Control"), STR("no-store"));
    http_reply_buf(req, 200, &b, "the records");
}

/* ---- streams ---- */

static void write_batch(struct buf *b, const struct live_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct live_entry *e = &batch->entries[i];
        buf_addf(b, "event: %s\nid: %llu\ndata: ", live_kind_names[e->kind], (unsigned long long)e->sequence);
        buf_add_str(b, e->json);
        buf_add_c(b, "\n\n");
    }
    if (batch->skipped)
        buf_addf(b, "event: skipped\ndata: {\"count\":%llu}\n\n", (unsigned long long)batch->skipped);
}

/* `last`: the batch is what the rings held; behind it comes what is new. */
static void show(struct view *v, bool last)
{
    struct live_batch batch;
    struct arena arena;
    struct buf b;
    arena_init(&arena, 16 << 10);
    buf_init(&b, ANSWER_MAX);
    live_watch_next(v->watch, clock_now_us(), &arena, &batch);
    if (last)
        buf_add_c(&b, "retry: 3000\n\n");
    write_batch(&b, &batch);
    if (last)
        buf_addf(&b, "event: ready\ndata: {\"limit_per_second\":%d}\n\n", LIVE_PER_SECOND);
    if (b.n)
        http_stream_send_text(v->stream, buf_str(&b));
    buf_release(&b);
    arena_release(&arena);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct live_views *all = arg;
    (void)fd;
    (void)what;
    for (struct view *v = all->first; v; v = v->next)
        show(v, false);
}

static void on_closed(struct http_stream *st, void *arg)
{
    struct view *v = arg;
    struct view **at = &v->all->first;
    (void)st;
    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    if (!v->all->first)
        (void)event_del(v->all->timer);
    live_watch_close(v->watch);
    mem_free(v);
}

static void begin(struct http_request *req, struct live_views *all, struct live_watch *watch)
{
    static const struct timeval period = { .tv_usec = 1000000 / LIVE_LOOKS_PER_SECOND };
    struct view *v = mem_zalloc(sizeof *v);
    *v = (struct view){ .all = all, .watch = watch, .next = all->first };
    if (!all->first)
        (void)event_add(all->timer, &period);
    all->first = v;
    http_reply_header(req, STR("Cache-Control"), STR("no-store, no-transform"));
    http_reply_header(req, STR("X-Accel-Buffering"), STR("no"));
    v->stream = http_stream_begin(req, "text/event-stream", on_closed, v);
    show(v, true);
}

struct live_views *live_views_new(struct worker *w)
{
    struct live_views *all = mem_zalloc(sizeof *all);
    all->worker = w;
    all->timer = event_new(w->base, -1, EV_PERSIST, on_look, all);
    return all;
}

void live_views_free(struct live_views *all)
{
    if (!all)
        return;
    event_free(all->timer);
    mem_free(all);
}

/* ---- the route ---- */

/* Also where the page is open: results are sums, this is what single people did. */
static bool admit(struct http_request *req)
{
    struct err err;
    if (req->scope >= SCOPE_ANALYST)
        return true;
    if (req->scope != SCOPE_NONE) {
        err_set(&err, ERR_DENIED, "this key has scope %s; what clients send needs analyst",
                key_scope_names[req->scope]);
        http_reply_err(req, &err);
        return false;
    }
    http_reply_header(req, STR("WWW-Authenticate"), STR("Bearer realm=\"experimentd\""));
    http_reply_problem(req, 401, "a key of scope analyst or admin is needed, also where the page is open");
    return false;
}

void live_get(struct http_request *req, void *arg)
{
    struct worker *w = arg;
    struct live *live = w->server->live;
    struct live_filter filter;
    struct err err;
    uint64_t after;
    if (!admit(req))
        return;
    if (!parse_u64(http_header(req, STR("last-event-id")), &after, NULL))
        after = 0;
    bool ok = read_filter(req, &filter, &err);
    if (ok && wants_once(req)) {
        answer_once(req, live, &filter);
        return;
    }
    struct live_watch *watch = ok ? live_watch_open(live, &filter, after, &err) : NULL;
    if (watch)
        begin(req, w->live_views, watch);
    else
        http_reply_err(req, &err);
}
