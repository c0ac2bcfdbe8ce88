#include "experimentd/jobs/trigger.h"

#include <assert.h>

#include "base/clock.h"

enum { EVERY_MAX = 1000000 };

static const char *const kind_names[] = {
    [TRIGGER_CRON] = "cron", [TRIGGER_INTERVAL] = "interval", [TRIGGER_JOB] = "job"
};
static_assert(COUNT_OF(kind_names) == TRIGGER_KIND_COUNT, "a name for every kind");
static const char *const on_names[] = { "success", "failed", "cancelled" };
static_assert(COUNT_OF(on_names) == TRIGGER_ON_COUNT, "a name for every end");

static const struct {
    const char *name;
    int64_t seconds;
} units[] = { { "minute", 60 }, { "hour", 3600 }, { "day", 86400 } };

/* ---- reading ---- */

static void read_cron(struct json_reader *r, struct trigger *t, struct arena *arena)
{
    struct err err;
    if (json_get_str(r, "value", JSON_REQUIRED, &t->value, arena) && !cron_parse(t->value, &t->cron, &err))
        (void)json_fail(r, "value", "is no schedule: %s", err.text);
}

static void read_instant(struct json_reader *r, const char *name, struct arena *arena, int64_t *out_s)
{
    struct str text;
    int64_t us;
    struct err err;
    if (!json_get_str(r, name, JSON_OPTIONAL, &text, arena))
        return;
    if (!clock_parse(text, &us, &err))
        (void)json_fail(r, name, "is \"" STR_FMT "\", no instant", STR_ARG(str_cut(text, 40)));
    else
        *out_s = us / US_PER_SECOND;
}

static void read_interval(struct json_reader *r, struct trigger *t, struct arena *arena)
{
    struct str unit;
    if (json_get_i64(r, "every", JSON_REQUIRED, &t->every) && (t->every < 1 || t->every > EVERY_MAX))
        (void)json_fail(r, "every", "is %lld, outside 1 to %d", (long long)t->every, EVERY_MAX);
    if (json_get_str(r, "unit", JSON_REQUIRED, &unit, arena)) {
        while (t->unit < COUNT_OF(units) && !str_eq_c(unit, units[t->unit].name))
            t->unit++;
        if (t->unit == COUNT_OF(units))
            (void)json_fail(r, "unit", "is \"" STR_FMT "\", not minute, hour or day", STR_ARG(str_cut(unit, 40)));
        else
            t->every_s = t->every * units[t->unit].seconds;
    }
    read_instant(r, "start", arena, &t->start_s);
    read_instant(r, "end", arena, &t->end_s);
    if (t->start_s && t->end_s && t->end_s < t->start_s)
        (void)json_fail(r, "end", "is before \"start\"");
}

static void read_job(struct json_reader *r, struct trigger *t, struct arena *arena)
{
    json_t *list = NULL, *v;
    size_t i, k;
    (void)json_get_str(r, "job", JSON_REQUIRED, &t->job, arena);
    if (!json_get_array(r, "on", JSON_OPTIONAL, &list)) {
        t->on = 1u << TRIGGER_ON_SUCCESS;
        return;
    }
    json_array_foreach(list, i, v)
    {
        for (k = 0; k < COUNT_OF(on_names); k++)
            if (json_is_string(v) && strcmp(json_string_value(v), on_names[k]) == 0)
                break;
        if (k == COUNT_OF(on_names)) {
            (void)json_fail(r, "on", "has an element %zu that is not success, failed or cancelled", i);
            return;
        }
        t->on |= 1u << k;
    }
    if (!t->on)
        (void)json_fail(r, "on", "is empty");
}

bool trigger_read(json_t *object, const char *what, struct arena *arena, struct trigger *out, struct err *err)
{
    static void (*const readers[])(struct json_reader *, struct trigger *, struct arena *) = {
        [TRIGGER_CRON] = read_cron,
        [TRIGGER_INTERVAL] = read_interval,
        [TRIGGER_JOB] = read_job,
    };
    struct json_reader r;
    struct str kind = { NULL, 0 };
    struct trigger t = { .enabled = true };
    json_reader_open(&r, object, arena_printf(arena, "job: field \"%s\"", what).p);
    (void)json_get_str(&r, "type", JSON_REQUIRED, &kind, arena);
    (void)json_get_bool(&r, "enabled", JSON_OPTIONAL, &t.enabled);
    while (t.kind < TRIGGER_KIND_COUNT && !str_eq_c(kind, kind_names[t.kind]))
        t.kind++;
    if (kind.p && t.kind == TRIGGER_KIND_COUNT)
        (void)json_fail(&r, "type", "is \"" STR_FMT "\", not cron, interval or job", STR_ARG(str_cut(kind, 40)));
    else if (kind.p)
        readers[t.kind](&r, &t, arena);
    if (!json_reader_close(&r, err))
        return false;
    *out = t;
    return true;
}

/* ---- writing ---- */

static void write_instant(struct jsonw *w, const char *name, int64_t s)
{
    if (s)
        jsonw_time(w, name, s * US_PER_SECOND);
}

void trigger_write(struct jsonw *w, const struct trigger *t)
{
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "type", kind_names[t->kind]);
    if (t->kind == TRIGGER_CRON) {
        jsonw_str(w, "value", t->value);
    } else if (t->kind == TRIGGER_INTERVAL) {
        jsonw_i64(w, "every", t->every);
        jsonw_text(w, "unit", units[t->unit].name);
        write_instant(w, "start", t->start_s);
        write_instant(w, "end", t->end_s);
    } else {
        jsonw_str(w, "job", t->job);
        jsonw_open(w, "on", '[');
        for (size_t i = 0; i < COUNT_OF(on_names); i++)
            if (t->on >> i & 1)
                jsonw_text(w, NULL, on_names[i]);
        jsonw_close(w);
    }
    jsonw_bool(w, "enabled", t->enabled);
    jsonw_close(w);
}

/* ---- when ---- */

static int64_t interval_next(const struct trigger *t, int64_t after)
{
    int64_t next = t->start_s;
    if (after >= t->start_s)
        next += ((after - t->start_s) / t->every_s + 1) * t->every_s;
    return t->end_s && next > t->end_s ? INT64_MAX : next;
}

int64_t trigger_next(const struct trigger *t, const struct zone *z, int64_t after)
{
    if (!t->enabled || t->kind == TRIGGER_JOB)
        return INT64_MAX;
    return t->kind == TRIGGER_CRON ? cron_next(&t->cron, z, after) : interval_next(t, after);
}

bool trigger_fires(const struct trigger *t, struct str job, struct str state)
{
    enum trigger_on on = str_eq_c(state, "success")     ? TRIGGER_ON_SUCCESS
                         : str_eq_c(state, "cancelled") ? TRIGGER_ON_CANCELLED
                         : str_eq_c(state, "skipped")   ? TRIGGER_ON_COUNT
                                                        : TRIGGER_ON_FAILED;
    return t->enabled && t->kind == TRIGGER_JOB && on != TRIGGER_ON_COUNT && str_eq(t->job, job) && (t->on >> on & 1);
}
