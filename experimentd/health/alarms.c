#include "experimentd/health/alarms.h"

#include "base/log.h"
#include "base/pg.h"
#include "experimentd/config/life.h"
#include "experimentd/health/health.h"
#include "experimentd/health/webhook.h"
#include "experimentd/queries.h"

enum { TURN_ARENA_BYTES = 16 << 10, LIST_MAX = 500, MESSAGE_MAX = 64 << 10 };

/* What an experiment was judged by last. */
struct judged {
    struct judged *next;
    struct str key; /* owned */
    int64_t published_us;
    int phase;
    enum health_state silence;
};

struct alarms {
    struct webhook *webhook; /* NULL: nobody is told */
    struct judged *judged;
    struct arena arena; /* of one turn */
    int64_t look_mono_us;
};

struct alarms *alarms_new(struct event_base *base, const char *webhook, const char *secret, struct err *err)
{
    struct alarms *a = mem_zalloc(sizeof *a);
    arena_init(&a->arena, TURN_ARENA_BYTES);
    if (*webhook && !(a->webhook = webhook_new(base, webhook, secret, err))) {
        (void)err_prefix(err, "setting \"alarm.webhook\": ");
        alarms_free(a);
        return NULL;
    }
    return a;
}

static void drop(struct judged **at)
{
    struct judged *j = *at;
    *at = j->next;
    mem_free((char *)(uintptr_t)j->key.p);
    mem_free(j);
}

void alarms_free(struct alarms *a)
{
    if (!a)
        return;
    while (a->judged)
        drop(&a->judged);
    webhook_free(a->webhook);
    arena_release(&a->arena);
    mem_free(a);
}

/* ---- what is new ---- */

static struct judged **find(struct alarms *a, struct str key)
{
    struct judged **at = &a->judged;
    while (*at && !str_eq((*at)->key, key))
        at = &(*at)->next;
    return at;
}

static int64_t published_of(const PGresult *r, struct str key)
{
    for (int row = 0; row < PQntuples(r); row++)
        if (str_eq(pg_get(r, row, 0), key))
            return pg_get_i64(r, row, 1);
    return 0;
}

static bool is_judged(const struct judged *j, const struct judged *now)
{
    return j && j->published_us == now->published_us && j->phase == now->phase && j->silence == now->silence;
}

static void remember(struct alarms *a, struct str key, struct judged now)
{
    struct judged **at = find(a, key);
    if (!*at) {
        *at = mem_zalloc(sizeof **at);
        (*at)->key = (struct str){ mem_strndup(key.p, key.n), key.n };
    }
    now.key = (*at)->key;
    now.next = (*at)->next;
    **at = now;
}

static void sweep(struct alarms *a, const struct snapshot *s)
{
    for (struct judged **at = &a->judged; *at;) {
        const struct snapshot_experiment *e = snapshot_experiment(s, (*at)->key);
        if (e && e->status == EXPERIMENT_RUNNING)
            at = &(*at)->next;
        else
            drop(at);
    }
}

/* ---- judging ---- */

static bool read_input(struct alarms *a, struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                       struct result *r, struct health_input *in, struct err *err)
{
    const char *keyed[] = { arena_cstr(&a->arena, e->key) };
    const char *latest[] = { arena_printf(&a->arena, "{" STR_FMT "}", STR_ARG(e->key)).p, "{}" };
    AUTO(pg_result_free) PGresult *counts = pg_run(pg, &queries[QUERY_HEALTH_COUNTS], keyed, err);
    AUTO(pg_result_free) PGresult *rows = counts ? pg_run(pg, &queries[QUERY_RESULTS_LATEST], latest, err) : NULL;
    if (!rows)
        return false;
    result_read(r, s, e, rows, &a->arena);
    health_read_counts(in, e, counts, &a->arena);
    in->r = r;
    return true;
}

/* "srm,srm_segments" */
static struct str list_of(const struct health *h, struct arena *arena)
{
    struct buf b;
    buf_init(&b, LIST_MAX);
    for (size_t i = 0; i < HEALTH_CHECK_COUNT; i++)
        if (h->of[i].state == HEALTH_ALARM)
            buf_addf(&b, "%s%s", b.n ? "," : "", health_words[i].key);
    return health_take(&b, arena);
}

