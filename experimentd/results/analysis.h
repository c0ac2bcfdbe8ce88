/* analysis.h - every comparison of a result as the experiment declared it: adjusted by what was known before, looked at as planned, read together with
 * the others.
 *
 * For each metric and treatment: the effect (plain; by covariates, CUPED; post-stratified; both; by days of first exposure after a bandit), the test of
 * the declared way of looking, the unadjusted one beside it, p and intervals that hold for the whole family, the margin of a guardrail, and what is
 * believed of the effect. Shares of few at one look go by the score test. What cannot be made says why. Pure; lives in the arena.
 *
 * Families. Hierarchical: the treatments share alpha equally; within one, Holm over its primary metrics, then over its secondary ones when all primary ones were
 * shown. Holm, bh: all primary and secondary metrics of all treatments. Guardrails are a family of their own in every case, by Holm: they ask
 * whether harm is shown, and a test that waits for good news would hide it. */
#pragma once
#include "experimentd/results/model.h"
#include "stats/compare.h"
#include "stats/sequential/looks.h"

enum outcome { OUTCOME_NONE, OUTCOME_BETTER, OUTCOME_WORSE, OUTCOME_NO_DIFFERENCE, OUTCOME_NOT_YET, OUTCOME_COUNT };
extern const char *const outcome_names[OUTCOME_COUNT];

enum test_family { TEST_PRIMARY, TEST_SECONDARY, TEST_GUARDRAIL, TEST_ALL, TEST_ALONE, TEST_FAMILY_COUNT };
extern const char *const test_family_names[TEST_FAMILY_COUNT];

/* What is believed of an effect: from a flat prior, and of shares of few from the uniform one. Shipping when it looks good is not safe at repeated looks. */
struct belief {
    const char *prior;
    double win;                  /* the probability that the treatment is better, in the metric's direction */
    double loss_ship, loss_keep; /* expected loss of shipping and of keeping the control, on the metric's scale */
    double lo, hi;               /* credible interval of the difference, at the result's level */
};

/* A test with planned looks. */
struct tested_looks {
    const struct experiment_look *look; /* the last one; the comparison is that look's */
    size_t number;                      /* which, from 1 */
    const double *shares, *z, *bounds;  /* of all looks of this comparison; bounds at the result's level */
    size_t shares_count;
    double bound; /* that |Z| is compared with */
    size_t stop;  /* the look that rejected; 0: none has */
    bool has_stopped;
    struct stopped stopped; /* drifts of the stop's look */
    double scale;           /* that makes them effects */
};

struct analysed {
    bool compared;
    struct str reason; /* why not */
    bool has_effect;   /* not of shares of few */
    struct effect effect;
    struct comparison c; /* what counts */
    const char *method;
    bool has_plain;
    struct comparison plain; /* the unadjusted one, beside one that is adjusted */
    struct str not_adjusted; /* why the declared adjustment was not made; {NULL, 0}: it was, or none was declared */
    double log_p_exact;      /* Fisher's, of shares of few; else NAN */
    bool has_looks;
    struct tested_looks looks;
    /* together with the others */
    enum test_family family;
    size_t family_size;
    double log_p_adjusted, alpha_adjusted; /* of the interval */
    struct comparison adjusted;            /* its intervals */
    enum outcome outcome;                  /* in the metric's direction, by the adjusted p */
    bool has_margin;
    struct compare_margin margin;
    struct compare_inferiority inferiority;
    bool has_belief;
    struct belief belief;
};

struct analysis {
    const struct result *result;
    double alpha;
    struct analysed *cells; /* [metric * variants + variant]; of the control they are empty */
};

void analysis_make(struct analysis *out, const struct result *r, struct arena *arena);
const struct analysed *analysis_of(const struct analysis *a, size_t metric, size_t variant);

/* The level that the experiment declared; how its comparisons are looked at. */
double result_level(const struct result *r);
struct compare_plan result_plan(const struct result *r);
/* The metric as the experiment names it: role, margin. */
const struct experiment_metric *result_setting(const struct result *r, const struct result_metric *m);
bool result_wants_increase(const struct result_metric *m);
/* All planned units or days are there, or it was stopped. Of a fixed horizon: before, nothing is said. */
bool result_ended(const struct result *r);

/* families.c: p, level, family and intervals of all cells that were compared. */
void families_adjust(struct analysis *a, struct arena *arena);
/* effects.c: of one metric and treatment; false with the reason. *out_why_not: why the declared adjustment was not made. */
bool result_effect(const struct result *r, const struct result_metric *m, size_t variant, struct arena *arena,
                   struct effect *out, struct effect *out_plain, struct str *out_why_not, struct err *err) MUSTCHECK;
/* Moments by the dimension that the experiment is stratified by, as effect_strata takes them. */
struct result_strata {
    struct cross cells[2 * EFFECT_STRATA_MAX];
    size_t n;
    struct cross rest[2]; /* of strata that are too small by themselves, until they are in */
    bool covariates;
};
bool result_strata(const struct result *r, const struct result_metric *m, size_t variant, bool covariates,
                   struct result_strata *out, struct err *err) MUSTCHECK;
/* Moments by day of first exposure, as bandit_believe takes them: as many as the metric has cohorts, times the variants. */
void result_period_cells(const struct result *r, const struct result_metric *m, struct moments2 *out);
struct arm result_compared_arm(const struct result_metric *m, const struct result_arm *a);
