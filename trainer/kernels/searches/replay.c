/* The kernel "searches.replay": the queries of a split, sent to their engine. */
#include "trainer/kernels/searches/replay.h"

#include <stdlib.h>

#include "trainer/engine/task.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/searches/fetch.h"

enum { REQUEST_MAX = 1 << 20, RECORD_MAX = 4 << 20, HEADERS_MAX = 64 };

struct replay {
    struct task *task;
    struct arena *arena;
    struct search_config config;
    struct fetch_options fetch;
    struct str headers[HEADERS_MAX];
    size_t k;
    uint32_t *numbers; /* of the requests' queries */
    struct fetch_request *requests;
    size_t count;
};

/* ---- what the job says ---- */

static bool read_headers(struct replay *r, json_t *list, struct err *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i == HEADERS_MAX || !json_is_string(json_array_get(list, i)))
            return err_set(err, ERR_INVALID, "params: the headers are no list of up to %d texts", HEADERS_MAX);
        const char *text = json_string_value(json_array_get(list, i));
        r->headers[i] = (struct str){ arena_cstr(r->arena, str_of(text)), strlen(text) };
        r->fetch.headers_count++;
    }
    r->fetch.headers = r->headers;
    return true;
}

static bool read_params(struct replay *r, json_t *spec_and_more, struct err *err)
{
    struct json_reader j;
    json_t *spec = NULL, *headers = NULL;
    int64_t k = 0, at_once = 0, tries = 0, timeout_s = 0, max_bytes = 0;
    json_reader_open(&j, spec_and_more, "params");
    (void)json_get_object(&j, "spec", JSON_REQUIRED, &spec);
    (void)json_get_array(&j, "headers", JSON_REQUIRED, &headers);
    (void)json_get_str(&j, "ca", JSON_REQUIRED, &r->fetch.ca, r->arena);
    (void)json_get_i64(&j, "k", JSON_REQUIRED, &k);
    (void)json_get_i64(&j, "at_once", JSON_REQUIRED, &at_once);
    (void)json_get_i64(&j, "tries", JSON_REQUIRED, &tries);
    (void)json_get_i64(&j, "timeout_s", JSON_REQUIRED, &timeout_s);
    (void)json_get_i64(&j, "max_bytes", JSON_REQUIRED, &max_bytes);
    if (!json_reader_close(&j, err) || !read_headers(r, headers, err) ||
        !search_config_read(spec, r->arena, &r->config, err))
        return false;
    r->k = (size_t)k;
    r->fetch.at_once = (uint32_t)at_once;
    r->fetch.tries = (uint32_t)tries;
    r->fetch.timeout_s = (uint32_t)timeout_s;
    r->fetch.max_bytes = (size_t)max_bytes;
    r->fetch.verify = r->config.verify;
    return true;
}

/* ---- requests ---- */

static struct str json_text(struct arena *arena, const json_t *v)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, REQUEST_MAX);
    json_write(&b, v);
    return arena_str(arena, buf_str(&b));
}

/* The values of a query's template: its text, k, and its own parameters. */
static size_t make_values(struct replay *r, json_t *text, json_t *params, struct search_value *out)
{
    const char *name;
    json_t *v;
    size_t count = 0;
    struct str k = arena_printf(r->arena, "%zu", r->k);
    out[count++] = (struct search_value){ STR("query"),
                                          { json_string_value(text), json_string_length(text) },
                                          json_text(r->arena, text) };
    out[count++] = (struct search_value){ STR("k"), k, k };
    json_object_foreach(params, name, v)
    {
        struct str json = json_text(r->arena, v);
        bool is_text = json_is_string(v);
        struct str plain = { is_text ? json_string_value(v) : json.p, is_text ? json_string_length(v) : json.n };
        out[count++] = (struct search_value){ arena_str(r->arena, str_of(name)), arena_str(r->arena, plain), json };
    }
    return count;
}

