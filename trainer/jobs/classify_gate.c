#include "trainer/jobs/classify_gate.h"

#include <math.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "stats/special/special.h"
#include "trainer/kernels/classify/class_scores.h"

enum { SHOWN_CLASSES = 30, TOLD_CLASSES = 200 };
static const char *const score_names[SCORE_COUNT] = {
    [SCORE_ACCURACY] = "accuracy", [SCORE_TOP3] = "top3_accuracy", [SCORE_LIKELIHOOD] = "log_likelihood"
};
static const char *const whole_names[WHOLE_COUNT] = { [WHOLE_MACRO_F1] = "macro_f1", [WHOLE_ECE] = "ece" };

/* ---- the pass ---- */

static bool take_scores(struct classify_train *t, const struct engine_result *result, struct class_scores *s,
                        struct err *err)
{
    struct moments2 *parts[SCORE_COUNT], m[SCORE_COUNT];
    for (int k = 0; k < SCORE_COUNT; k++)
        parts[k] = arena_zalloc(t->arena, (result->count + 1) * sizeof *parts[k]);
    for (uint32_t i = 0; i < result->count; i++) {
        if (!class_scores_read(s, buf_str(&result->parts[i]), m))
            return err_set(err, ERR_SYSTEM, "what was judged of part %u is damaged", i);
        for (int k = 0; k < SCORE_COUNT; k++)
            parts[k][i] = m[k];
    }
    for (int k = 0; k < SCORE_COUNT; k++)
        s->m[k] = moments2_tree(parts[k], result->count);
    return true;
}

static bool judge(struct classify_train *t, const int *blobs, bool champion, struct class_scores *s, struct err *err)
{
    struct engine_result result;
    struct engine_pass pass = { .name = "judge",
                                .kernel = CLASSIFY_JUDGE_KERNEL,
                                .splits = classify_splits(t, CLASSIFY_JUDGE, false),
                                .splits_count = t->read.ranges,
                                .input_pass = t->texts_pass,
                                .blobs = blobs,
                                .blobs_count = champion ? 3 : 2 };
    t->params.champion = champion;
    class_scores_init(s, t->labels.count, champion, t->arena);
    if (!classify_params_write(&t->params, t->arena, &pass.params, err) || !run_pass(t->run, &pass, &result, err))
        return false;
    const bool ok = take_scores(t, &result, s, err);
    engine_result_release(&result);
    return ok;
}

static bool judge_files(struct classify_train *t, struct str file, struct str champion, struct class_scores *s,
                        struct err *err)
{
    struct engine *e = t->run->engine;
    int blobs[3] = { t->labels_blob, engine_blob(e, file, err), -1 };
    bool ok = blobs[1] >= 0;
    if (ok && champion.n)
        ok = (blobs[2] = engine_blob(e, champion, err)) >= 0;
    ok = ok && judge(t, blobs, champion.n > 0, s, err);
    for (int i = 1; i < 3; i++)
        if (blobs[i] >= 0)
            engine_blob_drop(e, blobs[i]);
    return ok;
}

/* ---- words ---- */

static void put_interval(struct jsonw *w, const char *key, double value, double se, double z)
{
    jsonw_open(w, key, '{');
    jsonw_double(w, "value", value);
    jsonw_double(w, "low", value - z * se);
    jsonw_double(w, "high", value + z * se);
}

static void put_whole(struct jsonw *w, const struct class_scores *s, enum class_whole which, double level)
{
    const double z = special_normal_qinv((1 - level) / 2);
    struct class_value v;
    if (!class_scores_whole(s, which, &v))
        return;
    put_interval(w, whole_names[which], v.value[SIDE_CANDIDATE], v.se[SIDE_CANDIDATE], z);
    jsonw_double(w, "level", level);
    jsonw_text(w, "method", "jackknife");
    jsonw_i64(w, "n", s->m[0].n);
    if (s->champion) {
        jsonw_double(w, "champion", v.value[SIDE_CHAMPION]);
        put_interval(w, "difference", v.difference, v.difference_se, z);
        jsonw_close(w);
    }
    jsonw_close(w);
}

