/* The nightly set: what every installation does without being told. A job that an owner changed stays as it is. */
#include "experimentd/jobs/parts.h"

/* At night one job comes after the other, so that each reads what the one before made; what failed keeps none of them back. */
static const struct {
    const char *id, *type, *name;
    const char *cron;  /* or … */
    const char *after; /* … behind this one; NULL with cron */
    int max_retries;
} rows[] = {
    { "seal", "seal", "Close days", "0 2 * * *", NULL, 2 },
    { "retention", "retention", "Delete what is too old", NULL, "seal", 1 },
    { "sessions", "sessions", "Sessions", NULL, "seal", 1 },
    { "clicks", "clicks", "Click weights", NULL, "sessions", 1 },
    { "preferences", "preferences", "Preferences of users", NULL, "clicks", 1 },
    { "history", "history", "Queries of users", NULL, "preferences", 1 },
    { "metrics-nightly", "metrics", "Experiments, at night", NULL, "history", 2 },
    { "interleave", "interleave", "Interleaved lists", NULL, "metrics-nightly", 1 },
    { "bandit", "bandit", "Weights of bandits", NULL, "metrics-nightly", 1 },
    { "metrics", "metrics", "Experiments, every quarter of an hour", "*/15 * * * *", NULL, 0 },
};

static size_t find(const char *id)
{
    size_t i = 0;
    while (strcmp(rows[i].id, id) != 0)
        i++;
    return i;
}

/* The next one up whose type this build has. */
static const char *after(size_t i)
{
    const char *id = rows[i].after;
    while (id && !job_type_find(str_of(rows[find(id)].type)))
        id = rows[find(id)].after;
    return id;
}

static void write_trigger(struct jsonw *w, size_t i)
{
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "type", rows[i].cron ? "cron" : "job");
    if (rows[i].cron) {
        jsonw_text(w, "value", rows[i].cron);
    } else {
        jsonw_text(w, "job", after(i));
        jsonw_raw(w, "on", STR("[\"success\",\"failed\"]"));
    }
    jsonw_close(w);
}

static bool write_row(struct jobs *j, size_t i, struct buf *b, struct err *err)
{
    struct jsonw w;
    struct job_def *d = arena_zalloc(&j->arena, sizeof *d);
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "id", rows[i].id);
    jsonw_text(&w, "type", rows[i].type);
    jsonw_text(&w, "name", rows[i].name);
    jsonw_i64(&w, "max_retries", rows[i].max_retries);
    jsonw_open(&w, "triggers", '[');
    write_trigger(&w, i);
    jsonw_close(&w);
    jsonw_close(&w);
    json_auto_t *root = json_parse(buf_str(b), err);
    if (!root || !job_def_read(root, STR(""), &j->arena, d, err))
        return err_prefix(err, "predefined job \"%s\": ", rows[i].id);
    buf_clear(b);
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    job_def_write(&w, d);
    jsonw_close(&w);
    return true;
}

bool jobs_seed(struct jobs *j, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, JOB_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!job_type_find(str_of(rows[i].type)))
            continue;
        buf_clear(&b);
        if (!write_row(j, i, &b, err))
            return false;
        const char *params[] = { buf_str(&b).p };
        if (!jobs_do(j, JOBS_SEED, params, err))
            return false;
    }
    return true;
}
