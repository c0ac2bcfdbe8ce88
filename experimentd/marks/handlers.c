#include "experimentd/marks/handlers.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/ingest/signal.h"
#include "experimentd/marks/mark.h"
#include "experimentd/queries.h"
#include "experimentd/server.h"

enum { ANSWER_MAX = 4 << 20, PAGE = 200, NOTE_MAX = 1000 };

enum mark_column { MC_UNIT, MC_MARK, MC_BY_HAND, MC_FIRST, MC_LAST, MC_SIGNALS, MC_NOTE, MC_UPDATED, MC_COUNTS };

/* ---- writing ---- */

static const char *name_of(int64_t mark)
{
    return mark >= 0 && mark < MARK_COUNT ? mark_names[mark] : "unknown";
}

static void write_unit(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "unit", pg_get(r, row, MC_UNIT));
    jsonw_text(w, "mark", name_of(pg_get_i64(r, row, MC_MARK)));
    jsonw_bool(w, "by_hand", pg_get_bool(r, row, MC_BY_HAND));
    jsonw_time(w, "first_at", pg_get_i64(r, row, MC_FIRST));
    jsonw_time(w, "last_at", pg_get_i64(r, row, MC_LAST));
    jsonw_i64(w, "signals", pg_get_i64(r, row, MC_SIGNALS));
    jsonw_str(w, "note", pg_get(r, row, MC_NOTE));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, MC_UPDATED));
    jsonw_close(w);
}

static void write_rules(struct jsonw *w, const struct serve_settings *s)
{
    jsonw_open(w, "rules", '{');
    jsonw_text(w, "bot_agents", s->marks_bot_agents);
    jsonw_text(w, "internal_networks", s->marks_internal_networks);
    jsonw_i64(w, "unit_signals_per_minute", s->marks_unit_signals_per_minute);
    jsonw_close(w);
}

/* ---- the list ---- */

struct list {
    struct http_request *req;
    struct worker *worker;
};

static void write_counts(struct jsonw *w, const PGresult *r)
{
    json_auto_t *counts = json_parse(pg_get(r, 0, MC_COUNTS), NULL);
    jsonw_open(w, "counts", '[');
    for (size_t i = 0; i < json_array_size(counts); i++) {
        json_t *of = json_array_get(counts, i);
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "mark", name_of(json_integer_value(json_array_get(of, 0))));
        jsonw_i64(w, "units", json_integer_value(json_array_get(of, 1)));
        jsonw_i64(w, "signals", json_integer_value(json_array_get(of, 2)));
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void on_units(void *arg, const PGresult *r, const struct err *err)
{
    struct list *l = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(l->req, err);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "units", '[');
    for (int i = 0; i < PQntuples(r) && !PQgetisnull(r, i, MC_UNIT); i++)
        write_unit(&w, r, i);
    jsonw_close(&w);
    jsonw_str(&w, "next_page_token", PQntuples(r) == PAGE ? pg_get(r, PAGE - 1, MC_UNIT) : (struct str){ NULL, 0 });
    write_counts(&w, r);
    write_rules(&w, &l->worker->server->settings);
    jsonw_close(&w);
    http_reply_buf(l->req, 200, &b, "the list of marked units");
}

static bool wanted_mark(struct http_request *req, int *out, struct err *err)
{
    struct str name;
    *out = -1;
    if (!http_query(req, STR("mark"), &name))
        return true;
    *out = (int)mark_of(name);
    return *out < MARK_COUNT ||
           err_set(err, ERR_INVALID,
                   "query parameter \"mark\" is \"" STR_FMT "\", none of none, bot, internal, rate, hand",
                   STR_ARG(str_cut(name, 60)));
}

void marks_list(struct http_request *req, void *arg)
{
    struct list *l = arena_zalloc(&req->arena, sizeof *l);
    struct str behind = STR("");
    struct err err;
    int mark;
    l->req = req;
    l->worker = arg;
    (void)http_query(req, STR("page_token"), &behind);
    if (!wanted_mark(req, &mark, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { arena_cstr(&req->arena, behind), arena_printf(&req->arena, "%d", mark).p,
                             arena_printf(&req->arena, "%d", PAGE).p };
    pgloop_run(l->worker->pg, &queries[QUERY_MARKS], params, on_units, l);
}

/* ---- one unit ---- */

static void on_unit(void *arg, const PGresult *r, const struct err *err)
{
    struct http_request *req = arg;
    struct err unknown;
    struct buf b;
    struct jsonw w;
    if (!err && PQntuples(r) == 0) {
        err_set(&unknown, ERR_NOT_FOUND, "unit \"" STR_FMT "\" is not marked", STR_ARG(str_cut(req->params[0], 100)));
        err = &unknown;
    }
    if (err) {
        http_reply_err(req, err);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    write_unit(&w, r, 0);
    http_reply_buf(req, 200, &b, "the unit");
}

static bool read_word(struct http_request *req, enum mark *out_mark, struct str *out_note, struct err *err)
{
    json_auto_t *root = json_parse(req->body, err);
    struct json_reader r;
    struct str name = { NULL, 0 };
    if (!root)
        return false;
    *out_note = STR("");
    json_reader_open(&r, root, "mark");
    (void)json_get_str(&r, "mark", JSON_REQUIRED, &name, &req->arena);
    (void)json_get_str(&r, "note", JSON_OPTIONAL, out_note, &req->arena);
    *out_mark = mark_of(name);
    if (name.p && *out_mark != MARK_HAND && *out_mark != MARK_NONE)
        (void)json_fail(&r, "mark", "is \"" STR_FMT "\", not hand or none", STR_ARG(str_cut(name, 60)));
    if (out_note->n > NOTE_MAX)
        (void)json_fail(&r, "note", "has %zu bytes, more than %d", out_note->n, NOTE_MAX);
    return json_reader_close(&r, err);
}

void marks_put(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct str unit = req->params[0], note;
    enum mark mark;
    struct err err;
    if (unit.n > SIGNAL_UNIT_MAX || !str_is_utf8(unit))
        err_set(&err, ERR_INVALID, "the unit has more than %d bytes or is not UTF-8", SIGNAL_UNIT_MAX);
    else if (read_word(req, &mark, &note, &err)) {
        const char *params[] = { arena_cstr(&req->arena, unit), arena_printf(&req->arena, "%u", hash_bucket(unit)).p,
                                 arena_printf(&req->arena, "%d", (int)mark).p, arena_cstr(&req->arena, note),
                                 arena_cstr(&req->arena, req->key_label) };
        pgloop_run(worker->pg, &queries[QUERY_MARK_SET], params, on_unit, req);
        return;
    }
    http_reply_err(req, &err);
}

void marks_delete(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[] = { arena_cstr(&req->arena, req->params[0]), arena_cstr(&req->arena, req->key_label) };
    pgloop_run(worker->pg, &queries[QUERY_MARK_FORGET], params, on_unit, req);
}
