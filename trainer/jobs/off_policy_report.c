#include "trainer/jobs/off_policy_report.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "stats/special/special.h"
#include "trainer/kernels/bootstrap.h"

enum { JSON_MAX = 64 << 10, WORDS_MAX = 300 };
/* Replicates times units: fewer replicates of more units. */
#define DRAWS_MAX 200000000.0
enum { REPLICATES_LEAST = 200 };
/* When a result is not to be trusted. */
#define ESS_LEAST 100.0
#define ESS_SHARE_LEAST 0.01
#define WEIGHT_SHARE_MOST 0.1
#define UNSUPPORTED_MOST 0.05
#define WEIGHT_ERRORS_MOST 3.0

struct report {
    struct run_context *run;
    const struct off_policy_rows *in;
    bool has_model; /* of the rewards */
    struct replay_log log;
    struct replay_tuning tuning;
    struct replay r;
    struct replay_sums *units, all;
    size_t units_count;
    uint64_t *names; /* of the units */
    double level, z;
    uint32_t replicates;
    struct buf json;
    struct jsonw w;
};

/* ---- columns and units ---- */

static double *column(const struct report *p, size_t at)
{
    double *v = mem_alloc((p->in->count + 1) * sizeof *v);
    for (size_t i = 0; i < p->in->count; i++)
        memcpy(&v[i], (const char *)&p->in->rows[i] + at, sizeof *v);
    return v;
}

static void open_log(struct report *p)
{
    const size_t n = p->in->count;
    p->has_model = n > 0 && !isnan(p->in->rows[0].model);
    p->log = (struct replay_log){ .n = n,
                                  .reward = column(p, offsetof(struct policy_row, reward)),
                                  .pscore = column(p, offsetof(struct policy_row, pscore)),
                                  .target = column(p, offsetof(struct policy_row, target)) };
    if (p->has_model) {
        p->log.model = column(p, offsetof(struct policy_row, model));
        p->log.model_target = column(p, offsetof(struct policy_row, model_target));
    }
    p->tuning = (struct replay_tuning){ run_real(p->run, "clip"), run_real(p->run, "switch"),
                                        run_real(p->run, "shrink") };
}

static void close_log(struct report *p)
{
    mem_free((void *)(uintptr_t)p->log.reward);
    mem_free((void *)(uintptr_t)p->log.pscore);
    mem_free((void *)(uintptr_t)p->log.target);
    mem_free((void *)(uintptr_t)p->log.model);
    mem_free((void *)(uintptr_t)p->log.model_target);
    mem_free(p->units);
    mem_free(p->names);
    buf_release(&p->json);
}

static void add_units(struct report *p)
{
    const struct policy_row *rows = p->in->rows;
    p->units = mem_zalloc((p->in->count + 1) * sizeof *p->units);
    p->names = mem_zalloc((p->in->count + 1) * sizeof *p->names);
    for (size_t i = 0; i < p->in->count; i++) {
        if (i == 0 || rows[i].unit != rows[i - 1].unit)
            p->names[p->units_count++] = rows[i].unit;
        replay_sums_add(&p->units[p->units_count - 1], &p->log, i, &p->tuning);
    }
    for (size_t i = 0; i < p->units_count; i++)
        replay_sums_merge(&p->all, &p->units[i], 1);
}

/* ---- the bootstrap ---- */

/* A replicate without weight, or without a row, has no estimate: it is NAN, and comes last. */
static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return x < y ? -1 : x > y;
}

/* values[kind][replicate], sorted; kinds that are not estimated have none. */
static void draw(const struct report *p, double *values)
{
    const uint64_t seed = bootstrap_seed((uint32_t)run_whole(p->run, "seed"));
    for (uint32_t b = 0; b < p->replicates; b++) {
        struct replay_sums sum = { 0 };
        for (size_t i = 0; i < p->units_count; i++) {
            const unsigned times = bootstrap_weight(p->names[i] ^ seed, b + 1);
            if (times)
                replay_sums_merge(&sum, &p->units[i], times);
        }
        for (int k = 0; k < REPLAY_KIND_COUNT; k++)
            values[(size_t)k * p->replicates + b] = replay_units_value((enum replay_kind)k, &sum, false);
    }
    for (int k = 0; k < REPLAY_KIND_COUNT; k++)
        qsort(values + (size_t)k * p->replicates, p->replicates, sizeof *values, by_value);
}

static double percentile(const double *sorted, uint32_t n, double q)
{
    while (n && isnan(sorted[n - 1]))
        n--;
    if (n == 0)
        return NAN;
    const double at = q * (n - 1);
    const uint32_t low = (uint32_t)at;
    return low + 1 < n ? sorted[low] + (at - low) * (sorted[low + 1] - sorted[low]) : sorted[n - 1];
}

