#include "experimentd/jobs/notices.h"

#include <stdio.h>

#include "base/log.h"
#include "experimentd/health/webhook.h"
#include "experimentd/jobs/parts.h"
#include "experimentd/jobs/run_json.h"
#include "experimentd/loop/step_json.h"

enum { NAME = RUN_COLUMN_COUNT, MESSAGE_MAX = 512 << 10, RECEIVERS_MAX = 100 };

/* What is told of. */
struct source {
    enum jobs_stmt untold, told;
    int id, url; /* columns */
    void (*write)(struct buf *b, const PGresult *r, int row);
};

struct receiver {
    struct receiver *next;
    char *url;
    struct webhook *webhook;
};

/* A message on its way. */
struct notice {
    struct notice *next;
    struct notices *all;
    const struct source *source;
    char id[UUID_TEXT_MAX];
};

struct notices {
    struct jobs *jobs;
    struct receiver *receivers;
    size_t receivers_count;
    struct notice *underway;
};

struct notices *notices_new(struct jobs *j)
{
    struct notices *n = mem_zalloc(sizeof *n);
    n->jobs = j;
    return n;
}

static void drop_receiver(struct receiver **at)
{
    struct receiver *r = *at;
    *at = r->next;
    webhook_free(r->webhook);
    mem_free(r->url);
    mem_free(r);
}

void notices_free(struct notices *n)
{
    if (!n)
        return;
    while (n->receivers)
        drop_receiver(&n->receivers);
    for (struct notice *m; (m = n->underway); mem_free(m))
        n->underway = m->next;
    mem_free(n);
}

static struct receiver *receiver_of(struct notices *n, struct str url, struct err *err)
{
    for (struct receiver *r = n->receivers; r; r = r->next)
        if (str_eq_c(url, r->url))
            return r;
    for (struct receiver **at = &n->receivers; n->receivers_count >= RECEIVERS_MAX && *at;) {
        if (webhook_waiting((*at)->webhook)) {
            at = &(*at)->next;
            continue;
        }
        drop_receiver(at);
        n->receivers_count--;
    }
    struct receiver *r = mem_zalloc(sizeof *r);
    r->url = mem_strndup(url.p, url.n);
    r->webhook = webhook_new(n->jobs->base, r->url, n->jobs->secret, err);
    r->next = n->receivers;
    n->receivers = r;
    n->receivers_count++;
    if (r->webhook)
        return r;
    drop_receiver(&n->receivers);
    n->receivers_count--;
    return NULL;
}

static void store(struct jobs *j, const struct source *source, const char *id, bool arrived, unsigned tries)
{
    char text[16];
    struct err err;
    (void)snprintf(text, sizeof text, "%u", tries);
    const char *params[] = { id, arrived ? "true" : "false", text };
    if (j->pg && !jobs_do(j, source->told, params, &err))
        log_warn("notice_not_stored", "id=%s " LOG_ERR, id, LOG_ERR_ARG(&err)); /* told once more by the next turn */
}

static void on_done(void *arg, bool arrived, unsigned tries)
{
    struct notice *m = arg;
    struct notice **at = &m->all->underway;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    if (arrived || tries) /* no tries: too many wait, it stays untold */
        store(m->all->jobs, m->source, m->id, arrived, tries);
    mem_free(m);
}

static bool is_underway(const struct notices *n, const struct source *source, struct str id)
{
    for (const struct notice *m = n->underway; m; m = m->next)
        if (m->source == source && str_eq_c(id, m->id))
            return true;
    return false;
}

/* {"event": "run.failed", "id", "at", "job": {"id", "name", "type"}, "run": {…}} */
static void write_run(struct buf *b, const PGresult *r, int row)
{
    struct jsonw w;
    char event[40];
    (void)snprintf(event, sizeof event, "run.%s", pg_get(r, row, 3).p);
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "event", event);
    jsonw_str(&w, "id", pg_get(r, row, 0));
    jsonw_time(&w, "at", clock_now_us());
    jsonw_open(&w, "job", '{');
    jsonw_str(&w, "id", pg_get(r, row, 1));
    jsonw_str(&w, "name", pg_get(r, row, NAME));
    jsonw_str(&w, "type", pg_get(r, row, 2));
    jsonw_close(&w);
    run_write(&w, "run", r, row, 0, false);
    jsonw_close(&w);
}

/* {"event": "loop.promoted", "model", "id", …}: a step of a model's story. */
static void write_step(struct buf *b, const PGresult *r, int row)
{
    struct jsonw w;
    char event[40];
    (void)snprintf(event, sizeof event, "loop.%s", pg_get(r, row, STEP_NAME_COLUMN).p);
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "event", event);
    step_write(&w, r, row, 0);
    jsonw_close(&w);
}

static const struct source sources[] = {
    { JOBS_UNTOLD, JOBS_TOLD, 0, RUN_COLUMN_COUNT + 1, write_run },
    { JOBS_STEPS_UNTOLD, JOBS_STEP_TOLD, STEP_ID_COLUMN, STEP_COLUMN_COUNT, write_step },
};

static void tell(struct notices *n, const struct source *source, const PGresult *r, int row)
{
    struct err err;
    struct receiver *to = receiver_of(n, pg_get(r, row, source->url), &err);
    struct str id = pg_get(r, row, source->id);
    struct buf b;
    if (!to) {
        log_error("notice_refused", "id=%s " LOG_ERR, id.p, LOG_ERR_ARG(&err));
        store(n->jobs, source, id.p, false, WEBHOOK_TRIES);
        return;
    }
    struct notice *m = mem_zalloc(sizeof *m);
    *m = (struct notice){ .next = n->underway, .all = n, .source = source };
    (void)snprintf(m->id, sizeof m->id, "%s", id.p);
    n->underway = m;
    buf_init(&b, MESSAGE_MAX);
    source->write(&b, r, row);
    webhook_post(to->webhook, buf_str(&b), on_done, m);
    buf_release(&b);
}

static bool tell_all(struct notices *n, const struct source *source, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = jobs_run(n->jobs, source->untold, NULL, err);
    for (int i = 0; r && i < PQntuples(r); i++)
        if (!is_underway(n, source, pg_get(r, i, source->id)))
            tell(n, source, r, i);
    return r != NULL;
}

bool notices_turn(struct notices *n, struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(sources); i++)
        if (!tell_all(n, &sources[i], err))
            return false;
    return true;
}
