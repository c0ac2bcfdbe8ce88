#include "trainer/jobs/query_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trainer/jobs/params.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/queries/query_log.h"

static const char *const own_types[] = { "request", "response", NULL };
static const struct log_kind kind = { .day = QUERY_LOG_DAY_KERNEL,
                                      .merge = QUERY_LOG_MERGE_KERNEL,
                                      .collect = QUERY_LOG_COLLECT_KERNEL,
                                      .merged = "queries",
                                      .collected = "head",
                                      .own_types = own_types,
                                      .own_said = "request or response",
                                      .sessions = true,
                                      .totals = sizeof(struct query_totals) / sizeof(uint64_t),
                                      .set_bytes = QUERY_SET_BYTES };

void query_log_window(struct run_context *run, struct query_window *out_training, struct query_window *out_evaluation)
{
    int32_t as_of = run_day(run, "as_of", clock_day(clock_now_us())), days = (int32_t)run_whole(run, "days");
    int32_t holdout = run->param(run, "holdout_days") ? (int32_t)run_whole(run, "holdout_days") : 0;
    *out_evaluation = (struct query_window){ as_of - holdout + 1, as_of };
    *out_training = (struct query_window){ days ? as_of - holdout - days + 1 : INT32_MIN, as_of - holdout };
}

bool query_log_open(struct query_log *q, struct run_context *run, struct arena *arena, const char *what,
                    struct query_window window, struct err *err)
{
    *q = (struct query_log){ .run = run, .arena = arena, .pass = -1 };
    struct query_totals totals = { .queries = 0 };
    const struct log_opening o = { .kind = &kind,
                                   .run = run,
                                   .arena = arena,
                                   .days = &q->days,
                                   .what = what,
                                   .merge_params = STR("{}"),
                                   .out_pass = &q->pass,
                                   .out_parts = &q->parts,
                                   .out_totals = (uint64_t *)(void *)&totals };
    bool ok = log_open(&o, window, err);
    q->queries = totals.queries;
    q->searches = totals.searches;
    q->zero_results = totals.zero_results;
    q->clicks = totals.clicks;
    q->sessions = totals.sessions;
    if (ok)
        run_say(run, "%s: %llu searches for %llu queries, %llu clicks, %llu sessions", what,
                (unsigned long long)q->searches, (unsigned long long)q->queries, (unsigned long long)q->clicks,
                (unsigned long long)q->sessions);
    return ok;
}

void query_log_close(struct query_log *q)
{
    log_close(q->run, &q->pass);
}

static bool take_query(void *set, struct str *rest)
{
    struct query_set *s = set;
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->queries = mem_realloc(s->queries, s->room * sizeof *s->queries);
    }
    if (!query_record_read(rest, &s->arena, &s->queries[s->count], NULL))
        return false;
    s->count++;
    return true;
}

bool query_log_collect(struct query_log *q, uint64_t min_searches, struct query_set *out, struct err *err)
{
    struct query_set s = { .count = 0 };
    arena_init(&s.arena, 1 << 20);
    if (!log_collect(&kind, q->run, q->arena, q->pass, q->parts, min_searches, &s.bytes, take_query, &s, err)) {
        query_set_release(&s);
        return false;
    }
    if (s.count)
        qsort(s.queries, s.count, sizeof *s.queries, pair_text_first);
    *out = s;
    return true;
}

void query_set_release(struct query_set *s)
{
    log_parts_release(&s->bytes);
    mem_free(s->queries);
    arena_release(&s->arena);
    *s = (struct query_set){ .count = 0 };
}

const struct query_record *query_set_find(const struct query_set *s, struct str text)
{
    const struct query_record key = { .text = text };
    return s->count ? bsearch(&key, s->queries, s->count, sizeof key, pair_text_first) : NULL;
}