static void write_alarms(struct jsonw *w, const struct health *h)
{
    jsonw_open(w, "alarms", '[');
    for (size_t i = 0; i < HEALTH_CHECK_COUNT; i++) {
        if (h->of[i].state != HEALTH_ALARM)
            continue;
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "check", health_words[i].key);
        jsonw_text(w, "name", health_words[i].name);
        jsonw_str(w, "text", h->of[i].text);
        jsonw_text(w, "todo", health_words[i].todo);
        jsonw_bool(w, "spoils", health_words[i].spoils);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void tell(struct alarms *a, const struct snapshot_experiment *e, const struct health *h, int64_t now_us)
{
    struct buf b;
    struct jsonw w;
    struct str was = e->alarms, part;
    if (!a->webhook)
        return;
    buf_init(&b, MESSAGE_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "experiment", e->key);
    jsonw_str(&w, "name", e->name);
    jsonw_time(&w, "at", now_us);
    write_alarms(&w, h);
    jsonw_open(&w, "before", '[');
    while (str_split(&was, ',', &part))
        jsonw_str(&w, NULL, part);
    jsonw_close(&w);
    jsonw_close(&w);
    webhook_post(a->webhook, buf_str(&b), NULL, NULL);
    buf_release(&b);
}

/* ---- a turn ---- */

enum after { GO_ON, END_TURN };

static enum after change(struct alarms *a, struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                         const struct health *h, struct str list, int64_t now_us)
{
    struct err err;
    struct edit edit = {
        .arena = &a->arena, .kind = "experiment", .action = "alarm", .key = e->key, .make = life_alarm, .arg = list.p
    };
    struct judged **at = find(a, e->key);
    if (edit_run_blocking(&edit, pg, s, "health", &err)) {
        log_warn("alarm", "experiment=" STR_FMT " alarms=\"" STR_FMT "\" before=\"" STR_FMT "\"", STR_ARG(e->key),
                 STR_ARG(list), STR_ARG(e->alarms));
        tell(a, e, h, now_us);
        return END_TURN;
    }
    if (*at) /* another edit came first, perhaps another daemon's of the same: judged again on the next snapshot */
        drop(at);
    if (err.kind != ERR_BUSY)
        log_error("alarm_failed", "experiment=" STR_FMT " " LOG_ERR, STR_ARG(e->key), LOG_ERR_ARG(&err));
    return END_TURN;
}

static enum after judge(struct alarms *a, struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                        struct judged now, int64_t loaded_us, int64_t now_us)
{
    struct health_input in = { .now_us = now_us, .loaded_us = loaded_us };
    struct result r;
    struct health h;
    struct err err;
    if (!read_input(a, pg, s, e, &r, &in, &err)) {
        log_debug("alarms_unread", LOG_ERR, LOG_ERR_ARG(&err));
        return END_TURN;
    }
    health_make(&in, &a->arena, &h);
    remember(a, e->key, now);
    struct str list = list_of(&h, &a->arena);
    return str_eq(list, e->alarms) ? GO_ON : change(a, pg, s, e, &h, list, now_us);
}

/* The silence that signals say: the same for every experiment that runs. */
static enum health_state silence_of(int64_t loaded_us, int64_t now_us)
{
    int64_t silent_us = now_us - loaded_us;
    return !loaded_us ? HEALTH_UNKNOWN : silent_us >= HEALTH_SILENCE_ALARM_US ? HEALTH_ALARM : HEALTH_OK;
}

static enum after look(struct alarms *a, struct pg *pg, const struct snapshot *s)
{
    int64_t now_us = clock_now_us();
    struct err err;
    AUTO(pg_result_free) PGresult *published = pg_run(pg, &queries[QUERY_HEALTH_PUBLISHED], NULL, &err);
    AUTO(pg_result_free) PGresult *loaded = published ? pg_run(pg, &queries[QUERY_HEALTH_LOADED], NULL, &err) : NULL;
    enum after after = GO_ON;
    if (!loaded)
        return END_TURN;
    int64_t loaded_us = pg_get_i64(loaded, 0, 0);
    for (size_t i = 0; after == GO_ON && i < s->experiments_count; i++) {
        const struct snapshot_experiment *e = &s->experiments[i];
        struct judged now = { .published_us = published_of(published, e->key),
                              .phase = e->phase,
                              .silence = silence_of(loaded_us, now_us) };
        if (e->status == EXPERIMENT_RUNNING && !is_judged(*find(a, e->key), &now))
            after = judge(a, pg, s, e, now, loaded_us, now_us);
    }
    return after;
}

void alarms_turn(struct alarms *a, struct pg *pg, const struct snapshot *s)
{
    if (clock_mono_us() < a->look_mono_us)
        return;
    sweep(a, s);
    if (look(a, pg, s) == GO_ON) /* otherwise the next turn goes on looking */
        a->look_mono_us = clock_mono_us() + ALARMS_EVERY_US;
    arena_reset(&a->arena);
}
