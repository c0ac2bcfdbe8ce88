#include "trainer/kernels/signals/log_params.h"

#include "base/jsonw.h"

enum { JSON_MAX = 16384 };

uint32_t log_types_read(struct json_reader *r, const char *key, uint32_t max, struct str *out, struct arena *arena)
{
    json_t *list = NULL, *type;
    size_t i;
    (void)json_get_array(r, key, JSON_REQUIRED, &list);
    const size_t count = json_array_size(list);
    if (count == 0 || count > max) {
        (void)json_fail(r, key, "is not a list of 1 to %u names", max);
        return 0;
    }
    json_array_foreach(list, i, type)
        out[i] = arena_str(arena, (struct str){ json_string_value(type), json_string_length(type) });
    return (uint32_t)count;
}

bool log_params_read(struct str json, struct log_params *out, struct arena *arena, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    if (!root)
        return false;
    *out = (struct log_params){ .clicks_count = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_i64(&r, "gap_us", JSON_OPTIONAL, &out->gap_us);
    out->clicks_count = log_types_read(&r, "clicks", LOG_TYPES_MAX, out->clicks, arena);
    return json_reader_close(&r, err);
}

bool log_params_write(const struct log_params *p, bool with_archive, struct arena *arena, struct str *out,
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
    if (p->gap_us)
        jsonw_i64(&w, "gap_us", p->gap_us);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}
