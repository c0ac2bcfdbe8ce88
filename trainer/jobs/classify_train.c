#include "trainer/jobs/classify_train.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "trainer/kernels/record.h"

enum { JSON_MAX = 16384, MEMORY = 10, MEMORY_LARGE = 5, SHOWN = 10, LABELS_BYTES_MAX = 1 << 20 };
#define LARGE ((uint64_t)1 << 21)
#define TABLE_BYTES_MAX ((size_t)64 << 20)
/* Temperatures that are tried first, 1/4 to 16, and then between the best one's neighbours. */
enum { TEMPERATURES = 25 };
#define COLDEST 0.25
#define STEP 1.189207115002721 /* 2^(1/4) */
#define TEMPERATURE_PRIOR \
    5 /* (ln T)² that texts have to speak against: a few that are all right would make everything certain */
#define FINE_STEP 1.014545334937966 /* 2^(1/48) */

/* ---- labels ---- */

static bool choose_labels(struct classify_train *t, struct err *err)
{
    const uint64_t least = (uint64_t)run_whole(t->run, "min_examples");
    struct str *labels = arena_alloc(t->arena, ((size_t)t->read.labels_count + 1) * sizeof *labels);
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->read.labels_count; i++) {
        const struct labelled_label *l = &t->read.labels[i];
        if (l->texts >= least) {
            labels[n++] = l->label;
        } else {
            t->labels_left_out++;
            t->texts_left_out += l->texts;
        }
    }
    t->labels = (struct classify_labels){ labels, n };
    t->params.classes = n;
    if (n > CLASSIFIER_CLASSES_MAX)
        return err_set(err, ERR_INVALID, "parameter \"min_examples\": %u labels have so many texts, more than %d", n,
                       CLASSIFIER_CLASSES_MAX);
    return n >= 2 || run_too_little(t->run, err,
                                    "%u of %u labels of \"%s\" have as many texts as parameter \"min_examples\" asks "
                                    "for, %" PRIu64 "; two are needed",
                                    n, t->read.labels_count, t->read.set, least);
}

static bool make_labels_blob(struct classify_train *t, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, LABELS_BYTES_MAX);
    for (uint32_t k = 0; k < t->labels.count; k++)
        record_put_text(&b, t->labels.labels[k]);
    if (!buf_ok(&b, "the labels", err))
        return false;
    t->labels_blob = engine_blob(t->run->engine, buf_str(&b), err);
    return t->labels_blob >= 0;
}

static bool check_shares(const struct classify_train *t, struct err *err)
{
    return t->params.holdout + t->params.calibration < 1 ||
           err_set(err, ERR_INVALID,
                   "parameters \"holdout\" and \"calibration\" are %g and %g: nothing is left to train on",
                   t->params.holdout, t->params.calibration);
}

bool classify_train_open(struct classify_train *t, struct run_context *run, struct arena *arena, struct err *err)
{
    *t = (struct classify_train){ .run = run, .arena = arena, .labels_blob = -1, .temperature = 1 };
    t->params = (struct classify_params){
        .rules = { (uint32_t)run_whole(run, "hash_bits"), (uint32_t)run_whole(run, "chars_min"),
                   (uint32_t)run_whole(run, "chars_max"), (uint32_t)run_whole(run, "words_max") },
        .holdout = run_real(run, "holdout"),
        .calibration = run_real(run, "calibration"),
        .by_weight = strcmp(run->param(run, "count_texts"), "weights") == 0
    };
    t->c = run_real(run, "c");
    if (!classifier_rules_check(&t->params.rules, err))
        return err_prefix(err, "parameters \"chars_min\", \"chars_max\" and \"words_max\": ");
    if (!check_shares(t, err) || !labelled_read_open(&t->read, run, arena, err) || !choose_labels(t, err) ||
        !make_labels_blob(t, err))
        return false;
    t->params.set = str_of(t->read.set);
    if (t->labels_left_out)
        run_say(run, "%u labels with fewer than %s texts are left out, and their %" PRIu64 " texts", t->labels_left_out,
                run->param(run, "min_examples"), t->texts_left_out);
    return true;
}

