/* The job "learn-to-rank": labels and features of documents by query (rank_set.h) → a ranker (model/ranker.h), by LambdaMART or as a linear model.
 *
 * Pass "folds": each part of the queries judged by what the others taught, which says how many trees are best. Pass "train": from all queries that are not held
 * out. Pass "importance": of each feature, how much worse the held-out queries are ranked when its values change places. Pass "judge": candidate and champion on the
 * held-out queries, by the code that serves. Then the gate, a version. The coordinator trains nothing. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "model/ranker.h"
#include "stats/ranking/metric.h"
#include "trainer/jobs/model_file.h"
#include "trainer/jobs/rank_set.h"

enum { ARENA_FIRST = 1 << 16, METRICS_MAX = 256 << 10, JUDGE_SPLITS = 16, IMPORTANCE_SPLITS = 16, TEXT = 32 };
#define L2_TREES 20.0 /* beside hessians whose mean is 1: a leaf of twenty documents goes half its way */
#define L2_LINEAR 0.01
#define EXPONENT_MAX 100.0
#define MEMORY_FACTOR 4 /* bytes of a worker for each byte of data: it and its parts */

struct learning {
    struct run_context *run;
    struct arena arena;
    struct rank_set set;
    struct rank_params params;
    struct training t;
    struct buf section;  /* "ranker" */
    double *permutation; /* of each feature; NULL: not known */
    double cv_ndcg;      /* of the folds; NAN: there were none */
    int train_blob, held_blob;
    uint64_t data_bytes;
};

/* ---- parameters ---- */

static int named(const struct run_context *run, const char *param, const char *const *names, int count, int fallback)
{
    const char *given = run->param(run, param);
    for (int i = 0; given && i < count; i++)
        if (strcmp(given, names[i]) == 0)
            return i;
    return fallback;
}

static void read_params(struct learning *l)
{
    const struct run_context *run = l->run;
    struct rank_params *p = &l->params;
    bool clicks = strcmp(run->param(run, "labels"), "clicks") == 0;
    *p = (struct rank_params){ .trees = (uint32_t)run_whole(run, "trees"),
                               .depth = (uint32_t)run_whole(run, "depth"),
                               .leaves = (uint32_t)run_whole(run, "leaves"),
                               .early_stopping = (uint32_t)run_whole(run, "early_stopping"),
                               .threads = (uint32_t)run_whole(run, "threads"),
                               .iterations = (uint32_t)run_whole(run, "iterations"),
                               .learning_rate = run_real(run, "learning_rate"),
                               .min_child_weight = run_real(run, "min_child_weight"),
                               .subsample = run_real(run, "subsample"),
                               .colsample = run_real(run, "colsample"),
                               .seed = (uint64_t)run_whole(run, "seed") };
    p->objective = (enum rank_objective)named(run, "objective", rank_objective_names, RANK_OBJECTIVE_COUNT, 0);
    p->lambda.gain = (enum rank_gain)named(run, "gain", rank_gain_names, RANK_GAIN_COUNT,
                                           clicks ? RANK_LINEAR : RANK_EXPONENTIAL);
    p->lambda.truncation = (uint32_t)run_whole(run, "truncation");
    p->lambda.k = (uint32_t)run_whole(run, "k");
    p->l2 = run->param(run, "l2") ? run_real(run, "l2") : p->objective == RANK_LAMBDAMART ? L2_TREES : L2_LINEAR;
}

static bool check_params(const struct learning *l, struct err *err)
{
    return l->params.depth > 0 || l->params.leaves > 0 ||
           err_set(err, ERR_INVALID, "parameter \"depth\" is 0, and \"leaves\" too: trees would have no bound");
}

/* ---- the data ---- */

static double highest_label(const struct rank_data *d)
{
    double most = 0;
    for (uint64_t i = 0; i < d->rows; i++)
        most = fmax(most, (double)d->labels[i]);
    return most;
}

