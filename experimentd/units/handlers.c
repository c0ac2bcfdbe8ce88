/* A deletion is a row that the eraser finds; its receipt is that row. */
#include "experimentd/units/handlers.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/pgloop.h"
#include "experimentd/ingest/signal.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 1 << 20 };
/* Columns of QUERY_UNIT_DELETE, QUERY_UNIT_DELETION and QUERY_UNIT_DELETIONS. */
enum column { ID, UNIT, STATE, REQUESTED_BY, REQUESTED_AT, DELETED_AT, FINISHED_AT, REMOVED, ERROR, USERS };

struct wait {
    struct http_request *req;
    const char *id;
};

static void write_deletion(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "id", pg_get(r, row, ID));
    jsonw_str(w, "unit", pg_get(r, row, UNIT));
    jsonw_str(w, "state", pg_get(r, row, STATE));
    jsonw_str(w, "requested_by", pg_get(r, row, REQUESTED_BY));
    jsonw_time(w, "requested_at", pg_get_i64(r, row, REQUESTED_AT));
    jsonw_time(w, "deleted_at", pg_get_i64(r, row, DELETED_AT));
    jsonw_time(w, "finished_at", pg_get_i64(r, row, FINISHED_AT));
    jsonw_raw(w, "removed", pg_get(r, row, REMOVED));
    jsonw_str(w, "error", pg_get(r, row, ERROR));
    if (PQnfields(r) > USERS)
        jsonw_raw(w, "users", pg_get(r, row, USERS));
    jsonw_close(w);
}

static const struct rows_form form = {
    .write = write_deletion, .list = "deletions", .one = "the receipt", .bytes_max = ANSWER_MAX, .all = "the receipts"
};

/* ---- DELETE /v1/units/{unit} ---- */

static void on_written(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    http_reply_header(wait->req, STR("Location"), arena_printf(&wait->req->arena, "/v1/units/deletions/%s", wait->id));
    rows_reply_one(wait->req, &form, 202, r);
}

void units_delete(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    struct str unit = req->params[0];
    unsigned char id[16];
    char text[UUID_TEXT_MAX], bucket[16];
    if (unit.n > SIGNAL_UNIT_MAX) {
        struct err err;
        err_set(&err, ERR_INVALID, "the unit has %zu bytes, more than %d", unit.n, SIGNAL_UNIT_MAX);
        http_reply_err(req, &err);
        return;
    }
    uuid_v7(id, clock_now_us());
    uuid_format(id, text);
    *wait = (struct wait){ .req = req, .id = arena_cstr(&req->arena, str_of(text)) };
    (void)snprintf(bucket, sizeof bucket, "%u", hash_bucket(unit));
    const char *params[] = { wait->id, arena_cstr(&req->arena, unit), bucket, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(worker->pg, &queries[QUERY_UNIT_DELETE], params, on_written, wait);
}

/* ---- receipts ---- */

static void on_receipt(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct err none;
    if (!err && PQntuples(r) == 0) {
        err_set(&none, ERR_NOT_FOUND, "deletion \"%s\" is not known", wait->id);
        err = &none;
    }
    if (err)
        http_reply_err(wait->req, err);
    else
        rows_reply_one(wait->req, &form, 200, r);
}

void units_deletion_get(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    unsigned char id[16];
    if (!uuid_parse(req->params[0], id)) {
        struct err err;
        err_set(&err, ERR_NOT_FOUND, "deletion \"" STR_FMT "\" is not known", STR_ARG(str_cut(req->params[0], 100)));
        http_reply_err(req, &err);
        return;
    }
    *wait = (struct wait){ .req = req, .id = arena_cstr(&req->arena, req->params[0]) };
    const char *params[] = { wait->id };
    pgloop_run(worker->pg, &queries[QUERY_UNIT_DELETION], params, on_receipt, wait);
}

static void on_receipts(void *arg, const PGresult *r, const struct err *err)
{
    rows_reply_list(arg, &form, r, err);
}

void units_deletions_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    pgloop_run(worker->pg, &queries[QUERY_UNIT_DELETIONS], NULL, on_receipts, req);
}
