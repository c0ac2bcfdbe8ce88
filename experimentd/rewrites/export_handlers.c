/* GET /v1/rewrites/export: what is to be applied now, or what was published, as a file. */
#include "base/pgloop.h"
#include "experimentd/queries.h"
#include "experimentd/rewrites/export.h"
#include "experimentd/rewrites/handlers.h"
#include "experimentd/rewrites/parts.h"
#include "experimentd/serving/serving.h"
#include "experimentd/worker.h"

struct wait {
    struct http_request *req;
    enum rewrite_format format;
};

static void reply(struct http_request *req, enum rewrite_format format, const struct rewrite_rule *rules, size_t count)
{
    AUTO(buf_release) struct buf body;
    AUTO(buf_release) struct buf summary;
    struct rewrite_exported done;
    struct err err;
    buf_init(&body, REWRITES_ANSWER_MAX);
    buf_init(&summary, 1024);
    if (!rewrites_export_write(format, rules, count, &body, &done, &err)) {
        http_reply_err(req, &err);
        return;
    }
    rewrites_export_summary(&done, &summary);
    http_reply_header(req, STR("X-Rewrites"), arena_str(&req->arena, buf_str(&summary)));
    http_reply(req, 200, rewrite_format_content_type(format), buf_str(&body));
}

static void on_rules(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    size_t n = (size_t)PQntuples(r);
    struct rewrite_rule *rules = arena_alloc(&wait->req->arena, (n + 1) * sizeof *rules);
    for (size_t i = 0; i < n; i++)
        rules[i] = rewrite_row_rule(r, (int)i);
    reply(wait->req, wait->format, rules, n);
}

static bool read_format(struct http_request *req, enum rewrite_format *out, struct err *err)
{
    struct str name;
    if (!http_query(req, STR("format"), &name))
        return err_set(err, ERR_INVALID,
                       "query parameter \"format\" is missing: solr, elasticsearch, querqy, "
                       "querqy-replace, typesense, algolia, csv or jsonl");
    *out = rewrite_format_of(name);
    return *out < EXPORT_FORMAT_COUNT || err_set(err, ERR_INVALID,
                                                 "query parameter \"format\" is \"" STR_FMT
                                                 "\", none of solr, elasticsearch, querqy, querqy-replace, "
                                                 "typesense, algolia, csv, jsonl",
                                                 STR_ARG(str_cut(name, 40)));
}

/* ---- what was published ---- */

static bool keeps(const struct rewrite_filter *f, const struct rewrite_rule *r)
{
    struct str types = f->values[FILTER_TYPE], one;
    double min = 0;
    bool any = !types.p;
    while (types.n && str_split(&types, ',', &one))
        any = any || str_eq_c(one, rewrite_type_names[r->type]);
    struct str least = f->values[FILTER_MIN_CONFIDENCE];
    return any && (!least.p || !parse_double(least, &min, NULL) || r->confidence >= min - 1e-7); /* it is a float */
}

/* A version has neither reviews nor counts: it is asked for types and confidence alone. */
static bool read_published_filter(struct http_request *req, struct rewrite_filter *f, struct err *err)
{
    for (int i = 0; i < FILTER_COUNT; i++) {
        bool given = http_query(req, str_of(rewrite_filter_names[i]), &f->values[i]);
        if (given && i != FILTER_TYPE && i != FILTER_MIN_CONFIDENCE)
            return err_set(err, ERR_INVALID, "filter \"%s\" is for of=current: a version has no such thing",
                           rewrite_filter_names[i]);
    }
    return rewrite_filter_check(f, &req->arena, err);
}

static void export_published(struct http_request *req, enum rewrite_format format)
{
    struct str model = STR(""), alias = STR(SERVING_ALIAS);
    struct rewrite_filter f = { 0 };
    struct rewrites_at at = { 0 };
    struct err err;
    size_t n = 0;
    (void)http_query(req, STR("model"), &model);
    (void)http_query(req, STR("alias"), &alias);
    const struct serving_entry *e = read_published_filter(req, &f, &err)
                                        ? serving_find(serving_get(), SERVING_REWRITES, model, alias, &err)
                                        : NULL;
    if (!e) {
        http_reply_err(req, &err);
        return;
    }
    const struct rewrites *r = e->served->view;
    struct rewrite_rule *rules = arena_alloc(&req->arena, (r->entries + 1) * sizeof *rules);
    while (rewrites_next(r, &at, &rules[n]))
        n += keeps(&f, &rules[n]);
    http_reply_header(req, STR("X-Version"), arena_printf(&req->arena, "%lld", (long long)e->version));
    reply(req, format, rules, n);
}

/* ---- the route ---- */

static bool read_of(struct http_request *req, bool *out_published, struct err *err)
{
    struct str of = STR("current");
    (void)http_query(req, STR("of"), &of);
    *out_published = str_eq(of, STR("published"));
    return *out_published || str_eq(of, STR("current")) ||
           err_set(err, ERR_INVALID, "query parameter \"of\" is \"" STR_FMT "\", not current or published",
                   STR_ARG(str_cut(of, 40)));
}

void rewrites_export(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    const char *params[1];
    struct err err;
    bool published;
    wait->req = req;
    if (!read_format(req, &wait->format, &err) || !read_of(req, &published, &err))
        http_reply_err(req, &err);
    else if (published)
        export_published(req, wait->format);
    else if (rewrites_query_filter(req, &params[0], &err))
        pgloop_run(worker->pg, &queries[QUERY_REWRITES_RULES], params, on_rules, wait);
    else
        http_reply_err(req, &err);
}
