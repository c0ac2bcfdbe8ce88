#include "experimentd/jobs/definition.h"

#include <assert.h>

#include "experimentd/health/webhook.h"
#include "job/params.h"

enum { NAME_MAX_BYTES = 200, URL_MAX = 1000, WORKERS_MAX = 1024, RETRIES_MAX = 20 };
#define WAIT_MAX (7 * INT64_C(86400))

const char *const job_end_names[] = {
    [JOB_END_SUCCESS] = "success", [JOB_END_FAILED] = "failed", [JOB_END_CANCELLED] = "cancelled",
    [JOB_END_TIMEOUT] = "timeout", [JOB_END_LOST] = "lost",
};
static_assert(COUNT_OF(job_end_names) == JOB_END_COUNT, "a name for every end");

/* What is shown of a job and is not its owner's to say. */
static const char *const shown[] = { "summary", "predefined", "next_run_at", "next_runs_at", "last_run", "running",
                                     "version", "created_at", "updated_at",  "updated_by",   "queued" };

/* ---- reading ---- */

static void read_id(struct json_reader *r, struct str given, struct arena *arena, struct str *out)
{
    struct str id = { NULL, 0 };
    if (!json_get_str(r, "id", given.n ? JSON_OPTIONAL : JSON_REQUIRED, &id, arena)) {
        *out = given;
        return;
    }
    bool ok = id.n && id.n <= JOB_ID_MAX && id.p[0] != '.' && id.p[0] != '_' && id.p[0] != '-';
    for (size_t i = 0; ok && i < id.n; i++)
        ok = (id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '0' && id.p[i] <= '9') || strchr("._-", id.p[i]);
    if (given.n && !str_eq(id, given))
        (void)json_fail(r, "id", "is \"" STR_FMT "\", but the path names \"" STR_FMT "\"",
                        STR_ARG(str_cut(id, JOB_ID_MAX)), STR_ARG(str_cut(given, JOB_ID_MAX)));
    else if (!ok)
        (void)json_fail(
            r, "id", "is \"" STR_FMT "\", not 1 to %d of a-z, 0-9, dot, underscore and dash, from a letter or digit on",
            STR_ARG(str_cut(id, JOB_ID_MAX)), JOB_ID_MAX);
    *out = id;
}

static void read_type(struct json_reader *r, struct job_def *d, struct arena *arena)
{
    struct str name;
    if (!json_get_str(r, "type", JSON_REQUIRED, &name, arena))
        return;
    d->type = job_type_find(name);
    if (!d->type)
        (void)json_fail(r, "type", "is \"" STR_FMT "\", which GET /v1/job-types does not list",
                        STR_ARG(str_cut(name, 60)));
    else if (d->type->by_hand)
        (void)json_fail(r, "type", "is \"%s\", which answers who asks and is no job of the daemon", d->type->name);
}

static void read_params(struct json_reader *r, struct job_def *d, struct arena *arena)
{
    json_t *params = NULL;
    struct buf given, checked;
    struct err err;
    (void)json_get_object(r, "params", JSON_OPTIONAL, &params);
    if (r->err.kind != ERR_NONE)
        return;
    buf_init(&given, JOB_BYTES_MAX);
    buf_init(&checked, JOB_PARAMS_BYTES);
    if (params)
        json_write(&given, params);
    else
        buf_add_c(&given, "{}");
    if (!buf_ok(&given, "field \"params\"", &err) || !job_params_check(d->type, buf_str(&given), &checked, &err))
        (void)json_fail(r, NULL, "%s", err.text);
    else
        d->params = arena_str(arena, buf_str(&checked));
    buf_release(&given);
    buf_release(&checked);
}

