#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/serps/serp_log.h"

enum { JSON_MAX = 16384 };

static uint32_t read_types(json_t *list, struct str *out, struct arena *arena)
{
    size_t count = json_array_size(list), i;
    json_t *type;
    json_array_foreach(list, i, type) if (i < SERP_TYPES_MAX)
        out[i] = arena_str(arena, (struct str){ json_string_value(type), json_string_length(type) });
    return count <= SERP_TYPES_MAX ? (uint32_t)count : 0;
}

bool serp_day_params_read(struct str json, struct serp_day_params *out, struct arena *arena, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    json_t *types = NULL;
    if (!root)
        return false;
    *out = (struct serp_day_params){ .clicks_count = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_array(&r, "clicks", JSON_REQUIRED, &types);
    out->clicks_count = read_types(types, out->clicks, arena);
    if (out->clicks_count == 0)
        (void)json_fail(&r, "clicks", "is not a list of 1 to %d names", SERP_TYPES_MAX);
    return json_reader_close(&r, err);
}

bool serp_day_params_write(const struct serp_day_params *p, bool with_archive, struct arena *arena, struct str *out,
                           struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    if (with_archive)
        jsonw_str(&w, "archive", p->archive);
    jsonw_open(&w, "clicks", '[');
    for (uint32_t i = 0; i < p->clicks_count; i++)
        jsonw_str(&w, NULL, p->clicks[i]);
    jsonw_close(&w);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}