static bool make_request(struct replay *r, const struct search_value *values, size_t count, struct fetch_request *out,
                         struct err *err)
{
    const struct search_config *c = &r->config;
    AUTO(buf_release) struct buf url;
    AUTO(buf_release) struct buf body;
    buf_init(&url, REQUEST_MAX);
    buf_init(&body, REQUEST_MAX);
    buf_add_str(&url, c->url);
    if (c->params.n)
        buf_add_byte(&url, '?');
    if (!search_template_query(c->params, values, count, &url, err) ||
        !search_template_body(c->body, values, count, &body, err))
        return false;
    *out = (struct fetch_request){ .url = arena_cstr(r->arena, buf_str(&url)) };
    if (c->body.n)
        out->body = arena_str(r->arena, buf_str(&body));
    return true;
}

/* ---- answers ---- */

static bool collect(struct replay *r, uint32_t query, const struct search_docs *docs, const struct err *why,
                    struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct replay_head head = { query, (uint32_t)docs->count, (uint32_t)docs->repeated };
    buf_init(&b, RECORD_MAX);
    record_put(&b, &head, sizeof head);
    record_put_text(&b, why ? str_of(why->text) : STR(""));
    for (size_t i = 0; i < docs->count; i++)
        record_put_text(&b, docs->ids[i]);
    return buf_ok(&b, "a list of documents", err) && task_collect(r->task, buf_str(&b), err);
}

static bool on_answer(void *arg, size_t index, struct str answer, const struct err *why, struct err *err)
{
    struct replay *r = arg;
    struct search_docs docs = { 0 };
    struct arena arena;
    struct err bad;
    arena_init(&arena, 4096);
    if (!why && !search_docs_read(&r->config, answer, r->k, &arena, &docs, &bad))
        why = &bad;
    bool ok = collect(r, r->numbers[index], &docs, why, err) && task_tick(r->task, 1, err);
    arena_release(&arena);
    return ok;
}

static bool on_tick(void *arg, struct err *err)
{
    return task_tick(((struct replay *)arg)->task, 0, err);
}

/* A query whose template cannot be filled is an error of that query. */
static bool add_query(struct replay *r, json_t *row, struct err *err)
{
    static const struct search_docs none = { 0 };
    json_t *params = json_array_get(row, 2);
    struct err bad;
    uint32_t number = (uint32_t)json_integer_value(json_array_get(row, 0));
    struct search_value *values = arena_alloc(r->arena, (json_object_size(params) + 2) * sizeof *values);
    size_t count = make_values(r, json_array_get(row, 1), params, values);
    if (!make_request(r, values, count, &r->requests[r->count], &bad))
        return collect(r, number, &none, &bad, err);
    r->numbers[r->count++] = number;
    return true;
}

static bool add_queries(struct replay *r, json_t *queries, struct err *err)
{
    size_t n = json_array_size(queries);
    r->requests = arena_alloc(r->arena, (n + 1) * sizeof *r->requests);
    r->numbers = arena_alloc(r->arena, (n + 1) * sizeof *r->numbers);
    for (size_t i = 0; i < n; i++)
        if (!add_query(r, json_array_get(queries, i), err))
            return false;
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct replay *r = arena_zalloc(task_arena(t), sizeof *r);
    r->task = t;
    r->arena = task_arena(t);
    json_auto_t *params = json_parse(task_params(t), err);
    json_auto_t *desc = params ? json_parse(task_desc(t), err) : NULL;
    json_t *spec = json_array_get(params, (size_t)json_integer_value(json_object_get(desc, "spec")));
    if (!desc)
        return false;
    if (!spec)
        return err_set(err, ERR_INVALID, "a split names no configuration");
    const struct fetch_calls calls = { on_answer, on_tick, r };
    return read_params(r, spec, err) && add_queries(r, json_object_get(desc, "queries"), err) &&
           fetch_all(&r->fetch, r->requests, r->count, &calls, err);
}

const struct kernel kernel_searches_replay = { REPLAY_KERNEL, run };
