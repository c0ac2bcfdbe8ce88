#include "experimentd/config/state.h"

#include "base/jsonw.h"

enum { STATE_BYTES_MAX = 256 << 10 };

void slots_read(const json_t *list, struct arena *arena, struct slot_ranges *out)
{
    out->n = 0;
    out->p = arena_zalloc(arena, json_array_size(list) * sizeof *out->p);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        json_int_t lo = json_integer_value(json_array_get(pair, 0)), hi = json_integer_value(json_array_get(pair, 1));
        if (lo >= 0 && lo < hi && hi <= SNAPSHOT_SLOTS)
            out->p[out->n++] = (struct slot_range){ (int)lo, (int)hi };
    }
}

static void read_weights(const json_t *list, struct arena *arena, struct snapshot_experiment *e)
{
    if (!e->variants_count || json_array_size(list) != e->variants_count)
        return;
    e->live_weights = arena_zalloc(arena, e->variants_count * sizeof *e->live_weights);
    for (size_t i = 0; i < e->variants_count; i++)
        e->live_weights[i] = json_number_value(json_array_get(list, i));
}

static struct str text(const json_t *v, struct arena *arena)
{
    if (!json_is_string(v))
        return (struct str){ NULL, 0 };
    return arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) });
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static struct experiment_look_cell read_cell(const json_t *in, struct arena *arena)
{
    return (struct experiment_look_cell){ .metric = text(json_object_get(in, "metric"), arena),
                                          .variant = text(json_object_get(in, "variant"), arena),
                                          .n_c = json_integer_value(json_object_get(in, "n_c")),
                                          .n_t = json_integer_value(json_object_get(in, "n_t")),
                                          .by = (int)json_integer_value(json_object_get(in, "by")),
                                          .difference = number(in, "difference"),
                                          .se = number(in, "se"),
                                          .base = number(in, "base"),
                                          .base_variance = number(in, "base_variance"),
                                          .with_variance = number(in, "with_variance"),
                                          .covariance = number(in, "covariance"),
                                          .variance_reduction = number(in, "variance_reduction"),
                                          .log_p = number(in, "log_p") };
}

static void read_looks(const json_t *list, struct arena *arena, struct snapshot_experiment *e)
{
    e->looks_count = json_array_size(list);
    e->looks = arena_zalloc(arena, (e->looks_count + 1) * sizeof *e->looks);
    for (size_t i = 0; i < e->looks_count; i++) {
        const json_t *in = json_array_get(list, i), *cells = json_object_get(in, "cells");
        struct experiment_look *l = &e->looks[i];
        *l = (struct experiment_look){ .share = number(in, "share"),
                                       .units = json_integer_value(json_object_get(in, "units")),
                                       .as_of_us = json_integer_value(json_object_get(in, "as_of_us")),
                                       .cells_count = json_array_size(cells) };
        l->cells = arena_zalloc(arena, (l->cells_count + 1) * sizeof *l->cells);
        for (size_t k = 0; k < l->cells_count; k++)
            l->cells[k] = read_cell(json_array_get(cells, k), arena);
    }
}

void state_read(const json_t *state, struct arena *arena, struct snapshot_experiment *e)
{
    slots_read(json_object_get(state, "slots"), arena, &e->slots);
    read_weights(json_object_get(state, "weights"), arena, e);
    e->weights_version = (int)json_integer_value(json_object_get(state, "weights_version"));
    e->bucket_version = (int)json_integer_value(json_object_get(state, "bucket_version"));
    json_int_t step = json_integer_value(json_object_get(state, "ramp_step"));
    e->ramp_step = step > 0 ? (size_t)step : 0;
    e->ramp_since_us = json_integer_value(json_object_get(state, "ramp_since_us"));
    e->stop_reason = text(json_object_get(state, "stop_reason"), arena);
    e->winner = text(json_object_get(state, "winner"), arena);
    e->held_back = text(json_object_get(state, "held_back"), arena);
    e->alarms = text(json_object_get(state, "alarms"), arena);
    e->rollout = json_is_true(json_object_get(state, "rollout"));
    read_looks(json_object_get(state, "looks"), arena, e);
}

static void write_slots(struct jsonw *w, const struct slot_ranges *slots)
{
    jsonw_open(w, "slots", '[');
    for (size_t i = 0; i < slots->n; i++) {
        jsonw_open(w, NULL, '[');
        jsonw_i64(w, NULL, slots->p[i].lo);
        jsonw_i64(w, NULL, slots->p[i].hi);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_cell(struct jsonw *w, const struct experiment_look_cell *c)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "metric", c->metric);
    jsonw_str(w, "variant", c->variant);
    jsonw_i64(w, "n_c", c->n_c);
    jsonw_i64(w, "n_t", c->n_t);
    jsonw_i64(w, "by", c->by);
    jsonw_double(w, "difference", c->difference);
    jsonw_double(w, "se", c->se);
    jsonw_double(w, "base", c->base);
    jsonw_double(w, "base_variance", c->base_variance);
    jsonw_double(w, "with_variance", c->with_variance);
    jsonw_double(w, "covariance", c->covariance);
    jsonw_double(w, "variance_reduction", c->variance_reduction);
    jsonw_double(w, "log_p", c->log_p);
    jsonw_close(w);
}

static void write_looks(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_open(w, "looks", '[');
    for (size_t i = 0; i < e->looks_count; i++) {
        const struct experiment_look *l = &e->looks[i];
        jsonw_open(w, NULL, '{');
        jsonw_double(w, "share", l->share);
        jsonw_i64(w, "units", l->units);
        jsonw_i64(w, "as_of_us", l->as_of_us);
        jsonw_open(w, "cells", '[');
        for (size_t k = 0; k < l->cells_count; k++)
            write_cell(w, &l->cells[k]);
        jsonw_close(w);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_members(struct jsonw *w, const struct snapshot_experiment *e)
{
    if (e->slots.n)
        write_slots(w, &e->slots);
    if (e->live_weights) {
        jsonw_open(w, "weights", '[');
        for (size_t i = 0; i < e->variants_count; i++)
            jsonw_double(w, NULL, e->live_weights[i]);
        jsonw_close(w);
    }
    if (e->weights_version)
        jsonw_i64(w, "weights_version", e->weights_version);
    if (e->bucket_version)
        jsonw_i64(w, "bucket_version", e->bucket_version);
    if (e->ramp_count) {
        jsonw_i64(w, "ramp_step", (int64_t)e->ramp_step);
        jsonw_i64(w, "ramp_since_us", e->ramp_since_us);
    }
    if (e->stop_reason.n)
        jsonw_str(w, "stop_reason", e->stop_reason);
    if (e->winner.n)
        jsonw_str(w, "winner", e->winner);
    if (e->held_back.n)
        jsonw_str(w, "held_back", e->held_back);
    if (e->alarms.n)
        jsonw_str(w, "alarms", e->alarms);
    if (e->rollout)
        jsonw_bool(w, "rollout", true);
    if (e->looks_count)
        write_looks(w, e);
}

static struct str take_text(struct buf *b, struct arena *arena)
{
    struct str s = arena_str(arena, buf_str(b));
    buf_release(b);
    return s;
}

struct str state_write(const struct snapshot_experiment *e, struct arena *arena)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, STATE_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_members(&w, e);
    jsonw_close(&w);
    return take_text(&b, arena);
}

struct str slots_write(const struct slot_ranges *slots, struct arena *arena)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, STATE_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_slots(&w, slots);
    jsonw_close(&w);
    return take_text(&b, arena);
}
