#include "trainer/jobs/query_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trainer/jobs/params.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/queries/query_log.h"

enum { PARTS = 16, TYPE_MAX = 64 };

/* ---- parameters ---- */

void query_log_window(struct run_context *run, struct query_window *out_training, struct query_window *out_evaluation)
{
    int32_t as_of = run_day(run, "as_of", clock_day(clock_now_us())), days = (int32_t)run_whole(run, "days");
    int32_t holdout = run->param(run, "holdout_days") ? (int32_t)run_whole(run, "holdout_days") : 0;
    *out_evaluation = (struct query_window){ as_of - holdout + 1, as_of };
    *out_training = (struct query_window){ days ? as_of - holdout - days + 1 : INT32_MIN, as_of - holdout };
}

static bool is_type(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || strchr("_.-", s.p[i])))
            return false;
    return s.n > 0 && s.n <= TYPE_MAX && !str_eq_c(s, "request") && !str_eq_c(s, "response");
}

static int by_text(const void *a, const void *b)
{
    return pair_text_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted: the order in which they were given says nothing. */
static bool read_params(const struct run_context *run, struct log_params *out, struct err *err)
{
    const char *text = run->param(run, "click_types");
    struct str rest = str_of(text), type;
    *out = (struct log_params){ .archive = run->archive_dir ? str_of(run->archive_dir) : (struct str){ NULL, 0 },
                                .gap_us = run_whole(run, "session_gap_minutes") * 60 * US_PER_SECOND };
    while (str_split(&rest, ',', &type)) {
        if (!is_type(type) || out->clicks_count == LOG_TYPES_MAX)
            return err_set(err, ERR_INVALID,
                           "--param click_types=%s: must be like click,cart: at most %d types of signals, none of "
                           "them request or response",
                           text, LOG_TYPES_MAX);
        out->clicks[out->clicks_count++] = type;
    }
    qsort(out->clicks, out->clicks_count, sizeof *out->clicks, by_text);
    return true;
}

/* ---- passes ---- */

static bool add_totals(struct query_log *q, const struct engine_result *result, struct err *err)
{
    for (uint32_t i = 0; i < result->count; i++) {
        struct query_totals t;
        if (result->parts[i].n != sizeof t)
            return err_set(err, ERR_SYSTEM, "the totals of queries of part %u are damaged", i);
        memcpy(&t, result->parts[i].p, sizeof t);
        q->queries += t.queries;
        q->searches += t.searches;
        q->zero_results += t.zero_results;
        q->clicks += t.clicks;
        q->sessions += t.sessions;
    }
    return true;
}

static bool pass_merge(struct query_log *q, const char *name, struct err *err)
{
    struct engine_split splits[PARTS];
    struct engine_result result;
    for (uint32_t i = 0; i < PARTS; i++)
        splits[i] = day_plan_part(&q->days, i);
    const struct engine_pass pass = { .name = name,
                                      .kernel = QUERY_LOG_MERGE_KERNEL,
                                      .params = STR("{}"),
                                      .snapshot = q->days.snapshot,
                                      .reads_database = true, /* which units are marked */
                                      .splits = splits,
                                      .splits_count = PARTS,
                                      .input_pass = q->days.pass,
                                      .out = ENGINE_DATASET };
    q->pass = q->run->passes;
    q->parts = PARTS;
    q->queries = q->searches = q->zero_results = q->clicks = q->sessions = 0;
    if (!run_pass(q->run, &pass, &result, err))
        return false;
    bool ok = add_totals(q, &result, err);
    engine_result_release(&result);
    return ok;
}

/* ---- opening ---- */

struct opening {
    struct query_log *q;
    const char *what;
    struct log_params params;
    struct day_rules rules;
};

static bool compute(void *arg, struct err *err)
{
    struct opening *o = arg;
    struct query_log *q = o->q;
    struct str params;
    const char *days = arena_printf(q->arena, "%s days", o->what).p,
               *queries = arena_printf(q->arena, "%s queries", o->what).p;
    return log_params_write(&o->params, true, q->arena, &params, err) &&
           day_plan_pass(&q->days, &o->rules, days, params, err) && pass_merge(q, queries, err);
}

static bool plan_and_compute(struct opening *o, struct query_window window, struct err *err)
{
    struct query_log *q = o->q;
    struct str program;
    if (!day_plan_open(&q->days, q->run, q->arena, NULL, 0, err) || !read_params(q->run, &o->params, err) ||
        !log_params_write(&o->params, false, q->arena, &program, err) ||
        !day_plan_days(&q->days, window.from, window.until, err))
        return false;
    o->rules = (struct day_rules){ .kernel = QUERY_LOG_DAY_KERNEL, .program = program, .parts = PARTS };
    return day_plan_compute(&q->days, &o->rules, compute, o, err);
}

bool query_log_open(struct query_log *q, struct run_context *run, struct arena *arena, const char *what,
                    struct query_window window, struct err *err)
{
    *q = (struct query_log){ .run = run, .arena = arena, .pass = -1 };
    struct opening o = { .q = q, .what = what };
    bool ok = plan_and_compute(&o, window, err);
    day_plan_close(&q->days);
    if (ok)
        run_say(run, "%s: %llu searches for %llu queries, %llu clicks, %llu sessions", what,
                (unsigned long long)q->searches, (unsigned long long)q->queries, (unsigned long long)q->clicks,
                (unsigned long long)q->sessions);
    return ok;
}

void query_log_close(struct query_log *q)
{
    if (q->run && q->pass >= 0 && q->pass < q->run->passes)
        engine_drop(q->run->engine, q->pass);
    q->pass = -1;
}

/* ---- collecting ---- */

static bool pass_collect(struct query_log *q, uint64_t min_searches, struct engine_result *out, struct err *err)
{
    struct engine_split splits[PARTS];
    struct engine_input inputs[PARTS];
    for (uint32_t i = 0; i < PARTS; i++) {
        inputs[i] = (struct engine_input){ i, 0 };
        splits[i] = (struct engine_split){
            .desc = arena_printf(q->arena, "%u", i), .weight = 1, .inputs = &inputs[i], .inputs_count = 1
        };
    }
    const struct engine_pass pass = { .name = "head",
                                      .kernel = QUERY_LOG_COLLECT_KERNEL,
                                      .params = arena_printf(q->arena, "{\"min_searches\":%llu,\"bytes\":%d}",
                                                             (unsigned long long)min_searches, QUERY_SET_BYTES / PARTS),
                                      .splits = splits,
                                      .splits_count = PARTS,
                                      .input_pass = q->pass,
                                      .out = ENGINE_COLLECT };
    return run_pass(q->run, &pass, out, err);
}

static bool take_part(struct query_set *s, struct str part, size_t *room, struct err *err)
{
    uint64_t left_out;
    if (!record_take(&part, &left_out, sizeof left_out))
        return err_set(err, ERR_SYSTEM, "what was collected of queries is damaged");
    s->left_out += left_out;
    while (part.n) {
        if (s->count == *room) {
            *room = *room ? 2 * *room : 1024;
            s->queries = mem_realloc(s->queries, *room * sizeof *s->queries);
        }
        if (!query_record_read(&part, &s->arena, &s->queries[s->count], NULL))
            return err_set(err, ERR_SYSTEM, "what was collected of queries is damaged");
        s->count++;
    }
    return true;
}

static int by_record(const void *a, const void *b)
{
    return pair_text_compare(((const struct query_record *)a)->text, ((const struct query_record *)b)->text);
}

/* The records borrow from the parts, which the set takes over. */
static bool take_parts(struct query_set *s, struct engine_result *result, struct err *err)
{
    size_t room = 0;
    s->parts_count = result->count;
    s->parts = mem_zalloc((result->count + 1) * sizeof *s->parts);
    for (uint32_t i = 0; i < result->count; i++) {
        s->parts[i] = result->parts[i];
        result->parts[i] = (struct buf){ .n = 0 };
        if (!take_part(s, buf_str(&s->parts[i]), &room, err))
            return false;
    }
    if (s->count)
        qsort(s->queries, s->count, sizeof *s->queries, by_record);
    return true;
}

bool query_log_collect(struct query_log *q, uint64_t min_searches, struct query_set *out, struct err *err)
{
    struct engine_result result;
    struct query_set s = { .count = 0 };
    if (!pass_collect(q, min_searches, &result, err))
        return false;
    arena_init(&s.arena, 1 << 20);
    bool ok = take_parts(&s, &result, err);
    engine_result_release(&result);
    if (!ok) {
        query_set_release(&s);
        return false;
    }
    if (s.left_out)
        run_say(q->run, "%llu queries with %llu searches or more are left out: all of them take more than %d MiB",
                (unsigned long long)s.left_out, (unsigned long long)min_searches, QUERY_SET_BYTES >> 20);
    *out = s;
    return true;
}

void query_set_release(struct query_set *s)
{
    for (uint32_t i = 0; i < s->parts_count; i++)
        buf_release(&s->parts[i]);
    mem_free(s->parts);
    mem_free(s->queries);
    arena_release(&s->arena);
    *s = (struct query_set){ .count = 0 };
}

const struct query_record *query_set_find(const struct query_set *s, struct str text)
{
    const struct query_record key = { .text = text };
    return s->count ? bsearch(&key, s->queries, s->count, sizeof key, by_record) : NULL;
}
