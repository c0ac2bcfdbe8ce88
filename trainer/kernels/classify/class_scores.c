#include "trainer/kernels/classify/class_scores.h"

#include <math.h>

#include "model/softmax.h"

enum { TP, FP, FN, KINDS };

static size_t counts_of(const struct class_scores *s)
{
    return (size_t)SCORES_GROUPS * s->classes * KINDS;
}

static size_t cells_of(const struct class_scores *s)
{
    return (size_t)s->classes * s->classes;
}

void class_scores_init(struct class_scores *s, uint32_t classes, bool champion, struct arena *arena)
{
    *s = (struct class_scores){ .classes = classes, .champion = champion };
    for (int side = 0; side < SIDE_COUNT; side++)
        s->counts[side] = arena_zalloc(arena, counts_of(s) * sizeof(double));
    s->confusion = arena_zalloc(arena, cells_of(s) * sizeof(double));
}

/* ---- a text ---- */

static double share_of(const struct example *e, uint32_t class)
{
    for (uint32_t i = 0; i < e->labels_count; i++)
        if (e->labels[i].label == class)
            return e->labels[i].share;
    return 0;
}

static void values_of(const struct example *e, const struct class_said *said, double out[SCORE_COUNT])
{
    out[SCORE_TOP3] = out[SCORE_LIKELIHOOD] = 0;
    for (uint32_t i = 0; i < said->best_count; i++)
        out[SCORE_TOP3] += share_of(e, said->best[i]);
    out[SCORE_ACCURACY] = share_of(e, said->best[0]);
    for (uint32_t i = 0; i < e->labels_count; i++)
        out[SCORE_LIKELIHOOD] += e->labels[i].share * softmax_log(fmax(said->p[e->labels[i].label], SCORES_LEAST));
}

static void count(struct class_scores *s, enum class_side side, const struct example *e, uint32_t group,
                  const struct class_said *said)
{
    double *counts = s->counts[side] + (size_t)group * s->classes * KINDS;
    const uint32_t best = said->best[0];
    const double right = share_of(e, best);
    for (uint32_t i = 0; i < e->labels_count; i++) {
        const uint32_t label = e->labels[i].label;
        counts[KINDS * label + (label == best ? TP : FN)] += e->labels[i].share;
        if (side == SIDE_CANDIDATE)
            s->confusion[(size_t)label * s->classes + best] += e->labels[i].share;
    }
    if (best != UINT32_MAX)
        counts[KINDS * best + FP] += 1 - right;
    const double at = said->best_p * SCORES_BINS;
    struct class_bin *bin = &s->bins[side][group][at < SCORES_BINS ? (uint32_t)at : SCORES_BINS - 1];
    bin->texts += 1;
    bin->right += right;
    bin->probability += said->best_p;
}

void class_scores_add(struct class_scores *s, const struct example *e, uint32_t group,
                      const struct class_said *candidate, const struct class_said *champion)
{
    double x[SCORE_COUNT], y[SCORE_COUNT];
    values_of(e, candidate, x);
    values_of(e, champion ? champion : candidate, y);
    for (int k = 0; k < SCORE_COUNT; k++)
        moments2_add(&s->m[k], x[k], y[k]);
    count(s, SIDE_CANDIDATE, e, group, candidate);
    if (champion)
        count(s, SIDE_CHAMPION, e, group, champion);
}

/* ---- from worker to coordinator ---- */

void class_scores_write(const struct class_scores *s, struct buf *out)
{
    record_put(out, s->m, sizeof s->m);
    for (int side = 0; side < SIDE_COUNT; side++)
        record_put(out, s->counts[side], counts_of(s) * sizeof(double));
    record_put(out, s->bins, sizeof s->bins);
    record_put(out, s->confusion, cells_of(s) * sizeof(double));
}

static bool add_all(struct str *in, double *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double v;
        if (!record_take(in, &v, sizeof v))
            return false;
        to[i] += v;
    }
    return true;
}

bool class_scores_read(struct class_scores *s, struct str bytes, struct moments2 out_m[SCORE_COUNT])
{
    bool ok = record_take(&bytes, out_m, sizeof s->m);
    for (int side = 0; side < SIDE_COUNT; side++)
        ok = ok && add_all(&bytes, s->counts[side], counts_of(s));
    ok = ok && add_all(&bytes, &s->bins[0][0][0].texts, sizeof s->bins / sizeof(double));
    return ok && add_all(&bytes, s->confusion, cells_of(s)) && bytes.n == 0;
}