static uint32_t replicates_of(const struct report *p)
{
    const double wanted = run_real(p->run, "replicates"), most = DRAWS_MAX / (double)p->units_count;
    const double fit = wanted <= most ? wanted : most > REPLICATES_LEAST ? most : REPLICATES_LEAST;
    return (uint32_t)(fit < wanted ? fit : wanted);
}

/* ---- what it comes to ---- */

static bool is_there(const struct report *p, enum replay_kind k)
{
    if (k == REPLAY_IPS)
        return true;
    if (k == REPLAY_SNIPS || k == REPLAY_CLIPPED)
        return p->r.has_snips && (k == REPLAY_SNIPS || p->tuning.clip > 0);
    return p->has_model && (k != REPLAY_SNDR || p->r.has_snips) && (k != REPLAY_SWITCH_DR || p->tuning.switch_at > 0) &&
           (k != REPLAY_DR_OS || p->tuning.shrink > 0);
}

static double point(const struct report *p, enum replay_kind k)
{
    const double of[] = { [REPLAY_IPS] = p->r.ips,
                          [REPLAY_SNIPS] = p->r.snips,
                          [REPLAY_CLIPPED] = p->r.clipped,
                          [REPLAY_DM] = p->r.dm,
                          [REPLAY_DR] = p->r.dr,
                          [REPLAY_SNDR] = p->r.sndr,
                          [REPLAY_SWITCH_DR] = p->r.switch_dr,
                          [REPLAY_DR_OS] = p->r.dr_os };
    return of[k];
}

static enum replay_kind primary(const struct report *p)
{
    return p->has_model ? REPLAY_DR : is_there(p, REPLAY_SNIPS) ? REPLAY_SNIPS : REPLAY_IPS;
}

static void put_interval(struct report *p, double value, double se)
{
    jsonw_double(&p->w, "value", value);
    jsonw_double(&p->w, "se", se);
    jsonw_double(&p->w, "low", value - p->z * se);
    jsonw_double(&p->w, "high", value + p->z * se);
}

static double served(const struct report *p)
{
    return p->all.reward / p->all.rows;
}

static void put_estimate(struct report *p, enum replay_kind k, const double *drawn)
{
    const double alpha = 1 - p->level;
    jsonw_open(&p->w, NULL, '{');
    jsonw_text(&p->w, "name", replay_kind_names[k]);
    put_interval(p, point(p, k), replay_units_se(k, p->units, p->units_count, &p->all, false));
    if (p->replicates) {
        jsonw_double(&p->w, "bootstrap_low", percentile(drawn, p->replicates, alpha / 2));
        jsonw_double(&p->w, "bootstrap_high", percentile(drawn, p->replicates, 1 - alpha / 2));
    }
    jsonw_open(&p->w, "difference", '{');
    put_interval(p, point(p, k) - served(p), replay_units_se(k, p->units, p->units_count, &p->all, true));
    jsonw_close(&p->w);
    jsonw_close(&p->w);
}

static void put_estimates(struct report *p)
{
    double *drawn = mem_zalloc(((size_t)REPLAY_KIND_COUNT * p->replicates + 1) * sizeof *drawn);
    if (p->replicates)
        draw(p, drawn);
    jsonw_open(&p->w, "estimates", '[');
    for (int k = 0; k < REPLAY_KIND_COUNT; k++)
        if (is_there(p, (enum replay_kind)k))
            put_estimate(p, (enum replay_kind)k, drawn + (size_t)k * p->replicates);
    jsonw_close(&p->w);
    mem_free(drawn);
}

/* ---- what to think of it ---- */

