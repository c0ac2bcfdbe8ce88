/* Rankers are learned: gradients, trees, linear models, labels from clicks. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

#include "stats/ranking/ranking.h"
#include "trainer/kernels/rank/click_labels.h"
#include "trainer/kernels/rank/linear.h"
#include "trainer/kernels/rank/trees.h"

enum { QUERIES = 40, DOCS = 20, FEATURES = 5, ROWS = QUERIES * DOCS };

static struct arena arena;
static struct rank_data d;
static struct rank_params params;
static float values[ROWS * FEATURES], labels[ROWS], evidence[ROWS], weights[QUERIES];
static uint32_t ends[QUERIES];
static uint64_t hashes[QUERIES];
static struct str names[FEATURES] = { { "a", 1 }, { "b", 1 }, { "c", 1 }, { "d", 1 }, { "e", 1 } };
static int8_t monotone[FEATURES];
static struct err err;

static double draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (double)(*state >> 33) / 2147483648.0;
}

/* The label grows with a, falls with b where a is large; c is a, rounded; d is noise; e is missing half the time. */
static void make_rows(void)
{
    uint64_t state = 7;
    for (uint32_t i = 0; i < ROWS; i++) {
        float *v = values + i * FEATURES;
        for (uint32_t k = 0; k < FEATURES; k++)
            v[k] = (float)draw(&state);
        v[2] = roundf(v[0] * 4) / 4;
        if (draw(&state) < 0.5)
            v[4] = NAN;
        double worth = 2 * (double)v[0] - (v[0] > 0.5f ? (double)v[1] : 0) + 0.3 * draw(&state);
        evidence[i] = 0.5f + (float)(i % 4);
        labels[i] = worth > 1.4 ? 3 : worth > 1 ? 2 : worth > 0.7 ? 1 : 0;
        ends[i / DOCS] = i + 1;
        weights[i / DOCS] = 1 + (float)(i / DOCS % 3);
        hashes[i / DOCS] = i / DOCS * UINT64_C(2654435761);
    }
}

static void open(void)
{
    arena_init(&arena, 4096);
    make_rows();
    memset(monotone, 0, sizeof monotone);
    d = (struct rank_data){ FEATURES, QUERIES, ROWS, ends, weights, hashes, labels, evidence, values };
    params = (struct rank_params){ .lambda = { RANK_EXPONENTIAL, 30, 10 },
                                   .trees = 30,
                                   .depth = 4,
                                   .threads = 1,
                                   .iterations = 2000,
                                   .learning_rate = 0.2,
                                   .min_child_weight = 1,
                                   .subsample = 1,
                                   .colsample = 1,
                                   .l2 = 1,
                                   .seed = 1,
                                   .features = FEATURES,
                                   .names = names,
                                   .monotone = monotone };
}

static void close(void)
{
    arena_release(&arena);
}

TestSuite(rank, .init = open, .fini = close);

/* ---- data ---- */

Test(rank, data_reads_as_it_was_written_and_damaged_data_not_at_all)
{
    AUTO(buf_release) struct buf b;
    struct rank_data r;
    buf_init(&b, 1 << 20);
    cr_assert(rank_data_write(&d, &b, &err));
    cr_assert(rank_data_read(buf_str(&b), &r, &err));
    cr_assert(eq(u64, r.rows, ROWS));
    cr_assert(eq(int, memcmp(r.values, values, sizeof values), 0));
    cr_assert(eq(int, memcmp(r.ends, ends, sizeof ends), 0));
    cr_assert(eq(int, memcmp(r.evidence, evidence, sizeof evidence), 0));
    cr_assert(not(rank_data_read((struct str){ b.p, b.n - 8 }, &r, &err)));
    ends[3] = ends[2];
    buf_clear(&b);
    cr_assert(rank_data_write(&d, &b, &err));
    cr_assert(not(rank_data_read(buf_str(&b), &r, &err)));
}

Test(rank, parts_are_every_query_once)
{
    uint32_t queries = 0;
    for (uint32_t i = 0; i < 3; i++) {
        struct rank_data in, out;
        rank_data_part(&d, (struct rank_part){ i, 3 }, true, &arena, &in);
        rank_data_part(&d, (struct rank_part){ i, 3 }, false, &arena, &out);
        cr_assert(eq(u64, in.rows + out.rows, ROWS));
        queries += in.queries;
    }
    cr_assert(eq(u32, queries, QUERIES));
}

/* ---- gradients ---- */

static double sure_of(uint32_t i, uint32_t j)
{
    return 2 * (double)evidence[i] * (double)evidence[j] / ((double)evidence[i] + (double)evidence[j]);
}

