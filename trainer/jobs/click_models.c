/* The job "click-models": what searches were shown and what was clicked of it → attractiveness and relevance of documents, and how much more rarely positions
 * are looked at.
 *
 * The serp log of the training days and the later ones → passes of EM (click_train.h) → what each model foretells of what is held out (click_report.h) →
 * documents of the chosen one → an artifact of kind "clicks" (model/clicks.h) → judged beside the champion, by queries → a version. */
#include <math.h>

#include "model/clicks.h"
#include "trainer/jobs/click_report.h"
#include "trainer/jobs/model_file.h"
#include "trainer/kernels/record.h"

enum { JSON_MAX = 1 << 20 };

struct clicks_job {
    struct run_context *run;
    struct arena *arena;
    struct query_window training, evaluation;
    struct training t;
    struct click_train train;
    enum click_model chosen;
    uint64_t documents;
};

/* ---- documents ---- */

static bool add_query(struct clicks_job *j, struct str *in, struct lists_out *out, struct err *err)
{
    struct str text;
    float values[CLICK_COLUMNS];
    uint32_t count;
    if (!record_take_text(in, &text) || !record_take(in, &count, sizeof count))
        return err_set(err, ERR_SYSTEM, "the documents of a query are damaged");
    lists_key(out, text);
    for (; count; count--) {
        if (!record_take_text(in, &text) || !record_take(in, values, sizeof values))
            return err_set(err, ERR_SYSTEM, "the documents of a query are damaged");
        lists_add(out, text, values);
        j->documents++;
    }
    return true;
}

static bool pass_documents(struct clicks_job *j, struct lists_out *out, struct err *err)
{
    struct click_train *t = &j->train;
    struct engine_result result;
    struct str params = arena_printf(j->arena, "{\"model\":\"%s\"}", click_model_name(j->chosen));
    int blob = engine_blob(j->run->engine, (struct str){ (const char *)&t->g, sizeof t->g }, err);
    if (blob < 0 || !click_train_collect(t, "documents", CLICK_DOCUMENTS_KERNEL, params, &blob, 1, &result, err))
        return false;
    bool ok = true;
    for (uint32_t i = 0; ok && i < result.count; i++)
        for (struct str in = buf_str(&result.parts[i]); ok && in.n;)
            ok = add_query(j, &in, out, err);
    engine_result_release(&result);
    engine_blob_drop(j->run->engine, blob);
    return ok;
}

/* The chosen one first: it is the one of the documents. */
static void write_parameters(const struct clicks_job *j, struct lists_out *out)
{
    enum click_model models[CLICK_MODEL_COUNT] = { j->chosen };
    size_t n = 1;
    for (int m = 0; m < CLICK_MODEL_COUNT; m++)
        if ((enum click_model)m != j->chosen)
            models[n++] = (enum click_model)m;
    clicks_write_parameters(&j->train.g, models, n, out);
}

static bool write_sections(struct clicks_job *j, struct model_file *f, struct err *err)
{
    static const char *const columns[] = { [CLICK_RELEVANCE] = "relevance",
                                           [CLICK_ATTRACTIVENESS] = "attractiveness",
                                           [CLICK_SATISFACTION] = "satisfaction",
                                           [CLICK_LOW] = "low",
                                           [CLICK_HIGH] = "high",
                                           [CLICK_SESSIONS] = "sessions",
                                           [CLICK_CLICKS] = "clicks" };
    struct lists_out documents, propensity, parameters;
    struct buf *models = model_file_section(f);
    lists_begin(&documents, columns, COUNT_OF(columns));
    if (!pass_documents(j, &documents, err)) {
        lists_release(&documents);
        return false;
    }
    click_report_propensity(&j->train, &propensity);
    write_parameters(j, &parameters);
    click_report_models(&j->train, j->chosen, models);
    artifact_add(&f->out, "models", buf_str(models));
    bool ok = model_file_lists(f, "documents", &documents, err);
    ok = model_file_lists(f, "propensity", &propensity, ok ? err : NULL) && ok;
    ok = model_file_lists(f, "parameters", &parameters, ok ? err : NULL) && ok;
    return ok && buf_ok(models, "the section \"models\"", err);
}

/* ---- gate ---- */

/* Over queries, x and y: log-likelihood per document of candidate and champion, linearised, so that means over queries are ratios of sums: of each
 * L + (l - L n) / mean n. */
static struct moments2 linearised(const struct click_judged *j)
{
    double n = j->an.mean_y, a = j->an.mean_x / n, b = j->bn.mean_x / n, nn = j->an.m2_y;
    return (struct moments2){ .n = j->an.n,
                              .mean_x = a,
                              .mean_y = b,
                              .m2_x = (j->an.m2_x - 2 * a * j->an.cxy + a * a * nn) / (n * n),
                              .m2_y = (j->bn.m2_x - 2 * b * j->bn.cxy + b * b * nn) / (n * n),
                              .cxy = (j->ab.cxy - a * j->bn.cxy - b * j->an.cxy + a * b * nn) / (n * n) };
}

static bool merge_judged(const struct engine_result *result, struct arena *arena, struct click_judged *out,
                         struct err *err)
{
    struct moments2 *parts[3], *to[3] = { &out->an, &out->bn, &out->ab };
    for (int k = 0; k < 3; k++)
        parts[k] = arena_alloc(arena, (result->count + (size_t)1) * sizeof **parts);
    for (uint32_t i = 0; i < result->count; i++) {
        struct click_judged one;
        if (result->parts[i].n != sizeof one)
            return err_set(err, ERR_SYSTEM, "what was judged of part %u is damaged", i);
        memcpy(&one, result->parts[i].p, sizeof one);
        parts[0][i] = one.an;
        parts[1][i] = one.bn;
        parts[2][i] = one.ab;
    }
    for (int k = 0; k < 3; k++)
        *to[k] = moments2_tree(parts[k], result->count);
    return true;
}

