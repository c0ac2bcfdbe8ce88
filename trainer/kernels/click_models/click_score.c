#include "trainer/kernels/click_models/click_score.h"

#include <assert.h>
#include <math.h>

#include "stats/special/special.h"
#include "trainer/kernels/click_models/click_chain.h"

/* ---- parameters of documents ---- */

static double shrunk(double successes, double trials, double strength, double mean)
{
    return (successes + strength * mean) / (trials + strength);
}

/* Clicks over those expected of where it was shown, each with `prior` sessions at the mean added. */
static void coec_all(const struct click_query *q, const struct click_globals *g, struct click_params *out)
{
    const struct click_cell *c = q->places.of;
    for (size_t i = 0, end; i < q->places.count; i = end) {
        double clicks = g->prior * g->ctr, expected = clicks;
        for (end = i; end < q->places.count && c[end].doc == c[i].doc; end++) {
            clicks += c[end].clicks;
            expected += ((double)c[end].clicks + c[end].skips) * g->ctr_at[c[end].key];
        }
        out[c[i].doc].alpha = clicks / expected;
    }
}

static struct click_params params_of(const struct click_doc *d, enum click_model m, const struct click_globals *g)
{
    const struct click_sums *s = &d->train;
    struct click_params p = click_params_unknown(m, g);
    switch (m) {
    case CLICK_DCTR:
        p.alpha = shrunk(s->clicks, s->shown, g->prior, g->ctr);
        break;
    case CLICK_CM:
        p.alpha = shrunk(s->first, (double)s->first + s->above_first, g->prior, g->mean);
        break;
    case CLICK_SDBN:
        p.sigma = shrunk(s->last, s->clicks, g->prior, 0.5); /* fallthrough */
    case CLICK_DCM:
        p.alpha = shrunk(s->clicks, (double)s->clicks + s->reached, g->prior, g->mean);
        break;
    case CLICK_PBM:
        p.alpha = d->pbm;
        break;
    case CLICK_UBM:
        p.alpha = d->ubm;
        break;
    case CLICK_DBN:
        p = (struct click_params){ d->dbn, d->satisfied };
        break;
    case CLICK_CCM:
        p.alpha = d->ccm;
        break;
    default:
        break;
    }
    return p;
}

void click_params_of(const struct click_query *q, enum click_model m, const struct click_globals *g,
                     struct click_params *out)
{
    for (uint32_t d = 0; d < q->docs_count; d++)
        out[d] = q->of[d].train.shown ? params_of(&q->of[d], m, g) : click_params_unknown(m, g);
    if (m == CLICK_COEC)
        coec_all(q, g, out);
}

/* ---- log-likelihood ---- */

static double cells_loglikelihood(const struct click_query *q, enum click_model m, const struct click_globals *g,
                                  const struct click_params *p)
{
    struct click_cells cells = m == CLICK_UBM ? q->held_slots : q->held_places;
    double sum = 0;
    for (size_t i = 0; i < cells.count; i++) {
        const struct click_cell *c = &cells.of[i];
        double x = click_probability(m, g, p[c->doc].alpha, c->key);
        sum += (c->clicks ? c->clicks * log(x) : 0) + (c->skips ? c->skips * log1p(-x) : 0);
    }
    return sum;
}

static double cm_loglikelihood(const struct click_query *q, const struct click_params *p)
{
    double sum = 0;
    for (uint32_t d = 0; d < q->docs_count; d++) {
        const struct click_sums *s = &q->of[d].held;
        double again = (double)s->clicks - s->first, skipped = (double)s->shown - s->clicks - s->above_first;
        sum += s->first * log(p[d].alpha) + s->above_first * log1p(-p[d].alpha) + again * log(CLICK_FLOOR) +
               skipped * log1p(-CLICK_FLOOR);
    }
    return sum;
}

/* dcm: clicks of which the user went on, by position. */
static double dcm_gone_on(const struct click_query *q, const struct click_globals *g)
{
    double sum = 0;
    struct click_lists lists = q->held;
    struct click_list l;
    while (click_lists_next(&lists, true, &l))
        for (uint32_t r = 0; r < l.n; r++)
            sum += (l.clicks[r] - (double)l.last[r + 1]) * log(g->dcm[r]);
    return sum;
}