/* Gains are floats when trees are learned, and judged by 2^label - 1 in any case. */
static bool check_labels(const struct learning *l, struct err *err)
{
    const double most = fmax(highest_label(&l->set.train.d), highest_label(&l->set.held.d));
    const char *of = l->set.from_clicks ? "labels" : "judgments";
    if (l->params.lambda.gain == RANK_EXPONENTIAL && most > EXPONENT_MAX)
        return err_set(
            err, ERR_INVALID,
            "parameter \"%s\": a grade is %g, and 2 to its power beyond a float: take grades of up to %g, or "
            "gain=linear",
            of, most, EXPONENT_MAX);
    return most <= RANKING_GRADE_MAX ||
           err_set(err, ERR_INVALID, "parameter \"%s\": a grade is %g; rankers are judged by grades of up to %g", of,
                   most, RANKING_GRADE_MAX);
}

static int put_blob(struct learning *l, const struct rank_data *d, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, ARTIFACT_BYTES_MAX);
    if (!rank_data_write(d, &b, err))
        return -1;
    l->data_bytes += b.n;
    return engine_blob(l->run->engine, buf_str(&b), err);
}

static bool open_data(struct learning *l, struct err *err)
{
    const struct rank_set_part *train = &l->set.train, *held = &l->set.held;
    if (!rank_set_open(&l->set, l->run, &l->arena, err) || !check_params(l, err) || !check_labels(l, err))
        return false;
    l->params.features = l->set.features;
    l->params.names = l->set.names;
    l->params.monotone = l->set.monotone;
    run_say(l->run,
            "%" PRIu64 " documents of %u queries to learn from, %u with different labels; %" PRIu64
            " of %u held out; %" PRIu64 " with a label have no feature",
            train->d.rows, train->d.queries, train->learnable, held->d.rows, held->d.queries,
            train->unlabelled + held->unlabelled);
    if (!training_enough(l->run, "queries with documents of different worth", train->learnable, "min_queries", err))
        return false;
    l->train_blob = put_blob(l, &train->d, err);
    if (l->train_blob < 0)
        return false;
    l->held_blob = held->d.queries ? put_blob(l, &held->d, err) : -1;
    return l->held_blob >= 0 || held->d.queries == 0;
}

/* ---- passes ---- */

static bool pass(struct learning *l, const char *name, const char *kernel, struct engine_split *splits, uint32_t count,
                 const int *blobs, size_t blobs_count, struct engine_result *out, struct err *err)
{
    struct engine_pass p = { .name = name,
                             .kernel = kernel,
                             .splits = splits,
                             .splits_count = count,
                             .input_pass = -1,
                             .blobs = blobs,
                             .blobs_count = blobs_count,
                             .seed = l->params.seed,
                             .memory_mb = (uint32_t)(1024 + MEMORY_FACTOR * (l->data_bytes >> 20)) };
    return rank_params_write(&l->params, &l->arena, &p.params, err) && run_pass(l->run, &p, out, err);
}

static bool take_curve(struct str part, double *sums, double *weights, uint32_t trees, struct err *err)
{
    struct rank_curve c;
    if (part.n < sizeof c)
        return err_set(err, ERR_SYSTEM, "what a fold gave is damaged");
    memcpy(&c, part.p, sizeof c);
    if (c.rounds > trees || part.n != sizeof c + c.rounds * sizeof(double))
        return err_set(err, ERR_SYSTEM, "what a fold gave is damaged");
    double last = 0;
    for (uint32_t i = 0; i < trees && c.rounds; i++) {
        if (i < c.rounds)
            memcpy(&last, part.p + sizeof c + i * sizeof last, sizeof last);
        sums[i] += c.weight * last; /* behind the end of a fold that stopped: as it was */
        weights[i] += c.weight;
    }
    return true;
}

static bool take_curves(struct learning *l, const struct engine_result *result, struct err *err)
{
    const bool trees = l->params.objective == RANK_LAMBDAMART;
    const uint32_t rounds = trees ? l->params.trees : 1;
    double *sums = arena_zalloc(&l->arena, rounds * sizeof *sums),
           *weights = arena_zalloc(&l->arena, rounds * sizeof *weights);
    uint32_t best = rounds - 1;
    for (uint32_t i = 0; i < result->count; i++)
        if (!take_curve(buf_str(&result->parts[i]), sums, weights, rounds, err))
            return false;
    if (!(weights[0] > 0))
        return true;
    for (uint32_t i = 0; trees && l->params.early_stopping && i < rounds; i++)
        if (i == 0 || sums[i] > sums[best])
            best = i;
    l->cv_ndcg = sums[best] / weights[best];
    if (trees)
        l->params.trees = best + 1;
    run_say(l->run, "folds: nDCG@%u %.4f%s%.0d%s", l->params.lambda.k, l->cv_ndcg, trees ? " with " : "",
            trees ? (int)best + 1 : 0, trees ? " trees" : "");
    return true;
}

