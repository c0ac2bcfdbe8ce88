#include "experimentd/results/ages.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pg.h"

#define LOOK_US (INT64_C(5) * US_PER_SECOND)

static const struct pg_stmt read_ages = {
    "results_ages", 0,
    "select e.key, us(coalesce(c.published_at, e.started_at)), us(c.as_of) from experiments e left join "
    "moments_current c "
    "on c.experiment = e.key where e.status = 'running' and e.kind <> 'holdout' order by e.key collate \"C\""
};

struct age {
    struct str key;
    int64_t computed_us, as_of_us; /* 0: never, nothing */
};

struct ages {
    pthread_mutex_t mutex; /* of the list: workers read it while the control thread exchanges it */
    struct arena arena;
    struct age *list;
    size_t count;
    int64_t look_mono_us; /* next */
};

struct ages *ages_new(void)
{
    struct ages *a = mem_zalloc(sizeof *a);
    (void)pthread_mutex_init(&a->mutex, NULL);
    arena_init(&a->arena, 4096);
    return a;
}

void ages_free(struct ages *a)
{
    if (!a)
        return;
    (void)pthread_mutex_destroy(&a->mutex);
    arena_release(&a->arena);
    mem_free(a);
}

static void take(struct ages *a, const PGresult *r)
{
    arena_reset(&a->arena);
    a->count = (size_t)PQntuples(r);
    a->list = arena_alloc(&a->arena, (a->count + 1) * sizeof *a->list);
    for (size_t i = 0; i < a->count; i++)
        a->list[i] = (struct age){ arena_str(&a->arena, pg_get(r, (int)i, 0)), pg_get_i64(r, (int)i, 1),
                                   pg_get_i64(r, (int)i, 2) };
}

void ages_turn(struct ages *a, struct pg *pg)
{
    struct err err;
    if (clock_mono_us() < a->look_mono_us)
        return;
    a->look_mono_us = clock_mono_us() + LOOK_US;
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &read_ages, NULL, &err);
    if (!r) {
        log_debug("results_ages_unread", LOG_ERR, LOG_ERR_ARG(&err));
        return;
    }
    (void)pthread_mutex_lock(&a->mutex);
    take(a, r);
    (void)pthread_mutex_unlock(&a->mutex);
}

static void write_one(struct buf *b, const char *name, struct str key, int64_t since_us)
{
    buf_addf(b, "%s{experiment=\"" STR_FMT "\"} %.3f\n", name, STR_ARG(key), (double)since_us / 1e6);
}

void ages_write(struct ages *a, int64_t now_us, struct buf *b)
{
    static const char computed[] = "experimentd_results_age_seconds", data[] = "experimentd_results_data_age_seconds";
    (void)pthread_mutex_lock(&a->mutex);
    buf_addf(b, "# HELP %s since results of a running experiment were computed, or since it began\n# TYPE %s gauge\n",
             computed, computed);
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].computed_us)
            write_one(b, computed, a->list[i].key, now_us - a->list[i].computed_us);
    buf_addf(b, "# HELP %s since the last signal or exposure that they count\n# TYPE %s gauge\n", data, data);
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].as_of_us)
            write_one(b, data, a->list[i].key, now_us - a->list[i].as_of_us);
    (void)pthread_mutex_unlock(&a->mutex);
}
