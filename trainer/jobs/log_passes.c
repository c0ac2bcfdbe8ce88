#include "trainer/jobs/log_passes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trainer/jobs/query_passes.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/signals/log_params.h"

enum { TYPE_MAX = 64 };

/* ---- parameters ---- */

static bool is_type(const struct log_kind *kind, struct str s)
{
    for (const char *const *own = kind->own_types; *own; own++)
        if (str_eq_c(s, *own))
            return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || strchr("_.-", s.p[i])))
            return false;
    return s.n > 0 && s.n <= TYPE_MAX;
}

/* Sorted: the order in which they were given says nothing. */
static bool read_params(const struct log_opening *o, struct log_params *out, struct err *err)
{
    const struct run_context *run = o->run;
    const char *text = run->param(run, "click_types");
    struct str rest = str_of(text), type;
    *out = (struct log_params){
        .archive = run->archive_dir ? str_of(run->archive_dir) : (struct str){ NULL, 0 },
        .gap_us = o->kind->sessions ? run_whole(run, "session_gap_minutes") * 60 * US_PER_SECOND : 0,
    };
    while (str_split(&rest, ',', &type)) {
        if (!is_type(o->kind, type) || out->clicks_count == LOG_TYPES_MAX)
            return err_set(err, ERR_INVALID,
                           "--param click_types=%s: must be like click,cart: at most %d types of signals, none of "
                           "them %s",
                           text, LOG_TYPES_MAX, o->kind->own_said);
        out->clicks[out->clicks_count++] = type;
    }
    qsort(out->clicks, out->clicks_count, sizeof *out->clicks, pair_text_first);
    return true;
}

/* ---- opening ---- */

static bool add_totals(const struct log_opening *o, const struct engine_result *result, struct err *err)
{
    for (uint32_t part = 0; part < result->count; part++) {
        if (result->parts[part].n != o->kind->totals * sizeof(uint64_t))
            return err_set(err, ERR_SYSTEM, "the totals of %s of part %u are damaged", o->kind->merged, part);
        for (size_t i = 0; i < o->kind->totals; i++) {
            uint64_t number;
            memcpy(&number, result->parts[part].p + i * sizeof number, sizeof number);
            o->out_totals[i] += number;
        }
    }
    return true;
}

static bool pass_merge(const struct log_opening *o, struct err *err)
{
    struct engine_split splits[LOG_PARTS];
    struct engine_result result;
    for (uint32_t i = 0; i < LOG_PARTS; i++)
        splits[i] = day_plan_part(o->days, i);
    const struct engine_pass pass = { .name = arena_printf(o->arena, "%s %s", o->what, o->kind->merged).p,
                                      .kernel = o->kind->merge,
                                      .params = o->merge_params,
                                      .snapshot = o->days->snapshot,
                                      .reads_database = true, /* which units are marked */
                                      .splits = splits,
                                      .splits_count = LOG_PARTS,
                                      .input_pass = o->days->pass,
                                      .out = ENGINE_DATASET };
    *o->out_pass = o->run->passes;
    *o->out_parts = LOG_PARTS;
    memset(o->out_totals, 0, o->kind->totals * sizeof *o->out_totals);
    if (!run_pass(o->run, &pass, &result, err))
        return false;
    bool ok = add_totals(o, &result, err);
    engine_result_release(&result);
    return ok;
}

struct computing {
    const struct log_opening *o;
    struct log_params params;
    struct day_rules rules;
};

static bool compute(void *arg, struct err *err)
{
    const struct computing *c = arg;
    const struct log_opening *o = c->o;
    struct str params;
    return log_params_write(&c->params, true, o->arena, &params, err) &&
           day_plan_pass(o->days, &c->rules, arena_printf(o->arena, "%s days", o->what).p, params, err) &&
           pass_merge(o, err);
}

static bool plan_and_compute(struct computing *c, struct query_window window, struct err *err)
{
    const struct log_opening *o = c->o;
    struct str program;
    if (!day_plan_open(o->days, o->run, o->arena, NULL, 0, err) || !read_params(o, &c->params, err) ||
        !log_params_write(&c->params, false, o->arena, &program, err) ||
        !day_plan_days(o->days, window.from, window.until, err))
        return false;
    c->rules = (struct day_rules){ .kernel = o->kind->day, .program = program, .parts = LOG_PARTS };
    return day_plan_compute(o->days, &c->rules, compute, c, err);
}

bool log_open(const struct log_opening *o, struct query_window window, struct err *err)
{
    struct computing c = { .o = o };
    bool ok = plan_and_compute(&c, window, err);
    day_plan_close(o->days);
    return ok;
}

void log_close(struct run_context *run, int *pass)
{
    if (run && *pass >= 0 && *pass < run->passes)
        engine_drop(run->engine, *pass);
    *pass = -1;
}

/* ---- collecting ---- */

static bool take_part(struct log_parts *p, struct str part, log_take_fn take, void *arg)
{
    uint64_t left_out;
    if (!record_take(&part, &left_out, sizeof left_out))
        return false;
    p->left_out += left_out;
    while (part.n)
        if (!take(arg, &part))
            return false;
    return true;
}

/* Takes over the bytes. */
static bool take_parts(struct log_parts *p, struct engine_result *result, log_take_fn take, void *arg)
{
    p->count = result->count;
    p->parts = mem_zalloc((result->count + (size_t)1) * sizeof *p->parts);
    for (uint32_t i = 0; i < result->count; i++) {
        p->parts[i] = result->parts[i];
        result->parts[i] = (struct buf){ .n = 0 };
        if (!take_part(p, buf_str(&p->parts[i]), take, arg))
            return false;
    }
    return true;
}

bool log_collect(const struct log_kind *kind, struct run_context *run, struct arena *arena, int input_pass,
                 uint32_t parts, uint64_t min_searches, struct log_parts *out, log_take_fn take, void *arg,
                 struct err *err)
{
    const struct engine_pass pass = { .name = kind->collected,
                                      .kernel = kind->collect,
                                      .params = arena_printf(arena, "{\"min_searches\":%llu,\"bytes\":%u}",
                                                             (unsigned long long)min_searches,
                                                             kind->set_bytes / LOG_PARTS),
                                      .splits = query_splits_each(arena, parts),
                                      .splits_count = parts,
                                      .input_pass = input_pass,
                                      .out = ENGINE_COLLECT };
    struct engine_result result;
    *out = (struct log_parts){ .count = 0 };
    if (!run_pass(run, &pass, &result, err))
        return false;
    bool ok = take_parts(out, &result, take, arg);
    engine_result_release(&result);
    if (!ok)
        return err_set(err, ERR_SYSTEM, "what was collected of %s is damaged", kind->merged);
    if (out->left_out)
        run_say(run, "%llu queries with %llu searches or more are left out: all of them take more than %u MiB",
                (unsigned long long)out->left_out, (unsigned long long)min_searches, kind->set_bytes >> 20);
    return true;
}

void log_parts_release(struct log_parts *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        buf_release(&p->parts[i]);
    mem_free(p->parts);
    *p = (struct log_parts){ .count = 0 };
}