/* Plainly: all pairs, no table, no order but that of a second look. */
static void plain_query(uint32_t q, const float *scores, double *gradient, double *hessian)
{
    const uint32_t first = q * DOCS;
    uint32_t rank[DOCS];
    double ideal = 0, sum = 0;
    for (uint32_t i = 0; i < DOCS; i++) {
        uint32_t above = 0;
        rank[i] = 0;
        for (uint32_t j = 0; j < DOCS; j++) {
            rank[i] += scores[first + j] > scores[first + i] || (scores[first + j] == scores[first + i] && j < i);
            above += labels[first + j] > labels[first + i] || (labels[first + j] == labels[first + i] && j < i);
        }
        ideal += (exp2((double)labels[first + i]) - 1) / log2(2 + above);
        gradient[i] = hessian[i] = 0;
    }
    for (uint32_t i = 0; i < DOCS; i++)
        for (uint32_t j = 0; j < DOCS; j++) {
            if (labels[first + i] <= labels[first + j])
                continue;
            double apart = (double)scores[first + i] - (double)scores[first + j];
            double delta = (exp2((double)labels[first + i]) - exp2((double)labels[first + j])) *
                           fabs(1 / log2(2 + rank[i]) - 1 / log2(2 + rank[j])) / ideal / (0.01 + fabs(apart));
            delta *= sure_of(first + i, first + j);
            double p = 1 / (1 + exp(apart));
            gradient[i] -= p * delta;
            gradient[j] += p * delta;
            hessian[i] += p * (1 - p) * delta;
            hessian[j] += p * (1 - p) * delta;
            sum += 2 * p * delta;
        }
    for (uint32_t i = 0; i < DOCS; i++) {
        gradient[i] *= log2(1 + sum) / sum * (double)weights[q];
        hessian[i] *= log2(1 + sum) / sum * (double)weights[q];
    }
}

Test(rank, gradients_are_those_of_all_pairs)
{
    float scores[ROWS], gradient[ROWS], hessian[ROWS];
    uint64_t state = 3;
    for (uint32_t i = 0; i < ROWS; i++)
        scores[i] = (float)(3 * draw(&state));
    struct lambda *l = lambda_new(&d, &params.lambda);
    lambda_gradients(l, scores, gradient, hessian);
    lambda_free(l);
    for (uint32_t q = 0; q < QUERIES; q++) {
        double g[DOCS], h[DOCS];
        plain_query(q, scores, g, h);
        for (uint32_t i = 0; i < DOCS; i++) {
            cr_assert(epsilon_eq(dbl, (double)gradient[q * DOCS + i], g[i], 2e-3 * (0.1 + fabs(g[i]))));
            cr_assert(epsilon_eq(dbl, (double)hessian[q * DOCS + i], h[i], 2e-3 * (0.1 + h[i])));
        }
    }
}

Test(rank, ndcg_is_that_of_stats)
{
    float scores[ROWS];
    uint64_t state = 5;
    for (uint32_t i = 0; i < ROWS; i++)
        scores[i] = (float)draw(&state);
    struct lambda *l = lambda_new(&d, &params.lambda);
    for (uint32_t q = 0; q < QUERIES; q++) {
        double grades[DOCS], judged[DOCS];
        struct ranking r;
        for (uint32_t i = 0; i < DOCS; i++) {
            uint32_t rank = 0;
            for (uint32_t j = 0; j < DOCS; j++)
                rank += scores[q * DOCS + j] > scores[q * DOCS + i];
            grades[rank] = judged[i] = (double)labels[q * DOCS + i];
        }
        const struct ranking_rules rules = { .k = 10, .max_grade = 3, .relevant_at = 1, .rbp_p = 0.8 };
        cr_assert(ranking_score(grades, DOCS, judged, DOCS, &rules, &r, &err));
        cr_assert(epsilon_eq(dbl, lambda_ndcg_query(l, q, scores), r.ndcg_exp, 1e-6));
    }
    lambda_free(l);
}

/* ---- trees ---- */

static void train(struct ranker_forest *f, struct buf *section, struct ranker *r)
{
    struct trees_watch watch = { .tick = NULL };
    cr_assert(trees_train(&d, &params, &watch, &arena, f, &err), "%s", err.text);
    buf_init(section, 1 << 24);
    cr_assert(ranker_forest_write(f, section, &err));
    cr_assert(ranker_read(buf_str(section), &arena, r, &err));
}

