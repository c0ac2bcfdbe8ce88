#include "trainer/jobs/click_report.h"

#include <math.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "stats/special/special.h"

static double z95(void)
{
    return special_normal_qinv(0.025);
}

/* ---- scores ---- */

/* A ratio of sums over queries, Σ x / Σ y, with its linearised interval. */
static void ratio(const struct moments2 *m, double *out, double *low, double *high)
{
    *out = *low = *high = NAN;
    if (m->n == 0 || !(m->mean_y > 0))
        return;
    double n = (double)m->n, r = m->mean_x / m->mean_y, m2 = m->m2_x - 2 * r * m->cxy + r * r * m->m2_y;
    *out = r;
    if (m->n < 2)
        return;
    double half = z95() * sqrt(m2 > 0 ? m2 / (n * (n - 1)) : 0) / m->mean_y;
    *low = r - half;
    *high = r + half;
}

struct click_score click_score_of(const struct click_train *t, enum click_model m)
{
    struct click_score s = { .perplexity = NAN, .perplexity_low = NAN, .perplexity_high = NAN };
    const struct moments2 *l = &t->evaluation.loglikelihood[m];
    uint32_t positions = t->means.positions;
    double sum = 0, n = (double)l->n, more = l->n > 1 ? n / (n - 1) : NAN;
    ratio(l, &s.loglikelihood, &s.loglikelihood_low, &s.loglikelihood_high);
    for (uint32_t r = 0; r < positions; r++) {
        double half = z95() * sqrt(more * t->spread.at[m][r]);
        s.at[r] = exp2(-t->means.bits[m][r]);
        s.at_low[r] = s.at[r] - half;
        s.at_high[r] = s.at[r] + half;
        sum += s.at[r];
    }
    if (positions) {
        double half = z95() * sqrt(more * t->spread.all[m]);
        s.perplexity = sum / positions;
        s.perplexity_low = s.perplexity - half;
        s.perplexity_high = s.perplexity + half;
    }
    return s;
}

enum click_model click_choose(const struct click_train *t)
{
    const char *asked = t->run->param(t->run, "click_model");
    bool by_perplexity = strcmp(t->run->param(t->run, "choose_by"), "perplexity") == 0;
    enum click_model best = CLICK_PBM;
    double least = INFINITY;
    if (strcmp(asked, "auto") != 0)
        return click_model_named(str_of(asked));
    for (int m = CLICK_DCTR; m < CLICK_MODEL_COUNT && t->means.positions; m++) {
        struct click_score s = click_score_of(t, (enum click_model)m);
        double v = by_perplexity ? s.perplexity : -s.loglikelihood;
        if (v < least) {
            least = v;
            best = (enum click_model)m;
        }
    }
    return best;
}

/* ---- propensities ---- */

double click_examination(const struct click_train *t, enum click_model m, uint32_t r)
{
    const struct click_evaluation *e = &t->evaluation;
    double first = e->trained[0] > 0 ? e->looked[m][0] / e->trained[0] : 1;
    return e->trained[r] > 0 ? e->looked[m][r] / e->trained[r] / first : NAN;
}

/* ln of the ratio of two rates; its variance is gᵀ M g, of its gradient in the four sums (kernels/click_models/click_models.h). */
bool click_swap_of(const struct click_swaps *s, uint32_t r, struct click_swap *out)
{
    const double *v = s->sums[r], *moments = s->moments[r];
    if (!(v[0] > 0 && v[1] > 0 && v[2] > 0 && v[3] > 0))
        return false;
    double g[CLICK_SWAP_SUMS] = { 1 / v[0], -1 / v[1], -1 / v[2], 1 / v[3] }, variance = 0, n = s->queries[r];
    for (int a = 0, k = 0; a < CLICK_SWAP_SUMS; a++)
        for (int b = a; b < CLICK_SWAP_SUMS; b++)
            variance += g[a] * g[b] * moments[k++] * (a == b ? 1 : 2);
    double half = n > 1 ? z95() * sqrt(variance > 0 ? variance * n / (n - 1) : 0) : (double)NAN;
    out->examination = v[0] / v[1] / (v[2] / v[3]);
    out->low = out->examination * exp(-half);
    out->high = out->examination * exp(half);
    out->queries = n;
    return true;
}

static void add_position(struct lists_out *o, uint32_t r, double examination)
{
    char name[16];
    int n = snprintf(name, sizeof name, "%u", r + 1);
    lists_add(o, (struct str){ name, (size_t)n }, (const float[]){ (float)examination });
}

