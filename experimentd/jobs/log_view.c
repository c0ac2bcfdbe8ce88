#include "experimentd/jobs/log_view.h"

#include <event2/event.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/http/stream.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 32 << 20, LOOK_US = 500000, EVENTS_PAGE = 500 };
enum { STATE, ENDED, PROGRESS, PASS, SAID, SEQ, AT, SOURCE, LINE };

/* One stream. It outlives its client while an answer of the database is on its way. */
struct view {
    struct log_views *all;
    struct view *next;
    struct http_stream *stream; /* NULL: gone */
    char run[UUID_TEXT_MAX];
    int64_t from; /* the next line's number */
    bool asking;
    char told[160]; /* the state as it was told last */
};

struct log_views {
    struct worker *worker;
    struct event *timer; /* runs while there is a view */
    struct view *first;
    size_t count;
};

/* ---- once ---- */

struct page {
    struct http_request *req;
    const char *run;
};

static void write_line(struct jsonw *w, const PGresult *r, int row, bool numbered)
{
    jsonw_open(w, NULL, '{');
    if (numbered)
        jsonw_i64(w, "seq", pg_get_i64(r, row, SEQ));
    jsonw_time(w, "at", pg_get_i64(r, row, AT));
    jsonw_str(w, "source", pg_get(r, row, SOURCE));
    jsonw_str(w, "line", pg_get(r, row, LINE));
    jsonw_close(w);
}

static void not_known(struct http_request *req, struct str run)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "run \"" STR_FMT "\" is not known", STR_ARG(str_cut(run, 40)));
    http_reply_err(req, &err);
}

static void on_page(void *arg, const PGresult *r, const struct err *err)
{
    struct page *page = arg;
    struct buf b;
    struct jsonw w;
    if (err || PQntuples(r) == 0) {
        if (err)
            http_reply_err(page->req, err);
        else
            not_known(page->req, str_of(page->run));
        return;
    }
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "lines", '[');
    for (int i = 0; i < PQntuples(r) && !PQgetisnull(r, i, SEQ); i++)
        write_line(&w, r, i, true);
    jsonw_close(&w);
    jsonw_i64(&w, "log_lines", pg_get_i64(r, 0, SAID));
    jsonw_str(&w, "state", pg_get(r, 0, STATE));
    jsonw_bool(&w, "ended", pg_get_bool(r, 0, ENDED));
    jsonw_close(&w);
    http_reply_buf(page->req, 200, &b, "the log");
}

/* ---- streams ---- */

static void let_go(struct view *v)
{
    struct view **at = &v->all->first;
    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    v->all->count--;
    if (!v->all->first)
        (void)event_del(v->all->timer);
    mem_free(v);
}

static void on_closed(struct http_stream *st, void *arg)
{
    struct view *v = arg;
    (void)st;
    v->stream = NULL;
    if (!v->asking)
        let_go(v);
}

static void write_state(struct view *v, const PGresult *r, struct buf *b)
{
    struct buf state;
    struct jsonw w;
    buf_init(&state, 1024);
    jsonw_init(&w, &state);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "state", pg_get(r, 0, STATE));
    jsonw_double(&w, "progress", pg_get_double(r, 0, PROGRESS));
    jsonw_str(&w, "pass", pg_get(r, 0, PASS));
    jsonw_close(&w);
    if (strncmp(v->told, buf_str(&state).p, sizeof v->told - 1) != 0) {
        (void)snprintf(v->told, sizeof v->told, "%s", buf_str(&state).p);
        buf_addf(b, "event: state\ndata: %s\n\n", buf_str(&state).p);
    }
    buf_release(&state);
}

/* A run's end is written behind its last lines, so that an answer which says ended and is not full has them all. */
static bool write_events(struct view *v, const PGresult *r, struct buf *b)
{
    int rows = PQntuples(r);
    write_state(v, r, b);
    for (int i = 0; i < rows && !PQgetisnull(r, i, SEQ); i++) {
        struct jsonw w;
        v->from = pg_get_i64(r, i, SEQ) + 1;
        buf_addf(b, "event: line\nid: %lld\ndata: ", (long long)v->from - 1);
        jsonw_init(&w, b);
        write_line(&w, r, i, false);
        buf_add_c(b, "\n\n");
    }
    bool last = pg_get_bool(r, 0, ENDED) && rows < EVENTS_PAGE;
    if (last)
        buf_addf(b, "event: end\ndata: {\"state\":\"" STR_FMT "\",\"log_lines\":%lld}\n\n",
                 STR_ARG(pg_get(r, 0, STATE)), (long long)pg_get_i64(r, 0, SAID));
    return last;
}

