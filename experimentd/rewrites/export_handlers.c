/* GET /v1/rewrites/export: what is to be applied now, or what was published, as a file. */
#include "base/pgloop.h"
#include "experimentd/queries.h"
#include "experimentd/rewrites/export.h"
#include "experimentd/rewrites/handlers.h"
#include "experimentd/rewrites/parts.h"
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

void rewrites_export(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    const char *params[1];
    struct err err;
    wait->req = req;
    if (read_format(req, &wait->format, &err) && rewrites_query_filter(req, &params[0], &err))
        pgloop_run(worker->pg, &queries[QUERY_REWRITES_RULES], params, on_rules, wait);
    else
        http_reply_err(req, &err);
}