static double chain_loglikelihood(const struct click_query *q, enum click_model m, const struct click_globals *g,
                                  const struct click_params *p, double *room)
{
    double *alpha = room, *after = room + q->docs_count, on = click_on(m, g);
    struct click_tails tails = { 0 };
    struct click_chain chain = { on, alpha, m == CLICK_DCM ? NULL : after, m == CLICK_DCM ? g->dcm : NULL };
    for (uint32_t d = 0; d < q->docs_count; d++) {
        alpha[d] = p[d].alpha;
        after[d] = click_after(m, g, &p[d]);
    }
    click_chain_follow(q, true, &chain, NULL, &tails);
    double sum = tails.log_t + (m == CLICK_DCM ? dcm_gone_on(q, g) : 0);
    for (uint32_t d = 0; d < q->docs_count; d++) {
        const struct click_sums *s = &q->of[d].held;
        sum += s->clicks * log(alpha[d]) + s->above * (log1p(-alpha[d]) + log(on));
        if (m != CLICK_DCM && s->gone_on)
            sum += s->gone_on * log(after[d]);
    }
    return sum;
}

double click_loglikelihood(const struct click_query *q, enum click_model m, const struct click_globals *g,
                           const struct click_params *p, double *room, uint64_t *out_shown)
{
    *out_shown = 0;
    for (uint32_t d = 0; d < q->docs_count; d++)
        *out_shown += q->of[d].held.shown;
    if (m == CLICK_CM)
        return cm_loglikelihood(q, p);
    if (m == CLICK_DCM || m == CLICK_SDBN || m == CLICK_DBN || m == CLICK_CCM)
        return chain_loglikelihood(q, m, g, p, room);
    return cells_loglikelihood(q, m, g, p);
}

/* ---- relevance ---- */

static double square(double x)
{
    return x * x;
}

/* Observed information of pbm's and ubm's α: a skip is worth (γ / (1 - γ α))². */
static double cells_information(const struct click_cell *c, size_t count, const double *gamma, double alpha)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += c[i].clicks / square(alpha) + c[i].skips * square(gamma[c[i].key] / (1 - gamma[c[i].key] * alpha));
    return sum;
}

/* Of ccm, what it says of S that the user went on, or did not: (score of S)². */
static double ccm_information(const struct click_doc *d, const struct click_reach *r, const struct click_globals *g,
                              double alpha, double after)
{
    double t2 = 1 - g->ccm[2], t3 = g->ccm[2], lasts = d->train.last - (double)d->train.at_end;
    double kt = t2 * r->t + t3 * r->bt, kkt = t2 * t2 * r->tt + 2 * t2 * t3 * r->btt + t3 * t3 * r->bbtt;
    return d->train.gone_on * square(t3 / after - 1) / square(1 - alpha) + (kkt - 2 * kt + lasts) / square(1 - alpha);
}

/* How many observations of a coin with this mean tell as much. */
static double worth(double information, double mean)
{
    return information * mean * (1 - mean);
}

static void interval(struct click_relevance *r, double trials)
{
    static const double tail = 0.025;
    double a = r->relevance * trials, b = (1 - r->relevance) * trials;
    r->low = special_beta_pinv(tail, a, b);
    r->high = special_beta_qinv(tail, a, b);
}

/* Of attractiveness × satisfaction, each known from so many observations: with the variance of the product. */
static void interval_of_product(struct click_relevance *r, double attracted, double satisfied)
{
    double a = r->attractiveness, s = r->satisfaction, m = r->relevance;
    double variance = square(s) * a * (1 - a) / (attracted + 1) + square(a) * s * (1 - s) / (satisfied + 1);
    interval(r, m * (1 - m) / variance - 1);
}

static void set_relevance(struct click_relevance *r, const struct click_params *p)
{
    *r = (struct click_relevance){ .relevance = p->alpha * p->sigma,
                                   .attractiveness = p->alpha,
                                   .satisfaction = p->sigma };
}

