"""Extreme inputs with answers that are known: for each method (name, input, answer, relative tolerance); an answer that is a text is a refusal.

Numbers that are no plain arithmetic were computed with mpmath at 60 digits: LOG_P is ln P(|Z| > 37.0625), about 1e-300, LOG_Q ln P(Z > 37.0625).
"""
import math

Z = 37.0625
LOG_P, LOG_Q = -690.653576832839211, -691.346724013399156
P, Q = math.exp(LOG_P), 5.64849409519532762e-301
LOG_P_T = -690.653576596638882  # of Student's t, 2e12 - 2 degrees of freedom
TRILLION = 10 ** 12
ALTERNATING = [1e8 + 0.5, 1e8 - 0.5] * 500  # mean 1e8, variance 250/999
HALVES = {"var_c": 0.25, "var_t": 0.25, "n_c": TRILLION, "n_t": TRILLION, "alpha": 0.05}
# Means whose difference is Z standard errors of two arms of 1e12 units and variance 1/2: √(1/2 1e-12 + 1/2 1e-12) = 1e-6
FAR = {"var_c": 0.5, "var_t": 0.5, "n_c": TRILLION, "n_t": TRILLION, "alpha": 0.05, "mean_c": 0, "mean_t": Z * 1e-6}
ONE_USER = {"users_c": [[1.0]], "users_t": [[1.0]], "q": 0.5, "alpha": 0.05}


def ratio(n, num_c, num_t, var=1, den=1):
    return {"n_c": n, "mean_num_c": num_c, "mean_den_c": den, "var_num_c": var, "var_den_c": 0, "cov_c": 0,
            "n_t": n, "mean_num_t": num_t, "mean_den_t": den, "var_num_t": var, "var_den_t": 0, "cov_t": 0, "alpha": 0.05}


def cuped(n, mean_t, var=0.5, rho=0):
    """One covariate of variance 1."""
    arm = {"n": n, "mean_x": 0, "var_y": var, "var_x": 1, "cov_xy": rho * var ** 0.5}
    return {"alpha": 0.05, **{k + "_c": v for k, v in arm.items()}, **{k + "_t": v for k, v in arm.items()}, "mean_y_c": 0, "mean_y_t": mean_t}


def strata(n, mean_t, var=0.5):
    arm = {"n_c": n, "mean_c": 0, "var_c": var, "n_t": n, "mean_t": mean_t, "var_t": var}
    return {"strata": [arm, dict(arm)], "alpha": 0.05}


def moments_of(users, events):
    """Half of the users have their event at or below the value 1; the values at the ranks of its interval are 0 and 2."""
    return {"n_users": users, "n_events": events, "mean_below": 0.5, "mean_events": 1, "var_below": 0.25, "var_events": 0, "cov": 0,
            "value": 1, "lo": 0, "hi": 2}


def shares(x_c, n_c, x_t, n_t):
    return {"x_c": x_c, "n_c": n_c, "x_t": x_t, "n_t": n_t, "alpha": 0.05}


def beta(x_a, n_a, x_b, n_b):
    return {"arms": [{"x": x_a, "n": n_a, "prior_alpha": 1, "prior_beta": 1}, {"x": x_b, "n": n_b, "prior_alpha": 1, "prior_beta": 1}], "alpha": 0.05}