void classify_train_release(struct classify_train *t)
{
    labelled_read_close(&t->read);
    lbfgs_release(&t->l);
    mem_free(t->slots);
    mem_free(t->idf);
}

/* ---- splits ---- */

struct engine_split *classify_splits(struct classify_train *t, uint32_t part, bool both)
{
    struct engine_split *splits = arena_zalloc(t->arena, t->read.ranges * sizeof *splits);
    for (uint32_t i = 0; i < t->read.ranges; i++) {
        struct engine_input *inputs = arena_alloc(t->arena, 2 * sizeof *inputs);
        inputs[0] = (struct engine_input){ i, both ? CLASSIFY_TRAIN : part };
        inputs[1] = (struct engine_input){ i, CLASSIFY_CALIBRATE };
        splits[i] = (struct engine_split){
            .desc = arena_printf(t->arena, "%u", i), .weight = 1, .inputs = inputs, .inputs_count = both ? 2 : 1
        };
    }
    return splits;
}

static bool write_range(struct classify_train *t, uint32_t i, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "from", t->read.bounds[i]);
    jsonw_str(&w, "to", i + 1 < t->read.ranges ? t->read.bounds[i + 1] : (struct str){ NULL, 0 });
    jsonw_close(&w);
    *out = arena_str(t->arena, buf_str(&b));
    return buf_ok(&b, "a range of texts", err);
}

/* ---- texts ---- */

static bool take_counts(struct classify_train *t, struct str in, uint64_t *bucket_texts, struct err *err)
{
    struct classify_counts c;
    uint32_t pair[2];
    bool ok = record_take(&in, &c, sizeof c);
    for (uint32_t k = 0; ok && k < t->labels.count; k++) {
        uint64_t texts = 0;
        ok = record_take(&in, &texts, sizeof texts);
        t->label_texts[k] += texts;
    }
    for (uint32_t k = 0; ok && k < t->labels.count; k++) {
        double weight = 0;
        ok = record_take(&in, &weight, sizeof weight);
        t->label_weights[k] += weight;
    }
    for (int p = 0; ok && p < CLASSIFY_PARTS; p++)
        t->counts.texts[p] += c.texts[p];
    while (ok && in.n) {
        ok = record_take(&in, pair, sizeof pair) && pair[0] >> t->params.rules.bits == 0;
        if (ok)
            bucket_texts[pair[0]] += pair[1];
    }
    return ok || err_set(err, ERR_SYSTEM, "what a split counted is damaged");
}

static bool pass_texts(struct classify_train *t, uint64_t *bucket_texts, struct err *err)
{
    struct engine_split *splits = arena_zalloc(t->arena, t->read.ranges * sizeof *splits);
    struct engine_result result;
    struct engine_pass pass = { .name = "texts",
                                .kernel = CLASSIFY_TEXTS_KERNEL,
                                .snapshot = t->read.snapshot,
                                .splits = splits,
                                .splits_count = t->read.ranges,
                                .input_pass = -1,
                                .out = ENGINE_DATASET,
                                .parts = CLASSIFY_PARTS,
                                .reads_database = true,
                                .blobs = &t->labels_blob,
                                .blobs_count = 1 };
    for (uint32_t i = 0; i < t->read.ranges; i++) {
        splits[i].weight = 1;
        if (!write_range(t, i, &splits[i].desc, err))
            return false;
    }
    t->texts_pass = t->run->passes;
    if (!classify_params_write(&t->params, t->arena, &pass.params, err) || !run_pass(t->run, &pass, &result, err))
        return false;
    bool ok = true;
    for (uint32_t i = 0; ok && i < result.count; i++)
        ok = take_counts(t, buf_str(&result.parts[i]), bucket_texts, err);
    engine_result_release(&result);
    return ok;
}

/* ---- n-grams ---- */

