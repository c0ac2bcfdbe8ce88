/* /v1/judgments: the sets, and what is in them. */
#include <math.h>

#include "base/json.h"
#include "experimentd/http/asks.h"
#include "experimentd/ingest/formats/elements.h"
#include "experimentd/judgments/export.h"
#include "experimentd/judgments/handlers.h"
#include "experimentd/judgments/sets.h"
#include "experimentd/queries.h"

enum { ROWS_MAX = 128 << 20, DESCRIPTION_MAX = 2000 };
enum judgment_set_column { SOURCE = SET_COLUMN_COUNT, MAX_GRADE, TALLY };

static const char *const modes[] = { "merge", "replace", NULL };

/* ---- sets ---- */

static void write_set(struct jsonw *w, const PGresult *r, int row)
{
    set_write_head(w, r, row);
    jsonw_str(w, "source", pg_get(r, row, SOURCE));
    jsonw_double(w, "max_grade", pg_get_double(r, row, MAX_GRADE));
    jsonw_raw(w, "tally", pg_get(r, row, TALLY));
    set_write_tail(w, r, row);
}

static bool check_max_grade(double v, struct err *err)
{
    return (v > 0 && v <= RATING_GRADE_MAX) ||
           err_set(err, ERR_INVALID, "judgment set: field \"max_grade\" is %g, not above 0 and at most %g", v,
                   RATING_GRADE_MAX);
}

static bool read_own(struct http_request *req, const char *must, struct jsonw *props, struct str *out_name,
                     struct err *err)
{
    struct json_reader in;
    struct str description;
    double max_grade = 1;
    json_auto_t *root = json_parse(req->body, err);
    if (!root)
        return false;
    json_reader_open(&in, root, "judgment set");
    if (strcmp(must, "be_new") == 0)
        (void)json_get_str(&in, "name", JSON_REQUIRED, out_name, &req->arena);
    if (json_get_str(&in, "description", JSON_OPTIONAL, &description, NULL)) {
        if (description.n > DESCRIPTION_MAX)
            (void)json_fail(&in, "description", "is longer than %d bytes", DESCRIPTION_MAX);
        jsonw_str(props, "description", description);
    }
    if (json_get_double(&in, "max_grade", JSON_OPTIONAL, &max_grade))
        jsonw_double(props, "max_grade", max_grade);
    return json_reader_close(&in, err) && check_max_grade(max_grade, err);
}

static const struct resource_refusal refusals[] = {
    { "exists", 409, "there is a judgment set \"", "\" already" },
    { NULL, 0, NULL, NULL },
};

static const struct set_kind kind = { .resource = { .what = "judgment set",
                                                    .name_shown = 100,
                                                    .form = { .write = write_set,
                                                              .list = "judgment_sets",
                                                              .one = "judgment set",
                                                              .bytes_max = SETS_ANSWER_MAX },
                                                    .read = QUERY_JUDGMENT_SETS,
                                                    .remove = QUERY_JUDGMENT_SET_DELETE,
                                                    .version_column = SET_VERSION,
                                                    .refusals = refusals,
                                                    .refuse = set_refuse_grade },
                                      .put = QUERY_JUDGMENT_SET_PUT,
                                      .read = read_own };

void judgments_list(struct http_request *req, void *arg)
{
    resource_list(req, arg, &kind.resource);
}

void judgments_create(struct http_request *req, void *arg)
{
    sets_create(req, arg, &kind);
}

void judgments_get(struct http_request *req, void *arg)
{
    resource_get(req, arg, &kind.resource);
}

void judgments_patch(struct http_request *req, void *arg)
{
    sets_patch(req, arg, &kind);
}

void judgments_remove(struct http_request *req, void *arg)
{
    resource_delete(req, arg, &kind.resource);
}

/* ---- what is in a set ---- */

/* Columns of QUERY_JUDGMENTS. */
enum rating_column { VERSION, DESCRIPTION, QUERY, DOC, GRADE, CONFIDENCE, EVIDENCE, BY_WHAT, JUDGE, EDITED };
/* Columns of QUERY_JUDGMENTS_QUERIES. */
enum query_column { Q_VERSION, Q_QUERY, Q_DOCUMENTS, Q_JUDGED, Q_HUMAN, Q_HIGHEST, Q_MEAN };

struct page {
    struct resource_wait *wait;
    uint32_t limit;
};