static void relevance_by_cells(struct click_cells cells, const double *gamma, double prior, struct click_relevance *out)
{
    const struct click_cell *c = cells.of;
    for (size_t i = 0, end; i < cells.count; i = end) {
        struct click_relevance *r = &out[c[i].doc];
        for (end = i + 1; end < cells.count && c[end].doc == c[i].doc;)
            end++;
        interval(r, worth(cells_information(c + i, end - i, gamma, r->attractiveness), r->attractiveness) + prior);
    }
}

/* dbn, ccm: follows what was not seen to the end. */
static void relevance_by_chain(const struct click_query *q, enum click_model m, const struct click_globals *g,
                               const struct click_params *p, struct click_relevance *out)
{
    struct click_reach *reach = mem_zalloc((q->docs_count + (size_t)1) * sizeof *reach);
    double *alpha = mem_alloc((q->docs_count + (size_t)1) * 2 * sizeof *alpha), *after = alpha + q->docs_count;
    struct click_tails tails = { 0 };
    for (uint32_t d = 0; d < q->docs_count; d++) {
        alpha[d] = p[d].alpha;
        after[d] = click_after(m, g, &p[d]);
    }
    click_chain_follow(q, false, &(struct click_chain){ click_on(m, g), alpha, after, NULL }, reach, &tails);
    for (uint32_t d = 0; d < q->docs_count; d++) {
        const struct click_sums *s = &q->of[d].train;
        double information = s->clicks / square(alpha[d]) + (s->above + reach[d].looked2) / square(1 - alpha[d]);
        if (m == CLICK_CCM)
            information += ccm_information(&q->of[d], &reach[d], g, alpha[d], after[d]);
        double attracted = worth(information, alpha[d]) + g->prior;
        if (m == CLICK_CCM) {
            interval(&out[d], attracted);
            continue;
        }
        /* the score of σ where a click was the last one, (1 / T - 1) / (1 - σ); where the user went on, -1 / (1 - σ) */
        double lasts = s->last - (double)s->at_end, sum = s->gone_on + reach[d].tt - 2 * reach[d].t + lasts;
        interval_of_product(&out[d], attracted, worth(sum / square(1 - p[d].sigma), p[d].sigma) + g->prior);
    }
    mem_free(reach);
    mem_free(alpha);
}

/* Models whose parameters are shares of what was counted. */
static void relevance_by_counts(const struct click_query *q, enum click_model m, const struct click_globals *g,
                                struct click_relevance *out)
{
    for (uint32_t d = 0; d < q->docs_count; d++) {
        const struct click_sums *s = &q->of[d].train;
        struct click_relevance *r = &out[d];
        if (m == CLICK_DCTR)
            interval(r, s->shown + g->prior);
        else if (m == CLICK_CM)
            interval(r, (double)s->first + s->above_first + g->prior);
        else if (m == CLICK_DCM)
            interval(r, (double)s->clicks + s->reached + g->prior);
        else if (m == CLICK_SDBN)
            interval_of_product(r, (double)s->clicks + s->reached + g->prior, s->clicks + g->prior);
        else /* coec: clicks are counts, with a variance of their number */
            interval(r, (1 - r->relevance) / r->relevance * (s->clicks + g->prior * g->ctr));
    }
}

void click_relevance_of(const struct click_query *q, enum click_model m, const struct click_globals *g,
                        struct click_relevance *out)
{
    assert(m != CLICK_GCTR && m != CLICK_RCTR);
    struct click_params *p = mem_alloc((q->docs_count + (size_t)1) * sizeof *p);
    click_params_of(q, m, g, p);
    for (uint32_t d = 0; d < q->docs_count; d++) {
        if (m == CLICK_COEC) /* as much as it would be clicked at the first position */
            p[d].alpha = click_within(p[d].alpha * g->ctr_at[0]);
        set_relevance(&out[d], &p[d]);
        if (q->of[d].train.shown == 0)
            interval(&out[d], g->prior);
    }
    if (m == CLICK_PBM)
        relevance_by_cells(q->places, g->pbm, g->prior, out);
    else if (m == CLICK_UBM)
        relevance_by_cells(q->slots, g->ubm, g->prior, out);
    else if (m == CLICK_DBN || m == CLICK_CCM)
        relevance_by_chain(q, m, g, p, out);
    else
        relevance_by_counts(q, m, g, out);
    mem_free(p);
}