/* The least count of texts of an n-gram that counts: not below min_feature_texts, and so high that not too many do. */
static uint64_t least_texts(struct classify_train *t, const uint64_t *bucket_texts, uint64_t most)
{
    const size_t buckets = (size_t)1 << t->params.rules.bits;
    uint64_t least = (uint64_t)run_whole(t->run, "min_feature_texts");
    for (;; least++) {
        uint64_t n = 0;
        for (size_t i = 0; i < buckets; i++)
            n += bucket_texts[i] >= least;
        if (n <= most)
            return least;
    }
}

static void choose_features(struct classify_train *t, const uint64_t *bucket_texts)
{
    const size_t buckets = (size_t)1 << t->params.rules.bits;
    const uint64_t max = (uint64_t)run_whole(t->run, "max_features"), fit = CLASSIFY_CELLS_MAX / t->labels.count;
    const uint64_t least = least_texts(t, bucket_texts, max < fit ? max : fit);
    const double texts = (double)t->counts.texts[CLASSIFY_TRAIN];
    t->slots = mem_zalloc(buckets * sizeof *t->slots);
    t->idf = mem_zalloc((buckets + 1) * sizeof *t->idf);
    for (size_t i = 0; i < buckets; i++) {
        t->features_left_out += bucket_texts[i] > 0 && bucket_texts[i] < least;
        if (bucket_texts[i] < least)
            continue;
        t->idf[t->params.rows] = (float)(log((1 + texts) / (1 + (double)bucket_texts[i])) + 1);
        t->slots[i] = ++t->params.rows;
    }
    run_say(t->run,
            "%" PRIu64 " texts to train on, %" PRIu64 " to calibrate on, %" PRIu64
            " to judge by; %u labels; %u n-grams, %" PRIu64 " in fewer than %" PRIu64 " texts are left out",
            t->counts.texts[CLASSIFY_TRAIN], t->counts.texts[CLASSIFY_CALIBRATE], t->counts.texts[CLASSIFY_JUDGE],
            t->labels.count, t->params.rows, t->features_left_out, least);
}

/* balanced: Σ over labels of weight / (labels · weight of the label), so that each has the same share. */
static void weigh_classes(struct classify_train *t)
{
    const bool balanced = strcmp(t->run->param(t->run, "class_weights"), "balanced") == 0;
    double all = 0;
    for (uint32_t k = 0; k < t->labels.count; k++)
        all += t->label_weights[k];
    t->sum = 0;
    for (uint32_t k = 0; k < t->labels.count; k++) {
        t->class_weights[k] = balanced && t->label_weights[k] > 0 ? all / (t->labels.count * t->label_weights[k]) : 1;
        t->sum += t->class_weights[k] * t->label_weights[k];
    }
}

static bool pass_rows(struct classify_train *t, struct err *err)
{
    AUTO(buf_release) struct buf b;
    const struct classifier_table table = { t->params.rules.bits, t->params.rows, t->slots, t->idf };
    struct engine_pass pass = { .name = "rows",
                                .kernel = CLASSIFY_ROWS_KERNEL,
                                .splits = classify_splits(t, 0, true),
                                .splits_count = t->read.ranges,
                                .input_pass = t->texts_pass,
                                .out = ENGINE_DATASET,
                                .parts = 2,
                                .blobs_count = 1 };
    buf_init(&b, TABLE_BYTES_MAX);
    classify_table_write(&table, t->class_weights, t->labels.count, &b);
    if (!buf_ok(&b, "the table of n-grams", err))
        return false;
    const int blob = engine_blob(t->run->engine, buf_str(&b), err);
    pass.blobs = &blob;
    const bool ok = blob >= 0 && classify_params_write(&t->params, t->arena, &pass.params, err) &&
                    run_pass_numbered(t->run, &pass, &t->rows_pass, err);
    if (blob >= 0)
        engine_blob_drop(t->run->engine, blob);
    return ok;
}

/* ---- gradients ---- */