Test(rank, trees_learn_and_are_the_same_again)
{
    struct ranker_forest f;
    struct buf once, again;
    struct ranker r;
    float scores[ROWS];
    train(&f, &once, &r);
    ranker_score(&r, values, ROWS, scores);
    struct lambda *l = lambda_new(&d, &params.lambda);
    cr_assert(gt(dbl, lambda_ndcg(l, scores), 0.95));
    lambda_free(l);
    train(&f, &again, &r);
    cr_assert(eq(sz, once.n, again.n));
    cr_assert(eq(int, memcmp(once.p, again.p, once.n), 0));
    buf_release(&once);
    buf_release(&again);
}

/* "<" and "<=" send every training value to the same side. */
Test(rank, thresholds_lie_between_values)
{
    struct ranker_forest f;
    struct buf section;
    struct ranker r;
    uint32_t splits = 0;
    train(&f, &section, &r);
    for (uint32_t t = 0; t < f.trees_count; t++)
        for (uint32_t i = 0; i < f.trees[t].count; i++) {
            const struct ranker_tree_node *n = &f.trees[t].nodes[i];
            for (uint32_t row = 0; n->left && row < ROWS; row++)
                cr_assert(ne(flt, values[row * FEATURES + n->feature], n->threshold));
            splits += n->left != 0;
        }
    cr_assert(gt(u32, splits, 100));
    buf_release(&section);
}

Test(rank, monotone_features_never_turn)
{
    struct ranker_forest f;
    struct buf section;
    struct ranker r;
    int falls[2] = { 0, 0 };
    for (int constrained = 0; constrained < 2; constrained++) {
        monotone[1] = (int8_t)-constrained;
        monotone[3] = (int8_t)constrained;
        train(&f, &section, &r);
        for (uint32_t row = 0; row < ROWS; row += 7)
            for (uint32_t k = 1; k <= 3; k += 2) {
                float v[FEATURES], score, last = k == 1 ? INFINITY : -INFINITY;
                memcpy(v, values + row * FEATURES, sizeof v);
                for (v[k] = 0; v[k] <= 1; v[k] += 0.02f, last = score) {
                    ranker_score(&r, v, 1, &score);
                    falls[constrained] += k == 1 ? score > last : score < last;
                }
            }
        buf_release(&section);
    }
    cr_assert(gt(int, falls[0], 0)); /* noise turns, unless it must not */
    cr_assert(eq(int, falls[1], 0));
}

Test(rank, queries_that_are_held_out_are_judged_after_each_tree)
{
    struct rank_data in, out;
    struct ranker_forest f;
    double curve[30];
    rank_data_part(&d, (struct rank_part){ 0, 4 }, true, &arena, &in);
    rank_data_part(&d, (struct rank_part){ 0, 4 }, false, &arena, &out);
    struct trees_watch watch = { .judge = &in, .curve = curve };
    cr_assert(trees_train(&out, &params, &watch, &arena, &f, &err));
    cr_assert(eq(u32, watch.rounds, 30));
    cr_assert(gt(dbl, curve[29], 0.85));
    params.early_stopping = 3;
    cr_assert(trees_train(&out, &params, &watch, &arena, &f, &err));
    cr_assert(lt(u32, watch.rounds, 30));
}

/* ---- linear models ---- */

/* The loss by its definition. */
static double loss_of(const struct linear *l, const double *by)
{
    double loss = 0, all = 0;
    for (uint32_t q = 0; q < QUERIES; q++) {
        double s[DOCS], pairs = 0, sum = 0, gains = 0, softmax = 0, list = 0;
        for (uint32_t i = 0; i < DOCS; i++) {
            s[i] = 0;
            for (uint32_t k = 0; k < FEATURES; k++) {
                double v = (double)values[(q * DOCS + i) * FEATURES + k];
                s[i] += isnan(v) ? 0
                                 : ((double)l->weights[k] + by[k]) * (v - (double)l->means[k]) / (double)l->scales[k];
            }
            gains += exp2((double)labels[q * DOCS + i]) - 1;
            softmax += exp(s[i]);
        }
        for (uint32_t i = 0; i < DOCS; i++) {
            list -= (exp2((double)labels[q * DOCS + i]) - 1) / gains * (s[i] - log(softmax));
            for (uint32_t j = 0; j < DOCS; j++) {
                double g = exp2((double)labels[q * DOCS + i]) - exp2((double)labels[q * DOCS + j]);
                g *= sure_of(q * DOCS + i, q * DOCS + j);
                if (g > 0) {
                    sum += g;
                    pairs += g * log1p(exp(s[j] - s[i]));
                }
            }
        }
        loss += (double)weights[q] * (params.objective == RANK_PAIRWISE ? pairs / sum : list);
        all += (double)weights[q];
    }
    loss /= all;
    for (uint32_t k = 0; k < FEATURES; k++)
        loss += params.l2 / 2 * ((double)l->weights[k] + by[k]) * ((double)l->weights[k] + by[k]);
    return loss;
}

