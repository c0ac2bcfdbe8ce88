#include "trainer/jobs/click_train.h"

#include <math.h>

#include "trainer/jobs/query_passes.h"

void click_train_release(struct click_train *t)
{
    if (t->run && t->parts && t->pass >= 0 && t->pass < t->run->passes)
        engine_drop(t->run->engine, t->pass);
    t->pass = -1;
}

/* ---- passes ---- */

bool click_train_collect(struct click_train *t, const char *name, const char *kernel, struct str params,
                         const int *blobs, size_t blobs_count, struct engine_result *out, struct err *err)
{
    const struct engine_pass pass = { .name = name,
                                      .kernel = kernel,
                                      .params = params,
                                      .splits = query_splits_each(t->arena, t->parts),
                                      .splits_count = t->parts,
                                      .input_pass = t->pass,
                                      .out = ENGINE_COLLECT,
                                      .blobs = blobs,
                                      .blobs_count = blobs_count };
    return run_pass(t->run, &pass, out, err);
}

static bool is_of(const struct engine_result *result, size_t bytes, struct err *err)
{
    for (uint32_t i = 0; i < result->count; i++)
        if (result->parts[i].n != bytes)
            return err_set(err, ERR_SYSTEM, "what was collected of click models, part %u, is damaged", i);
    return true;
}

/* Sums of doubles, in the order of the parts. */
static bool add_all(const struct engine_result *result, void *to, size_t bytes, struct err *err)
{
    double *sums = to;
    if (!is_of(result, bytes, err))
        return false;
    memset(to, 0, bytes);
    for (uint32_t i = 0; i < result->count; i++)
        for (size_t k = 0; k < bytes / sizeof *sums; k++) {
            double v;
            memcpy(&v, result->parts[i].p + k * sizeof v, sizeof v);
            sums[k] += v;
        }
    return true;
}

/* ---- preparation ---- */

static double rate(double successes, double trials)
{
    return (successes + 1) / (trials + 2);
}

static void begin_globals(struct click_train *t)
{
    const struct click_totals *c = &t->totals;
    double clicks = 0;
    click_globals_init(&t->g, (uint32_t)run_whole(t->run, "positions"), run_real(t->run, "prior_sessions"));
    t->g.sweeps = (uint32_t)run_whole(t->run, "sweeps");
    for (uint32_t r = 0; r < CLICK_POSITIONS; r++) {
        t->shown += c->shown_at[r];
        clicks += c->clicks_at[r];
        t->g.ctr_at[r] = rate(c->clicks_at[r], c->shown_at[r]);
        t->g.dcm[r] = rate(c->clicks_at[r] - c->last_at[r], c->clicks_at[r]);
    }
    t->g.ctr = rate(clicks, t->shown);
    t->g.mean = t->g.ctr_at[0];
}

bool click_train_prepare(struct click_train *t, const struct serp_log *s, struct err *err)
{
    struct engine_result result;
    const struct engine_pass pass = { .name = "prepare",
                                      .kernel = CLICK_PREPARE_KERNEL,
                                      .params = arena_printf(t->arena, "{\"min_sessions\":%lld}",
                                                             (long long)run_whole(t->run, "min_query_sessions")),
                                      .splits = serp_log_splits(s),
                                      .splits_count = s->parts,
                                      .input_pass = s->pass,
                                      .out = ENGINE_DATASET };
    t->pass = t->run->passes;
    t->parts = s->parts;
    if (!run_pass(t->run, &pass, &result, err))
        return false;
    bool ok = add_all(&result, &t->totals, sizeof t->totals, err);
    engine_result_release(&result);
    begin_globals(t);
    return ok;
}

/* ---- EM ---- */

static int blob_of(struct click_train *t, struct err *err)
{
    return engine_blob(t->run->engine, (struct str){ (const char *)&t->g, sizeof t->g }, err);
}

/* One pass: the data set of the one before it is needed no more. */
static bool pass_em(struct click_train *t, struct click_counts *counts, struct err *err)
{
    struct engine_result result;
    int blob = blob_of(t, err), number = t->run->passes;
    const struct engine_pass pass = { .name = "em",
                                      .kernel = CLICK_EM_KERNEL,
                                      .params = STR("{}"),
                                      .splits = query_splits_each(t->arena, t->parts),
                                      .splits_count = t->parts,
                                      .input_pass = t->pass,
                                      .out = ENGINE_DATASET,
                                      .blobs = &blob,
                                      .blobs_count = 1 };
    if (blob < 0 || !run_pass(t->run, &pass, &result, err))
        return false;
    engine_blob_drop(t->run->engine, blob);
    engine_drop(t->run->engine, t->pass);
    t->pass = number;
    bool ok = add_all(&result, counts, sizeof *counts, err);
    engine_result_release(&result);
    return ok;
}