static PRINTF(2, 3) void warn(struct report *p, const char *fmt, ...)
{
    char text[WORDS_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    jsonw_text(&p->w, NULL, text);
    run_say(p->run, "warning: %s", text);
}

static double unsupported(const struct report *p)
{
    return p->in->counts.unsupported / (double)p->in->count;
}

static void put_warnings(struct report *p)
{
    const double n = (double)p->log.n, expected = 1 - unsupported(p),
                 se = replay_units_weight_se(p->units, p->units_count, &p->all);
    jsonw_open(&p->w, "warnings", '[');
    if (!p->r.has_snips)
        warn(p, "the other policy shows nothing of what was shown: this log says nothing about it");
    else if (p->r.ess < ESS_LEAST || p->r.ess < ESS_SHARE_LEAST * n)
        warn(p,
             "effective sample size is %.0f of %.0f decisions: few of them speak for all; serve more at random, or ask "
             "for a "
             "policy that is nearer to what was served",
             p->r.ess, n);
    if (p->r.max_weight > WEIGHT_SHARE_MOST * p->all.weight)
        warn(p, "one decision has %.0f %% of all weight (%.4g)", 100 * p->r.max_weight / p->all.weight,
             p->r.max_weight);
    if (unsupported(p) > UNSUPPORTED_MOST)
        warn(p,
             "%.1f %% of what the other policy shows was never shown for its query: nothing is known of that, and all "
             "but the "
             "model of rewards leave it out",
             100 * unsupported(p));
    if (fabs(p->r.mean_weight - expected) > WEIGHT_ERRORS_MOST * se && se > 0)
        warn(p,
             "the mean weight is %.4g, not %.4g (standard error %.2g): propensities are not those with which documents "
             "were shown",
             p->r.mean_weight, expected, se);
    jsonw_close(&p->w);
}

static const char *verdict(const struct report *p)
{
    const enum replay_kind k = primary(p);
    const double d = point(p, k) - served(p), se = replay_units_se(k, p->units, p->units_count, &p->all, true);
    if (!p->r.has_snips || p->r.ess < ESS_LEAST)
        return "unknown";
    return d - p->z * se > 0 ? "better" : d + p->z * se < 0 ? "worse" : "unknown";
}

static void put_head(struct report *p)
{
    const struct policy_counts *c = &p->in->counts;
    jsonw_text(&p->w, "target", p->run->param(p->run, "target"));
    if (p->in->model.n)
        jsonw_str(&p->w, "model", p->in->model);
    jsonw_i64(&p->w, "days", (int64_t)p->in->days);
    jsonw_i64(&p->w, "decisions", (int64_t)p->log.n);
    jsonw_i64(&p->w, "units", (int64_t)p->units_count);
    jsonw_i64(&p->w, "queries", (int64_t)c->queries);
    jsonw_i64(&p->w, "left_out", (int64_t)c->silent);
    jsonw_double(&p->w, "level", p->level);
    jsonw_open(&p->w, "served", '{');
    put_interval(p, served(p), replay_units_reward_se(p->units, p->units_count, &p->all));
    jsonw_close(&p->w);
}

static void put_weights(struct report *p)
{
    jsonw_double(&p->w, "effective_sample_size", p->r.ess);
    jsonw_double(&p->w, "max_weight", p->r.max_weight);
    jsonw_open(&p->w, "mean_weight", '{');
    put_interval(p, p->r.mean_weight, replay_units_weight_se(p->units, p->units_count, &p->all));
    jsonw_double(&p->w, "expected", 1 - unsupported(p));
    jsonw_close(&p->w);
    jsonw_double(&p->w, "unsupported", unsupported(p));
    jsonw_i64(&p->w, "replicates", p->replicates);
}

static void say(struct report *p)
{
    const enum replay_kind k = primary(p);
    const double d = point(p, k) - served(p), se = replay_units_se(k, p->units, p->units_count, &p->all, true);
    run_say(p->run, "served: %.6g a decision (%zu decisions of %zu units)", served(p), p->log.n, p->units_count);
    for (int e = 0; e < REPLAY_KIND_COUNT; e++)
        if (is_there(p, (enum replay_kind)e))
            run_say(p->run, "%s: %.6g (standard error %.3g)", replay_kind_names[e], point(p, (enum replay_kind)e),
                    replay_units_se((enum replay_kind)e, p->units, p->units_count, &p->all, false));
    run_say(p->run, "effective sample size %.1f, largest weight %.4g, mean weight %.4g", p->r.ess, p->r.max_weight,
            p->r.mean_weight);
    run_say(p->run, "would it have won? by %s the difference is %.4g (%g%%: %.4g to %.4g): %s", replay_kind_names[k], d,
            p->level * 100, d - p->z * se, d + p->z * se, verdict(p));
}

bool off_policy_report(struct run_context *run, const struct off_policy_rows *in, struct err *err)
{
    struct report p = { .run = run, .in = in, .level = run_real(run, "level") };
    p.z = special_normal_qinv((1 - p.level) / 2);
    buf_init(&p.json, JSON_MAX);
    open_log(&p);
    bool ok = replay_estimate(&p.log, &p.tuning, &p.r, err);
    if (ok) {
        add_units(&p);
        p.replicates = replicates_of(&p);
        jsonw_init(&p.w, &p.json);
        jsonw_open(&p.w, NULL, '{');
        put_head(&p);
        put_estimates(&p);
        put_weights(&p);
        jsonw_text(&p.w, "primary", replay_kind_names[primary(&p)]);
        jsonw_text(&p.w, "would_have_been", verdict(&p));
        put_warnings(&p);
        jsonw_close(&p.w);
        say(&p);
        run_result(run, "%s", p.json.p);
        ok = buf_ok(&p.json, "the result", err);
    }
    close_log(&p);
    return ok;
}