CASES = {
    "mean_t": [
        ("no unit", {"n": 0, "mean": 0, "var": 1, "alpha": 0.05}, "n", 0),
        ("one unit", {"n": 1, "mean": 0, "var": 1, "alpha": 0.05}, "n", 0),
        ("identical values", {"n": 9, "mean": 0.1, "var": 0, "alpha": 0.05}, {"se": 0.0, "ci_lo": 0.1, "ci_hi": 0.1}, 1e-15),
        ("1e12 units, values near 1e8", {"n": TRILLION, "mean": 1e8, "var": 0.25, "alpha": 0.05}, {"mean": 1e8, "se": 5e-7, "df": TRILLION - 1.0}, 1e-14),
    ],
    "shrinkage": [
        ("no segment", {"effects": [], "ses": [], "alpha": 0.05}, "needs at least 4", 0),
        ("one segment", {"effects": [1], "ses": [1], "alpha": 0.05}, "needs at least 4", 0),
        ("identical effects", {"effects": [0.5] * 6, "ses": [1] * 6, "alpha": 0.05}, {"mean": 0.5, "variance": 0.0, "effect": [0.5] * 6}, 1e-14),
        ("values near 1e8", {"effects": [1e8 - 0.5, 1e8 + 0.5] * 3, "ses": [1] * 6, "alpha": 0.05}, {"mean": 1e8, "variance": 0.0}, 1e-15),
    ],
    "moments": [
        ("no unit", {"x": []}, "there are no values", 0),
        ("one unit", {"x": [7]}, {"n": 1, "mean": 7.0, "m2": 0.0}, 0),
        ("identical values", {"x": [0.1] * 1000}, {"n": 1000, "mean": 0.1, "var": 0.0}, 1e-14),
        ("values near 1e8", {"x": ALTERNATING, "splits": [400, 600]}, {"mean": 1e8, "var": 250 / 999}, 1e-12),
    ],
    "welch_t": [
        ("no unit", {**FAR, "n_c": 0}, "control", 0),
        ("one unit", {**FAR, "n_t": 1}, "treatment", 0),
        ("identical values", {**FAR, "var_c": 0, "var_t": 0}, {"se": 0.0, "t": None, "p_two_sided": None}, 0),
        ("1e12 units, p of 1e-300", FAR, {"t": Z, "log_p_two_sided": LOG_P_T, "p_two_sided": math.exp(LOG_P_T)}, 1e-9),
        ("values near 1e8", {**FAR, "n_c": 8, "n_t": 8, "mean_c": 1e8, "mean_t": 1e8 + 0.5}, {"diff": 0.5, "se": 8 ** -0.5, "t": 2 ** 0.5}, 1e-12),
        ("two units, normal", {"n_c": 2, "mean_c": 0, "var_c": 1, "n_t": 2, "mean_t": Z, "var_t": 1, "alpha": 0.05, "normal": True}, {"t": Z, "log_p_two_sided": LOG_P}, 1e-9),
    ],
    "ratio_delta": [
        ("no unit", ratio(0, 1, 1), "control", 0),
        ("one unit", ratio(1, 1, 1), "control", 0),
        ("nothing counted", ratio(5, 1, 1, den=0), "denominator is 0", 0),
        ("identical values", ratio(5, 1, 2, var=0), {"ratio_t": 2.0, "se": 0.0, "z": None, "p": None}, 0),
        ("1e12 units, p of 1e-300", ratio(TRILLION, 0, Z * 1e-6, var=0.5), {"z": Z, "log_p": LOG_P, "p": P}, 1e-9),
        ("values near 1e8", ratio(8, 1e8, 1e8 + 0.5, var=0.5), {"diff": 0.5, "se": 8 ** -0.5}, 1e-12),
    ],
    "relative_lift": [
        ("no unit", {**FAR, "n_c": 0}, "control", 0),
        ("one unit", {**FAR, "n_t": 1}, "treatment", 0),
        ("a control of 0", {**FAR, "mean_t": 1e-7}, {"fieller_kind": "whole_line", "lift": None, "diff": 1e-7}, 0),
        ("1e12 units, p of 1e-300", {**FAR, "mean_c": 1, "mean_t": 1 + Z * 1e-6}, {"z_diff": Z, "log_p_diff": LOG_P, "lift": Z * 1e-6}, 1e-6),
        ("values near 1e8", {**HALVES, "n_c": 8, "n_t": 8, "mean_c": 1e8, "mean_t": 1e8 + 0.5}, {"lift": 5e-9, "se_diff": 0.25}, 1e-12),
    ],
    "cuped": [
        ("no unit", cuped(0, 1), "control", 0),
        ("one unit", cuped(1, 1), "control", 0),
        ("identical values", cuped(10, 1, var=0), {"diff": 1.0, "se": 0.0, "t": None, "p": None}, 0),
        ("1e12 units, p of 1e-300", cuped(TRILLION, Z * 1e-6), {"t": Z, "log_p": LOG_P_T, "variance_reduction": 0.0}, 1e-9),
        ("half the variance explained", cuped(TRILLION, 1e-6, rho=0.5 ** 0.5), {"variance_reduction": 0.5, "se": 0.5 ** 0.5 * 1e-6}, 1e-9),
        ("values near 1e8", {**cuped(8, 1e8 + 0.5), "mean_y_c": 1e8}, {"diff": 0.5, "se": 8 ** -0.5}, 1e-12),
    ],
    "winsorize": [
        ("no unit", {"x_c": [], "x_t": [1, 2]}, "x_c has 0 values", 0),
        ("one unit", {"x_c": [1], "x_t": [1, 2]}, "x_c has 1 values", 0),
        ("identical values", {"x_c": [1, 1], "x_t": [1, 1]}, {"diff": 0.0, "se": 0.0, "z": None, "var_c": 0.0}, 0),
        ("values near 1e8", {"x_c": ALTERNATING, "x_t": [x + 1 for x in ALTERNATING]}, {"diff": 1.0, "var_c": 250 / 999}, 1e-6),
    ],
    "post_strat": [
        ("no stratum", {"strata": [], "alpha": 0.05}, "no strata", 0),
        ("no unit", strata(0, 1), "stratum 1: the control has 0 units", 0),
        ("one unit", strata(1, 1), "stratum 1: the control has 1 units", 0),
        ("1e12 units, p of 1e-300", strata(TRILLION // 2, Z * 1e-6), {"z_conditional": Z, "log_p_conditional": LOG_P, "cochran_q": 0.0}, 1e-9),
        ("one stratum, by t", {"strata": [{"n_c": 2, "mean_c": 0, "var_c": 1, "n_t": 1000, "mean_t": 1, "var_t": 500}], "alpha": 0.05},
         {"se_superpop": 1.0, "df": 1000.0, "t": 1.0, "ci_lo_superpop": 1 - 1.9623390808}, 1e-8),
    ],
    "quantile_clustered": [
        ("no unit", {**ONE_USER, "users_c": []}, "", 0),
        ("one unit", ONE_USER, "users_c: the variant has 1 unit", 0),
        ("identical values", {"q": 0.5, "alpha": 0.05, "users_c": [[1e8]] * 9, "users_t": [[1e8]] * 9}, {"quantile_c": 1e8, "diff": 0.0, "se_outer": 0.0}, 0),
        ("values near 1e8", {"q": 0.5, "alpha": 0.05, "users_c": [[x] for x in ALTERNATING], "users_t": [[x + 1] for x in ALTERNATING]},
         {"quantile_c": 1e8 - 0.5, "quantile_t": 1e8 + 0.5, "diff": 1.0}, 0),
        ("moments of one user", {"q": 0.5, "alpha": 0.05, "moments_c": moments_of(1, 10), "moments_t": moments_of(1, 10)}, "moments_c: the variant has 1 unit", 0),
        ("no event", {"q": 0.5, "alpha": 0.05, "moments_c": moments_of(9, 0), "moments_t": moments_of(9, 10)}, "moments_c: there are no events", 0),
        ("ends the wrong way round", {"q": 0.5, "alpha": 0.05, "moments_c": {**moments_of(9, 10), "lo": 3}, "moments_t": moments_of(9, 10)}, "lo at most hi", 0),
        ("1e12 users of one event each", {"q": 0.5, "alpha": 0.05, "moments_c": moments_of(TRILLION, TRILLION), "moments_t": moments_of(TRILLION, TRILLION)},
         {"rank_c": TRILLION // 2, "rank_lo_c": TRILLION // 2 - 979982, "rank_hi_c": TRILLION // 2 + 979982, "se_c": 1 / 1.959963984540054, "diff": 0.0, "z": 0.0}, 1e-9),
    ],
    "mann_whitney": [
        ("no unit", {"x_c": [], "x_t": [1]}, "", 0),
        ("one unit", {"x_c": [1], "x_t": [2]}, {"auc": 1.0, "p_exact": 1.0}, 1e-12),
        ("identical values", {"x_c": [1, 1], "x_t": [1, 1]}, {"auc": 0.5, "z": None, "p_exact": 1.0}, 0),
        ("1e12 units", {"values": [0, 1], "counts_c": [TRILLION, 0], "counts_t": [0, TRILLION]}, {"auc": 1.0, "z": (2e12 - 1) ** 0.5}, 1e-12),
        ("values near 1e8", {"x_c": ALTERNATING[:10], "x_t": [x + 1 for x in ALTERNATING[:10]]}, {"hodges_lehmann": 1.0, "auc": 0.875}, 1e-12),
    ],
    "two_proportion": [
        ("no unit", shares(0, 0, 1, 2), "", 0),
        ("one unit", shares(0, 1, 1, 1), {"diff": 1.0, "fisher_p": 1.0}, 1e-12),
        ("nobody of either", shares(0, 10, 0, 10), {"diff": 0.0, "fisher_p": 1.0}, 0),
        ("none of 1e12 against ten", shares(0, TRILLION, 10, TRILLION), {"diff": 1e-11, "g_stat": 20 * math.log(2)}, 1e-9),
        ("p of 1e-300", shares(0, 500, 500, 500), {"fisher_p": 7.3995079956280545e-300}, 1e-6),
    ],
    "chi_square_srm": [
        ("no unit", {"observed": [0, 0], "weights": [1, 1]}, {"chi2": 0.0, "p": 1.0}, 0),
        ("one unit", {"observed": [1, 0], "weights": [1, 1], "concentration": 1}, {"chi2": 1.0, "sequential_p": [1.0]}, 1e-12),
        ("a unit where none can be", {"observed": [5, 5, 1], "weights": [1, 1, 0]}, {"p": 0.0, "log_p": "-Infinity"}, 0),
        ("1e12 units, p of 1e-300", {"observed": [TRILLION // 2 + 18531250, TRILLION // 2 - 18531250], "weights": [1, 1]},
         {"chi2": Z * Z, "log_p": LOG_P, "p": P}, 1e-9),
    ],
    "msprt_and_confidence_sequence": [
        ("no spread", {"effect": 1, "se": 0, "tau": 1, "alpha": 0.05}, "standard error", 0),
        ("p of 1e-149", {"effect": Z, "se": 1, "tau": 1, "alpha": 0.05}, {"log_lambda": 343.060652972220027, "log_p": -343.060652972220027,
                                                                       "halfwidth": 3.65639487136384855}, 1e-9),
        ("values near 1e8", {"effect": 1e8 + 0.5, "se": 1, "tau": 1, "alpha": 0.05, "theta0": 1e8}, {"log_lambda": 0.0625 - math.log(2) / 2}, 1e-9),
        ("no trial", {"successes": 0, "trials": 0, "alpha": 0.05, "t_opt": 50}, "0 trials", 0),
        ("one trial", {"successes": 0, "trials": 1, "alpha": 0.05, "t_opt": 50}, {"lo": 0.0, "hi": 1.0}, 0),
        ("1e12 units", {"effect": 0, "se": 1e-6, "n": TRILLION, "rho": 1e-6, "alpha": 0.05, "sides": "two"}, {"halfwidth": 3.65639487136384855e-6}, 1e-9),
    ],
    "group_sequential": [
        ("no look", {"kind": "power", "z": [], "t": [], "sides": 2, "drift": 1}, "looks", 0),
        ("one look", {"kind": "spending", "function": "ld_obf", "alpha": 0.05, "t": [1]}, {"z": [1.95996398454005424]}, 1e-12),
        ("p of 1e-291 at the first look", {"kind": "final", "z": [3, 2], "t": [0.5, 1], "sides": 2, "look": 1, "z_observed": 36.5},
         {"log_p_one_sided": -670.642000000313701}, 1e-9),
        ("one look taken", {"kind": "looks", "function": "ld_obf", "alpha": 0.05, "t": [1], "z": [2], "se": 0.5},
         {"bound": 1.95996398454005424, "stop": 1, "p": 0.0455002638963584144, "ci_lo": 1 - 0.97998199227002712}, 1e-8),
        ("a look without an end", {"kind": "looks", "function": "ld_obf", "alpha": 0.05, "t": [0.5], "z": [1, 2]}, "2 statistics z for 1 looks t", 0),
        ("no spread", {"kind": "looks", "function": "ld_obf", "alpha": 0.05, "t": [0.5], "z": [1], "se": 0}, "se 0 is not above 0", 0),
    ],
    "holm_bh": [
        ("no test", {"p": []}, {"holm": [], "bh": []}, 0),
        ("one test of 1e-300", {"p": [1e-300]}, {"bonferroni": [1e-300], "holm": [1e-300], "bh": [1e-300]}, 1e-6),
        ("the same p twice", {"p": [1e-300, 1e-300]}, {"holm": [2e-300, 2e-300], "bh": [1e-300, 1e-300]}, 1e-6),
    ],
    "ks_uniform": [
        ("no test", {"p": []}, "", 0),
        ("one test", {"p": [0.25]}, {"d": 0.75, "p_exact": 0.5}, 1e-12),
        ("identical values", {"p": [0.5, 0.5]}, {"d": 0.5, "p_exact": 0.5}, 1e-12),
    ],
    "effect_trend": [
        ("one period", {"effects": [1], "ses": [1], "early": 1}, "there are 1 periods", 0),
        ("identical effects", {"effects": [1, 1, 1], "ses": [1, 1, 1], "early": 1}, {"slope": 0.0, "cochran_q": 0.0, "log_p_q": 0.0}, 0),
        ("p of 1e-300", {"effects": [0, 0, Z * 1.5 ** 0.5], "ses": [1, 1, 1], "early": 2}, {"late_minus_early_log_p": LOG_P}, 1e-9),
        ("values near 1e8", {"effects": [1e8, 1e8, 1e8 + 1], "ses": [1, 1, 1], "early": 2}, {"late_minus_early": 1.0}, 1e-7),
    ],
    "ips_snips_dr": [
        ("no decision", {"reward": [], "pscore": [], "target_prob": []}, "", 0),
        ("one decision", {"reward": [1], "pscore": [0.5], "target_prob": [1]}, {"ips": 2.0, "snips": 1.0, "ess": 1.0}, 1e-12),
        ("a probability of 1e-300", {"reward": [1, 1], "pscore": [1e-300, 1], "target_prob": [1, 1]}, "too large for a number", 0),
        ("values near 1e8", {"reward": [1e8 + 0.5, 1e8 - 0.5], "pscore": [0.5, 0.5], "target_prob": [0.5, 0.5]}, {"ips": 1e8, "snips": 1e8}, 1e-12),
    ],
    "team_draft_sign_test": [
        ("no query", {"kind": "sign_test", "wins_a": 0, "wins_b": 0, "ties": 0, "alpha": 0.05}, "", 0),
        ("one query", {"kind": "sign_test", "wins_a": 1, "wins_b": 0, "ties": 0, "alpha": 0.05}, {"p_exact": 1.0, "delta_ab": 0.5}, 1e-12),
        ("p of 1e-301", {"kind": "sign_test", "wins_a": 1000, "wins_b": 0, "ties": 0, "alpha": 0.05}, {"log_p_exact": -692.454033379385364}, 1e-9),
        ("1e12 queries", {"kind": "sign_test", "wins_a": TRILLION, "wins_b": TRILLION, "ties": TRILLION, "alpha": 0.05}, {"p_exact": 1.0, "delta_ab": 0.0}, 1e-12),
        ("no document", {"kind": "team_draft", "a": [], "b": [], "flips": [1], "k": 5}, {"list": "", "teams": ""}, 0),
        ("one user", {"kind": "user_scores", "users": [[1.0]]}, "", 0),
        ("identical users", {"kind": "user_scores", "users": [[1.0], [1.0]]}, "", 0),
    ],
    "ranking_metrics": [
        ("no document", {"metrics": ["ndcg", "mrr", "judged@3"], "docs": [], "judged_docs": ["a"], "judged_grades": [1]}, {"values": [0.0, 0.0, 0.0]}, 0),
        ("nothing judged", {"metrics": ["ndcg", "recall", "map", "judged"], "docs": ["a"], "judged_docs": [], "judged_grades": []}, {"values": [0.0, 0.0, 0.0, 0.0]}, 0),
        ("a persistence near 1", {"metrics": ["rbp(p=0.999999)@3"], "grades": [1, 1, 1]}, {"values": [1 - 0.999999 ** 3]}, 1e-9),
    ],
    "rank_similarity": [
        ("two empty lists", {"a": [], "b": []}, {"rbo": 0.0, "rbo_truncated": 0.0, "jaccard": 0.0, "common": 0}, 0),
        ("a persistence near 0", {"a": ["x", "y"], "b": ["x", "z"], "p": 1e-12}, {"rbo_truncated": 1.0, "rbo": 1.0}, 1e-9),
    ],
    "judge_agreement": [
        ("no document", {"grades": 2, "table": [[0, 0], [0, 0]], "x": [], "y": []}, {"kappa": None, "tau": None, "concordant": 0}, 0),
        ("one document", {"grades": 2, "table": [[0, 1], [0, 0]], "x": [[1]], "y": [[0]]}, {"tau": None}, 0),
        ("1e12 documents", {"grades": 2, "table": [[TRILLION, 0], [0, TRILLION]]}, {"kappa": 1.0}, 1e-12),
    ],
    "paired_rankers": [
        ("no query differs", {"a": [1, 2, 3], "b": [1, 2, 3]}, {"diff": 0.0, "t": None, "log_p_randomisation": 0.0, "log_p_wilcoxon": 0.0, "log_p_sign": 0.0, "bootstrap_lo": 0.0}, 0),
        ("all differ by the same", {"a": [0] * 10, "b": [0.5] * 10}, {"t": None, "log_p_t": None, "log_p_randomisation": -9 * math.log(2), "log_p_sign": -9 * math.log(2)}, 1e-12),
        ("two queries", {"a": [0, 0], "b": [1, 3]}, {"diff": 2.0, "se": 1.0, "log_p_randomisation": -math.log(2)}, 1e-12),
    ],
    "ndcg_mrr_err": [
        ("no document", {"grades": [], "k": 4}, {"ndcg_exp": 0.0, "rr": 0.0, "ap": 0.0}, 0),
        ("nothing relevant", {"grades": [0, 0], "k": 4}, {"ndcg_exp": 0.0, "rr": 0.0, "err": 0.0}, 0),
        ("one document", {"grades": [4], "k": 1, "max_grade": 4}, {"ndcg_exp": 1.0, "rr": 1.0, "err": 15 / 16}, 1e-12),
    ],
    "bandit_weights": [
        ("no arm", {"means": [], "sds": [], "beta": 0.5, "floor": 0, "epsilon": 0.1}, "", 0),
        ("identical arms", {"means": [1e8, 1e8], "sds": [1, 1], "beta": 0.5, "floor": 0, "epsilon": 0.1}, {"prob_best": [0.5, 0.5]}, 1e-9),
        ("1e12 units", {"a": [5e11, 5e11 + 2e6], "b": [5e11, 5e11 - 2e6], "beta": 0.5, "floor": 0, "epsilon": 0.1},
         {"prob_best": [math.exp(-6.05808844521), 1 - math.exp(-6.05808844521)]}, 1e-8),
    ],
    "beta_binomial": [
        ("no unit", beta(0, 0, 0, 0), {"prob_best": [0.5, 0.5], "expected_loss": [1 / 6, 1 / 6]}, 1e-12),
        ("one unit", beta(0, 1, 1, 1), {"prob_b_beats_a": 5 / 6}, 1e-12),
        ("1e12 units", beta(5 * 10 ** 11, TRILLION, 5 * 10 ** 11 + 2 * 10 ** 6, TRILLION), {"log_prob_best": [-6.05808844521, -0.00234160691329]}, 1e-9),
    ],
    "normal_bayes": [
        ("no spread", {"effect": 1, "se": 0, "alpha": 0.1, "rope": 0.1}, "", 0),
        ("a chance of 1e-300", {"effect": -Z / 10, "se": 0.1, "alpha": 0.1, "rope": 0.02}, {"log_chance_to_win": LOG_Q, "chance_to_win": Q,
                                                                                  "loss_keep": 1.5218346519529065e-303}, 1e-9),
        ("identical arms", {"means": [1e8, 1e8], "sds": [1, 1]}, {"prob_best": [0.5, 0.5]}, 1e-9),
    ],
    "power_two_proportion": [
        ("no unit", {"p_c": 0.1, "p_t": 0.2, "alpha": 0.05, "solve": "power", "n_c": 0}, "too few", 0),
        ("no difference", {"p_c": 0.1, "p_t": 0.1, "alpha": 0.05, "solve": "n", "power": 0.8}, "equal", 0),
        ("no difference, power", {"p_c": 0.5, "p_t": 0.5, "alpha": 0.05, "solve": "power", "n_c": TRILLION}, {"power": 0.05}, 1e-9),
    ],
    "power_t": [
        ("one unit", {"sd": 1, "alpha": 0.05, "delta": 1, "solve": "power", "n_c": 1}, "too few", 0),
        ("identical values", {"sd": 0, "alpha": 0.05, "delta": 1, "solve": "power", "n_c": 10}, "standard deviation", 0),
        ("4e12 units", {"sd": 0.5, "alpha": 0.05, "delta": 1e-6, "solve": "n", "power": 0.8}, {"n_c_real": 3924430254663.09908}, 1e-9),
    ],
    "plan_sequential": [
        ("no spread", {"method": "fixed", "alpha": 0.05, "var_c": 0, "solve": "n", "effect": 1, "power": 0.8}, "variances", 0),
        ("no look", {"method": "any_time", "looks": 0, "alpha": 0.05, "var_c": 1, "solve": "n", "effect": 1, "power": 0.8}, "looks", 0),
        ("4e12 units", {"method": "fixed", "alpha": 0.05, "var_c": 0.25, "solve": "n", "effect": 1e-6, "power": 0.8}, {"n_c_real": 3924430254663.09908}, 1e-9),
    ],
    "special": [
        ("p of 1e-301", {"f": "norm_logcdf", "x": -Z}, {"y": LOG_Q}, 1e-12),
        ("p of 1e-301, binomial", {"f": "binom_log_upper", "k": 1000, "n": 1000, "p": 0.5}, {"y": -1000 * math.log(2)}, 1e-12),
        ("p of 1e-428, Student", {"f": "t_logsf", "t": 2000, "df": 198}, {"y": -984.316314316289362 - math.log(2)}, 1e-9),
        ("p of 1e-300, chi-square", {"f": "chi2_logsf", "x": 2 * 690, "df": 2}, {"y": -690.0}, 1e-12),
    ],
}

# For the method that has no table of ours.
INPUTS = {
    "team_draft_sign_test": [
        {"kind": "team_draft", "a": ["d1", "d2", "d3"], "b": ["d2", "d4", "d1"], "flips": [1, 0, 0, 1], "k": 3, "clicks": [1, 2]},
        {"kind": "balanced", "a": ["d1", "d2", "d3"], "b": ["d2", "d4", "d1"], "a_first": 1, "k": 3, "clicks": [0, 2]},
        {"kind": "sign_test", "wins_a": 540, "wins_b": 460, "ties": 300, "alpha": 0.05},
        {"kind": "user_scores", "users": [[1.0, 0.0, -1.0], [1.0, 1.0], [0.0], [-1.0, 0.5]]},
    ],
}
