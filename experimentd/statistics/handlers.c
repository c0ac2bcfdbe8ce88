#include "experimentd/statistics/handlers.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "stats/xstat/xstat.h"

enum { ANSWER_MAX = 8 << 20 };

static void write_method(struct jsonw *w, const struct xstat_method *m)
{
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "method", m->name);
    jsonw_text(w, "summary", m->summary);
    jsonw_text(w, "formula", m->formula);
    jsonw_text(w, "source", m->source);
    jsonw_text(w, "input", m->input);
    jsonw_text(w, "output", m->output);
    jsonw_close(w);
}

void statistics_list(struct http_request *req, void *arg)
{
    struct buf b;
    struct jsonw w;
    (void)arg;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "methods", '[');
    for (size_t i = 0; i < xstat_methods_count; i++)
        write_method(&w, &xstat_methods[i]);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the answer");
}

/* NULL: answered with 404. */
static const struct xstat_method *method_of(struct http_request *req)
{
    const struct xstat_method *m = xstat_find(arena_cstr(&req->arena, req->params[0]));
    struct err err;
    if (!m) {
        err_set(&err, ERR_NOT_FOUND, "there is no method \"" STR_FMT "\"; GET /v1/stats names them",
                STR_ARG(str_cut(req->params[0], 60)));
        http_reply_err(req, &err);
    }
    return m;
}

void statistics_explain(struct http_request *req, void *arg)
{
    const struct xstat_method *m = method_of(req);
    struct buf b;
    struct jsonw w;
    (void)arg;
    if (!m)
        return;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    write_method(&w, m);
    http_reply_buf(req, 200, &b, "the answer");
}

/* ---- computing ---- */

static void compute_one(struct http_request *req, const struct xstat_method *m, json_t *in)
{
    struct err err;
    json_auto_t *out = xstat_compute(m, in, &err);
    struct buf b;
    if (!out) {
        http_reply_err(req, &err);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    json_write(&b, out);
    http_reply_buf(req, 200, &b, "the answer");
}

/* Once the inputs before have taken their time, the rest is refused: they would keep other clients waiting. */
static json_t *compute_in_time(const struct xstat_method *m, json_t *in, int64_t until_us, struct err *err)
{
    if (clock_mono_us() < until_us)
        return xstat_compute(m, in, err);
    err_set(err, ERR_BUSY, "the inputs before took more than %d ms: ask for this one again", STATISTICS_MS_MAX);
    return NULL;
}

static void compute_all(struct http_request *req, const struct xstat_method *m, json_t *list)
{
    int64_t until_us = clock_mono_us() + STATISTICS_MS_MAX * (US_PER_SECOND / 1000);
    struct buf b;
    buf_init(&b, ANSWER_MAX);
    buf_add_byte(&b, '[');
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct err err;
        json_auto_t *out = compute_in_time(m, json_array_get(list, i), until_us, &err);
        json_auto_t *refused = out ? NULL : json_pack("{s:s}", "error", err.text);
        if (i)
            buf_add_byte(&b, ',');
        json_write(&b, out ? out : refused);
    }
    buf_add_byte(&b, ']');
    http_reply_buf(req, 200, &b, "the answer");
}

/* Methods that go through the rows of a log once take more. */
static int bytes_max(const struct xstat_method *m)
{
    static const char *const of_logs[] = { "ips_snips_dr" };
    for (size_t i = 0; i < COUNT_OF(of_logs); i++)
        if (strcmp(m->name, of_logs[i]) == 0)
            return STATISTICS_LOG_MAX;
    return STATISTICS_BODY_MAX;
}

void statistics_compute(struct http_request *req, void *arg)
{
    const struct xstat_method *m = method_of(req);
    struct err err;
    (void)arg;
    if (!m)
        return;
    int most = bytes_max(m);
    if (req->body.n > (size_t)most) {
        err_set(&err, ERR_TOO_LARGE, "the input has more than %d bytes; the command xstat takes any", most);
        http_reply_err(req, &err);
        return;
    }
    json_auto_t *root = json_parse(req->body, &err);
    if (root && json_array_size(root) > STATISTICS_INPUTS_MAX) {
        json_decref(root);
        root = NULL;
        err_set(&err, ERR_TOO_LARGE, "the request holds more than %d inputs", STATISTICS_INPUTS_MAX);
    }
    if (!root)
        http_reply_err(req, &err);
    else if (json_is_array(root))
        compute_all(req, m, root);
    else
        compute_one(req, m, root);
}
