/* The job "off-policy": from signals with propensities, what another policy would have earned (docs/off-policy.md).
 *
 * Pass "decisions" over days: lists that were shown at random, with their rewards; pass "policy" over parts of queries: with which probability the other policy
 * would have shown the same, and what reward is expected. Their rows come here, sorted by unit, for the estimates (off_policy_report.h). */
#include <inttypes.h>
#include <stdlib.h>

#include "trainer/jobs/day_plan.h"
#include "trainer/jobs/off_policy_report.h"
#include "trainer/jobs/query_log.h"
#include "trainer/kernels/record.h"
#include "trainer/models/training.h"

enum { PARTS = 16, NAME_MAX_BYTES = 140 };
#define DECISIONS_MAX ((uint64_t)10000000)

struct off_policy {
    struct run_context *run;
    struct arena arena;
    struct day_plan days;
    struct offpolicy_params params;
    struct decision_totals totals;
    uint64_t decisions;
    struct buf file; /* of the model */
    struct engine_result result;
    struct off_policy_rows rows;
};

/* ---- parameters ---- */

static enum offpolicy_target target_of(const char *name)
{
    int t = 0;
    while (strcmp(offpolicy_target_names[t], name) != 0)
        t++;
    return (enum offpolicy_target)t;
}

static bool check_type(struct str s, struct err *err)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              (s.p[i] && strchr("_.-", s.p[i]))))
            return err_set(err, ERR_INVALID, "parameter \"rewards\": \"" STR_FMT "\" is no type of signals",
                           STR_ARG(s));
    return !(str_eq_c(s, "request") || str_eq_c(s, "response")) ||
           err_set(err, ERR_INVALID, "parameter \"rewards\": \"" STR_FMT "\" is what was shown, no reward", STR_ARG(s));
}

static bool read_params(struct off_policy *o, struct err *err)
{
    const struct run_context *run = o->run;
    struct signal_weights rewards;
    o->params = (struct offpolicy_params){
        .archive = run->archive_dir ? str_of(run->archive_dir) : (struct str){ NULL, 0 },
        .rewards = str_of(run->param(run, "rewards")),
        .folds = (uint32_t)run_whole(run, "folds"),
        .target = target_of(run->param(run, "target")),
        .actions = (uint32_t)run_whole(run, "actions"),
        .temperature = run_real(run, "temperature"),
        .prior = run_real(run, "prior_decisions"),
    };
    if (!signal_weights_read(o->params.rewards, &o->arena, &rewards, err))
        return err_prefix(err, "parameter \"rewards\": ");
    for (uint32_t i = 0; i < rewards.count; i++)
        if (!check_type(rewards.types[i], err))
            return false;
    return true;
}

static bool read_model(struct off_policy *o, struct err *err)
{
    const char *given = o->run->param(o->run, "model");
    struct str which = str_of(given ? given : ""), name;
    struct artifact a;
    int version;
    if (o->params.target != TARGET_MODEL)
        return true;
    if (!given)
        return err_set(err, ERR_INVALID, "parameter \"model\" is needed for target=model");
    (void)str_split(&which, '@', &name);
    if (!training_version(o->run, arena_cstr(&o->arena, name), which.n ? arena_cstr(&o->arena, which) : "champion",
                          &o->file, &a, &version, err))
        return err_prefix(err, "parameter \"model\": ");
    if (!version)
        return err_set(err, ERR_NOT_FOUND, "parameter \"model\": there is no \"%s\"", given);
    o->rows.model = arena_printf(&o->arena, STR_FMT " version %d", STR_ARG(name), version);
    return true;
}

/* ---- passes ---- */

static bool add_totals(struct off_policy *o, struct err *err)
{
    for (uint32_t i = 0; i < o->result.count; i++) {
        struct decision_totals t;
        struct str in = buf_str(&o->result.parts[i]);
        if (in.n != sizeof t || !record_take(&in, &t, sizeof t))
            return err_set(err, ERR_SYSTEM, "the totals of split %u are damaged", i);
        for (uint32_t f = 0; f < OFFPOLICY_FOLDS_MAX; f++)
            for (uint32_t k = 0; k < OFFPOLICY_POSITIONS_MAX; k++) {
                o->totals.decisions[f][k] += t.decisions[f][k];
                o->totals.rewards[f][k] += t.rewards[f][k];
                o->decisions += t.decisions[f][k];
            }
    }
    return true;
}

