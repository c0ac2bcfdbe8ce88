#include "trainer/kernels/click_models/click_em.h"

#include <math.h>

#include "trainer/kernels/click_models/click_chain.h"

struct click_work {
    struct click_reach *reach;
    double *alpha, *after;
    size_t room;
    double log_pbm[CLICK_POSITIONS], log_ubm[CLICK_SLOTS];
};

struct click_work *click_work_new(const struct click_globals *g)
{
    struct click_work *w = mem_zalloc(sizeof *w);
    for (uint32_t r = 0; r < g->positions; r++)
        w->log_pbm[r] = log(g->pbm[r]);
    for (uint32_t s = 0; s < click_slot(g->positions, 0); s++)
        w->log_ubm[s] = log(g->ubm[s]);
    return w;
}

void click_work_free(struct click_work *w)
{
    if (!w)
        return;
    mem_free(w->reach);
    mem_free(w->alpha);
    mem_free(w->after);
    mem_free(w);
}

static void make_room(struct click_work *w, size_t docs)
{
    if (docs <= w->room)
        return;
    w->room = 2 * docs;
    w->reach = mem_realloc(w->reach, w->room * sizeof *w->reach);
    w->alpha = mem_realloc(w->alpha, w->room * sizeof *w->alpha);
    w->after = mem_realloc(w->after, w->room * sizeof *w->after);
}

/* Log density, up to a constant, of Beta(1 + strength · mean, 1 + strength · (1 - mean)). */
static double log_prior(double strength, double mean, double x)
{
    return strength * (mean * log(x) + (1 - mean) * log1p(-x));
}

/* ---- pbm, ubm: cells ---- */

struct cells_model {
    struct click_cells cells;
    const double *gamma;
    double (*counts)[2];
    double *objective, *loglikelihood;
};

/* A click: the document was looked at. A skip: it was with p = γ (1 - α) / (1 - γ α) = 1 - (1 - γ) / (1 - γ α). */
static double looked_at(const struct click_cell *c, size_t count, const double *gamma, double alpha)
{
    double looked = 0;
    for (size_t i = 0; i < count; i++) {
        double g = gamma[c[i].key];
        looked += c[i].skips * (1 - (1 - g) / (1 - g * alpha));
    }
    return looked;
}

/* The same, and what improves γ. */
static double count_cells(const struct click_cell *c, size_t count, const struct cells_model *m,
                          const double *log_gamma, double alpha, double *loglikelihood)
{
    double looked = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        double g = m->gamma[c[i].key], clicks = c[i].clicks, skips = c[i].skips, rest = 1 - g * alpha,
               p = skips * (1 - (1 - g) / rest);
        sum += clicks * log_gamma[c[i].key] + (c[i].skips ? skips * log(rest) : 0);
        looked += p;
        m->counts[c[i].key][0] += clicks + p;
        m->counts[c[i].key][1] += clicks + skips;
    }
    *loglikelihood = sum;
    return looked;
}

/* One document with its cells. */
static double improve_doc(const struct click_cell *c, size_t count, const struct click_globals *g,
                          const struct cells_model *m, const double *log_gamma, double alpha)
{
    double clicks = 0, loglikelihood;
    for (size_t i = 0; i < count; i++)
        clicks += c[i].clicks;
    const double seen = clicks + g->prior * g->mean;
    for (uint32_t k = 1; k < g->sweeps; k++)
        alpha = seen / (clicks + looked_at(c, count, m->gamma, alpha) + g->prior);
    double looked = count_cells(c, count, m, log_gamma, alpha, &loglikelihood);
    double log_alpha = log(alpha);
    loglikelihood += clicks * log_alpha;
    *m->loglikelihood += loglikelihood;
    *m->objective += loglikelihood + g->prior * (g->mean * log_alpha + (1 - g->mean) * log(1 - alpha));
    return seen / (clicks + looked + g->prior);
}

static void improve_cells(struct click_query *q, const struct click_globals *g, const double *log_gamma,
                          const struct cells_model *m, size_t offset)
{
    const struct click_cell *c = m->cells.of;
    for (size_t i = 0, end; i < m->cells.count; i = end) {
        double *alpha = (double *)(void *)((char *)&q->of[c[i].doc] + offset);
        for (end = i + 1; end < m->cells.count && c[end].doc == c[i].doc;)
            end++;
        *alpha = improve_doc(c + i, end - i, g, m, log_gamma, *alpha);
    }
}