static bool pass_folds(struct learning *l, struct err *err)
{
    const uint32_t folds = (uint32_t)run_whole(l->run, "folds");
    struct engine_split *splits = arena_zalloc(&l->arena, (folds + 1) * sizeof *splits);
    struct engine_result result;
    l->cv_ndcg = NAN;
    if (folds < 2)
        return true;
    for (uint32_t i = 0; i < folds; i++)
        splits[i] = (struct engine_split){ .desc = arena_printf(&l->arena, "fold %u %u", i, folds), .weight = 1 };
    if (!pass(l, "folds", RANK_TRAIN_KERNEL, splits, folds, &l->train_blob, 1, &result, err))
        return false;
    bool ok = take_curves(l, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool pass_train(struct learning *l, struct err *err)
{
    struct engine_split split = { .desc = STR("all"), .weight = 1 };
    struct engine_result result;
    if (!pass(l, "train", RANK_TRAIN_KERNEL, &split, 1, &l->train_blob, 1, &result, err))
        return false;
    buf_add_str(&l->section, buf_str(&result.parts[0]));
    engine_result_release(&result);
    return buf_ok(&l->section, "the ranker", err);
}

/* Splits "FROM UNTIL" of `count`; *out_count how many. */
static struct engine_split *ranges(struct learning *l, uint32_t count, uint32_t most, uint32_t *out_count)
{
    const uint32_t n = count < most ? count : most;
    struct engine_split *splits = arena_zalloc(&l->arena, (n + 1) * sizeof *splits);
    for (uint32_t i = 0; i < n; i++)
        splits[i] = (struct engine_split){ .desc = arena_printf(&l->arena, "%u %u", (uint32_t)((uint64_t)count * i / n),
                                                                (uint32_t)((uint64_t)count * (i + 1) / n)),
                                           .weight = 1 };
    *out_count = n;
    return splits;
}

static bool take_importance(struct learning *l, const struct engine_result *result, struct err *err)
{
    size_t at = 0;
    l->permutation = arena_zalloc(&l->arena, l->set.features * sizeof *l->permutation);
    for (uint32_t i = 0; i < result->count; i++) {
        const size_t n = result->parts[i].n / sizeof(double);
        if (n * sizeof(double) != result->parts[i].n || n > l->set.features - at)
            return err_set(err, ERR_SYSTEM, "what was found of the features is damaged");
        memcpy(l->permutation + at, result->parts[i].p, n * sizeof(double));
        at += n;
    }
    return at == l->set.features || err_set(err, ERR_SYSTEM, "what was found of the features is not whole");
}

static bool pass_importance(struct learning *l, struct err *err)
{
    AUTO(buf_release) struct buf file;
    struct artifact_out o;
    char digest[ARTIFACT_DIGEST];
    struct engine_result result;
    uint32_t count;
    if (l->held_blob < 0)
        return true;
    buf_init(&file, ARTIFACT_BYTES_MAX);
    artifact_begin(&o, RANKER_KIND);
    artifact_add(&o, "ranker", buf_str(&l->section));
    if (!artifact_end(&o, &file, digest, err))
        return false;
    const int blobs[] = { l->held_blob, engine_blob(l->run->engine, buf_str(&file), err) };
    if (blobs[1] < 0)
        return false;
    struct engine_split *splits = ranges(l, l->set.features, IMPORTANCE_SPLITS, &count);
    bool ok = pass(l, "importance", RANK_PERMUTE_KERNEL, splits, count, blobs, 2, &result, err);
    engine_blob_drop(l->run->engine, blobs[1]);
    if (!ok)
        return false;
    ok = take_importance(l, &result, err);
    engine_result_release(&result);
    return ok;
}

/* ---- the artifact ---- */

struct importance {
    struct str name;
    double gain, cover, permutation, weight;
    uint32_t number, splits;
};

static int most_important_first(const void *a, const void *b)
{
    const struct importance *x = a, *y = b;
    double p = x->gain + fabs(x->weight), q = y->gain + fabs(y->weight);
    return p != q ? (p < q ? 1 : -1) : x->number < y->number ? -1 : 1;
}

static void find_covers(const struct ranker *r, struct importance *list)
{
    for (uint32_t t = 0; t < r->trees; t++) {
        const uint32_t n = ranker_tree_size(r, t);
        struct ranker_tree_node *nodes = mem_alloc((n + 1) * sizeof *nodes);
        ranker_tree_nodes(r, t, nodes);
        for (uint32_t i = 0; i < n; i++)
            if (nodes[i].left)
                list[nodes[i].feature].cover += (double)nodes[i].cover;
        mem_free(nodes);
    }
}

static void write_importance(const struct learning *l, const struct importance *list, bool trees, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '[');
    for (uint32_t i = 0; i < l->set.features; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "name", list[i].name);
        if (trees) {
            jsonw_double(&w, "gain", list[i].gain);
            jsonw_i64(&w, "splits", list[i].splits);
            jsonw_double(&w, "cover", list[i].cover);
        } else {
            jsonw_double(&w, "weight", list[i].weight);
        }
        if (l->permutation)
            jsonw_double(&w, "permutation", list[i].permutation);
        jsonw_close(&w);
    }
    jsonw_close(&w);
}

