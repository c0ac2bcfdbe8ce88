/* The nightly set: what every installation does without being told. A job that an owner changed stays as it is. */
#include "experimentd/jobs/parts.h"

/* At two o'clock today has hardly begun: a model is judged by yesterday, too. */
#define JUDGED "{\"holdout_days\":2}"

/* At night one job comes after the other, so that each reads what the one before made; what failed keeps none of them back. */
static const struct {
    const char *id, *type, *name;
    const char *cron;  /* or … */
    const char *after; /* … behind this one; NULL with cron */
    int max_retries;
    const char *params; /* NULL: the defaults */
} rows[] = {
    { "seal", "seal", "Close days", "0 2 * * *", NULL, 2, NULL },
    { "retention", "retention", "Delete what is too old", NULL, "seal", 1, NULL },
    { "sessions", "sessions", "Sessions", NULL, "seal", 1, NULL },
    { "clicks", "clicks", "Click weights", NULL, "sessions", 1, NULL },
    { "preferences", "preferences", "Preferences of users", NULL, "clicks", 1, NULL },
    { "history", "history", "Queries of users", NULL, "preferences", 1, NULL },
    { "metrics-nightly", "metrics", "Experiments, at night", NULL, "history", 2, NULL },
    { "interleave", "interleave", "Interleaved lists", NULL, "metrics-nightly", 1, NULL },
    { "bandit", "bandit", "Weights of bandits", NULL, "metrics-nightly", 1, NULL },
    /* Models: one that is not better than the champion changes nothing, and too little data for it is no reason to try again. */
    { "catalogue", "catalogue", "Catalogue", NULL, "bandit", 0, NULL },
    { "popular", "popular", "Popular items", NULL, "catalogue", 0, JUDGED },
    { "trending", "trending", "Trending items", NULL, "popular", 0, NULL },
    { "item-similarity", "item-similarity", "Similar items", NULL, "trending", 0, JUDGED },
    { "als", "als", "Items for users", NULL, "item-similarity", 0, JUDGED },
    { "boosts", "boosts", "Boosts", NULL, "als", 0, JUDGED },
    { "similar-queries", "similar-queries", "Related queries", NULL, "boosts", 0, JUDGED },
    { "spelling", "spelling", "Misspellings", NULL, "similar-queries", 0, NULL },
    { "phrases", "phrases", "Phrases", NULL, "spelling", 0, NULL },
    { "head-tail", "head-tail", "Tail queries", NULL, "phrases", 0, NULL },
    { "synonyms", "synonyms", "Synonyms", NULL, "head-tail", 0, NULL },
    { "remove-words", "remove-words", "Words to leave out", NULL, "synonyms", 0, NULL },
    { "publish-rewrites", "publish-rewrites", "Rewrites, published", NULL, "remove-words", 0, JUDGED },
    { "click-models", "click-models", "Click models", NULL, "publish-rewrites", 0, JUDGED },
    { "judgments", "judgments", "Judgments from clicks", NULL, "click-models", 0, NULL },
    { "learn-to-rank", "learn-to-rank", "Rankers", NULL, "judgments", 0, NULL },
    { "training-data", "training-data", "Queries with categories", NULL, "learn-to-rank", 0, NULL },
    { "query-intent", "query-intent", "What queries are about", NULL, "training-data", 0, NULL },
    { "metrics", "metrics", "Experiments, every quarter of an hour", "*/15 * * * *", NULL, 0, NULL },
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
    if (rows[i].params)
        jsonw_raw(&w, "params", str_of(rows[i].params));
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