static void on_events(void *arg, const PGresult *r, const struct err *err)
{
    struct view *v = arg;
    struct buf b;
    bool last = false;
    v->asking = false;
    if (!v->stream) {
        let_go(v);
        return;
    }
    if (err)
        return; /* the database is away: asked again */
    buf_init(&b, ANSWER_MAX);
    if (PQntuples(r) > 0)
        last = write_events(v, r, &b);
    else
        last = true; /* it was deleted */
    if (b.n)
        http_stream_send_text(v->stream, buf_str(&b));
    buf_release(&b);
    if (last)
        http_stream_finish(v->stream);
}

static void ask(struct view *v)
{
    char from[24], limit[16];
    if (v->asking || !v->stream)
        return;
    v->asking = true;
    (void)snprintf(from, sizeof from, "%lld", (long long)v->from);
    (void)snprintf(limit, sizeof limit, "%d", EVENTS_PAGE);
    const char *params[] = { v->run, NULL, from, limit };
    pgloop_run(v->all->worker->pg, &queries[QUERY_RUN_LOG], params, on_events, v);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct log_views *all = arg;
    (void)fd;
    (void)what;
    for (struct view *v = all->first; v; v = v->next)
        ask(v);
}

static void begin(struct http_request *req, struct log_views *all, const char *run, int64_t from)
{
    static const struct timeval period = { .tv_usec = LOOK_US };
    struct view *v = mem_zalloc(sizeof *v);
    *v = (struct view){ .all = all, .next = all->first, .from = from };
    (void)snprintf(v->run, sizeof v->run, "%s", run);
    if (!all->first)
        (void)event_add(all->timer, &period);
    all->first = v;
    all->count++;
    http_reply_header(req, STR("Cache-Control"), STR("no-store, no-transform"));
    http_reply_header(req, STR("X-Accel-Buffering"), STR("no"));
    v->stream = http_stream_begin(req, "text/event-stream", on_closed, v);
    http_stream_send_text(v->stream, STR("retry: 3000\n\n"));
    ask(v);
}

struct log_views *log_views_new(struct worker *w)
{
    struct log_views *all = mem_zalloc(sizeof *all);
    all->worker = w;
    all->timer = event_new(w->base, -1, EV_PERSIST, on_look, all);
    return all;
}

void log_views_free(struct log_views *all)
{
    if (!all)
        return;
    event_free(all->timer);
    mem_free(all);
}

/* ---- the route ---- */

static bool read_range(struct http_request *req, int64_t *from, uint32_t *size, struct err *err)
{
    struct str text = http_header(req, STR("last-event-id"));
    int64_t last;
    *from = 1;
    *size = LOG_PAGE;
    if (text.n && parse_i64(text, &last, NULL) && last >= 0)
        *from = last + 1;
    else if (http_query(req, STR("from"), &text) && (!parse_i64(text, from, NULL) || *from < 0))
        return err_set(err, ERR_INVALID, "query string: field \"from\" is no line's number");
    if (http_query(req, STR("size"), &text) && (!parse_u32(text, size, NULL) || !*size || *size > LOG_PAGE_MAX))
        return err_set(err, ERR_INVALID, "query string: field \"size\" is not 1 to %d", LOG_PAGE_MAX);
    return true;
}

static bool wants_stream(const struct http_request *req)
{
    struct str accept = http_header(req, STR("accept"));
    return accept.n && memmem(accept.p, accept.n, "text/event-stream", 17);
}

void runs_log(struct http_request *req, void *arg)
{
    struct worker *w = arg;
    bool of_job = req->params[1].n > 0;
    struct str run = req->params[of_job];
    unsigned char id[16];
    int64_t from;
    uint32_t size;
    struct err err;
    if (!uuid_parse(run, id)) {
        not_known(req, run);
        return;
    }
    if (!read_range(req, &from, &size, &err) ||
        (wants_stream(req) && w->log_views->count >= LOG_VIEWS_MAX &&
         !err_set(&err, ERR_BUSY, "%d logs are followed already", LOG_VIEWS_MAX))) {
        http_reply_err(req, &err);
        return;
    }
    if (wants_stream(req)) {
        begin(req, w->log_views, arena_cstr(&req->arena, run), from);
        return;
    }
    struct page *page = arena_zalloc(&req->arena, sizeof *page);
    *page = (struct page){ .req = req, .run = arena_cstr(&req->arena, run) };
    const char *params[] = { page->run, of_job ? arena_cstr(&req->arena, req->params[0]) : NULL,
                             arena_printf(&req->arena, "%lld", (long long)from).p,
                             arena_printf(&req->arena, "%u", size).p };
    pgloop_run(w->pg, &queries[QUERY_RUN_LOG], params, on_page, page);
}