static bool add_importance(struct learning *l, struct model_file *f, struct err *err)
{
    const uint32_t n = l->set.features;
    struct ranker r;
    if (!ranker_read(buf_str(&l->section), &l->arena, &r, err))
        return false;
    const bool trees = r.type == RANKER_TREES;
    struct importance *list = arena_zalloc(&l->arena, n * sizeof *list);
    double *gain = arena_zalloc(&l->arena, n * sizeof *gain);
    uint32_t *splits = arena_zalloc(&l->arena, n * sizeof *splits);
    if (trees)
        ranker_importance(&r, gain, splits);
    for (uint32_t i = 0; i < n; i++)
        list[i] = (struct importance){ .name = l->set.names[i],
                                       .gain = gain[i],
                                       .splits = splits[i],
                                       .permutation = l->permutation ? l->permutation[i] : 0,
                                       .weight = trees ? 0 : (double)r.weights[i],
                                       .number = i };
    if (trees)
        find_covers(&r, list);
    qsort(list, n, sizeof *list, most_important_first);
    struct buf *b = model_file_section(f);
    write_importance(l, list, trees, b);
    artifact_add(&f->out, "importance", buf_str(b));
    return buf_ok(b, "what is known of the features", err);
}

static bool make_file(struct learning *l, struct model_file *f, struct err *err)
{
    struct lists_out lists;
    bool any;
    model_file_begin(f, RANKER_KIND);
    artifact_add(&f->out, "ranker", buf_str(&l->section));
    artifact_add(&f->out, "features", l->set.features_json);
    if (!add_importance(l, f, err) || !rank_set_signals(&l->set, &lists, &any, err) ||
        (any && !model_file_lists(f, "signals", &lists, err)))
        return false;
    l->t.seed = l->params.seed;
    l->t.rows = l->set.train.d.rows;
    l->t.units = l->set.train.d.queries;
    l->t.items = l->set.features;
    return model_file_end(f, l->run, &l->t, err);
}

/* ---- judging ---- */

static bool take_judged(struct learning *l, const struct engine_result *result, struct gate_metric *out,
                        struct err *err)
{
    struct moments2 *parts = arena_zalloc(&l->arena, (result->count + 1) * sizeof *parts);
    for (int m = 0; m < RANK_METRICS; m++) {
        for (uint32_t i = 0; i < result->count; i++) {
            struct rank_judged j;
            if (result->parts[i].n != sizeof j)
                return err_set(err, ERR_SYSTEM, "what was judged is damaged");
            memcpy(&j, result->parts[i].p, sizeof j);
            parts[i] = j.m[m];
        }
        out[m] = (struct gate_metric){ rank_metric_names[m], moments2_tree(parts, result->count) };
    }
    return true;
}

