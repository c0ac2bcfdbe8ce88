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
    e->rollout = json_is_true(json_object_get(state, "rollout"));
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
    if (e->rollout)
        jsonw_bool(w, "rollout", true);
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
