#include "model/click_model.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { CLICK_PARAMETER_NAME = 32 };

static const char *const names[] = {
    [CLICK_GCTR] = "gctr", [CLICK_RCTR] = "rctr", [CLICK_DCTR] = "dctr", [CLICK_COEC] = "coec",
    [CLICK_CM] = "cm",     [CLICK_DCM] = "dcm",   [CLICK_SDBN] = "sdbn", [CLICK_PBM] = "pbm",
    [CLICK_UBM] = "ubm",   [CLICK_DBN] = "dbn",   [CLICK_CCM] = "ccm",
};
static_assert(COUNT_OF(names) == CLICK_MODEL_COUNT, "a name for every model");

const char *click_model_name(enum click_model m)
{
    return names[m];
}

enum click_model click_model_named(struct str name)
{
    int m = 0;
    while (m < CLICK_MODEL_COUNT && !str_eq_c(name, names[m]))
        m++;
    return (enum click_model)m;
}

void click_globals_init(struct click_globals *g, uint32_t positions, double prior)
{
    static const double examined = 0.5, goes_on = 0.5;
    *g = (struct click_globals){ .positions = positions, .prior = prior, .dbn = goes_on };
    for (uint32_t r = 0; r < CLICK_POSITIONS; r++) {
        g->pbm[r] = r ? examined : 1;
        g->dcm[r] = goes_on;
    }
    for (uint32_t s = 0; s < CLICK_SLOTS; s++)
        g->ubm[s] = s ? examined : 1;
    for (int t = 0; t < 3; t++)
        g->ccm[t] = goes_on;
}

struct click_params click_params_unknown(enum click_model m, const struct click_globals *g)
{
    double alpha = m == CLICK_COEC ? 1 : m == CLICK_DCTR || m == CLICK_GCTR || m == CLICK_RCTR ? g->ctr : g->mean;
    return (struct click_params){ alpha, m == CLICK_DBN || m == CLICK_SDBN ? 0.5 : 1 };
}

/* ---- probabilities ---- */

double click_within(double p)
{
    return p < CLICK_FLOOR ? CLICK_FLOOR : p > 1 - CLICK_FLOOR ? 1 - CLICK_FLOOR : p;
}

/* P(C) of a cell, of the models that know it: gctr … ubm. */
double click_probability(enum click_model m, const struct click_globals *g, double alpha, uint32_t key)
{
    switch (m) {
    case CLICK_GCTR:
        return g->ctr;
    case CLICK_RCTR:
        return g->ctr_at[key];
    case CLICK_COEC:
        return click_within(alpha * g->ctr_at[key]);
    case CLICK_PBM:
        return g->pbm[key] * alpha;
    case CLICK_UBM:
        return g->ubm[key] * alpha;
    default:
        return alpha;
    }
}

/* Going on after a click, of the models that do so by document. */
double click_after(enum click_model m, const struct click_globals *g, const struct click_params *p)
{
    switch (m) {
    case CLICK_SDBN:
        return 1 - p->sigma;
    case CLICK_DBN:
        return g->dbn * (1 - p->sigma);
    case CLICK_CCM:
        return g->ccm[1] * (1 - p->alpha) + g->ccm[2] * p->alpha;
    default:
        return 0; /* cm */
    }
}

double click_on(enum click_model m, const struct click_globals *g)
{
    return m == CLICK_DBN ? g->dbn : m == CLICK_CCM ? g->ccm[0] : 1;
}

/* ---- expectation ---- */

/* at[p]: P(the click before r was at position p, from 1; 0 none). */
static void expect_ubm(const struct click_globals *g, const struct click_params *p, const uint32_t *docs, uint32_t n,
                       double *out_clicked, double *out_looked)
{
    double at[CLICK_POSITIONS + 1] = { 1 };
    for (uint32_t r = 0; r < n; r++) {
        double alpha = p[docs[r]].alpha, looked = 0, clicked = 0;
        for (uint32_t before = 0; before <= r; before++) {
            double gamma = g->ubm[click_slot(r, before)], click = at[before] * gamma * alpha;
            looked += at[before] * gamma;
            clicked += click;
            at[before] -= click;
        }
        at[r + 1] = clicked;
        out_clicked[r] = clicked;
        out_looked[r] = looked;
    }
}

static void expect_chain(enum click_model m, const struct click_globals *g, const struct click_params *p,
                         const uint32_t *docs, uint32_t n, double *out_clicked, double *out_looked)
{
    double looked = 1, on = click_on(m, g);
    for (uint32_t r = 0; r < n; r++) {
        const struct click_params *d = &p[docs[r]];
        out_looked[r] = looked;
        out_clicked[r] = looked * d->alpha;
        looked *= d->alpha * (m == CLICK_DCM ? g->dcm[r] : click_after(m, g, d)) + (1 - d->alpha) * on;
    }
}

void click_expect(enum click_model m, const struct click_globals *g, const struct click_params *p, const uint32_t *docs,
                  uint32_t n, double *out_clicked, double *out_looked)
{
    if (m == CLICK_UBM) {
        expect_ubm(g, p, docs, n, out_clicked, out_looked);
    } else if (m == CLICK_GCTR || m == CLICK_RCTR || m == CLICK_DCTR || m == CLICK_COEC || m == CLICK_PBM) {
        for (uint32_t r = 0; r < n; r++) {
            out_clicked[r] = click_probability(m, g, p[docs[r]].alpha, r);
            out_looked[r] = m == CLICK_PBM                       ? g->pbm[r]
                            : m == CLICK_RCTR || m == CLICK_COEC ? g->ctr_at[r] / g->ctr_at[0]
                                                                 : 1;
        }
    } else {
        expect_chain(m, g, p, docs, n, out_clicked, out_looked);
    }
}

/* ---- by name ---- */

static PRINTF(4, 5) void tell(click_parameter_fn fn, void *arg, double *value, const char *fmt, ...)
{
    char name[CLICK_PARAMETER_NAME];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    fn(arg, (struct str){ name, (size_t)n }, value);
}

static void tell_positions(click_parameter_fn fn, void *arg, double *values, uint32_t positions)
{
    for (uint32_t r = 0; r < positions; r++)
        tell(fn, arg, &values[r], "%u", r + 1);
}

void click_each_parameter(enum click_model m, struct click_globals *g, click_parameter_fn fn, void *arg)
{
    static const char *const ccm[] = { "continue", "after_click", "after_relevant" };
    bool by_rate = m == CLICK_GCTR || m == CLICK_RCTR || m == CLICK_DCTR;
    tell(fn, arg, by_rate ? &g->ctr : &g->mean, "mean");
    if (m == CLICK_RCTR || m == CLICK_COEC)
        tell_positions(fn, arg, g->ctr_at, g->positions);
    if (m == CLICK_PBM)
        tell_positions(fn, arg, g->pbm, g->positions);
    if (m == CLICK_DCM)
        tell_positions(fn, arg, g->dcm, g->positions);
    for (uint32_t r = 0; m == CLICK_UBM && r < g->positions; r++)
        for (uint32_t before = 0; before <= r; before++)
            tell(fn, arg, &g->ubm[click_slot(r, before)], "%u.%u", r + 1, before);
    if (m == CLICK_DBN)
        tell(fn, arg, &g->dbn, "continue");
    for (int t = 0; m == CLICK_CCM && t < 3; t++)
        tell(fn, arg, &g->ccm[t], "%s", ccm[t]);
}