Test(rank, linear_models_lie_at_the_minimum)
{
    params.l2 = 0.01;
    for (params.objective = RANK_PAIRWISE; params.objective <= RANK_LISTWISE; params.objective++) {
        struct linear l;
        double by[FEATURES] = { 0 };
        cr_assert(linear_train(&d, &params, NULL, NULL, &arena, &l, &err));
        const double least = loss_of(&l, by);
        cr_assert(epsilon_eq(dbl, l.loss, least, 1e-5));
        for (uint32_t k = 0; k < FEATURES; k++)
            for (int sign = -1; sign <= 1; sign += 2) {
                by[k] = 0.02 * sign;
                cr_assert(gt(dbl, loss_of(&l, by), least));
                by[k] = 0;
            }
    }
}

Test(rank, linear_models_keep_to_their_directions)
{
    struct linear l;
    params.objective = RANK_PAIRWISE;
    params.l2 = 0.01;
    monotone[0] = -1; /* the wrong way */
    monotone[2] = 1;
    cr_assert(linear_train(&d, &params, NULL, NULL, &arena, &l, &err));
    cr_assert(eq(flt, l.weights[0], 0));
    cr_assert(gt(flt, l.weights[2], 0));
}

/* ---- labels from clicks ---- */

/* Document a always above b; b is clicked half as often, and looked at half as often: it is as good. */
Test(rank, labels_of_clicks_are_corrected_for_places)
{
    const struct str docs[] = { { "a", 1 }, { "b", 1 } };
    const uint32_t order[] = { 0, 1 };
    const struct serp_pattern patterns[] = { { order, NULL, 0, 60, 0, 2, 0 },
                                             { order, NULL, 1, 20, 0, 2, 0 },
                                             { order, NULL, 2, 10, 0, 2, 1 },
                                             { order, NULL, 3, 10, 0, 2, 1 } };
    const struct serp_query q = { .docs = docs, .patterns = patterns, .docs_count = 2, .patterns_count = 4 };
    struct click_rules rules = { .examination = { 1, 0.5 }, .clip = 20, .prior = 0 };
    struct click_places places = { .shown = { 0 } };
    struct click_sums sums[2] = { { .shown = 0 } }, total = { .shown = 0 };
    click_places_add(&places, &q);
    click_sums_add(&q, &rules, &places, sums);
    click_sums_total(sums, 2, &total);
    cr_assert(epsilon_eq(dbl, click_label(&sums[0], &rules), 0.3, 1e-12));
    cr_assert(epsilon_eq(dbl, click_label(&sums[1], &rules), 0.2, 1e-12));
    for (rules.debias = DEBIAS_IPS; rules.debias <= DEBIAS_RATIO; rules.debias++) {
        cr_assert(epsilon_eq(dbl, click_label(&sums[0], &rules), 0.3, 1e-12));
        cr_assert(epsilon_eq(dbl, click_label(&sums[1], &rules), 0.4, 1e-12));
    }
    cr_assert(eq(flt, click_feature_value(CLICK_IMPRESSIONS, &sums[1], &sums[1], &total), 100));
    cr_assert(epsilon_eq(flt, click_feature_value(CLICK_COEC, &sums[1], &sums[1], &total), 1, 1e-6));
    cr_assert(epsilon_eq(flt, click_feature_value(CLICK_CTR, NULL, &sums[1], &total), 0.25, 1e-6));
    rules.clip = 1.25; /* no place is looked at less often than 0.8 */
    memset(sums, 0, sizeof sums);
    click_sums_add(&q, &rules, &places, sums);
    rules.debias = DEBIAS_IPS;
    cr_assert(epsilon_eq(dbl, click_label(&sums[1], &rules), 0.25, 1e-12));
}

Test(rank, params_read_as_they_were_written)
{
    struct rank_params r;
    struct str text;
    monotone[3] = -1;
    params.objective = RANK_LISTWISE;
    cr_assert(rank_params_write(&params, &arena, &text, &err));
    cr_assert(rank_params_read(text, &arena, &r, &err));
    cr_assert(eq(int, (int)r.objective, RANK_LISTWISE));
    cr_assert(eq(u32, r.features, FEATURES));
    cr_assert(eq(int, r.monotone[3], -1));
    cr_assert(eq(dbl, r.learning_rate, 0.2));
    cr_assert(not(rank_params_read(STR("{\"objective\": \"svm\"}"), &arena, &r, &err)));
}
