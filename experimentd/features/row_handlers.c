/* Rows of a set: imported as a whole file or not at all, exported page by page. The way of an import: set → names → feature_rows_read → one statement
 * (QUERY_FEATURE_ROWS_PUT) that makes the set, puts the grades and then the rows, or none of it. */
#include "base/json.h"
#include "experimentd/features/export.h"
#include "experimentd/features/handlers.h"
#include "experimentd/features/parts.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"

enum { ANSWER_MAX = 256 << 20, PAGE = 10000, PAGE_MAX = 100000 };
/* Columns of QUERY_FEATURE_ROWS. */
enum row_column { ROW_QUERY, ROW_DOC, ROW_VALUES, ROW_GRADE, ROW_WEIGHT, ROW_BEFORE };

struct rows_wait {
    struct resource_wait set;
    struct feature_source source; /* of an import */
    bool create, only_checked, judged;
    const char *judgments; /* NULL: none */
    struct feature_export out;
    const char *query, *after_query, *after_doc;
    uint32_t limit;
};

static bool read_format(struct http_request *req, int formats, enum feature_format *out, struct err *err)
{
    struct str text = STR("letor");
    (void)http_query(req, STR("format"), &text);
    for (int i = 0; i < formats; i++)
        if (str_eq_c(text, feature_format_names[i])) {
            *out = (enum feature_format)i;
            return true;
        }
    return err_set(err, ERR_INVALID, "query parameter \"format\" is \"" STR_FMT "\", none of letor, csv, jsonl%s",
                   STR_ARG(str_cut(text, 60)), formats > FEATURES_SOLR ? ", solr, elasticsearch" : "");
}

static const char *query_text_of(struct http_request *req, const char *name)
{
    struct str text;
    return http_query(req, str_of(name), &text) && text.n ? arena_cstr(&req->arena, text) : NULL;
}

/* ---- import ---- */

static void refuse_import(struct rows_wait *w, const json_t *answer)
{
    const char *why = json_string_value(json_object_get(answer, "refused"));
    if (strcmp(why, "missing") == 0) {
        resource_not_known(&w->set);
        return;
    }
    if (strcmp(why, "columns") == 0) {
        http_reply_problem(w->set.req, 409, "the feature set has changed meanwhile; send the rows again");
        return;
    }
    AUTO(buf_release) struct buf detail;
    buf_init(&detail, 4096);
    json_write(&detail, json_object_get(answer, "detail"));
    http_reply_problem(w->set.req, 409,
                       arena_printf(&w->set.req->arena, "judgment set \"%s\" does not take the grades: %s",
                                    w->judgments, buf_str(&detail).p)
                           .p);
}