static void improve_pbm(struct click_query *q, const struct click_globals *g, struct click_work *w,
                        struct click_counts *counts)
{
    const struct cells_model m = { q->places, g->pbm, counts->pbm, &counts->objective[CLICK_PBM],
                                   &counts->loglikelihood[CLICK_PBM] };
    improve_cells(q, g, w->log_pbm, &m, offsetof(struct click_doc, pbm));
}

static void improve_ubm(struct click_query *q, const struct click_globals *g, struct click_work *w,
                        struct click_counts *counts)
{
    const struct cells_model m = { q->slots, g->ubm, counts->ubm, &counts->objective[CLICK_UBM],
                                   &counts->loglikelihood[CLICK_UBM] };
    improve_cells(q, g, w->log_ubm, &m, offsetof(struct click_doc, ubm));
}

/* ---- dbn ---- */

static void count_dbn(const struct click_query *q, const struct click_globals *g, const struct click_tails *t,
                      struct click_counts *counts)
{
    double loglikelihood = t->log_t, prior = 0;
    counts->dbn[0] += t->passed;
    counts->dbn[1] += t->open;
    for (uint32_t d = 0; d < q->docs_count; d++) {
        const struct click_doc *c = &q->of[d];
        if (c->train.shown == 0)
            continue;
        loglikelihood += c->train.clicks * log(c->dbn) + c->train.above * log(g->dbn * (1 - c->dbn)) +
                         c->train.gone_on * log(g->dbn * (1 - c->satisfied));
        prior += log_prior(g->prior, g->mean, c->dbn) + log_prior(g->prior, 0.5, c->satisfied);
    }
    counts->loglikelihood[CLICK_DBN] += loglikelihood;
    counts->objective[CLICK_DBN] += loglikelihood + prior;
}

/* Satisfied at the last click: σ / T; it went on: g (1 - σ) b / T. */
static void improve_dbn_docs(struct click_query *q, const struct click_globals *g, const struct click_work *w,
                             struct click_counts *counts)
{
    for (uint32_t d = 0; d < q->docs_count; d++) {
        struct click_doc *c = &q->of[d];
        const struct click_sums *s = &c->train;
        const struct click_reach *r = &w->reach[d];
        if (s->shown == 0)
            continue;
        double satisfied = c->satisfied * r->t, went_on = g->dbn * (1 - c->satisfied) * r->bt;
        if (counts) {
            counts->dbn[0] += (double)s->above + s->gone_on + went_on;
            counts->dbn[1] += (double)s->above + s->gone_on + (s->last - (double)s->at_end) - satisfied;
        }
        c->dbn = (s->clicks + g->prior * g->mean) / ((double)s->clicks + s->above + r->looked + g->prior);
        c->satisfied = (satisfied + g->prior / 2) / (s->clicks - (double)s->at_end + g->prior);
    }
}

static void improve_dbn(struct click_query *q, const struct click_globals *g, struct click_work *w,
                        struct click_counts *counts)
{
    for (uint32_t k = 1; k <= g->sweeps; k++) {
        struct click_tails tails = { 0 };
        const struct click_chain chain = { .goes_on = g->dbn, .alpha = w->alpha, .after = w->after };
        memset(w->reach, 0, q->docs_count * sizeof *w->reach);
        for (uint32_t d = 0; d < q->docs_count; d++) {
            w->alpha[d] = q->of[d].dbn;
            w->after[d] = g->dbn * (1 - q->of[d].satisfied);
        }
        click_chain_follow(q, false, &chain, w->reach, &tails);
        if (k == g->sweeps)
            count_dbn(q, g, &tails, counts);
        improve_dbn_docs(q, g, w, k == g->sweeps ? counts : NULL);
    }
}

/* ---- ccm ---- */

static void count_ccm(const struct click_query *q, const struct click_globals *g, const struct click_work *w,
                      const struct click_tails *t, struct click_counts *counts)
{
    double loglikelihood = t->log_t, prior = 0;
    counts->ccm[0][0] += t->passed;
    counts->ccm[0][1] += t->open;
    for (uint32_t d = 0; d < q->docs_count; d++) {
        const struct click_doc *c = &q->of[d];
        if (c->train.shown == 0)
            continue;
        loglikelihood += c->train.clicks * log(c->ccm) + c->train.above * log(g->ccm[0] * (1 - c->ccm)) +
                         c->train.gone_on * log(w->after[d]);
        prior += log_prior(g->prior, g->mean, c->ccm);
        counts->ccm[0][0] += c->train.above;
        counts->ccm[0][1] += c->train.above;
    }
    counts->loglikelihood[CLICK_CCM] += loglikelihood;
    counts->objective[CLICK_CCM] += loglikelihood + prior;
}