/* Log loss is the log-likelihood with the other sign. */
static void put_log_loss(struct jsonw *w, const struct class_scores *s, double level)
{
    const struct moments2 *m = &s->m[SCORE_LIKELIHOOD];
    struct gate_interval i;
    if (!gate_mean(m->n, -m->mean_x, m->m2_x, level, &i))
        return;
    jsonw_open(w, "log_loss", '{');
    jsonw_double(w, "value", i.value);
    jsonw_double(w, "low", i.low);
    jsonw_double(w, "high", i.high);
    jsonw_double(w, "level", level);
    jsonw_text(w, "method", "normal");
    jsonw_i64(w, "n", m->n);
    if (s->champion)
        jsonw_double(w, "champion", -m->mean_y);
    jsonw_close(w);
}

struct ranked {
    uint32_t class;
    double texts;
};
static int by_texts(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->texts > y->texts ? -1 : x->texts < y->texts ? 1 : x->class < y->class ? -1 : x->class > y->class;
}

static struct ranked *rank_classes(struct classify_train *t, const struct class_scores *s)
{
    struct ranked *r = arena_alloc(t->arena, s->classes * sizeof *r);
    for (uint32_t k = 0; k < s->classes; k++) {
        double n[3];
        class_scores_counts(s, SIDE_CANDIDATE, k, n);
        r[k] = (struct ranked){ k, n[0] + n[2] };
    }
    qsort(r, s->classes, sizeof *r, by_texts);
    return r;
}

static double share(double part, double all)
{
    return all > 0 ? part / all : (double)NAN;
}

static void put_classes(struct jsonw *w, const struct classify_train *t, const struct class_scores *s,
                        const struct ranked *r)
{
    jsonw_open(w, "classes", '[');
    for (uint32_t i = 0; i < s->classes && i < TOLD_CLASSES; i++) {
        double n[3];
        class_scores_counts(s, SIDE_CANDIDATE, r[i].class, n);
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "label", t->labels.labels[r[i].class]);
        jsonw_i64(w, "trained", (int64_t)t->label_texts[r[i].class]);
        jsonw_double(w, "judged", n[0] + n[2]);
        jsonw_double(w, "precision", share(n[0], n[0] + n[1]));
        jsonw_double(w, "recall", share(n[0], n[0] + n[2]));
        jsonw_double(w, "f1", share(2 * n[0], 2 * n[0] + n[1] + n[2]));
        jsonw_close(w);
    }
    jsonw_close(w);
}

/* Of labels [from, to) of the order: what of a row or a column is behind those that are shown. */
static double cell(const struct class_scores *s, const struct ranked *r, uint32_t row, uint32_t column, uint32_t shown)
{
    const uint32_t row_end = row == shown ? s->classes : row + 1,
                   column_end = column == shown ? s->classes : column + 1;
    double sum = 0;
    for (uint32_t i = row; i < row_end; i++)
        for (uint32_t j = column; j < column_end; j++)
            sum += s->confusion[(size_t)r[i].class * s->classes + r[j].class];
    return sum;
}