static void on_put(void *arg, const PGresult *r, const struct err *err)
{
    struct rows_wait *w = arg;
    struct err bad;
    if (err) {
        http_reply_err(w->set.req, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    if (json_object_get(answer, "refused"))
        refuse_import(w, answer);
    else
        http_reply_json(w->set.req, 200, pg_get(r, 0, 0));
}

static void put_rows(const struct feature_rows *r, struct buf *b)
{
    buf_add_byte(b, '[');
    for (size_t i = 0; i < r->count; i++) {
        const struct feature_row *row = &r->rows[i];
        buf_add_c(b, i ? ",{\"q\":" : "{\"q\":");
        buf_add_json_str(b, row->query);
        buf_add_c(b, ",\"d\":");
        buf_add_json_str(b, row->doc);
        if (row->grade == row->grade) {
            buf_add_c(b, ",\"g\":");
            feature_value_write(b, row->grade);
        }
        buf_add_c(b, ",\"v\":\"{");
        uint32_t known = row->count; /* what is missing at the end is not written: the same row is the same array */
        while (known && row->values[known - 1] != row->values[known - 1])
            known--;
        for (uint32_t k = 0; k < known; k++) {
            if (k)
                buf_add_byte(b, ',');
            feature_value_write(b, row->values[k]);
        }
        buf_add_c(b, "}\"}");
    }
    buf_add_byte(b, ']');
}

static void store(struct rows_wait *w, const struct feature_rows *r)
{
    AUTO(buf_release) struct buf rows, spec;
    struct arena *arena = &w->set.req->arena;
    struct err err;
    buf_init(&rows, ANSWER_MAX);
    buf_init(&spec, FEATURE_SPEC_BYTES_MAX);
    put_rows(r, &rows);
    feature_spec_of_names(r->names, r->features, &spec);
    if (!buf_ok(&rows, "the request's rows", &err) || !buf_ok(&spec, "the feature set", &err)) {
        http_reply_err(w->set.req, &err);
        return;
    }
    const char *params[] = { w->set.name,  arena_printf(arena, "%u", r->features).p,
                             rows.p,       r->grow ? spec.p : NULL,
                             w->judgments, resource_actor(w->set.req) };
    pgloop_run(w->set.worker->pg, &queries[QUERY_FEATURE_ROWS_PUT], params, on_put, w);
}

static void import(struct rows_wait *w, const struct str *names, uint32_t count)
{
    struct http_request *req = w->set.req;
    struct feature_rows rows;
    struct err err;
    feature_rows_init(&rows, &req->arena, names, count);
    if (!feature_rows_read(&rows, &w->source, &err))
        http_reply_bad_lines(req, 400, &rows.bad, &err);
    else if (w->only_checked)
        http_reply_json(req, 200,
                        arena_printf(&req->arena, "{\"rows\":%zu,\"features\":%u}", rows.count, rows.features));
    else
        store(w, &rows);
    feature_rows_release(&rows);
}

static void on_set(void *arg, const PGresult *r, const struct err *err)
{
    struct rows_wait *w = arg;
    struct str *names = NULL;
    uint32_t count = 0;
    struct err bad;
    if (err)
        http_reply_err(w->set.req, err);
    else if (PQntuples(r) == 0 && !w->create)
        resource_not_known(&w->set);
    else if (PQntuples(r) && !feature_spec_names(pg_get(r, 0, SET_SPEC), &w->set.req->arena, &names, &count, &bad))
        http_reply_err(w->set.req, &bad);
    else
        import(w, names, count);
}

static struct rows_wait *wait_new(struct http_request *req, void *worker)
{
    struct rows_wait *w = arena_zalloc(&req->arena, sizeof *w);
    w->set = resource_wait_of(req, worker, &feature_set_kind);
    return w;
}

void feature_rows_post(struct http_request *req, void *arg)
{
    struct rows_wait *w = wait_new(req, arg);
    struct err err;
    w->source.text = req->body;
    (void)http_query(req, STR("query"), &w->source.query);
    (void)http_query(req, STR("id_field"), &w->source.id_field);
    w->judgments = query_text_of(req, "judgments");
    if (!http_name_check(req->params[0], "the name of a feature set", &err) ||
        !read_format(req, FEATURE_FORMATS, &w->source.format, &err) ||
        !http_query_flag(req, STR("create"), &w->create, &err) ||
        !http_query_flag(req, STR("dry_run"), &w->only_checked, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { w->set.name };
    pgloop_run(w->set.worker->pg, &queries[QUERY_FEATURE_SETS], params, on_set, w);
}

/* ---- export ---- */

/* "5:querydoc": how long the query is, then both. */
static void next_page(struct rows_wait *w, struct str query, struct str doc)
{
    struct arena *arena = &w->set.req->arena;
    struct str token = arena_printf(arena, "%zu:" STR_FMT STR_FMT, query.n, STR_ARG(query), STR_ARG(doc));
    http_reply_header(w->set.req, STR("Next-Page-Token"), http_percent_encode(arena, token));
}

static bool read_token(struct rows_wait *w, struct err *err)
{
    struct str token, length, rest;
    uint32_t n;
    if (!http_query(w->set.req, STR("page_token"), &token))
        return true;
    rest = token;
    if (!str_split(&rest, ':', &length) || !parse_u32(length, &n, NULL) || n > rest.n || !str_is_utf8(token))
        return err_set(err, ERR_INVALID, "query parameter \"page_token\" is none that was given");
    w->after_query = arena_cstr(&w->set.req->arena, (struct str){ rest.p, n });
    w->after_doc = arena_cstr(&w->set.req->arena, (struct str){ rest.p + n, rest.n - n });
    return true;
}

static void on_rows(void *arg, const PGresult *r, const struct err *err)
{
    struct rows_wait *w = arg;
    struct buf b;
    if (err) {
        http_reply_err(w->set.req, err);
        return;
    }
    const int count = PQntuples(r), page = count > (int)w->limit ? (int)w->limit : count;
    buf_init(&b, ANSWER_MAX);
    if (count) {
        w->out.qid = (uint32_t)pg_get_i64(r, 0, ROW_BEFORE);
        w->out.query = (struct str){ NULL, 0 };
    }
    feature_export_begin(&w->out, &b);
    for (int i = 0; i < page; i++) {
        const struct feature_export_row row = {
            pg_get(r, i, ROW_QUERY), pg_get(r, i, ROW_DOC), pg_get(r, i, ROW_VALUES),
            PQgetisnull(r, i, ROW_GRADE) ? (struct str){ NULL, 0 } : pg_get(r, i, ROW_GRADE),
            PQgetisnull(r, i, ROW_WEIGHT) ? (struct str){ NULL, 0 } : pg_get(r, i, ROW_WEIGHT)
        };
        feature_export_row(&w->out, &row, &b);
    }
    if (count > page)
        next_page(w, pg_get(r, page - 1, ROW_QUERY), pg_get(r, page - 1, ROW_DOC));
    if (b.failed) {
        http_reply_problem(w->set.req, 413, "the rows are too many bytes at once: ask with a smaller \"limit\"");
    } else {
        http_reply(w->set.req, 200, feature_export_type(w->out.format), buf_str(&b));
    }
    buf_release(&b);
}

static void on_export_set(void *arg, const PGresult *r, const struct err *err)
{
    struct rows_wait *w = arg;
    struct arena *arena = &w->set.req->arena;
    struct str *names;
    struct err bad;
    if (!resource_found(&w->set, r, err))
        return;
    if (!feature_spec_names(pg_get(r, 0, SET_SPEC), arena, &names, &w->out.features, &bad)) {
        http_reply_err(w->set.req, &bad);
        return;
    }
    w->out.names = names;
    const char *params[] = { w->set.name,
                             w->judgments,
                             w->judged ? "true" : "false",
                             w->query,
                             w->after_query,
                             w->after_doc,
                             arena_printf(arena, "%u", w->limit + 1).p };
    pgloop_run(w->set.worker->pg, &queries[QUERY_FEATURE_ROWS], params, on_rows, w);
}

static bool read_limit(struct rows_wait *w, struct err *err)
{
    struct str text;
    w->limit = PAGE;
    return !http_query(w->set.req, STR("limit"), &text) ||
           (parse_u32(text, &w->limit, NULL) && w->limit >= 1 && w->limit <= PAGE_MAX) ||
           err_set(err, ERR_INVALID, "query parameter \"limit\" is not from 1 to %d", PAGE_MAX);
}

void feature_rows_get(struct http_request *req, void *arg)
{
    struct rows_wait *w = wait_new(req, arg);
    struct err err;
    w->judgments = query_text_of(req, "judgments");
    w->query = query_text_of(req, "query");
    if (!read_format(req, FEATURES_SOLR, &w->out.format, &err) ||
        !http_query_flag(req, STR("judged"), &w->judged, &err) || !read_limit(w, &err) || !read_token(w, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { w->set.name };
    pgloop_run(w->set.worker->pg, &queries[QUERY_FEATURE_SETS], params, on_export_set, w);
}

/* ---- deletion ---- */

static void on_removed(void *arg, const PGresult *r, const struct err *err)
{
    struct rows_wait *w = arg;
    if (err)
        http_reply_err(w->set.req, err);
    else if (PQgetisnull(r, 0, 0))
        resource_not_known(&w->set);
    else
        http_reply_json(w->set.req, 200,
                        arena_printf(&w->set.req->arena, "{\"deleted\":%lld}", (long long)pg_get_i64(r, 0, 0)));
}

void feature_rows_remove(struct http_request *req, void *arg)
{
    struct rows_wait *w = wait_new(req, arg);
    const char *params[] = { w->set.name, query_text_of(req, "query") };
    pgloop_run(w->set.worker->pg, &queries[QUERY_FEATURE_ROWS_DELETE], params, on_removed, w);
}
