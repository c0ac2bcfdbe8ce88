#include "trainer/jobs/serp_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trainer/jobs/query_passes.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/serps/serp_log.h"

enum { PARTS = 16, TYPE_MAX = 64 };

/* ---- parameters ---- */

static bool is_type(struct str s)
{
    static const char *const lists[] = { "request", "response", "interleave", "impression" };
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (str_eq_c(s, lists[i]))
            return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || strchr("_.-", s.p[i])))
            return false;
    return s.n > 0 && s.n <= TYPE_MAX;
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
    *out = (struct log_params){ .archive = run->archive_dir ? str_of(run->archive_dir) : (struct str){ NULL, 0 } };
    while (str_split(&rest, ',', &type)) {
        if (!is_type(type) || out->clicks_count == LOG_TYPES_MAX)
            return err_set(
                err, ERR_INVALID,
                "--param click_types=%s: must be like click,cart: at most %d types of signals, none of them one "
                "that tells what was shown",
                text, LOG_TYPES_MAX);
        out->clicks[out->clicks_count++] = type;
    }
    qsort(out->clicks, out->clicks_count, sizeof *out->clicks, by_text);
    return true;
}

/* ---- passes ---- */

static bool add_totals(struct serp_log *s, const struct engine_result *result, struct err *err)
{
    for (uint32_t i = 0; i < result->count; i++) {
        struct serp_totals t;
        if (result->parts[i].n != sizeof t)
            return err_set(err, ERR_SYSTEM, "the totals of what was shown, part %u, are damaged", i);
        memcpy(&t, result->parts[i].p, sizeof t);
        s->queries += t.queries;
        s->documents += t.documents;
        s->sessions += t.sessions;
        s->held += t.held;
        s->clicks += t.clicks;
        s->clicked_sessions += t.clicked_sessions;
    }
    return true;
}

static struct str merge_params(const struct serp_log *s)
{
    const char *share = s->run->param(s->run, "holdout_share");
    return arena_printf(s->arena, "{\"positions\":%lld,\"holdout_share\":%s,\"held_from_us\":%lld}",
                        (long long)run_whole(s->run, "positions"), share ? share : "0",
                        (long long)(s->held_from * US_PER_DAY));
}

static bool pass_merge(struct serp_log *s, const char *name, struct err *err)
{
    struct engine_split splits[PARTS];
    struct engine_result result;
    for (uint32_t i = 0; i < PARTS; i++)
        splits[i] = day_plan_part(&s->days, i);
    const struct engine_pass pass = { .name = name,
                                      .kernel = SERP_MERGE_KERNEL,
                                      .params = merge_params(s),
                                      .snapshot = s->days.snapshot,
                                      .reads_database = true, /* which units are marked */
                                      .splits = splits,
                                      .splits_count = PARTS,
                                      .input_pass = s->days.pass,
                                      .out = ENGINE_DATASET };
    s->pass = s->run->passes;
    s->parts = PARTS;
    s->queries = s->documents = s->sessions = s->held = s->clicks = s->clicked_sessions = 0;
    if (!run_pass(s->run, &pass, &result, err))
        return false;
    bool ok = add_totals(s, &result, err);
    engine_result_release(&result);
    return ok;
}

/* ---- opening ---- */

struct opening {
    struct serp_log *s;
    const char *what;
    struct log_params params;
    struct day_rules rules;
};

static bool compute(void *arg, struct err *err)
{
    struct opening *o = arg;
    struct serp_log *s = o->s;
    struct str params;
    const char *days = arena_printf(s->arena, "%s days", o->what).p,
               *lists = arena_printf(s->arena, "%s lists", o->what).p;
    return log_params_write(&o->params, true, s->arena, &params, err) &&
           day_plan_pass(&s->days, &o->rules, days, params, err) && pass_merge(s, lists, err);
}

static bool plan_and_compute(struct opening *o, struct query_window window, struct err *err)
{
    struct serp_log *s = o->s;
    struct str program;
    if (!day_plan_open(&s->days, s->run, s->arena, NULL, 0, err) || !read_params(s->run, &o->params, err) ||
        !log_params_write(&o->params, false, s->arena, &program, err) ||
        !day_plan_days(&s->days, window.from, window.until, err))
        return false;
    o->rules = (struct day_rules){ .kernel = SERP_DAY_KERNEL, .program = program, .parts = PARTS };
    return day_plan_compute(&s->days, &o->rules, compute, o, err);
}

static bool open_log(struct serp_log *s, const char *what, struct query_window window, struct err *err)
{
    struct run_context *run = s->run;
    struct opening o = { .s = s, .what = what };
    bool ok = plan_and_compute(&o, window, err);
    day_plan_close(&s->days);
    if (ok)
        run_say(run, "%s: %llu searches of %llu queries with their lists, %llu of them with clicks (%llu)%s", what,
                (unsigned long long)s->sessions, (unsigned long long)s->queries,
                (unsigned long long)s->clicked_sessions, (unsigned long long)s->clicks,
                s->held ? arena_printf(s->arena, "; %llu more are held out", (unsigned long long)s->held).p : "");
    return ok;
}

