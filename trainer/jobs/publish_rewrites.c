/* The job "publish-rewrites": rules that are auto or approved → an artifact of kind "rewrites" (model/rewrite.h), which servers apply.
 *
 * What the rules would have done to the searches of later days is found by the code that applies them, and bounded: the share of searches that change, and
 * of those that leave a query that is known to be good for one that is not. Rules that are as the champion has them make no new version. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "trainer/jobs/rewrites_judge.h"
#include "trainer/jobs/rewrites_table.h"
#include "trainer/models/training.h"

enum { JSON_BYTES = 64 << 10, BOUNDS = 4 };

struct publishing {
    struct run_context *run;
    struct arena arena;
    struct rewrites_table table;
    struct buf card, file, champion_file, metrics;
    char digest[ARTIFACT_DIGEST];
    struct artifact champion;
    int version; /* of the champion; 0: there is none */
    struct query_window before, later;
    bool judged;
    struct rewrites_verdict verdict, champion_verdict;
};

/* ---- the artifact ---- */

/* Its card says nothing of the days that judge it, so that the same rules are the same bytes. */
static bool pack(struct publishing *p, struct training *t, struct err *err)
{
    struct training told = *t;
    told.eval_from = 1;
    told.eval_until = 0;
    told.units = 0;
    training_card(p->run, &told, &p->card);
    if (!buf_ok(&p->card, "the model's card", err) ||
        !rewrites_pack(p->table.rules, p->table.count, buf_str(&p->card), &p->file, p->digest, err))
        return false;
    t->file = buf_str(&p->file);
    t->digest = p->digest;
    return true;
}

/* ---- the later days ---- */

static bool judge_sets(struct publishing *p, const struct query_set *later, const struct query_set *before,
                       struct err *err)
{
    struct artifact a;
    struct rewrites now, was;
    uint64_t good = (uint64_t)run_whole(p->run, "good_searches");
    if (!artifact_read(buf_str(&p->file), &a, err) || !rewrites_read(&a, &now, err) ||
        (p->version && !rewrites_read(&p->champion, &was, err)))
        return false;
    rewrites_judge(&now, later, before, good, &p->verdict);
    if (p->version)
        rewrites_judge(&was, later, before, good, &p->champion_verdict);
    p->judged = true;
    return true;
}

static bool judge_logs(struct publishing *p, struct query_log *later, struct query_log *before, struct err *err)
{
    struct query_set l = { .count = 0 }, b = { .count = 0 };
    bool ok = query_log_collect(later, 1, &l, err) && query_log_collect(before, 1, &b, err) &&
              judge_sets(p, &l, &b, err);
    query_set_release(&l);
    query_set_release(&b);
    return ok;
}

/* With too few searches in the later days nothing is judged, and the version says so: rules of people need no traffic. */
static bool judge(struct publishing *p, struct err *err)
{
    struct query_log later = { .pass = -1 }, before = { .pass = -1 };
    uint64_t enough = (uint64_t)run_whole(p->run, "min_searches");
    if (p->later.from > p->later.until)
        return true;
    bool ok = query_log_open(&later, p->run, &p->arena, "evaluation", p->later, err);
    if (ok && later.searches < enough)
        run_say(p->run,
                "%" PRIu64 " searches in the later days, parameter \"min_searches\" asks for %" PRIu64
                ": the rules are not judged by them",
                later.searches, enough);
    else if (ok)
        ok = query_log_open(&before, p->run, &p->arena, "training", p->before, err) &&
             judge_logs(p, &later, &before, err);
    query_log_close(&later);
    query_log_close(&before);
    return ok;
}

/* ---- the gate ---- */

static double share(uint64_t part, uint64_t of)
{
    return of ? (double)part / (double)of : 0;
}

static void bound(struct gate_bound *b, const char *name, double value, double champion, double max)
{
    *b = (struct gate_bound){ .name = name, .value = value, .champion = champion, .min = NAN, .max = max };
}

static size_t make_bounds(const struct publishing *p, struct gate_bound bounds[BOUNDS])
{
    const struct rewrites_verdict *v = &p->verdict, *c = &p->champion_verdict;
    size_t n = 0;
    bound(&bounds[n++], "rules", (double)p->table.count, NAN, run_real(p->run, "max_rules"));
    if (!p->judged)
        return n;
    bound(&bounds[n++], "changed", share(v->changed, v->searches), p->version ? share(c->changed, c->searches) : NAN,
          run_real(p->run, "max_changed"));
    bound(&bounds[n++], "lost", share(v->lost, v->searches), p->version ? share(c->lost, c->searches) : NAN,
          run_real(p->run, "max_lost"));
    bound(&bounds[n++], "recovered", share(v->recovered, v->zero), p->version ? share(c->recovered, c->zero) : NAN,
          NAN);
    return n;
}