static bool judge(struct learning *l, struct str candidate, const struct buf *champion, int version,
                  struct gate_metric *out, struct err *err)
{
    int blobs[3] = { l->held_blob, engine_blob(l->run->engine, candidate, err), -1 };
    struct engine_result result;
    uint32_t count;
    if (blobs[1] < 0)
        return false;
    if (version && (blobs[2] = engine_blob(l->run->engine, buf_str(champion), err)) < 0)
        return false;
    struct engine_split *splits = ranges(l, l->set.held.d.queries, JUDGE_SPLITS, &count);
    bool ok = pass(l, "judge", RANK_JUDGE_KERNEL, splits, count, blobs, version ? 3 : 2, &result, err);
    for (int i = 1; i < 3; i++)
        if (blobs[i] >= 0)
            engine_blob_drop(l->run->engine, blobs[i]);
    if (!ok)
        return false;
    ok = take_judged(l, &result, out, err);
    engine_result_release(&result);
    return ok;
}

static bool decide(struct learning *l, struct gate_outcome *out, struct buf *metrics_json, struct err *err)
{
    AUTO(buf_release) struct buf champion;
    struct artifact a;
    struct gate_metric metrics[RANK_METRICS];
    struct gate_rules rules = gate_rules_of(l->run);
    const struct gate_bound seen[] = { { "trees", l->params.trees, NAN, NAN, NAN },
                                       { "folds_ndcg", l->cv_ndcg, NAN, NAN, NAN } };
    int version;
    buf_init(&champion, ARTIFACT_BYTES_MAX);
    if (!training_champion(l->run, l->t.model, &champion, &a, &version, err))
        return false;
    if (l->held_blob < 0) {
        gate_unevaluated(version, out);
        return true;
    }
    if (!judge(l, l->t.file, &champion, version, metrics, err))
        return false;
    gate_decide(&rules, metrics, RANK_METRICS, NULL, 0, version, out);
    gate_metrics_json(&rules, metrics, RANK_METRICS, seen, isnan(l->cv_ndcg) ? 1 : 2, version > 0, metrics_json);
    return buf_ok(metrics_json, "the metrics", err);
}

static bool publish(struct learning *l, struct err *err)
{
    AUTO(buf_release) struct buf metrics;
    struct gate_outcome gate;
    struct model_file f = { .count = 0 };
    buf_init(&metrics, METRICS_MAX);
    bool ok = make_file(l, &f, err) && decide(l, &gate, &metrics, err);
    if (ok) {
        l->t.metrics = metrics.n ? buf_str(&metrics) : (struct str){ NULL, 0 };
        ok = training_publish(l->run, &l->t, &gate, err);
    }
    model_file_release(&f);
    return ok;
}

static bool learn(struct learning *l, struct err *err)
{
    if (!open_data(l, err))
        return false;
    l->t = (struct training){ .model = training_model(l->run),
                              .kind = RANKER_KIND,
                              .from = l->set.from_clicks ? l->set.training.from
                                                         : INT32_MIN, /* judgments have no days */
                              .until = l->set.from_clicks ? l->set.training.until : rank_set_as_of(&l->set),
                              .eval_from = l->set.from_clicks ? l->set.evaluation.from : 1,
                              .eval_until = l->set.from_clicks ? l->set.evaluation.until : 0 };
    return pass_folds(l, err) && pass_train(l, err) && pass_importance(l, err) && publish(l, err);
}

static bool run_learn_to_rank(struct run_context *run, struct err *err)
{
    struct learning l = { .run = run };
    arena_init(&l.arena, ARENA_FIRST);
    buf_init(&l.section, ARTIFACT_BYTES_MAX);
    read_params(&l);
    bool ok = training_begin(run, RANKER_KIND, err) && learn(&l, err);
    buf_release(&l.section);
    arena_release(&l.arena);
    return ok;
}

const struct job job_learn_to_rank = { "learn-to-rank", run_learn_to_rank };