/* Of each fold the mean reward at each place in the others; where they have nothing, 0. */
static void make_means(struct off_policy *o)
{
    const uint32_t folds = o->params.folds;
    for (uint32_t f = 0; f < folds; f++)
        for (uint32_t k = 0; k < OFFPOLICY_POSITIONS_MAX; k++) {
            double sum = 0, n = 0;
            for (uint32_t g = 0; g < folds; g++)
                if (g != f || folds == 1) {
                    sum += o->totals.rewards[g][k];
                    n += (double)o->totals.decisions[g][k];
                }
            o->params.means[f][k] = n > 0 ? sum / n : 0;
        }
}

static bool pass_decisions(struct off_policy *o, struct err *err)
{
    const struct day_plan *d = &o->days;
    const uint32_t count = (uint32_t)(d->days_count * d->ranges), width = 4096 / d->ranges;
    struct engine_split *splits = arena_zalloc(&o->arena, (count + (size_t)1) * sizeof *splits);
    struct engine_pass pass = { .name = "decisions",
                                .kernel = OFFPOLICY_DAY_KERNEL,
                                .snapshot = d->snapshot,
                                .splits = splits,
                                .splits_count = count,
                                .input_pass = -1,
                                .out = ENGINE_DATASET,
                                .parts = PARTS,
                                .reads_database = true };
    for (uint32_t i = 0; i < count; i++)
        splits[i] = (struct engine_split){ .desc = arena_printf(&o->arena, "%d %u %u", d->days[i / d->ranges],
                                                                i % d->ranges * width, (i % d->ranges + 1) * width - 1),
                                           .weight = d->weights[i / d->ranges] + 1 };
    if (!offpolicy_params_write(&o->params, &o->arena, &pass.params, err) || !run_pass(o->run, &pass, &o->result, err))
        return false;
    const bool ok = add_totals(o, err);
    engine_result_release(&o->result);
    return ok;
}

static bool pass_policy(struct off_policy *o, int input, uint32_t inputs_count, struct err *err)
{
    struct engine_split splits[PARTS];
    struct engine_pass pass = { .name = "policy",
                                .kernel = OFFPOLICY_POLICY_KERNEL,
                                .snapshot = o->days.snapshot,
                                .splits = splits,
                                .splits_count = PARTS,
                                .input_pass = input,
                                .reads_database = true }; /* which units are marked */
    for (uint32_t part = 0; part < PARTS; part++) {
        struct engine_input *inputs = arena_alloc(&o->arena, (inputs_count + (size_t)1) * sizeof *inputs);
        for (uint32_t i = 0; i < inputs_count; i++)
            inputs[i] = (struct engine_input){ i, part };
        splits[part] = (struct engine_split){
            .desc = arena_printf(&o->arena, "%u", part), .weight = 1, .inputs = inputs, .inputs_count = inputs_count
        };
    }
    const int blob = o->file.n ? engine_blob(o->run->engine, buf_str(&o->file), err) : -1;
    if (o->file.n && blob < 0)
        return false;
    pass.blobs = &blob;
    pass.blobs_count = blob >= 0;
    const bool ok = offpolicy_params_write(&o->params, &o->arena, &pass.params, err) &&
                    run_pass(o->run, &pass, &o->result, err);
    if (blob >= 0)
        engine_blob_drop(o->run->engine, blob);
    return ok;
}

/* ---- rows ---- */

