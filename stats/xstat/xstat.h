/* xstat.h - the statistics as commands: a table of methods, each from one JSON object to another.
 *
 * The names, the fields of an input and those of an answer are those of the reference tables that the methods are checked against
 * (tests/stats). `main.c` is the program; whoever answers HTTP can use the same table. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "stats/xstat/io.h"

struct xstat_method {
    const char *name;
    const char *summary;
    const char *formula, *source, *input, *output; /* for --explain */
    /* Reads all fields of `in` (and ends it), fills `out`. ERR_INVALID when the input is refused. */
    bool (*run)(struct xstat_in *in, json_t *out, struct err *err);
};

extern const struct xstat_method xstat_methods[];
extern const size_t xstat_methods_count;

/* NULL when there is none of that name. */
const struct xstat_method *xstat_find(const char *name);
void xstat_explain(const struct xstat_method *m, FILE *out);
/* The answer to one input; NULL: refused, err says why. The caller's reference. */
json_t *xstat_compute(const struct xstat_method *m, json_t *object, struct err *err);
/* The answer to one line: what the method gives, or {"error": "invalid: why"}. The caller's reference. */
json_t *xstat_answer(const struct xstat_method *m, const char *line, size_t n);
/* Answers each line of `in` with one line on `out`, until the end. False when reading or writing failed. */
bool xstat_run(const struct xstat_method *m, FILE *in, FILE *out, struct err *err) MUSTCHECK;

/* The methods, one file a family; only the table names them. */
bool xstat_moments(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_welch_t(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_mean_t(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_ratio_delta(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_relative_lift(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_cuped(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_winsorize(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_post_strat(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_quantile_clustered(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_mann_whitney(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_two_proportion(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_chi_square_srm(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_msprt_and_confidence_sequence(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_group_sequential(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_holm_bh(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_shrinkage(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_ks_uniform(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_effect_trend(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_ips_snips_dr(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_ndcg_mrr_err(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_ranking_metrics(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_rank_similarity(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_judge_agreement(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_paired_rankers(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_team_draft_sign_test(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_bandit_weights(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_beta_binomial(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_normal_bayes(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_power_two_proportion(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_power_t(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_plan_sequential(struct xstat_in *in, json_t *out, struct err *err);
bool xstat_special(struct xstat_in *in, json_t *out, struct err *err);