static void put_confusion(struct jsonw *w, const struct classify_train *t, const struct class_scores *s,
                          const struct ranked *r)
{
    const uint32_t shown = s->classes < SHOWN_CLASSES ? s->classes : SHOWN_CLASSES;
    const uint32_t all = shown + (s->classes > shown);
    jsonw_open(w, "confusion", '{');
    jsonw_open(w, "labels", '[');
    for (uint32_t i = 0; i < shown; i++)
        jsonw_str(w, NULL, t->labels.labels[r[i].class]);
    jsonw_close(w);
    jsonw_i64(w, "others", (int64_t)(s->classes - shown));
    jsonw_open(w, "rows", '[');
    for (uint32_t i = 0; i < all; i++) {
        jsonw_open(w, NULL, '[');
        for (uint32_t j = 0; j < all; j++)
            jsonw_double(w, NULL, cell(s, r, i, j, shown));
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}

static void put_reliability(struct jsonw *w, const struct class_scores *s)
{
    jsonw_open(w, "reliability", '[');
    for (uint32_t b = 0; b < SCORES_BINS; b++) {
        const struct class_bin bin = class_scores_bin(s, SIDE_CANDIDATE, b);
        if (bin.texts < 1)
            continue;
        jsonw_open(w, NULL, '{');
        jsonw_double(w, "probability", bin.probability / bin.texts);
        jsonw_double(w, "accuracy", bin.right / bin.texts);
        jsonw_double(w, "texts", bin.texts);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void put_training(struct jsonw *w, const struct classify_train *t)
{
    jsonw_open(w, "training", '{');
    jsonw_text(w, "texts", t->read.set);
    jsonw_i64(w, "texts_version", t->read.version);
    jsonw_i64(w, "trained", (int64_t)t->counts.texts[CLASSIFY_TRAIN]);
    jsonw_i64(w, "calibrated", (int64_t)t->counts.texts[CLASSIFY_CALIBRATE]);
    jsonw_i64(w, "judged", (int64_t)t->counts.texts[CLASSIFY_JUDGE]);
    jsonw_i64(w, "labels", t->labels.count);
    jsonw_i64(w, "labels_left_out", t->labels_left_out);
    jsonw_i64(w, "features", t->params.rows);
    jsonw_i64(w, "gradients", t->l.evaluations);
    jsonw_bool(w, "converged", t->state != LBFGS_TIRED);
    jsonw_double(w, "loss", t->loss);
    jsonw_double(w, "objective", t->objective);
    jsonw_double(w, "temperature", t->temperature);
    jsonw_close(w);
}

/* gate_metrics_json writes an object; what is beside them comes before its brace. */
static void put_more(struct classify_train *t, const struct class_scores *s, double level, struct buf *out)
{
    const struct ranked *r = rank_classes(t, s);
    struct buf more;
    struct jsonw w;
    buf_init(&more, out->limit_bytes);
    jsonw_init(&w, &more);
    jsonw_open(&w, NULL, '{');
    put_log_loss(&w, s, level);
    for (int k = 0; k < WHOLE_COUNT; k++)
        put_whole(&w, s, (enum class_whole)k, level);
    put_classes(&w, t, s, r);
    put_confusion(&w, t, s, r);
    put_reliability(&w, s);
    put_training(&w, t);
    jsonw_close(&w);
    out->n--;
    buf_add_byte(out, ',');
    buf_add(out, more.p + 1, more.n - 1);
    buf_release(&more);
}

bool classify_gate(struct classify_train *t, struct str file, struct str champion, int champion_version,
                   struct gate_outcome *out, struct buf *metrics_json, struct err *err)
{
    const struct gate_rules rules = gate_rules_of(t->run);
    struct gate_metric metrics[SCORE_COUNT];
    struct class_scores s;
    if (t->counts.texts[CLASSIFY_JUDGE] == 0) {
        gate_unevaluated(champion_version, out);
        return true;
    }
    if (!judge_files(t, file, champion, &s, err))
        return false;
    for (int k = 0; k < SCORE_COUNT; k++)
        metrics[k] = (struct gate_metric){ score_names[k], s.m[k] };
    gate_decide(&rules, metrics, SCORE_COUNT, NULL, 0, champion_version, out);
    gate_metrics_json(&rules, metrics, SCORE_COUNT, NULL, 0, champion_version > 0, metrics_json);
    put_more(t, &s, rules.level, metrics_json);
    return buf_ok(metrics_json, "the metrics", err);
}