/* One pass over part `part` of the rows with the weights as they are now. */
static bool pass_weights(struct classify_train *t, const char *name, const char *kernel, uint32_t part,
                         struct engine_result *out, struct err *err)
{
    struct engine_pass pass = { .name = name,
                                .kernel = kernel,
                                .splits = classify_splits(t, part, false),
                                .splits_count = t->read.ranges,
                                .input_pass = t->rows_pass,
                                .blobs_count = 1 };
    const int blob = engine_blob(t->run->engine, (struct str){ (const char *)t->l.x, t->l.n * sizeof *t->l.x }, err);
    pass.blobs = &blob;
    const bool ok = blob >= 0 && classify_params_write(&t->params, t->arena, &pass.params, err) &&
                    run_pass(t->run, &pass, out, err);
    if (blob >= 0)
        engine_blob_drop(t->run->engine, blob);
    return ok;
}

static bool add_gradient(struct classify_train *t, struct str in, double *loss, struct err *err)
{
    const uint32_t classes = t->labels.count;
    double v;
    uint32_t count = 0, row;
    bool ok = record_take(&in, &v, sizeof v);
    *loss += ok ? v : 0;
    for (uint32_t k = 0; ok && k < classes; k++) {
        ok = record_take(&in, &v, sizeof v);
        t->l.g[k] += v;
    }
    ok = ok && record_take(&in, &count, sizeof count) && count <= t->params.rows &&
         in.n == count * (sizeof row + classes * sizeof v);
    const char *rows = in.p, *values = in.p + (ok ? count : 0) * sizeof row;
    for (uint32_t i = 0; ok && i < count; i++) {
        memcpy(&row, rows + i * sizeof row, sizeof row);
        ok = row < t->params.rows;
        double *to = t->l.g + classes + (size_t)(ok ? row : 0) * classes;
        for (uint32_t k = 0; ok && k < classes; k++, values += sizeof v) {
            memcpy(&v, values, sizeof v);
            to[k] += v;
        }
    }
    return ok || err_set(err, ERR_SYSTEM, "the gradient of a split is damaged");
}

static bool evaluate(struct classify_train *t, struct err *err)
{
    const uint32_t classes = t->labels.count;
    const double hold = 1 / (t->c * t->sum);
    struct engine_result result;
    double square = 0;
    t->loss = 0;
    if (!pass_weights(t, arena_printf(t->arena, "gradient %u", t->l.evaluations + 1).p, CLASSIFY_GRADIENT_KERNEL,
                      CLASSIFY_TRAIN, &result, err))
        return false;
    memset(t->l.g, 0, t->l.n * sizeof *t->l.g);
    bool ok = true;
    for (uint32_t i = 0; ok && i < result.count; i++)
        ok = add_gradient(t, buf_str(&result.parts[i]), &t->loss, err);
    engine_result_release(&result);
    t->loss /= t->sum;
    for (size_t i = 0; i < t->l.n; i++) {
        t->l.g[i] /= t->sum;
        if (i < classes)
            continue;
        t->l.g[i] += hold * t->l.x[i];
        square += t->l.x[i] * t->l.x[i];
    }
    t->objective = t->loss + hold * square / 2;
    return ok;
}

static const char *const state_words[] = { [LBFGS_EVALUATE] = "running",
                                           [LBFGS_DONE] = "converged",
                                           [LBFGS_TIRED] = "not converged: max_iterations are used up",
                                           [LBFGS_STUCK] = "converged as far as numbers go" };

static bool optimise(struct classify_train *t, struct err *err)
{
    const uint64_t n = (uint64_t)t->labels.count * (t->params.rows + UINT64_C(1));
    const unsigned most = (unsigned)run_whole(t->run, "max_iterations");
    const int64_t began_us = clock_mono_us();
    lbfgs_init(&t->l, n, n > LARGE ? MEMORY_LARGE : MEMORY, run_real(t->run, "tolerance"), most);
    do {
        if (!evaluate(t, err) || !run_tick(t->run, "gradients", t->l.evaluations + 1, most, err))
            return false;
        t->state = lbfgs_tell(&t->l, t->objective);
        if (t->l.evaluations % SHOWN == 1)
            run_say(t->run, "gradient %u: loss %.6f, with what weights cost %.6f", t->l.evaluations, t->loss,
                    t->objective);
    } while (t->state == LBFGS_EVALUATE);
    run_say(t->run, "%s, after %u gradients in %.1f s: loss %.6f, with what weights cost %.6f", state_words[t->state],
            t->l.evaluations, (double)(clock_mono_us() - began_us) / 1e6, t->loss, t->objective);
    return true;
}

