#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/queries/queries.h"

enum { JSON_MAX = 4096 };

bool queries_rules_write(const struct query_pair_rules *r, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_bool(&w, "use_clicks", r->use_clicks);
    jsonw_bool(&w, "use_sessions", r->use_sessions);
    jsonw_double(&w, "min_overlap", r->min_overlap);
    jsonw_double(&w, "min_llr", r->min_llr);
    jsonw_i64(&w, "min_pair_count", (int64_t)r->min_pair_count);
    jsonw_double(&w, "prior_sessions", r->prior_sessions);
    jsonw_double(&w, "prior_clicks", r->prior_clicks);
    jsonw_i64(&w, "min_length", r->min_length);
    jsonw_i64(&w, "max_length", r->max_length);
    jsonw_double(&w, "min_token_overlap", r->min_token_overlap);
    jsonw_i64(&w, "top", r->top);
    jsonw_i64(&w, "top_items", r->top_items);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

bool queries_rules_read(struct str json, struct query_pair_rules *out, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    int64_t min_pair_count = 0, min_length = 0, max_length = 0, top = 0, top_items = 0;
    if (!root)
        return false;
    *out = (struct query_pair_rules){ .top = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_bool(&r, "use_clicks", JSON_REQUIRED, &out->use_clicks);
    (void)json_get_bool(&r, "use_sessions", JSON_REQUIRED, &out->use_sessions);
    (void)json_get_double(&r, "min_overlap", JSON_REQUIRED, &out->min_overlap);
    (void)json_get_double(&r, "min_llr", JSON_REQUIRED, &out->min_llr);
    (void)json_get_i64(&r, "min_pair_count", JSON_REQUIRED, &min_pair_count);
    (void)json_get_double(&r, "prior_sessions", JSON_REQUIRED, &out->prior_sessions);
    (void)json_get_double(&r, "prior_clicks", JSON_REQUIRED, &out->prior_clicks);
    (void)json_get_i64(&r, "min_length", JSON_REQUIRED, &min_length);
    (void)json_get_i64(&r, "max_length", JSON_REQUIRED, &max_length);
    (void)json_get_double(&r, "min_token_overlap", JSON_REQUIRED, &out->min_token_overlap);
    (void)json_get_i64(&r, "top", JSON_REQUIRED, &top);
    (void)json_get_i64(&r, "top_items", JSON_REQUIRED, &top_items);
    out->min_pair_count = (uint64_t)min_pair_count;
    out->min_length = (uint32_t)min_length;
    out->max_length = (uint32_t)max_length;
    out->top = (uint32_t)top;
    out->top_items = (uint32_t)top_items;
    return json_reader_close(&r, err);
}

bool queries_judge_params_write(const struct queries_judge_params *p, struct arena *arena, struct str *out,
                                struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "queries", p->queries);
    jsonw_str(&w, "items", p->items);
    jsonw_bool(&w, "champion", p->champion);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

bool queries_judge_params_read(struct str json, struct queries_judge_params *out, struct arena *arena, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    if (!root)
        return false;
    *out = (struct queries_judge_params){ .champion = false };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "queries", JSON_OPTIONAL, &out->queries, arena);
    (void)json_get_str(&r, "items", JSON_OPTIONAL, &out->items, arena);
    (void)json_get_bool(&r, "champion", JSON_REQUIRED, &out->champion);
    return json_reader_close(&r, err);
}

/* ---- lists ---- */

void queries_lists_write(struct buf *b, const struct queries_lists *l)
{
    record_put(b, &l->query, sizeof l->query);
    record_put(b, &l->pairs_count, sizeof l->pairs_count);
    record_put(b, &l->items_count, sizeof l->items_count);
    record_put(b, l->pairs, l->pairs_count * sizeof *l->pairs);
    record_put(b, l->items, l->items_count * sizeof *l->items);
}

static const void *take(struct str *in, size_t count, size_t size, struct arena *arena)
{
    if (count > in->n / size)
        return NULL;
    void *p = arena_alloc(arena, count * size + 1);
    return record_take(in, p, count * size) ? p : NULL;
}

bool queries_lists_read(struct str *in, struct arena *arena, struct queries_lists *out)
{
    return record_take(in, &out->query, sizeof out->query) &&
           record_take(in, &out->pairs_count, sizeof out->pairs_count) &&
           record_take(in, &out->items_count, sizeof out->items_count) &&
           (out->pairs = take(in, out->pairs_count, sizeof *out->pairs, arena)) &&
           (out->items = take(in, out->items_count, sizeof *out->items, arena));
}
