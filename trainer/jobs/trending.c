/* The job "trending": which documents, or queries, came more often lately than before.
 *
 * Two windows: the target, the last days up to `as_of`, and the reference before it. Pass "days" makes what units did each day (kept days of "preferences" and
 * "history" where types and half-life agree), pass "counts" adds up both windows by range of units; ratios and tests are made here. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "trainer/jobs/day_plan.h"
#include "trainer/jobs/model_file.h"
#include "trainer/jobs/params.h"
#include "trainer/kernels/intern.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/trending/trend.h"
#include "trainer/kernels/trending/trending.h"
#include "trainer/kernels/units/unit_items.h"

enum { WEIGHTS_MAX = 4096, METRICS_MAX = 4096 };
static const char *const columns[] = { "score", "ratio", "p", "q", "ref_hits", "trgt_hits", "ref_rank", "trgt_rank" };

struct thing {
    struct str text;
    struct trend_counts counts;
};

struct trending {
    struct run_context *run;
    struct arena arena;
    struct day_plan days;
    struct day_rules rules;
    struct unit_items_params params;
    struct str text; /* of the params */
    bool queries;
    int32_t from, until; /* first day of the reference, last of the target */
    uint64_t units;
    struct trend_counts all;
    struct thing *things; /* by their bytes */
    uint32_t count;
    struct model_file file;
};

/* ---- parameters ---- */

/* "click,cart" → "click=1,cart=1". */
static bool read_types(struct trending *t, struct err *err)
{
    const char *given = t->run->param(t->run, "types");
    struct str rest = str_of(given ? given : t->queries ? "request" : "click"), type;
    AUTO(buf_release) struct buf b;
    buf_init(&b, WEIGHTS_MAX);
    while (str_split(&rest, ',', &type))
        buf_addf(&b, "%s" STR_FMT "=1", b.n ? "," : "", STR_ARG(str_trim(type)));
    t->params.weights_text = arena_str(&t->arena, buf_str(&b));
    return buf_ok(&b, "parameter \"types\"", err) &&
           (signal_weights_read(t->params.weights_text, &t->arena, &t->params.weights, err) ||
            err_prefix(err, "parameter \"types\": "));
}

static bool plan(struct trending *t, struct err *err)
{
    int32_t target = (int32_t)run_whole(t->run, "target_days"),
            reference = (int32_t)run_whole(t->run, "reference_days");
    t->queries = strcmp(t->run->param(t->run, "of"), "queries") == 0;
    t->params.archive = str_of(t->run->archive_dir);
    t->params.queries = t->queries;
    if (!read_types(t, err) || !day_plan_open(&t->days, t->run, &t->arena, NULL, 0, err))
        return false;
    t->until = run_day(t->run, "as_of", clock_day(t->days.now_us));
    t->from = t->until - target - reference + 1;
    t->params.as_of_us = (t->until - target + 1) * US_PER_DAY;
    t->rules = (struct day_rules){ .kernel = UNIT_ITEMS_DAY_KERNEL,
                                   .by_unit = true,
                                   .program = unit_items_program(&t->params, &t->arena) };
    return day_plan_days(&t->days, t->from, t->until, err) &&
           unit_items_params_write(&t->params, &t->arena, &t->text, err);
}

/* ---- counts ---- */

struct tally {
    struct intern texts;
    struct trend_counts *counts;
    uint32_t room;
};

static void tally_add(struct tally *t, struct str text, const struct trend_counts *c)
{
    uint32_t at = intern_add(&t->texts, text);
    if (at >= t->room) {
        uint32_t room = t->texts.room;
        t->counts = mem_realloc(t->counts, room * sizeof *t->counts);
        memset(t->counts + t->room, 0, (room - t->room) * sizeof *t->counts);
        t->room = room;
    }
    t->counts[at].ref_hits += c->ref_hits;
    t->counts[at].trgt_hits += c->trgt_hits;
    t->counts[at].ref_unit_days += c->ref_unit_days;
    t->counts[at].trgt_unit_days += c->trgt_unit_days;
}

