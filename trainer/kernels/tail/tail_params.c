#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/tail/tail.h"

enum { PARAMS_MAX = 4096 };

bool tail_params_write(const struct tail_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, PARAMS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_bool(&w, "by_searches", p->by_searches);
    jsonw_i64(&w, "head", p->head > INT64_MAX ? INT64_MAX : (int64_t)p->head);
    jsonw_i64(&w, "tail", (int64_t)p->tail);
    jsonw_i64(&w, "queries", (int64_t)p->queries);
    jsonw_i64(&w, "min_searches", (int64_t)p->min_searches);
    jsonw_i64(&w, "min_chars", (int64_t)p->min_chars);
    jsonw_i64(&w, "top", (int64_t)p->top);
    jsonw_double(&w, "length_scale", p->rules.length_scale);
    jsonw_double(&w, "min_confidence", p->rules.min_confidence);
    jsonw_double(&w, "min_overlap", p->rules.min_overlap);
    jsonw_i64(&w, "min_clicks", (int64_t)p->rules.min_clicks);
    jsonw_double(&w, "z", p->rules.z);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static void get_u64(struct json_reader *r, const char *key, uint64_t *out)
{
    int64_t v = 0;
    (void)json_get_i64(r, key, JSON_REQUIRED, &v);
    *out = (uint64_t)v;
}

bool tail_params_read(struct str json, struct tail_params *out, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    if (!root)
        return false;
    *out = (struct tail_params){ .by_searches = false };
    json_reader_open(&r, root, "params");
    (void)json_get_bool(&r, "by_searches", JSON_REQUIRED, &out->by_searches);
    get_u64(&r, "head", &out->head);
    get_u64(&r, "tail", &out->tail);
    get_u64(&r, "queries", &out->queries);
    get_u64(&r, "min_searches", &out->min_searches);
    get_u64(&r, "min_chars", &out->min_chars);
    get_u64(&r, "top", &out->top);
    (void)json_get_double(&r, "length_scale", JSON_REQUIRED, &out->rules.length_scale);
    (void)json_get_double(&r, "min_confidence", JSON_REQUIRED, &out->rules.min_confidence);
    (void)json_get_double(&r, "min_overlap", JSON_REQUIRED, &out->rules.min_overlap);
    get_u64(&r, "min_clicks", &out->rules.min_clicks);
    (void)json_get_double(&r, "z", JSON_REQUIRED, &out->rules.z);
    return json_reader_close(&r, err);
}