void click_report_propensity(const struct click_train *t, struct lists_out *out)
{
    static const char *const columns[] = { "examination" };
    struct click_swap swap;
    lists_begin(out, columns, COUNT_OF(columns));
    for (int m = 0; m < CLICK_MODEL_COUNT; m++) {
        if (m == CLICK_GCTR || m == CLICK_DCTR)
            continue;
        lists_key(out, str_of(click_model_name((enum click_model)m)));
        for (uint32_t r = 0; r < t->g.positions && t->evaluation.trained[r] > 0; r++)
            add_position(out, r, click_examination(t, (enum click_model)m, r));
    }
    if (!click_swap_of(&t->totals.swaps, 1, &swap))
        return;
    lists_key(out, STR("swaps"));
    add_position(out, 0, 1);
    for (uint32_t r = 1; r < t->g.positions && click_swap_of(&t->totals.swaps, r, &swap); r++)
        add_position(out, r, swap.examination);
}

/* ---- as JSON ---- */

static void put_parameter(void *arg, struct str name, double *value)
{
    char key[64];
    (void)snprintf(key, sizeof key, STR_FMT, STR_ARG(name));
    jsonw_double(arg, key, *value);
}

static void put_positions(struct jsonw *w, const char *key, const double *values, uint32_t count)
{
    jsonw_open(w, key, '[');
    for (uint32_t r = 0; r < count; r++)
        jsonw_double(w, NULL, values[r]);
    jsonw_close(w);
}

static void put_trace(struct jsonw *w, const struct click_trace *c)
{
    jsonw_i64(w, "iterations", c->iterations);
    jsonw_bool(w, "converged", c->converged);
    jsonw_bool(w, "never_fell", !c->fell);
    jsonw_double(w, "trained_loglikelihood", c->loglikelihood);
    jsonw_open(w, "objective", '[');
    for (uint32_t i = 0; i < c->iterations; i++)
        jsonw_double(w, NULL, (double)c->objective[i]);
    jsonw_close(w);
}

static void put_model(struct jsonw *w, const struct click_train *t, enum click_model m)
{
    struct click_score s = click_score_of(t, m);
    struct click_globals g = t->g;
    double examination[CLICK_POSITIONS];
    uint32_t shown = 0;
    for (; shown < t->g.positions && t->evaluation.trained[shown] > 0; shown++)
        examination[shown] = click_examination(t, m, shown);
    jsonw_open(w, click_model_name(m), '{');
    jsonw_open(w, "parameters", '{');
    click_each_parameter(m, &g, put_parameter, w);
    jsonw_close(w);
    jsonw_double(w, "loglikelihood", s.loglikelihood);
    jsonw_double(w, "loglikelihood_low", s.loglikelihood_low);
    jsonw_double(w, "loglikelihood_high", s.loglikelihood_high);
    jsonw_double(w, "perplexity", s.perplexity);
    jsonw_double(w, "perplexity_low", s.perplexity_low);
    jsonw_double(w, "perplexity_high", s.perplexity_high);
    put_positions(w, "perplexity_at_rank", s.at, t->means.positions);
    put_positions(w, "perplexity_at_rank_low", s.at_low, t->means.positions);
    put_positions(w, "perplexity_at_rank_high", s.at_high, t->means.positions);
    put_positions(w, "examination", examination, shown);
    if (click_model_is_em(m))
        put_trace(w, &t->traces[m]);
    jsonw_close(w);
}

static void put_swaps(struct jsonw *w, const struct click_train *t)
{
    struct click_swap s;
    if (!click_swap_of(&t->totals.swaps, 1, &s))
        return;
    jsonw_open(w, "swaps", '[');
    for (uint32_t r = 1; r < t->g.positions && click_swap_of(&t->totals.swaps, r, &s); r++) {
        jsonw_open(w, NULL, '{');
        jsonw_i64(w, "position", r + 1);
        jsonw_double(w, "examination", s.examination);
        jsonw_double(w, "low", s.low);
        jsonw_double(w, "high", s.high);
        jsonw_i64(w, "queries", (int64_t)s.queries);
        jsonw_close(w);
    }
    jsonw_close(w);
}

void click_report_models(const struct click_train *t, enum click_model chosen, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "chosen", click_model_name(chosen));
    for (int m = 0; m < CLICK_MODEL_COUNT; m++)
        put_model(&w, t, (enum click_model)m);
    put_swaps(&w, t);
    jsonw_close(&w);
}