static void read_choice(struct json_reader *r, const char *field, const char *const *choices, struct str *io,
                        struct arena *arena)
{
    if (!json_get_str(r, field, JSON_OPTIONAL, io, arena))
        return;
    for (size_t i = 0; choices[i]; i++)
        if (str_eq_c(*io, choices[i]))
            return;
    (void)json_fail(r, field, "is \"" STR_FMT "\", not %s or %s", STR_ARG(str_cut(*io, 40)), choices[0],
                    choices[2] ? "another that is offered" : choices[1]);
}

static void read_number(struct json_reader *r, const char *field, int64_t max, int64_t *io)
{
    if (json_get_i64(r, field, JSON_OPTIONAL, io) && (*io < 0 || *io > max))
        (void)json_fail(r, field, "is %lld, outside 0 to %lld", (long long)*io, (long long)max);
}

static void read_triggers(struct json_reader *r, struct job_def *d, struct arena *arena)
{
    json_t *list = NULL, *v;
    size_t i;
    struct err err;
    if (!json_get_array(r, "triggers", JSON_OPTIONAL, &list))
        return;
    if (json_array_size(list) > JOB_TRIGGERS_MAX) {
        (void)json_fail(r, "triggers", "has %zu elements, more than %d", json_array_size(list), JOB_TRIGGERS_MAX);
        return;
    }
    d->triggers_count = 0;
    json_array_foreach(list, i, v)
    {
        const char *what = arena_printf(arena, "triggers[%zu]", i).p;
        if (!trigger_read(v, what, arena, &d->triggers[d->triggers_count++], &err) && r->err.kind == ERR_NONE)
            r->err = err;
    }
}

static void read_zone(struct json_reader *r, struct job_def *d, struct arena *arena)
{
    struct err err;
    if (!json_get_str(r, "timezone", JSON_OPTIONAL, &d->timezone, arena))
        return;
    struct zone *z = zone_load(d->timezone, &err);
    if (!z)
        (void)json_fail(r, "timezone", "is no time zone: %s", err.text);
    zone_free(z);
}

static void read_told(struct json_reader *r, json_t *list, unsigned *out)
{
    size_t i, k;
    json_t *v;
    json_array_foreach(list, i, v)
    {
        for (k = 0; k < JOB_END_COUNT; k++)
            if (json_is_string(v) && strcmp(json_string_value(v), job_end_names[k]) == 0)
                break;
        if (k == JOB_END_COUNT) {
            (void)json_fail(r, "on", "has an element %zu that is not success, failed, cancelled, timeout or lost", i);
            return;
        }
        *out |= 1u << k;
    }
}

static void read_notify(struct json_reader *r, struct job_def *d, struct arena *arena)
{
    json_t *notify = NULL, *on = NULL;
    struct json_reader n;
    struct err err;
    if (!json_get_object(r, "notify", JSON_OPTIONAL, &notify))
        return;
    json_reader_open(&n, notify, "job: field \"notify\"");
    (void)json_get_str(&n, "url", JSON_REQUIRED, &d->notify_url, arena);
    if (n.err.kind == ERR_NONE && !webhook_is_address(d->notify_url, URL_MAX))
        (void)json_fail(&n, "url", "is \"" STR_FMT "\", no http:// address of up to %d bytes",
                        STR_ARG(str_cut(d->notify_url, 60)), URL_MAX);
    if (json_get_array(&n, "on", JSON_OPTIONAL, &on))
        read_told(&n, on, &d->notify_on);
    else
        d->notify_on = 1u << JOB_END_FAILED | 1u << JOB_END_TIMEOUT | 1u << JOB_END_LOST;
    if (!json_reader_close(&n, &err) && r->err.kind == ERR_NONE)
        r->err = err;
}

static void read_schedule(struct json_reader *r, struct job_def *d, struct arena *arena)
{
    static const char *const concurrency[] = { "skip", "queue", NULL }, *const catch_up[] = { "skip", "once", "all",
                                                                                              NULL };
    (void)json_get_bool(r, "enabled", JSON_OPTIONAL, &d->enabled);
    read_zone(r, d, arena);
    read_triggers(r, d, arena);
    read_choice(r, "concurrency", concurrency, &d->concurrency, arena);
    read_choice(r, "catch_up", catch_up, &d->catch_up, arena);
}