/* S, drawn at each click: with α the user goes on with τ3, else with τ2. Of clicks that were gone on from: P(S | it) = α τ3 / c1; of the last one
 * α (1 - τ3 + τ3 b) / T, and together with going on α τ3 b / T. */
static void improve_ccm_docs(struct click_query *q, const struct click_globals *g, const struct click_work *w,
                             struct click_counts *counts)
{
    double t2 = g->ccm[1], t3 = g->ccm[2];
    for (uint32_t d = 0; d < q->docs_count; d++) {
        struct click_doc *c = &q->of[d];
        const struct click_sums *s = &c->train;
        const struct click_reach *r = &w->reach[d];
        if (s->shown == 0)
            continue;
        double a = c->ccm, gone = s->gone_on * a * t3 / w->after[d], lasts = s->last - (double)s->at_end,
               last = a * ((1 - t3) * r->t + t3 * r->bt);
        if (counts) {
            counts->ccm[1][0] += s->gone_on - gone + (1 - a) * t2 * r->bt;
            counts->ccm[1][1] += s->gone_on - gone + lasts - last;
            counts->ccm[2][0] += gone + a * t3 * r->bt;
            counts->ccm[2][1] += gone + last;
        }
        c->ccm = (s->clicks + gone + last + g->prior * g->mean) /
                 ((double)s->clicks + s->above + r->looked + (double)s->gone_on + lasts + g->prior);
    }
}

static void improve_ccm(struct click_query *q, const struct click_globals *g, struct click_work *w,
                        struct click_counts *counts)
{
    for (uint32_t k = 1; k <= g->sweeps; k++) {
        struct click_tails tails = { 0 };
        const struct click_chain chain = { .goes_on = g->ccm[0], .alpha = w->alpha, .after = w->after };
        memset(w->reach, 0, q->docs_count * sizeof *w->reach);
        for (uint32_t d = 0; d < q->docs_count; d++) {
            w->alpha[d] = q->of[d].ccm;
            w->after[d] = g->ccm[1] * (1 - q->of[d].ccm) + g->ccm[2] * q->of[d].ccm;
        }
        click_chain_follow(q, false, &chain, w->reach, &tails);
        if (k == g->sweeps)
            count_ccm(q, g, w, &tails, counts);
        improve_ccm_docs(q, g, w, k == g->sweeps ? counts : NULL);
    }
}

/* ---- all ---- */

void click_em_step(struct click_query *q, const struct click_globals *g, struct click_work *w,
                   struct click_counts *counts)
{
    make_room(w, q->docs_count);
    if (g->active >> CLICK_PBM & 1)
        improve_pbm(q, g, w, counts);
    if (g->active >> CLICK_UBM & 1)
        improve_ubm(q, g, w, counts);
    if (g->active >> CLICK_DBN & 1)
        improve_dbn(q, g, w, counts);
    if (g->active >> CLICK_CCM & 1)
        improve_ccm(q, g, w, counts);
}

void click_counts_add(struct click_counts *to, const struct click_counts *from)
{
    double *a = (double *)(void *)to;
    const double *b = (const double *)(const void *)from;
    for (size_t i = 0; i < sizeof *to / sizeof *a; i++)
        a[i] += b[i];
}

/* One success and one failure are added. The objective is of the value before. */
static void improve(double *value, const double count[2], double *objective)
{
    *objective += log_prior(2, 0.5, *value);
    *value = (count[0] + 1) / (count[1] + 2);
}

void click_globals_step(struct click_globals *g, struct click_counts *counts)
{
    for (uint32_t r = 1; r < g->positions && g->active >> CLICK_PBM & 1; r++)
        improve(&g->pbm[r], counts->pbm[r], &counts->objective[CLICK_PBM]);
    for (uint32_t s = 1; s < click_slot(g->positions, 0) && g->active >> CLICK_UBM & 1; s++)
        improve(&g->ubm[s], counts->ubm[s], &counts->objective[CLICK_UBM]);
    if (g->active >> CLICK_DBN & 1)
        improve(&g->dbn, counts->dbn, &counts->objective[CLICK_DBN]);
    for (int t = 0; t < 3 && g->active >> CLICK_CCM & 1; t++)
        improve(&g->ccm[t], counts->ccm[t], &counts->objective[CLICK_CCM]);
}