static struct page *page_new(struct http_request *req, void *arg, struct err *err)
{
    struct page *p = arena_zalloc(&req->arena, sizeof *p);
    p->wait = resource_wait_new(req, arg, &kind.resource);
    return http_query_count(req, STR("limit"), SETS_PAGE, SETS_PAGE_MAX, &p->limit, err) ? p : NULL;
}

static void write_rating(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "query", pg_get(r, row, QUERY));
    jsonw_str(w, "doc", pg_get(r, row, DOC));
    jsonw_double(w, "grade", pg_get_double(r, row, GRADE));
    jsonw_double(w, "confidence", pg_get_double(r, row, CONFIDENCE));
    jsonw_double(w, "evidence", pg_get_double(r, row, EVIDENCE));
    jsonw_str(w, "source", pg_get(r, row, BY_WHAT));
    jsonw_str(w, "judge", pg_get(r, row, JUDGE));
    jsonw_time(w, "edited_at", pg_get_i64(r, row, EDITED));
    jsonw_close(w);
}

static void write_query(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "query", pg_get(r, row, Q_QUERY));
    jsonw_i64(w, "documents", pg_get_i64(r, row, Q_DOCUMENTS));
    jsonw_i64(w, "judged", pg_get_i64(r, row, Q_JUDGED));
    jsonw_i64(w, "human", pg_get_i64(r, row, Q_HUMAN));
    jsonw_double(w, "highest", pg_get_double(r, row, Q_HIGHEST));
    jsonw_double(w, "mean", pg_get_double(r, row, Q_MEAN));
    jsonw_close(w);
}

static struct str query_token(struct page *p, const PGresult *r, int row)
{
    (void)p;
    return pg_get(r, row, Q_QUERY);
}

static struct str rating_token(struct page *p, const PGresult *r, int row)
{
    struct buf b;
    buf_init(&b, 16 << 10);
    buf_add_byte(&b, '[');
    buf_add_json_str(&b, pg_get(r, row, QUERY));
    buf_add_byte(&b, ',');
    buf_add_json_str(&b, pg_get(r, row, DOC));
    buf_add_byte(&b, ']');
    struct str token = arena_str(&p->wait->req->arena, buf_str(&b));
    buf_release(&b);
    return token;
}

/* A set with nothing in it is a row without a query. */
static void reply_page(struct page *p, const struct rows_form *form, const PGresult *r, int query_column,
                       struct str (*token)(struct page *p, const PGresult *r, int row))
{
    struct rows_page page = { .shown = PQgetisnull(r, 0, query_column) ? 0 : rows_shown(r, p->limit),
                              .version = PQgetvalue(r, 0, VERSION) };
    if (PQntuples(r) > (int)p->limit)
        page.next = token(p, r, page.shown - 1);
    rows_etag(p->wait->req, str_of(page.version));
    rows_reply_page(p->wait->req, form, r, &page);
}

static void on_ratings(void *arg, const PGresult *r, const struct err *err)
{
    static const struct rows_form form = { .write = write_rating, .list = "ratings", .bytes_max = SETS_ANSWER_MAX };
    struct page *p = arg;
    if (resource_found(p->wait, r, err))
        reply_page(p, &form, r, QUERY, rating_token);
}

static void on_queries(void *arg, const PGresult *r, const struct err *err)
{
    static const struct rows_form form = { .write = write_query, .list = "queries", .bytes_max = SETS_ANSWER_MAX };
    struct page *p = arg;
    if (resource_found(p->wait, r, err))
        reply_page(p, &form, r, Q_QUERY, query_token);
}

/* NULL: the request has none. */
static const char *asked(struct http_request *req, struct str name)
{
    struct str text;
    return http_query(req, name, &text) ? arena_cstr(&req->arena, text) : NULL;
}

static bool read_token(struct http_request *req, const char **out_query, const char **out_doc, struct err *err)
{
    struct str text;
    *out_query = *out_doc = NULL;
    if (!http_query(req, STR("page_token"), &text))
        return true;
    json_auto_t *token = json_parse(text, err);
    const char *query = json_string_value(json_array_get(token, 0)), *doc = json_string_value(json_array_get(token, 1));
    if (!query || !doc)
        return err_set(err, ERR_INVALID, "query parameter \"page_token\" is not one that this list gave");
    *out_query = arena_cstr(&req->arena, str_of(query));
    *out_doc = arena_cstr(&req->arena, str_of(doc));
    return true;
}

