#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/units/unit_items.h"

enum { JSON_MAX = 8192 };

static bool is(struct str given, const char *one, const char *other, const char *what, bool *out, struct err *err)
{
    *out = str_eq_c(given, one);
    return *out || str_eq_c(given, other) ||
           err_set(err, ERR_INVALID, "params: \"%s\" is neither \"%s\" nor \"%s\"", what, one, other);
}

bool unit_items_params_read(struct str json, struct unit_items_params *out, struct arena *arena, struct err *err)
{
    struct json_reader r;
    struct str item = { NULL, 0 }, order = { NULL, 0 };
    int64_t top = 0;
    bool by_time;
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct unit_items_params){ .half_life_us = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_str(&r, "item", JSON_REQUIRED, &item, arena);
    (void)json_get_str(&r, "weights", JSON_REQUIRED, &out->weights_text, arena);
    (void)json_get_i64(&r, "half_life_us", JSON_REQUIRED, &out->half_life_us);
    (void)json_get_i64(&r, "as_of_us", JSON_REQUIRED, &out->as_of_us);
    (void)json_get_str(&r, "order", JSON_REQUIRED, &order, arena);
    (void)json_get_double(&r, "minimum", JSON_REQUIRED, &out->limits.minimum);
    (void)json_get_i64(&r, "top", JSON_REQUIRED, &top);
    out->limits.top = (uint32_t)top;
    if (!json_reader_close(&r, err) || !is(item, "query", "doc", "item", &out->queries, err) ||
        !is(order, "time", "weight", "order", &by_time, err))
        return false;
    out->limits.order = by_time ? UNIT_ITEM_BY_TIME : UNIT_ITEM_BY_WEIGHT;
    return signal_weights_read(out->weights_text, arena, &out->weights, err);
}

bool unit_items_params_write(const struct unit_items_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "archive", p->archive);
    jsonw_text(&w, "item", p->queries ? "query" : "doc");
    jsonw_str(&w, "weights", p->weights_text);
    jsonw_i64(&w, "half_life_us", p->half_life_us);
    jsonw_i64(&w, "as_of_us", p->as_of_us);
    jsonw_text(&w, "order", p->limits.order == UNIT_ITEM_BY_TIME ? "time" : "weight");
    jsonw_double(&w, "minimum", p->limits.minimum);
    jsonw_i64(&w, "top", p->limits.top);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

struct str unit_items_program(const struct unit_items_params *p, struct arena *arena)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, JSON_MAX);
    buf_addf(&b, "%s %lld", p->queries ? "query" : "doc", (long long)p->half_life_us);
    for (uint32_t i = 0; i < p->weights.count; i++)
        buf_addf(&b, " %zu:" STR_FMT, p->weights.types[i].n, STR_ARG(p->weights.types[i]));
    return arena_str(arena, buf_str(&b));
}

struct unit_item_rules unit_items_rules(const struct unit_items_params *p)
{
    return (struct unit_item_rules){ .weights = &p->weights, .half_life_us = p->half_life_us, .docs = p->queries };
}