/* ---- of the whole ---- */

struct class_bin class_scores_bin(const struct class_scores *s, enum class_side side, uint32_t bin)
{
    struct class_bin sum = { 0, 0, 0 };
    for (uint32_t g = 0; g < SCORES_GROUPS; g++) {
        sum.texts += s->bins[side][g][bin].texts;
        sum.right += s->bins[side][g][bin].right;
        sum.probability += s->bins[side][g][bin].probability;
    }
    return sum;
}

void class_scores_counts(const struct class_scores *s, enum class_side side, uint32_t class, double out[3])
{
    for (int k = 0; k < KINDS; k++) {
        out[k] = 0;
        for (uint32_t g = 0; g < SCORES_GROUPS; g++)
            out[k] += s->counts[side][((size_t)g * s->classes + class) * KINDS + (size_t)k];
    }
}

static double macro_f1(const struct class_scores *s, enum class_side side, uint32_t left_out)
{
    double sum = 0;
    uint32_t classes = 0;
    for (uint32_t c = 0; c < s->classes; c++) {
        double n[KINDS];
        class_scores_counts(s, side, c, n);
        for (int k = 0; k < KINDS && left_out < SCORES_GROUPS; k++)
            n[k] -= s->counts[side][((size_t)left_out * s->classes + c) * KINDS + (size_t)k];
        if (n[TP] + n[FP] + n[FN] < 1e-9)
            continue;
        sum += 2 * n[TP] / (2 * n[TP] + n[FP] + n[FN]);
        classes++;
    }
    return classes ? sum / classes : 0;
}

static double ece(const struct class_scores *s, enum class_side side, uint32_t left_out)
{
    double sum = 0, texts = 0;
    for (uint32_t b = 0; b < SCORES_BINS; b++) {
        struct class_bin bin = class_scores_bin(s, side, b);
        if (left_out < SCORES_GROUPS) {
            bin.texts -= s->bins[side][left_out][b].texts;
            bin.right -= s->bins[side][left_out][b].right;
            bin.probability -= s->bins[side][left_out][b].probability;
        }
        sum += fabs(bin.right - bin.probability);
        texts += bin.texts;
    }
    return texts > 0 ? sum / texts : 0;
}

static bool has_texts(const struct class_scores *s, uint32_t group)
{
    double texts = 0;
    for (uint32_t b = 0; b < SCORES_BINS; b++)
        texts += s->bins[SIDE_CANDIDATE][group][b].texts;
    return texts > 0;
}

/* se² = (G - 1)/G Σ (θ_-g - mean)² (B. Efron, The Jackknife, 1982) */
static double jackknife(const double *v, uint32_t n)
{
    double mean = 0, sum = 0;
    for (uint32_t g = 0; g < n; g++)
        mean += v[g] / n;
    for (uint32_t g = 0; g < n; g++)
        sum += (v[g] - mean) * (v[g] - mean);
    return sqrt(sum * (n - 1) / n);
}

bool class_scores_whole(const struct class_scores *s, enum class_whole which, struct class_value *out)
{
    double (*of)(const struct class_scores *, enum class_side, uint32_t) = which == WHOLE_MACRO_F1 ? macro_f1 : ece;
    double left[SIDE_COUNT][SCORES_GROUPS], difference[SCORES_GROUPS];
    const int sides = s->champion ? SIDE_COUNT : 1;
    uint32_t n = 0;
    *out = (struct class_value){ .difference = 0 };
    for (uint32_t g = 0; g < SCORES_GROUPS; g++) {
        if (!has_texts(s, g))
            continue;
        for (int side = 0; side < sides; side++)
            left[side][n] = of(s, (enum class_side)side, g);
        difference[n] = sides == SIDE_COUNT ? left[SIDE_CANDIDATE][n] - left[SIDE_CHAMPION][n] : 0;
        n++;
    }
    if (n < 2)
        return false;
    for (int side = 0; side < sides; side++) {
        out->value[side] = of(s, (enum class_side)side, SCORES_GROUPS);
        out->se[side] = jackknife(left[side], n);
    }
    out->difference = out->value[SIDE_CANDIDATE] - out->value[SIDE_CHAMPION];
    out->difference_se = jackknife(difference, n);
    return true;
}