void ratings_list(struct http_request *req, void *arg)
{
    const char *query, *doc;
    struct err err;
    struct page *p = page_new(req, arg, &err);
    if (!p || !read_token(req, &query, &doc, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { p->wait->name, asked(req, STR("query")), query, doc,
                             arena_printf(&req->arena, "%u", p->limit + 1).p };
    pgloop_run(p->wait->worker->pg, &queries[QUERY_JUDGMENTS], params, on_ratings, p);
}

void judgments_queries(struct http_request *req, void *arg)
{
    bool unjudged;
    struct err err;
    struct page *p = page_new(req, arg, &err);
    if (!p || !http_query_flag(req, STR("unjudged"), &unjudged, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { p->wait->name, asked(req, STR("text")), unjudged ? "true" : "false",
                             asked(req, STR("page_token")), arena_printf(&req->arena, "%u", p->limit + 1).p };
    pgloop_run(p->wait->worker->pg, &queries[QUERY_JUDGMENTS_QUERIES], params, on_queries, p);
}

/* ---- edits ---- */

struct elements_of {
    struct http_request *req;
    struct ratings *r;
    const char *counted;
    size_t line;
};

static bool on_element(void *arg, size_t index, struct str text)
{
    struct elements_of *e = arg;
    struct err err;
    (void)index;
    for (; e->counted < text.p; e->counted++)
        e->line += *e->counted == '\n';
    if (!rating_read_json(text, e->req->key_label, e->r, &err))
        bad_lines_add(&e->r->bad, e->line, &err);
    return true;
}

static void put_rows(struct resource_wait *w, const char *props, const struct ratings *r, const char *mode)
{
    AUTO(buf_release) struct buf rows;
    struct err err;
    buf_init(&rows, ROWS_MAX);
    ratings_write_rows(r, &rows);
    if (buf_ok(&rows, "the judgments", &err))
        set_put(w, props, rows.p, mode);
    else
        http_reply_err(w->req, &err);
}

void ratings_put(struct http_request *req, void *arg)
{
    struct resource_wait *w = resource_wait_new(req, arg, &kind.resource);
    struct ratings r = { .arena = &req->arena };
    struct elements_of e = { req, &r, req->body.p, 1 };
    bool single;
    struct err err;
    if (!elements_read(req->body, "judgments", SETS_PER_REQUEST_MAX, &req->arena, on_element, &e, &single, &err) ||
        !bad_lines_none(&r.bad, "lines", &err))
        set_reply_bad_lines(w, &r.bad, single && r.bad.count ? &r.bad.first[0].err : &err);
    else
        put_rows(w, "{\"must\":\"exist\",\"edited\":true}", &r, "merge");
    ratings_release(&r);
}

void ratings_delete(struct http_request *req, void *arg)
{
    struct resource_wait *w = resource_wait_new(req, arg, &kind.resource);
    struct str query, doc;
    AUTO(buf_release) struct buf rows;
    struct err err;
    buf_init(&rows, 1 << 20);
    if (!http_query(req, STR("query"), &query)) {
        (void)err_set(&err, ERR_INVALID, "query parameter \"query\" must say whose judgments are to be taken out");
        http_reply_err(w->req, &err);
        return;
    }
    buf_add_c(&rows, "[[");
    buf_add_json_str(&rows, query);
    if (http_query(req, STR("doc"), &doc)) {
        buf_add_byte(&rows, ',');
        buf_add_json_str(&rows, doc);
    }
    buf_add_c(&rows, "]]");
    set_take_out(w, QUERY_JUDGMENTS_DELETE, rows.p);
}

/* ---- files ---- */

struct import {
    size_t format, mode;
    bool dry_run;
    double max_grade; /* 0: not given */
};

static bool read_import(struct http_request *req, struct import *out, struct err *err)
{
    struct str text;
    out->max_grade = 0;
    if (!http_query_choice(req, STR("format"), judgment_format_names, NULL, &out->format, err) ||
        !http_query_choice(req, STR("mode"), modes, "merge", &out->mode, err) ||
        !http_query_flag(req, STR("dry_run"), &out->dry_run, err))
        return false;
    if (!http_query(req, STR("max_grade"), &text))
        return true;
    return rating_grade(text, "max_grade", &out->max_grade, err) && check_max_grade(out->max_grade, err);
}

static void put_file(struct resource_wait *w, const struct import *i, const struct ratings *r)
{
    struct arena *arena = &w->req->arena;
    size_t unjudged = 0;
    for (size_t k = 0; k < r->count; k++)
        unjudged += isnan(r->items[k].grade) != 0;
    w->extra = arena_printf(arena, ",\"rows\":%zu,\"unjudged\":%zu,\"negative\":%zu", r->count, unjudged, r->negative);
    struct str props = i->max_grade > 0
                           ? arena_printf(arena, "{\"source\":\"import\",\"max_grade\":%.9g}", i->max_grade)
                           : STR("{\"source\":\"import\"}");
    if (i->dry_run)
        http_reply_json(w->req, 200, arena_printf(arena, "{\"name\":\"%s\"" STR_FMT "}", w->name, STR_ARG(w->extra)));
    else
        put_rows(w, props.p, r, modes[i->mode]);
}

void judgments_import(struct http_request *req, void *arg)
{
    struct resource_wait *w = resource_wait_new(req, arg, &kind.resource);
    struct ratings r = { .arena = &req->arena };
    struct import i;
    struct err err;
    if (!http_name_check(req->params[0], "the name of a judgment set", &err) || !read_import(req, &i, &err))
        http_reply_err(w->req, &err);
    else if (!ratings_read((enum judgment_format)i.format, req->body, &r, &err))
        set_reply_bad_lines(w, &r.bad, &err);
    else
        put_file(w, &i, &r);
    ratings_release(&r);
}

struct exporting {
    struct resource_wait *wait;
    size_t format; /* JUDGMENTS_FORMAT_COUNT: the topics of trec */
};

static bool read_rows(const PGresult *r, struct ratings *out, struct err *err)
{
    for (int i = 0; i < PQntuples(r) && !PQgetisnull(r, i, QUERY); i++) {
        const struct rating g = { .query = pg_get(r, i, QUERY),
                                  .doc = pg_get(r, i, DOC),
                                  .grade = pg_get_double(r, i, GRADE),
                                  .confidence = pg_get_double(r, i, CONFIDENCE),
                                  .evidence = pg_get_double(r, i, EVIDENCE),
                                  .clicks = str_eq_c(pg_get(r, i, BY_WHAT), "clicks"),
                                  .judge = pg_get(r, i, JUDGE) };
        if (!rating_add(out, g, err))
            return false;
    }
    return true;
}

static void reply_file(struct exporting *e, const PGresult *r)
{
    struct resource_wait *w = e->wait;
    struct export_head head = { str_of(w->name), pg_get(r, 0, DESCRIPTION) };
    struct ratings rows = { .arena = &w->req->arena };
    AUTO(buf_release) struct buf b;
    struct err err;
    bool topics = e->format == JUDGMENTS_FORMAT_COUNT, ok;
    enum judgment_format f = topics ? JUDGMENTS_TREC : (enum judgment_format)e->format;
    buf_init(&b, SETS_ANSWER_MAX);
    ok = read_rows(r, &rows, &err);
    if (ok && topics)
        ratings_export_topics(&rows, &b);
    ok = ok && (topics ? buf_ok(&b, "the export", &err) : ratings_export(f, &head, &rows, &b, &err));
    ratings_release(&rows);
    if (!ok) {
        http_reply_err(w->req, &err);
        return;
    }
    rows_etag(w->req, pg_get(r, 0, VERSION));
    http_reply_header(w->req, STR("Content-Disposition"),
                      arena_printf(&w->req->arena, "attachment; filename=\"%s.%s\"", w->name,
                                   topics ? "topics.tsv" : judgment_format_suffix(f)));
    http_reply(w->req, 200, judgment_format_type(f), buf_str(&b));
}

static void on_export(void *arg, const PGresult *r, const struct err *err)
{
    struct exporting *e = arg;
    if (resource_found(e->wait, r, err))
        reply_file(e, r);
}

void judgments_export(struct http_request *req, void *arg)
{
    struct exporting *e = arena_zalloc(&req->arena, sizeof *e);
    struct str format;
    struct err err;
    e->wait = resource_wait_new(req, arg, &kind.resource);
    e->format = JUDGMENTS_FORMAT_COUNT;
    bool topics = http_query(req, STR("format"), &format) && str_eq_c(format, "trec-topics");
    if (!topics && !http_query_choice(req, STR("format"), judgment_format_names, NULL, &e->format, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { e->wait->name, NULL, NULL, NULL, NULL };
    pgloop_run(e->wait->worker->pg, &queries[QUERY_JUDGMENTS], params, on_export, e);
}