static void say_converged(const struct click_train *t, enum click_model m)
{
    const struct click_trace *c = &t->traces[m];
    run_say(t->run, "%s: log-likelihood and log prior rose from %.6f to %.6f per document in %u iterations%s%s",
            click_model_name(m), c->first / t->shown, c->last / t->shown, c->iterations,
            c->fell ? ", but fell in between" : " and never fell", c->converged ? "" : "; not converged");
}

/* True: it has converged. Sums of so many terms differ by rounding in the last digits. */
static bool note(struct click_train *t, enum click_model m, const struct click_counts *counts)
{
    static const double rounding = 1e-12;
    struct click_trace *c = &t->traces[m];
    double now = counts->objective[m], risen = now - c->last;
    if (c->iterations == 0)
        c->first = now;
    else
        c->fell = c->fell || risen < -rounding * fabs(now);
    c->converged = c->iterations > 0 && risen <= run_real(t->run, "tolerance") * fabs(now);
    c->objective[c->iterations++] = (float)(now / t->shown);
    c->last = now;
    c->loglikelihood = counts->loglikelihood[m] / t->shown;
    return c->converged;
}

static bool iterate(struct click_train *t, struct err *err)
{
    struct click_counts *counts = arena_alloc(t->arena, sizeof *counts);
    uint32_t most = (uint32_t)run_whole(t->run, "max_iterations");
    for (uint32_t i = 0; i < most && t->g.active; i++) {
        if (!pass_em(t, counts, err))
            return false;
        click_globals_step(&t->g, counts);
        for (int m = CLICK_PBM; m < CLICK_MODEL_COUNT; m++)
            if (t->g.active >> m & 1 && (note(t, (enum click_model)m, counts) || i + 1 == most)) {
                t->g.active &= ~(1U << m);
                say_converged(t, (enum click_model)m);
            }
    }
    return true;
}

bool click_train_em(struct click_train *t, struct err *err)
{
    size_t most = (size_t)run_whole(t->run, "max_iterations");
    for (int m = CLICK_PBM; m < CLICK_MODEL_COUNT; m++) {
        t->g.active |= 1U << m;
        t->traces[m].objective = arena_alloc(t->arena, most * sizeof(float));
    }
    return iterate(t, err);
}

/* ---- evaluation ---- */

static void merge_moments(const struct engine_result *result, struct click_evaluation *out, struct arena *arena)
{
    struct moments2 *parts = arena_alloc(arena, (result->count + (size_t)1) * sizeof *parts);
    for (int m = 0; m < CLICK_MODEL_COUNT; m++) {
        for (uint32_t i = 0; i < result->count; i++)
            memcpy(&parts[i], result->parts[i].p + offsetof(struct click_evaluation, loglikelihood[m]), sizeof *parts);
        out->loglikelihood[m] = moments2_tree(parts, result->count);
    }
}

static void find_means(struct click_train *t)
{
    const struct click_evaluation *e = &t->evaluation;
    while (t->means.positions < CLICK_POSITIONS && e->searches[t->means.positions] > 0)
        t->means.positions++;
    for (uint32_t r = 0; r < t->means.positions; r++) {
        t->means.searches[r] = e->searches[r];
        for (int m = 0; m < CLICK_MODEL_COUNT; m++)
            t->means.bits[m][r] = e->bits[m][r] / e->searches[r];
    }
}

static bool pass_evaluate(struct click_train *t, int blob, struct err *err)
{
    struct engine_result result;
    if (!click_train_collect(t, "evaluate", CLICK_EVALUATE_KERNEL, STR("{}"), &blob, 1, &result, err))
        return false;
    /* Sums first; moments are no sums and are merged behind them. */
    bool ok = add_all(&result, &t->evaluation, sizeof t->evaluation, err);
    if (ok)
        merge_moments(&result, &t->evaluation, t->arena);
    engine_result_release(&result);
    return ok;
}

static bool pass_spread(struct click_train *t, int globals, struct err *err)
{
    struct engine_result result;
    int blobs[] = { globals,
                    engine_blob(t->run->engine, (struct str){ (const char *)&t->means, sizeof t->means }, err) };
    if (blobs[1] < 0 ||
        !click_train_collect(t, "spread", CLICK_SPREAD_KERNEL, STR("{}"), blobs, COUNT_OF(blobs), &result, err))
        return false;
    bool ok = add_all(&result, &t->spread, sizeof t->spread, err);
    engine_result_release(&result);
    engine_blob_drop(t->run->engine, blobs[1]);
    return ok;
}

bool click_train_evaluate(struct click_train *t, struct err *err)
{
    int blob = blob_of(t, err);
    if (blob < 0 || !pass_evaluate(t, blob, err))
        return false;
    find_means(t);
    bool ok = t->means.positions == 0 || pass_spread(t, blob, err);
    engine_blob_drop(t->run->engine, blob);
    return ok;
}