struct placed {
    struct policy_row row;
    size_t place;
};
static int by_unit(const void *va, const void *vb)
{
    const struct placed *a = va, *b = vb;
    if (a->row.unit != b->row.unit)
        return a->row.unit < b->row.unit ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

static bool take_part(struct off_policy *o, struct str in, struct placed *to, size_t room, struct err *err)
{
    struct policy_counts c;
    if (!record_take(&in, &c, sizeof c) || in.n % sizeof to->row || in.n / sizeof to->row > room - o->rows.count)
        return err_set(err, ERR_SYSTEM, "the rows of a part are damaged");
    o->rows.counts.decisions += c.decisions;
    o->rows.counts.queries += c.queries;
    o->rows.counts.silent += c.silent;
    o->rows.counts.unsupported += c.unsupported;
    for (; in.n; o->rows.count++) {
        struct placed *p = &to[o->rows.count];
        (void)record_take(&in, &p->row, sizeof p->row);
        p->place = o->rows.count;
    }
    return true;
}

static bool take_rows(struct off_policy *o, struct err *err)
{
    struct placed *placed = mem_alloc((o->decisions + 1) * sizeof *placed);
    bool ok = true;
    for (uint32_t i = 0; ok && i < o->result.count; i++)
        ok = take_part(o, buf_str(&o->result.parts[i]), placed, o->decisions, err);
    if (ok && o->rows.count)
        qsort(placed, o->rows.count, sizeof *placed, by_unit);
    o->rows.rows = mem_alloc((o->rows.count + 1) * sizeof *o->rows.rows);
    for (size_t i = 0; ok && i < o->rows.count; i++)
        o->rows.rows[i] = placed[i].row;
    mem_free(placed);
    return ok;
}

static bool is_enough(const struct off_policy *o, uint64_t seen, const char *what, struct err *err)
{
    const uint64_t least = (uint64_t)run_whole(o->run, "min_decisions");
    return seen >= least ||
           run_too_little(o->run, err,
                          "%" PRIu64 " decisions with a propensity%s, parameter \"min_decisions\" asks for "
                          "%" PRIu64,
                          seen, what, least);
}

/* Intervals are over units: of one there are none. */
static bool are_units(const struct off_policy *o, struct err *err)
{
    const struct off_policy_rows *r = &o->rows;
    return r->rows[0].unit != r->rows[r->count - 1].unit ||
           run_too_little(o->run, err, "the %zu decisions are of one unit; intervals are over units, of at least 2",
                          r->count);
}

static const char *words_left(const struct off_policy *o)
{
    return o->params.target == TARGET_LOGGED  ? " and a logged target"
           : o->params.target == TARGET_MODEL ? " of queries that the model says something of"
                                              : " of units that count";
}

/* ---- the job ---- */

static bool compute(struct off_policy *o, struct err *err)
{
    struct query_window window, none;
    if (!read_params(o, err) || !read_model(o, err))
        return false;
    query_log_window(o->run, &window, &none);
    if (!day_plan_open(&o->days, o->run, &o->arena, NULL, 0, err) ||
        !day_plan_days(&o->days, window.from, window.until, err))
        return false;
    const int first = o->run->passes;
    o->rows.days = o->days.days_count;
    if (o->rows.days && !pass_decisions(o, err))
        return false;
    if (!is_enough(o, o->decisions, "", err))
        return false;
    if (o->decisions > DECISIONS_MAX)
        return err_set(err, ERR_INVALID,
                       "%" PRIu64 " decisions are more than %" PRIu64 ": parameter \"days\" has to be less",
                       o->decisions, DECISIONS_MAX);
    make_means(o);
    return pass_policy(o, first, (uint32_t)(o->days.days_count * o->days.ranges), err) && take_rows(o, err) &&
           is_enough(o, o->rows.count, words_left(o), err) && are_units(o, err) &&
           off_policy_report(o->run, &o->rows, err) && run_publish_begin(o->run, err) && run_publish_end(o->run, err);
}

static bool run_off_policy(struct run_context *run, struct err *err)
{
    struct off_policy *o = mem_zalloc(sizeof *o);
    o->run = run;
    arena_init(&o->arena, 1 << 16);
    buf_init(&o->file, ARTIFACT_BYTES_MAX);
    const bool ok = compute(o, err);
    day_plan_close(&o->days);
    engine_result_release(&o->result);
    mem_free(o->rows.rows);
    buf_release(&o->file);
    arena_release(&o->arena);
    mem_free(o);
    return ok;
}

const struct job job_off_policy = { "off-policy", run_off_policy };