bool serp_log_open(struct serp_log *s, struct run_context *run, struct arena *arena, const char *what,
                   struct query_window window, struct err *err)
{
    *s = (struct serp_log){ .run = run, .arena = arena, .pass = -1 };
    return open_log(s, what, window, err);
}

bool serp_log_open_both(struct serp_log *s, struct run_context *run, struct arena *arena, struct query_window training,
                        struct query_window evaluation, struct err *err)
{
    bool later = evaluation.from <= evaluation.until;
    *s = (struct serp_log){ .run = run, .arena = arena, .pass = -1, .held_from = later ? evaluation.from : 0 };
    return open_log(s, "searches", (struct query_window){ training.from, later ? evaluation.until : training.until },
                    err);
}

void serp_log_close(struct serp_log *s)
{
    if (s->run && s->pass >= 0 && s->pass < s->run->passes)
        engine_drop(s->run->engine, s->pass);
    s->pass = -1;
}

struct engine_split *serp_log_splits(const struct serp_log *s)
{
    return query_splits_each(s->arena, s->parts);
}

/* ---- collecting ---- */

static bool pass_collect(struct serp_log *s, uint64_t min_sessions, struct engine_result *out, struct err *err)
{
    const struct engine_pass pass = { .name = "lists",
                                      .kernel = SERP_COLLECT_KERNEL,
                                      .params = arena_printf(s->arena, "{\"min_searches\":%llu,\"bytes\":%d}",
                                                             (unsigned long long)min_sessions, SERP_SET_BYTES / PARTS),
                                      .splits = serp_log_splits(s),
                                      .splits_count = s->parts,
                                      .input_pass = s->pass,
                                      .out = ENGINE_COLLECT };
    return run_pass(s->run, &pass, out, err);
}

static bool take_part(struct serp_set *s, struct serp_reader *r, struct str part, size_t *room, struct err *err)
{
    uint64_t left_out;
    bool whole = true;
    if (part.n < sizeof left_out)
        return err_set(err, ERR_SYSTEM, "what was collected of lists is damaged");
    memcpy(&left_out, part.p, sizeof left_out);
    part = (struct str){ part.p + sizeof left_out, part.n - sizeof left_out };
    s->left_out += left_out;
    while (part.n) {
        if (!serp_reader_take(r, &part, &whole))
            return err_set(err, ERR_SYSTEM, "what was collected of lists is damaged");
        if (!whole)
            continue;
        if (s->count == *room) {
            *room = *room ? 2 * *room : 1024;
            s->queries = mem_realloc(s->queries, *room * sizeof *s->queries);
        }
        serp_query_copy(&r->q, &s->arena, &s->queries[s->count++]);
    }
    return true;
}

static int by_query(const void *a, const void *b)
{
    return pair_text_compare(((const struct serp_query *)a)->text, ((const struct serp_query *)b)->text);
}

/* The texts are borrowed from the parts, which the set takes over. */
static bool take_parts(struct serp_set *s, struct engine_result *result, struct err *err)
{
    struct serp_reader r;
    size_t room = 0;
    bool ok = true;
    s->parts_count = result->count;
    s->parts = mem_zalloc((result->count + (size_t)1) * sizeof *s->parts);
    serp_reader_init(&r, true);
    for (uint32_t i = 0; ok && i < result->count; i++) {
        s->parts[i] = result->parts[i];
        result->parts[i] = (struct buf){ .n = 0 };
        ok = take_part(s, &r, buf_str(&s->parts[i]), &room, err);
    }
    serp_reader_release(&r);
    if (s->count)
        qsort(s->queries, s->count, sizeof *s->queries, by_query);
    return ok;
}

bool serp_log_collect(struct serp_log *s, uint64_t min_sessions, struct serp_set *out, struct err *err)
{
    struct engine_result result;
    struct serp_set set = { .count = 0 };
    if (!pass_collect(s, min_sessions, &result, err))
        return false;
    arena_init(&set.arena, 1 << 20);
    bool ok = take_parts(&set, &result, err);
    engine_result_release(&result);
    if (!ok) {
        serp_set_release(&set);
        return false;
    }
    if (set.left_out)
        run_say(s->run, "%llu queries with %llu searches or more are left out: all of them take more than %d MiB",
                (unsigned long long)set.left_out, (unsigned long long)min_sessions, SERP_SET_BYTES >> 20);
    *out = set;
    return true;
}

void serp_set_release(struct serp_set *s)
{
    for (uint32_t i = 0; i < s->parts_count; i++)
        buf_release(&s->parts[i]);
    mem_free(s->parts);
    mem_free(s->queries);
    arena_release(&s->arena);
    *s = (struct serp_set){ .count = 0 };
}

const struct serp_query *serp_set_find(const struct serp_set *s, struct str text)
{
    const struct serp_query key = { .text = text };
    return s->count ? bsearch(&key, s->queries, s->count, sizeof key, by_query) : NULL;
}