/* Candidate and, version > 0, champion: by the searches that are held out, of each query. */
static bool judge(struct clicks_job *j, const struct buf *champion, int version, struct moments2 *out, struct err *err)
{
    struct engine *e = j->run->engine;
    struct engine_result result;
    struct click_judged judged;
    size_t count = version ? 2 : 1;
    int blobs[2] = { engine_blob(e, j->t.file, err), -1 };
    bool ok = blobs[0] >= 0;
    if (ok && version)
        ok = (blobs[1] = engine_blob(e, buf_str(champion), err)) >= 0;
    if (!ok || !click_train_collect(&j->train, "judge", CLICK_JUDGE_KERNEL, STR("{}"), blobs, count, &result, err))
        return false;
    ok = merge_judged(&result, j->arena, &judged, err);
    engine_result_release(&result);
    for (size_t i = 0; i < count; i++)
        engine_blob_drop(e, blobs[i]);
    if (ok)
        *out = linearised(&judged);
    return ok;
}

static bool decide(struct clicks_job *j, struct gate_outcome *out, struct buf *metrics, struct err *err)
{
    struct gate_rules rules = gate_rules_of(j->run);
    struct gate_metric m = { .name = "loglikelihood" };
    struct gate_bound perplexity = { "perplexity", click_score_of(&j->train, j->chosen).perplexity, NAN, NAN, NAN };
    struct artifact champion;
    struct buf file;
    int version = 0;
    buf_init(&file, ARTIFACT_BYTES_MAX);
    bool ok = training_champion(j->run, j->t.model, &file, &champion, &version, err),
         held = j->train.means.positions > 0;
    if (ok && !held)
        gate_unevaluated(version, out);
    ok = ok && (!held || judge(j, &file, version, &m.m, err));
    buf_release(&file);
    if (!ok || !held)
        return ok;
    gate_decide(&rules, &m, 1, &perplexity, 1, version, out);
    gate_metrics_json(&rules, &m, 1, &perplexity, 1, version > 0, metrics);
    return buf_ok(metrics, "the metrics", err);
}

static bool publish(struct clicks_job *j, struct model_file *f, struct err *err)
{
    AUTO(buf_release) struct buf metrics;
    struct gate_outcome gate;
    buf_init(&metrics, JSON_MAX);
    if (!model_file_end(f, j->run, &j->t, err) || !decide(j, &gate, &metrics, err))
        return false;
    j->t.metrics = buf_str(&metrics);
    return training_publish(j->run, &j->t, &gate, err);
}

/* ---- the job ---- */

static void say_scores(const struct clicks_job *j)
{
    for (int m = 0; m < CLICK_MODEL_COUNT && j->train.means.positions; m++) {
        struct click_score s = click_score_of(&j->train, (enum click_model)m);
        run_say(j->run, "%-4s  log-likelihood %.5f per document, perplexity %.5f%s",
                click_model_name((enum click_model)m), s.loglikelihood, s.perplexity,
                (enum click_model)m == j->chosen ? "  (chosen)" : "");
    }
}

static bool finish(struct clicks_job *j, struct err *err)
{
    struct model_file f;
    j->chosen = click_choose(&j->train);
    say_scores(j);
    model_file_begin(&f, "clicks");
    bool ok = write_sections(j, &f, err);
    j->t.units = (uint64_t)j->train.totals.queries;
    j->t.items = j->documents;
    ok = ok && publish(j, &f, err);
    model_file_release(&f);
    return ok;
}

static bool read_log(struct clicks_job *j, struct err *err)
{
    struct serp_log log = { .pass = -1 };
    bool by_share = run_real(j->run, "holdout_share") > 0;
    if (by_share) { /* of all days up to as_of */
        j->training.until = j->evaluation.until;
        j->evaluation = (struct query_window){ 1, 0 };
    }
    bool ok = serp_log_open_both(&log, j->run, j->arena, j->training, j->evaluation, err) &&
              training_enough(j->run, "searches with their lists", log.sessions, "min_sessions", err) &&
              click_train_prepare(&j->train, &log, err);
    j->t.days = log.days.days_count;
    serp_log_close(&log);
    if (!ok)
        return false;
    j->t.rows = (uint64_t)j->train.totals.sessions;
    j->t.from = j->training.from;
    j->t.until = j->training.until;
    j->t.eval_from = j->evaluation.from;
    j->t.eval_until = j->evaluation.until;
    return j->t.rows > 0 ||
           run_too_little(j->run, err, "no query has the searches that parameter \"min_query_sessions\" asks for, %lld",
                          (long long)run_whole(j->run, "min_query_sessions"));
}

static bool run_click_models(struct run_context *run, struct err *err)
{
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct clicks_job j = { .run = run,
                            .arena = &arena,
                            .t = { .model = training_model(run), .kind = "clicks" },
                            .train = { .run = run, .arena = &arena, .pass = -1 } };
    query_log_window(run, &j.training, &j.evaluation);
    bool ok = training_begin(run, "clicks", err) && read_log(&j, err) && click_train_em(&j.train, err) &&
              click_train_evaluate(&j.train, err) && finish(&j, err);
    click_train_release(&j.train);
    arena_release(&arena);
    return ok;
}

const struct job job_click_models = { "click-models", run_click_models };