/* ---- temperature ---- */

static bool losses_at(struct classify_train *t, double low, double step, double out[TEMPERATURES], struct err *err)
{
    struct engine_result result;
    t->params.low = low;
    t->params.step = step;
    t->params.temperatures = TEMPERATURES;
    if (!pass_weights(t, "temperature", CLASSIFY_TEMPERATURE_KERNEL, CLASSIFY_CALIBRATE, &result, err))
        return false;
    bool ok = true;
    memset(out, 0, TEMPERATURES * sizeof *out);
    for (uint32_t i = 0; ok && i < result.count; i++) {
        double sums[1 + TEMPERATURES];
        struct str in = buf_str(&result.parts[i]);
        ok = in.n == sizeof sums && record_take(&in, sums, sizeof sums);
        for (int k = 0; ok && k < TEMPERATURES; k++)
            out[k] += sums[1 + k];
    }
    for (int k = 0; k < TEMPERATURES; k++)
        out[k] += TEMPERATURE_PRIOR * pow(log(low) + k * log(step), 2);
    engine_result_release(&result);
    return ok || err_set(err, ERR_SYSTEM, "the losses of a split are damaged");
}

static int least_of(const double v[TEMPERATURES])
{
    int best = 0;
    for (int k = 1; k < TEMPERATURES; k++)
        best = v[k] < v[best] ? k : best;
    return best;
}

/* Where the parabola through the best one and its neighbours is least, in steps from the best one. */
static double vertex(const double v[TEMPERATURES], int best)
{
    if (best == 0 || best == TEMPERATURES - 1)
        return 0;
    const double bend = v[best - 1] - 2 * v[best] + v[best + 1];
    return bend > 0 ? (v[best - 1] - v[best + 1]) / (2 * bend) : 0;
}

static bool calibrate(struct classify_train *t, struct err *err)
{
    double loss[TEMPERATURES];
    if (t->counts.texts[CLASSIFY_CALIBRATE] == 0)
        return true;
    if (!losses_at(t, COLDEST, STEP, loss, err))
        return false;
    const double low = COLDEST * pow(STEP, least_of(loss) - 1);
    if (!losses_at(t, low, FINE_STEP, loss, err))
        return false;
    const int best = least_of(loss);
    t->temperature = low * pow(FINE_STEP, best + vertex(loss, best));
    run_say(t->run, "temperature %.4f", t->temperature);
    return true;
}

bool classify_train(struct classify_train *t, struct err *err)
{
    uint64_t *bucket_texts = mem_zalloc(sizeof *bucket_texts << t->params.rules.bits);
    t->label_texts = arena_zalloc(t->arena, t->labels.count * sizeof *t->label_texts);
    t->label_weights = arena_zalloc(t->arena, t->labels.count * sizeof *t->label_weights);
    t->class_weights = arena_zalloc(t->arena, t->labels.count * sizeof *t->class_weights);
    bool ok = pass_texts(t, bucket_texts, err);
    if (ok && t->counts.texts[CLASSIFY_TRAIN] == 0)
        ok = run_too_little(t->run, err, "no text is left to train on");
    if (ok)
        choose_features(t, bucket_texts);
    mem_free(bucket_texts);
    if (ok && t->params.rows == 0)
        ok = run_too_little(t->run, err, "no n-gram is in as many texts as parameter \"min_feature_texts\" asks for");
    if (ok)
        weigh_classes(t);
    return ok && pass_rows(t, err) && optimise(t, err) && calibrate(t, err);
}