static bool tally_range(struct trending *t, struct tally *out, struct str in)
{
    uint64_t units;
    struct trend_counts c;
    struct str text;
    if (!record_take(&in, &units, sizeof units))
        return false;
    t->units += units;
    while (in.n) {
        if (!record_take_text(&in, &text) || !record_take(&in, &c, sizeof c))
            return false;
        tally_add(out, text, &c);
        t->all.ref_hits += c.ref_hits;
        t->all.trgt_hits += c.trgt_hits;
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    const struct thing *x = a, *y = b;
    return pair_text_compare(x->text, y->text);
}

static void take_things(struct trending *t, const struct tally *tally)
{
    t->count = tally->texts.count;
    t->things = arena_alloc(&t->arena, ((size_t)t->count + 1) * sizeof *t->things);
    for (uint32_t i = 0; i < t->count; i++)
        t->things[i] = (struct thing){ arena_str(&t->arena, tally->texts.texts[i]), tally->counts[i] };
    if (t->count)
        qsort(t->things, t->count, sizeof *t->things, by_text);
}

static bool add_up(struct trending *t, const struct engine_result *result, struct err *err)
{
    struct tally tally = { .room = 0 };
    bool ok = true;
    t->units = 0;
    t->all = (struct trend_counts){ 0 };
    intern_init(&tally.texts);
    for (uint32_t i = 0; ok && i < result->count; i++)
        ok = tally_range(t, &tally, buf_str(&result->parts[i])) ||
             err_set(err, ERR_SYSTEM, "the counts of range %u are damaged", i);
    if (ok)
        take_things(t, &tally);
    intern_release(&tally.texts);
    mem_free(tally.counts);
    return ok;
}

static bool compute(void *arg, struct err *err)
{
    struct trending *t = arg;
    struct engine_split *splits = arena_alloc(&t->arena, t->days.ranges * sizeof *splits);
    struct engine_result result;
    if (!day_plan_pass(&t->days, &t->rules, "days", t->text, err))
        return false;
    for (uint32_t i = 0; i < t->days.ranges; i++)
        splits[i] = day_plan_range(&t->days, i);
    const struct engine_pass pass = { .name = "counts",
                                      .kernel = TRENDING_COUNTS_KERNEL,
                                      .params = t->text,
                                      .snapshot = t->days.snapshot,
                                      .splits = splits,
                                      .splits_count = t->days.ranges,
                                      .input_pass = t->days.pass,
                                      .reads_database = true }; /* which units are marked */
    if (!run_pass(t->run, &pass, &result, err))
        return false;
    bool ok = add_up(t, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool enough(const struct trending *t, struct err *err)
{
    return training_enough(t->run, "signals in the target window", t->all.trgt_hits, "min_signals", err) &&
           training_enough(t->run, "signals in the reference window", t->all.ref_hits, "min_signals", err);
}

/* ---- sections ---- */

static void add_trend(const struct trending *t, const struct trend *found, struct lists_out *out)
{
    const struct thing *thing = &t->things[found->thing];
    const float values[] = { (float)found->score,      (float)found->ratio,           (float)exp(found->log_p),
                             (float)exp(found->log_q), (float)thing->counts.ref_hits, (float)thing->counts.trgt_hits,
                             (float)found->ref_rank,   (float)found->trgt_rank };
    lists_add(out, thing->text, values);
}

static void add_kind(const struct trending *t, const char *key, bool rose, const struct trend *found, size_t count,
                     struct lists_out *out)
{
    const int64_t top = run_whole(t->run, "top");
    int64_t n = 0;
    lists_key(out, str_of(key));
    for (size_t i = 0; i < count && n < top; i++)
        if (found[i].rose == rose) {
            add_trend(t, &found[i], out);
            n++;
        }
}

/* "popular" is what is served as top: what rose. */
static bool add_found(struct trending *t, const struct trend *found, size_t count, struct err *err)
{
    struct lists_out top, both;
    lists_begin(&top, columns, COUNT_OF(columns));
    lists_begin(&both, columns, COUNT_OF(columns));
    add_kind(t, "", true, found, count, &top);
    add_kind(t, "falling", false, found, count, &both);
    add_kind(t, "rising", true, found, count, &both);
    bool ok = model_file_lists(&t->file, "popular", &top, err) && model_file_lists(&t->file, "trending", &both, err);
    lists_release(&top);
    lists_release(&both);
    return ok;
}

struct classic {
    const struct thing *thing;
    double figures[TREND_FIGURES];
};

static int by_combined(const void *a, const void *b)
{
    const struct classic *x = a, *y = b;
    double dx = x->figures[TREND_COMBINE_SCORE], dy = y->figures[TREND_COMBINE_SCORE];
    return dx != dy ? (dx < dy) - (dx > dy) : pair_text_compare(x->thing->text, y->thing->text);
}

static bool add_classic(struct trending *t, struct err *err)
{
    const double k = run_real(t->run, "reference_days") / run_real(t->run, "target_days");
    const size_t top = (size_t)run_whole(t->run, "top");
    struct classic *all = mem_alloc(((size_t)t->count + 1) * sizeof *all);
    size_t count = 0;
    struct lists_out out;
    for (uint32_t i = 0; i < t->count; i++) {
        all[count].thing = &t->things[i];
        count += trend_figures(&t->things[i].counts, k, all[count].figures);
    }
    if (count)
        qsort(all, count, sizeof *all, by_combined);
    lists_begin(&out, trend_figure_names, TREND_FIGURES);
    lists_key(&out, STR(""));
    for (size_t i = 0; i < count && i < top; i++) {
        float values[TREND_FIGURES];
        for (int f = 0; f < TREND_FIGURES; f++)
            values[f] = (float)all[i].figures[f];
        lists_add(&out, all[i].thing->text, values);
    }
    bool ok = model_file_lists(&t->file, "classic", &out, err);
    lists_release(&out);
    mem_free(all);
    return ok;
}

/* ---- the job ---- */

static size_t find(const struct trending *t, struct trend *out, double *out_shape)
{
    const struct trend_rules rules = { .min_unit_days = (uint64_t)run_whole(t->run, "min_unit_days"),
                                       .shape = run_real(t->run, "prior"),
                                       .level = run_real(t->run, "level"),
                                       .max_q = run_real(t->run, "max_q") };
    struct trend_counts *counts = mem_alloc(((size_t)t->count + 1) * sizeof *counts);
    for (uint32_t i = 0; i < t->count; i++)
        counts[i] = t->things[i].counts;
    size_t found = trends_find(counts, t->count, &rules, out, out_shape);
    mem_free(counts);
    return found;
}

static bool publish(struct trending *t, size_t found, double shape, struct err *err)
{
    const struct gate_rules none = { .rule = GATE_NONE };
    struct gate_outcome gate;
    struct training training = { .model = training_model(t->run),
                                 .from = t->from,
                                 .until = t->until,
                                 .eval_from = t->until + 1,
                                 .eval_until = t->until,
                                 .days = t->days.days_count,
                                 .rows = t->all.ref_hits + t->all.trgt_hits,
                                 .units = t->units,
                                 .items = t->count };
    training.metrics = arena_printf(&t->arena, "{\"found\":{\"value\":%zu},\"prior\":{\"value\":%.6g}}", found, shape);
    gate_decide(&none, NULL, 0, NULL, 0, 0, &gate);
    run_say(t->run, "%zu of %" PRIu32 " %s changed beyond chance; the prior's shape is %.3g", found, t->count,
            t->queries ? "queries" : "documents", shape);
    return model_file_end(&t->file, t->run, &training, err) && training_publish(t->run, &training, &gate, err);
}

static bool find_and_publish(struct trending *t, struct err *err)
{
    struct trend *found = mem_alloc(2 * ((size_t)t->count + 1) * sizeof *found);
    double shape;
    size_t count = find(t, found, &shape);
    bool ok = add_found(t, found, count, err) && add_classic(t, err) && publish(t, count, shape, err);
    mem_free(found);
    return ok;
}

static const char *kind_of(const struct run_context *run)
{
    return strcmp(run->param(run, "of"), "queries") == 0 ? "queries" : "recommender";
}

static bool run_trending(struct run_context *run, struct err *err)
{
    struct trending *t = mem_zalloc(sizeof *t);
    t->run = run;
    arena_init(&t->arena, 1 << 16);
    model_file_begin(&t->file, kind_of(run));
    bool ok = training_begin(run, kind_of(run), err) && plan(t, err) &&
              day_plan_compute(&t->days, &t->rules, compute, t, err) && enough(t, err) && find_and_publish(t, err);
    day_plan_close(&t->days);
    model_file_release(&t->file);
    arena_release(&t->arena);
    mem_free(t);
    return ok;
}

const struct job job_trending = { "trending", run_trending };