static void add_check(struct gate_outcome *o, const char *name, bool passed, const char *text)
{
    struct gate_check *c = &o->checks[o->checks_count++];
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    (void)snprintf(c->text, sizeof c->text, "%s", text);
    c->passed = passed;
    if (passed || !o->passed)
        return;
    o->passed = false;
    memcpy(o->rule, c->name, sizeof o->rule);
    memcpy(o->reason, c->text, sizeof o->reason);
}

/* What a version that passed is told by. */
static void tell(const struct publishing *p, struct gate_outcome *o)
{
    const struct rewrites_verdict *v = &p->verdict;
    if (!o->passed)
        return;
    if (p->judged)
        (void)snprintf(o->reason, sizeof o->reason,
                       "%.1f%% of the searches change, %.2f%% leave a query known to be good, %.1f%% of those without "
                       "results become one",
                       100 * share(v->changed, v->searches), 100 * share(v->lost, v->searches),
                       100 * share(v->recovered, v->zero));
    else
        (void)snprintf(o->reason, sizeof o->reason, "too few searches in the later days to judge the rules by");
}

static void decide(struct publishing *p, struct gate_outcome *out)
{
    const struct gate_rules rules = { .rule = GATE_NONE, .level = 0.95, .min_value = NAN };
    const struct rewrites_table *t = &p->table;
    struct gate_bound bounds[BOUNDS];
    size_t n = make_bounds(p, bounds);
    gate_decide(&rules, NULL, 0, bounds, n, p->version, out);
    gate_metrics_json(&rules, NULL, 0, bounds, n, p->version != 0, &p->metrics);
    struct str text = t->circle.p
                          ? arena_printf(&p->arena, "rules of people lead in a circle: " STR_FMT, STR_ARG(t->circle))
                          : arena_printf(&p->arena, "%zu rules were left out that led in a circle", t->circles);
    add_check(out, "circles", !t->circle.p, text.p);
    tell(p, out);
}

/* ---- the job ---- */

static bool publish(struct publishing *p, struct training *t, struct err *err)
{
    struct gate_outcome gate;
    decide(p, &gate);
    t->metrics = buf_str(&p->metrics);
    bool as_it_was = p->version && strcmp(p->champion.digest, t->digest) == 0;
    if (!as_it_was || !gate.passed)
        return buf_ok(&p->metrics, "the metrics", err) && training_publish(p->run, t, &gate, err);
    run_result(p->run, "{\"model\":\"%s\",\"version\":%d,\"rules\":%zu,\"unchanged\":true}", t->model, p->version,
               p->table.count);
    run_say(p->run, "the rules are as version %d has them", p->version);
    return run_publish_begin(p->run, err) && run_publish_end(p->run, err);
}

static bool compute(struct publishing *p, struct err *err)
{
    struct run_context *run = p->run;
    if (!training_begin(run, REWRITES_KIND, err) ||
        !rewrites_table_read(run, run_real(run, "min_confidence"), &p->arena, &p->table, err))
        return false;
    int32_t day = clock_day(p->table.changed_us);
    query_log_window(run, &p->before, &p->later);
    struct training t = { .model = training_model(run),
                          .kind = REWRITES_KIND,
                          .from = INT32_MIN,
                          .until = day,
                          .eval_from = p->later.from,
                          .eval_until = p->later.until,
                          .rows = p->table.count,
                          .items = p->table.count };
    if (!training_champion(run, t.model, &p->champion_file, &p->champion, &p->version, err))
        return false;
    if (p->table.count == 0 && !p->version) /* of a model that is there, a version without rules takes them back */
        return run_too_little(run, err, "no rewrite is approved or auto: there is nothing to publish");
    if (!pack(p, &t, err) || !judge(p, err))
        return false;
    t.units = p->verdict.searches;
    return publish(p, &t, err);
}

static bool run_publish_rewrites(struct run_context *run, struct err *err)
{
    struct publishing *p = mem_zalloc(sizeof *p);
    p->run = run;
    arena_init(&p->arena, 1 << 16);
    buf_init(&p->card, JSON_BYTES);
    buf_init(&p->metrics, JSON_BYTES);
    buf_init(&p->file, ARTIFACT_BYTES_MAX);
    buf_init(&p->champion_file, ARTIFACT_BYTES_MAX);
    bool ok = compute(p, err);
    buf_release(&p->card);
    buf_release(&p->metrics);
    buf_release(&p->file);
    buf_release(&p->champion_file);
    arena_release(&p->arena);
    mem_free(p);
    return ok;
}

const struct job job_publish_rewrites = { "publish-rewrites", run_publish_rewrites };
