#include "base/json.h"
#include "trainer/kernels/metrics.h"

bool metrics_params_read(struct str json, struct metrics_params *out, struct arena *arena, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    json_t *list = NULL;
    if (!root)
        return false;
    out->archive = (struct str){ NULL, 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "snapshot", JSON_REQUIRED, &out->snapshot, arena);
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_array(&r, "experiments", JSON_REQUIRED, &list);
    if (!json_reader_close(&r, err))
        return false;
    out->count = json_array_size(list);
    out->keys = arena_zalloc(arena, out->count * sizeof *out->keys);
    out->last_days = arena_zalloc(arena, out->count * sizeof *out->last_days);
    out->first_us = arena_zalloc(arena, out->count * sizeof *out->first_us);
    out->cohorts = arena_zalloc(arena, out->count * sizeof *out->cohorts);
    for (size_t i = 0; i < out->count; i++) {
        json_t *pair = json_array_get(list, i), *key = json_array_get(pair, 0);
        if (!json_is_string(key) || !json_is_integer(json_array_get(pair, 1)) ||
            !json_is_integer(json_array_get(pair, 2)) || !json_is_boolean(json_array_get(pair, 3)))
            return err_set(err, ERR_INVALID, "params: experiment %zu is not [key, last day, first instant, cohorts]",
                           i);
        out->keys[i] = arena_str(arena, (struct str){ json_string_value(key), json_string_length(key) });
        out->last_days[i] = (int32_t)json_integer_value(json_array_get(pair, 1));
        out->first_us[i] = json_integer_value(json_array_get(pair, 2));
        out->cohorts[i] = json_is_true(json_array_get(pair, 3));
    }
    return true;
}

void metrics_write_cell(struct buf *b, const struct total_cell *c)
{
    uint32_t n = (uint32_t)c->variant.n;
    buf_add_byte(b, c->cohort ? METRICS_COHORT : METRICS_CELL);
    buf_add(b, &c->experiment, sizeof c->experiment);
    buf_add(b, &c->day, sizeof c->day);
    buf_add(b, &n, sizeof n);
    buf_add_str(b, c->variant);
    buf_add(b, c->metrics, sizeof c->metrics);
}

void metrics_write_counts(struct buf *b, uint32_t experiment, const struct total_counts *c)
{
    buf_add_byte(b, METRICS_COUNTS);
    buf_add(b, &experiment, sizeof experiment);
    buf_add(b, c, sizeof *c);
}

static bool take(struct str *in, void *out, size_t n)
{
    if (in->n < n)
        return false;
    memcpy(out, in->p, n);
    in->p += n;
    in->n -= n;
    return true;
}

int metrics_read(struct str *in, struct total_cell *cell, uint32_t *experiment, struct total_counts *counts)
{
    char kind;
    uint32_t n;
    if (!take(in, &kind, 1))
        return 0;
    if (kind == METRICS_COUNTS)
        return take(in, experiment, sizeof *experiment) && take(in, counts, sizeof *counts) ? kind : 0;
    if ((kind != METRICS_CELL && kind != METRICS_COHORT) || !take(in, &cell->experiment, sizeof cell->experiment) ||
        !take(in, &cell->day, sizeof cell->day) || !take(in, &n, sizeof n) || in->n < n)
        return 0;
    cell->cohort = kind == METRICS_COHORT;
    cell->variant = (struct str){ in->p, n };
    in->p += n;
    in->n -= n;
    return take(in, cell->metrics, sizeof cell->metrics) ? kind : 0;
}