bool job_def_read_schedule(json_t *root, struct arena *arena, struct job_def *io, struct err *err)
{
    struct json_reader r;
    json_reader_open(&r, root, "job");
    read_schedule(&r, io, arena);
    return json_reader_close(&r, err);
}

bool job_def_read(json_t *root, struct str id, struct arena *arena, struct job_def *out, struct err *err)
{
    static const char *const engines[] = { "local", "spark", NULL };
    struct json_reader r;
    json_t *passed_over;
    struct job_def d = { .name = STR(""),
                         .engine = STR("local"),
                         .timezone = STR("UTC"),
                         .concurrency = STR("skip"),
                         .catch_up = STR("once"),
                         .enabled = true,
                         .retry_after_seconds = 60 };
    json_reader_open(&r, root, "job");
    read_id(&r, id, arena, &d.id);
    read_type(&r, &d, arena);
    (void)json_get_str(&r, "name", JSON_OPTIONAL, &d.name, arena);
    if (d.name.n > NAME_MAX_BYTES)
        (void)json_fail(&r, "name", "has %zu bytes, more than %d", d.name.n, NAME_MAX_BYTES);
    read_params(&r, &d, arena);
    read_choice(&r, "engine", engines, &d.engine, arena);
    read_number(&r, "workers", WORKERS_MAX, &d.workers);
    read_number(&r, "max_retries", RETRIES_MAX, &d.max_retries);
    read_number(&r, "retry_after_seconds", WAIT_MAX, &d.retry_after_seconds);
    read_number(&r, "timeout_seconds", WAIT_MAX, &d.timeout_seconds);
    read_schedule(&r, &d, arena);
    read_notify(&r, &d, arena);
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        (void)json_get_any(&r, shown[i], JSON_OPTIONAL, &passed_over);
    if (!json_reader_close(&r, err))
        return false;
    d.name = d.name.n ? d.name : d.id;
    *out = d;
    return true;
}

/* ---- writing ---- */

static void write_notify(struct jsonw *w, const struct job_def *d)
{
    if (!d->notify_url.n) {
        jsonw_null(w, "notify");
        return;
    }
    jsonw_open(w, "notify", '{');
    jsonw_str(w, "url", d->notify_url);
    jsonw_open(w, "on", '[');
    for (size_t i = 0; i < JOB_END_COUNT; i++)
        if (d->notify_on >> i & 1)
            jsonw_text(w, NULL, job_end_names[i]);
    jsonw_close(w);
    jsonw_close(w);
}

void job_def_write(struct jsonw *w, const struct job_def *d)
{
    jsonw_str(w, "id", d->id);
    jsonw_text(w, "type", d->type->name);
    jsonw_str(w, "name", d->name);
    jsonw_raw(w, "params", d->params);
    jsonw_bool(w, "enabled", d->enabled);
    jsonw_str(w, "engine", d->engine);
    jsonw_i64(w, "workers", d->workers);
    jsonw_str(w, "timezone", d->timezone);
    jsonw_open(w, "triggers", '[');
    for (size_t i = 0; i < d->triggers_count; i++)
        trigger_write(w, &d->triggers[i]);
    jsonw_close(w);
    jsonw_str(w, "concurrency", d->concurrency);
    jsonw_str(w, "catch_up", d->catch_up);
    jsonw_i64(w, "max_retries", d->max_retries);
    jsonw_i64(w, "retry_after_seconds", d->retry_after_seconds);
    jsonw_i64(w, "timeout_seconds", d->timeout_seconds);
    write_notify(w, d);
}

/* ---- when ---- */

int64_t job_def_next(const struct job_def *d, const struct zone *z, int64_t after)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < d->triggers_count; i++) {
        int64_t t = trigger_next(&d->triggers[i], z, after);
        next = t < next ? t : next;
    }
    return next;
}
