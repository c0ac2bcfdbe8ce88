#!/usr/bin/env python3
"""Makes the tables beside this file with SciPy, NumPy and exact fractions: make.py

Same schema as the project's reference tables: each case has an input and, for each expected field, a value and an absolute
tolerance. The computations are on purpose different from ours: root finding instead of closed forms, likelihoods maximised
numerically, sums over all outcomes, exact fractions. SciPy's own accuracy (about 1e-9 for t quantiles) bounds the tolerances.
The output is committed; run this again only to add cases.
"""
import math
from fractions import Fraction

import numpy
from scipy import integrate, optimize, special, stats

from table import pair, value, write

random = numpy.random.Generator(numpy.random.PCG64(20160301))


def exact_moments(x, y=None):
    xs = [Fraction(v) for v in x]
    n, mean = len(xs), sum(xs) / len(xs)
    m2 = sum((v - mean) ** 2 for v in xs)
    # a running mean is rounded to its last place, which the deviations feel: no streaming double can do better
    relative = 1e-12 + 4 * numpy.finfo(float).eps * abs(float(mean)) / math.sqrt(m2 / n)
    expect = {"n": {"v": n, "tol": 0}, "mean": value(mean, 1e-14), "m2": value(m2, relative), "var": value(m2 / (n - 1), relative)}
    if y is not None:
        ys = [Fraction(v) for v in y]
        mean_y = sum(ys) / n
        scale = math.sqrt(float(m2 * sum((v - mean_y) ** 2 for v in ys))) / (n - 1)
        cov = sum((a - mean) * (b - mean_y) for a, b in zip(xs, ys)) / (n - 1)
        expect.update(mean_y=value(mean_y, 1e-14), cov=value(cov, 0, relative * scale))
    return expect


def moments():
    cases = []
    for note, x in (("normal", random.normal(0, 1, 60)), ("offset 1e9", 1e9 + random.integers(0, 9, 50)),
                    ("heavy tail", random.lognormal(0, 2, 80)), ("rare", random.random(200) < 0.02)):
        x = [float(v) for v in x]
        y = [float(v) for v in random.poisson(2, len(x))]
        cut = len(x) // 3
        for splits in (None, [cut, len(x) - cut], [0, 1, cut, len(x) - cut - 1]):
            given = {"x": x, "y": y, **({"splits": splits} if splits else {})}
            cases.append({"note": note, "input": given, "expect": exact_moments(x, y)})
    cases.append({"note": "splits that do not fit", "input": {"x": [1, 2, 3], "splits": [1, 1]}, "expect_error": "length_mismatch"})
    cases.append({"note": "unknown field", "input": {"x": [1, 2, 3], "z": 1}, "expect_error": "unknown_field"})
    return cases


def arms(n_c, mean_c, var_c, n_t, mean_t, var_t, alpha):
    return {"n_c": n_c, "mean_c": mean_c, "var_c": var_c, "n_t": n_t, "mean_t": mean_t, "var_t": var_t, "alpha": alpha}


ARMS = [arms(12, 3.0, 2.0, 15, 3.5, 9.0, 0.05), arms(2, 1.0, 1.0, 3, 4.0, 0.5, 0.1), arms(5000, 0.31, 0.2139, 5100, 0.33, 0.2211, 0.05),
        arms(100, -5.0, 1.0, 80, -5.4, 4.0, 0.01), arms(31, 10.0, 16.0, 2000000, 12.0, 25.0, 0.05), arms(40, 0.5, 100.0, 40, 9.0, 100.0, 0.05),
        arms(40, 0.5, 100.0, 40, 1.0, 100.0, 0.05), arms(400, 7.0, 50.0, 500, 7.0, 40.0, 0.2)]


def welch_t():
    cases = []
    for a in ARMS:
        v_c, v_t = a["var_c"] / a["n_c"], a["var_t"] / a["n_t"]
        df = (v_c + v_t) ** 2 / (v_c ** 2 / (a["n_c"] - 1) + v_t ** 2 / (a["n_t"] - 1))
        se, diff = math.sqrt(v_c + v_t), a["mean_t"] - a["mean_c"]
        test = stats.ttest_ind_from_stats(a["mean_t"], math.sqrt(a["var_t"]), a["n_t"], a["mean_c"], math.sqrt(a["var_c"]), a["n_c"],
                                          equal_var=False)
        half = se * stats.t.ppf(1 - a["alpha"] / 2, df)
        cases.append({"input": a, "expect": {
            "diff": value(diff), "se": value(se), "df": value(df), "t": value(test.statistic), "p_two_sided": value(test.pvalue, 1e-8),
            "log_p_greater": value(stats.t.logsf(diff / se, df), 1e-8), "ci_lo": value(diff - half, 1e-8), "ci_hi": value(diff + half, 1e-8)}})
    cases.append({"note": "one unit", "input": {**ARMS[0], "n_t": 1}, "expect_error": "n_too_small"})
    cases.append({"note": "half a unit", "input": {**ARMS[0], "n_t": 10.5}, "expect_error": "non_integer_count"})
    return cases


def rejected(a, theta, z):
    """Is the ratio theta rejected? Fieller's definition itself."""
    v = a["var_t"] / a["n_t"] + theta ** 2 * a["var_c"] / a["n_c"]
    return (a["mean_t"] - theta * a["mean_c"]) ** 2 - z * z * v


def relative_lift():
    cases = []
    for a in ARMS:
        z = stats.norm.isf(a["alpha"] / 2)
        ratio, sign = a["mean_t"] / a["mean_c"], math.copysign(1, a["mean_c"])
        lift_se = math.sqrt(a["var_t"] / a["n_t"] + ratio ** 2 * a["var_c"] / a["n_c"]) / abs(a["mean_c"])
        expect = {"ratio": value(ratio), "lift": value(sign * (ratio - 1)), "lift_se_delta": value(lift_se),
                  "delta_hi": value(sign * (ratio - 1) + z * lift_se)}
        if rejected(a, 1e9, z) > 0 and rejected(a, -1e9, z) > 0:
            lo = optimize.brentq(lambda t: rejected(a, t, z), -1e9, ratio, xtol=1e-14, rtol=1e-14)
            hi = optimize.brentq(lambda t: rejected(a, t, z), ratio, 1e9, xtol=1e-14, rtol=1e-14)
            ends = sorted((sign * (lo - 1), sign * (hi - 1)))
            expect.update(fieller_kind="bounded", fieller_lo=value(lo, 1e-8), fieller_hi=value(hi, 1e-8),
                          fieller_lift_lo=value(ends[0], 1e-8, 1e-9), fieller_lift_hi=value(ends[1], 1e-8, 1e-9))
        else:
            worst = optimize.minimize_scalar(lambda t: -rejected(a, t, z), bounds=(-100, 100), method="bounded", options={"xatol": 1e-9})
            expect.update(fieller_kind="exclusive" if worst.fun < 0 else "whole_line", fieller_lift_lo=None, fieller_lift_hi=None)
        cases.append({"input": a, "expect": expect})
    cases.append({"note": "impossible covariance", "input": {**ARMS[0], "cov_means": 9.0}, "expect_error": "inconsistent_covariance"})
    return cases


def linearised(num, den):
    """Ratio and variance through the residuals of each unit: another way than the moments."""
    r = num.sum() / den.sum()
    return r, (num - r * den).var(ddof=1) / len(num) / den.mean() ** 2


def ratio_delta():
    cases = []
    for n_c, n_t, rate_c, rate_t in ((30, 40, 0.3, 0.4), (200, 220, 0.1, 0.1), (3, 4, 0.5, 0.5), (500, 450, 0.02, 0.05)):
        den = [random.poisson(3, n) + (random.random(n) < 0.3) for n in (n_c, n_t)]
        num = [random.binomial(d, r) for d, r in zip(den, (rate_c, rate_t))]
        (r_c, v_c), (r_t, v_t) = (linearised(a.astype(float), b.astype(float)) for a, b in zip(num, den))
        se, z = math.sqrt(v_c + v_t), stats.norm.isf(0.025)
        expect = {"ratio_c": value(r_c), "ratio_t": value(r_t), "var_ratio_c": value(v_c), "var_ratio_t": value(v_t), "se": value(se),
                  "diff": value(r_t - r_c, 1e-9, 1e-12), "p": value(2 * stats.norm.sf(abs(r_t - r_c) / se)),
                  "ci_lo": value(r_t - r_c - z * se, 1e-9, 1e-12), "ci_hi": value(r_t - r_c + z * se, 1e-9, 1e-12)}
        columns = {"num_c": num[0], "den_c": den[0], "num_t": num[1], "den_t": den[1]}
        cases.append({"input": {**{k: [int(e) for e in v] for k, v in columns.items()}, "alpha": 0.05}, "expect": expect})
    cases.append({"note": "nothing in the denominator", "input": {"num_c": [0, 0], "den_c": [0, 0], "num_t": [1, 2], "den_t": [1, 2],
                                                                   "alpha": 0.05}, "expect_error": "zero_denominator"})
    return cases


def log_likelihood(x, n, p):
    return special.xlogy(x, p) + special.xlogy(n - x, 1 - p)


def score_reach(x_c, n_c, x_t, n_t, z, end, factor):
    """The end of a score interval, the nuisance share found by maximising the likelihood."""
    d = x_t / n_t - x_c / n_c

    def excess(delta):
        lo, hi = max(0, -delta), min(1, 1 - delta)
        best = optimize.minimize_scalar(lambda p: -log_likelihood(x_c, n_c, p) - log_likelihood(x_t, n_t, p + delta),
                                        bounds=(lo, hi), method="bounded", options={"xatol": 1e-14})
        p = min(max(best.x, lo), hi)
        v = factor * (p * (1 - p) / n_c + max(0, (p + delta) * (1 - p - delta)) / n_t)
        return (d - delta) ** 2 - z * z * v
    return optimize.brentq(excess, d, end, xtol=1e-13)


def two_proportion():
    cases = []
    for x_c, n_c, x_t, n_t in ((15, 120, 24, 118), (3, 40, 9, 45), (0, 25, 4, 30), (700, 1000, 740, 1010), (1, 5, 4, 6), (48, 50, 49, 50)):
        z, d, total = stats.norm.isf(0.025), x_t / n_t - x_c / n_c, n_c + n_t
        wilson = [stats.binomtest(x, n).proportion_ci(method="wilson") for x, n in ((x_c, n_c), (x_t, n_t))]
        exact = [stats.binomtest(x, n).proportion_ci(method="exact") for x, n in ((x_c, n_c), (x_t, n_t))]
        p_c, p_t = x_c / n_c, x_t / n_t
        table = [[x_t, n_t - x_t], [x_c, n_c - x_c]]
        expect = {"p_pooled": value(stats.chi2_contingency(table, correction=False)[1], 1e-9),
                  "g_stat": value(stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")[0], 1e-9),
                  "fisher_p": value(stats.fisher_exact(table)[1], 1e-9),
                  "wilson_c": pair(*wilson[0]), "wilson_t": pair(*wilson[1]),
                  "clopper_pearson_c": pair(*exact[0]), "clopper_pearson_t": pair(*exact[1]),
                  "newcombe_lo": value(d - math.hypot(p_t - wilson[1].low, wilson[0].high - p_c)),
                  "newcombe_hi": value(d + math.hypot(wilson[1].high - p_t, p_c - wilson[0].low)),
                  "mn_lo": value(score_reach(x_c, n_c, x_t, n_t, z, -1 + 1e-12, total / (total - 1)), 1e-6),
                  "mn_hi": value(score_reach(x_c, n_c, x_t, n_t, z, 1 - 1e-12, total / (total - 1)), 1e-6),
                  "mee_lo": value(score_reach(x_c, n_c, x_t, n_t, z, -1 + 1e-12, 1), 1e-6)}
        cases.append({"input": {"x_c": x_c, "n_c": n_c, "x_t": x_t, "n_t": n_t, "alpha": 0.05}, "expect": expect})
    cases.append({"note": "more clicks than units", "input": {"x_c": 6, "n_c": 5, "x_t": 1, "n_t": 5, "alpha": 0.05},
                  "expect_error": "count_exceeds_n"})
    return cases


def log_marginal(counts, prior):
    return (special.gammaln(prior.sum()) - special.gammaln(prior.sum() + counts.sum())
            + (special.gammaln(prior + counts) - special.gammaln(prior)).sum())


def chi_square_srm():
    cases = []
    for observed, weights in (([7949, 6170], [0.5, 0.5]), ([120, 95, 60], [2, 2, 1]), ([10, 12], [1, 1]), ([33, 0, 31], [1, 0, 1])):
        counts, shares = numpy.array(observed, float), numpy.array(weights) / sum(weights)
        used = shares > 0
        pearson = stats.chisquare(counts[used], counts.sum() * shares[used])
        g = stats.power_divergence(counts[used], counts.sum() * shares[used], lambda_="log-likelihood")
        log_bf = log_marginal(counts[used], 100 * shares[used]) - (counts[used] * numpy.log(shares[used])).sum()
        expect = {"chi2": value(pearson.statistic), "p": value(pearson.pvalue), "g": value(g.statistic),
                  "log_p_g": value(stats.chi2.logsf(g.statistic, used.sum() - 1)), "df": value(used.sum() - 1),
                  "log_bayes_factor": {"v": [log_bf], "tol": [1e-8 + 1e-9 * abs(log_bf)]}}
        given = {"observed": observed, "weights": weights, "concentration": 100}
        if len(observed) == 2:
            given["exact_binomial"] = True
            expect["log_p_binomial"] = value(math.log(stats.binomtest(observed[0], sum(observed)).pvalue), 1e-9)
        cases.append({"input": given, "expect": expect})
    cases.append({"note": "batches that do not sum", "input": {"observed": [5, 5], "weights": [1, 1], "concentration": 10,
                                                                "batches": [[1, 1], [2, 2]]}, "expect_error": "length_mismatch"})
    return cases


def special_functions():
    rows = [({"f": "norm_logcdf", "x": x}, special.log_ndtr(x)) for x in (-30.0, -3.0, 0.5, 4.0)]
    rows += [({"f": "norm_upper_quantile", "p": p}, stats.norm.isf(p)) for p in (1e-12, 0.01, 0.7)]
    rows += [({"f": "t_logsf", "t": t, "df": df}, stats.t.logsf(t, df)) for t in (-4.0, 0.1, 1.7, 6.0) for df in (1.0, 4.5, 60.0, 900.0)]
    rows += [({"f": "t_upper_quantile", "p": p, "df": df}, stats.t.isf(p, df)) for p in (1e-6, 0.025, 0.4) for df in (1.0, 2.5, 45.0, 3e4)]
    rows += [({"f": "chi2_logsf", "x": x, "df": df}, stats.chi2.logsf(x, df)) for x in (0.3, 5.0, 90.0) for df in (1.0, 4.0, 30.0)]
    rows += [({"f": "log_ibeta", "a": a, "b": b, "x": x}, numpy.log(special.betainc(a, b, x)))
             for a, b in ((0.5, 0.5), (2.5, 40.0), (300.0, 500.0), (0.01, 3.0)) for x in (0.02, 0.37, 0.6)]
    rows += [({"f": "beta_quantile", "p": p, "a": a, "b": b}, special.betaincinv(a, b, p))
             for p in (1e-5, 0.3, 0.99) for a, b in ((2.0, 7.0), (150.0, 90.0), (0.7, 0.4))]
    rows += [({"f": "binom_log_upper", "k": k, "n": n, "p": 0.3}, stats.binom.logsf(k - 1, n, 0.3)) for k, n in ((0, 9), (4, 10), (400, 1000))]
    rows += [({"f": "lambert_wm1", "x": x}, special.lambertw(x, -1).real) for x in (-0.36, -0.01)]
    rows += [({"f": "nct_upper", "t": t, "df": df, "nc": nc}, stats.nct.sf(t, df, nc)) for t, df, nc in ((2.0, 12.0, 1.5), (1.0, 50.0, 3.0))]
    rows += [({"f": "kolmogorov_sf", "x": x}, special.kolmogorov(x)) for x in (0.5, 0.99, 1.01, 2.5)]
    cases = [{"note": given["f"], "input": given, "expect": {"y": value(y, 2e-8 if "quantile" in given["f"] else 1e-9)}} for given, y in rows]
    for given in ({"f": "nothing", "x": 1}, {"f": "t_logsf", "t": 1.0, "df": 0}, {"f": "beta_quantile", "p": 1.0, "a": 1.0, "b": 1.0},
                  {"f": "norm_logcdf", "x": "NaN"}, {"f": "norm_logcdf"}):
        cases.append({"note": "refused", "input": given, "expect_error": "domain"})
    return cases


def normal_power(p_c, p_t, n_c, ratio, alpha, sides, pooled):
    """By the two tails of the estimate's own distribution under the alternative."""
    n_t = n_c * ratio
    spread = math.sqrt(p_c * (1 - p_c) / n_c + p_t * (1 - p_t) / n_t)
    p = (n_c * p_c + n_t * p_t) / (n_c + n_t)
    critical = stats.norm.isf(alpha / sides) * (math.sqrt(p * (1 - p) * (1 / n_c + 1 / n_t)) if pooled else spread)
    estimate = stats.norm(abs(p_t - p_c), spread)
    return estimate.sf(critical) + (estimate.cdf(-critical) if sides == 2 else 0)


def power_two_proportion():
    cases = []
    for p_c, p_t, n_c, ratio, alpha, sides, pooled in ((0.1, 0.12, 3000, 1, 0.05, 2, True), (0.31, 0.3, 9000, 0.5, 0.01, 2, False),
                                                       (0.5, 0.5, 40, 1, 0.05, 2, True), (0.002, 0.003, 20000, 3, 0.05, 1, True)):
        given = {"p_c": p_c, "alpha": alpha, "sides": sides, "ratio": ratio, "pooled": pooled}
        cases.append({"input": {**given, "solve": "power", "p_t": p_t, "n_c": n_c},
                      "expect": {"power": value(normal_power(p_c, p_t, n_c, ratio, alpha, sides, pooled))}})
        if p_c == p_t:
            continue
        n = optimize.brentq(lambda n: normal_power(p_c, p_t, n, ratio, alpha, sides, pooled) - 0.8, 10, 1e9, xtol=1e-9, rtol=1e-14)
        cases.append({"input": {**given, "solve": "n", "p_t": p_t, "power": 0.8},
                      "expect": {"n_c_real": value(n), "n_c": value(math.ceil(n), 0, 0), "n_t": value(math.ceil(n * ratio), 0, 0)}})
        for direction, sign, most in (("up", 1, 1 - p_c), ("down", -1, p_c)):
            effect = optimize.brentq(lambda d: normal_power(p_c, p_c + sign * d, n_c, ratio, alpha, sides, pooled) - 0.8, 0, most * (1 - 1e-9),
                                     xtol=1e-15, rtol=1e-14)
            cases.append({"input": {**given, "solve": "mde", "n_c": n_c, "power": 0.8, "direction": direction},
                          "expect": {"mde_abs": value(sign * effect), "mde_rel": value(sign * effect / p_c)}})
    base = {"p_c": 0.1, "p_t": 0.12, "n_c": 100, "alpha": 0.05, "solve": "power"}
    for note, more in (("three sides", {"sides": 3}), ("alpha 1", {"alpha": 1}), ("no units", {"n_c": 0}), ("share 0", {"p_c": 0.0}),
                       ("a direction of its own", {"direction": "sideways"}), ("solves nothing", {"solve": "all"})):
        cases.append({"note": note, "input": {**base, **more}, "expect_error": "refused"})
    return cases


def t_power(delta, sd, n_c, ratio, alpha, sides):
    df, nc = n_c * (1 + ratio) - 2, delta / (sd * math.sqrt((1 + 1 / ratio) / n_c))
    t = stats.t.isf(alpha / sides, df)
    return stats.nct.sf(t, df, nc) + (stats.nct.cdf(-t, df, nc) if sides == 2 else 0)


def power_t():
    cases = []
    for delta, sd, n_c, ratio, alpha, sides in ((0.5, 1.0, 40, 1, 0.05, 2), (-2.0, 7.0, 150, 2, 0.01, 2), (1.2, 1.0, 8, 0.5, 0.05, 1),
                                                (0.02, 1.0, 30000, 1, 0.05, 2)):
        given = {"sd": sd, "alpha": alpha, "sides": sides, "ratio": ratio}
        cases.append({"input": {**given, "solve": "power", "delta": delta, "n_c": n_c},
                      "expect": {"power": value(t_power(abs(delta), sd, n_c, ratio, alpha, sides), 1e-7)}})
        n = optimize.brentq(lambda n: t_power(abs(delta), sd, n, ratio, alpha, sides) - 0.7, 4, 1e7, xtol=1e-9, rtol=1e-13)
        cases.append({"input": {**given, "solve": "n", "delta": delta, "power": 0.7},
                      "expect": {"n_c_real": value(n, 1e-7), "n_c": value(math.ceil(n), 0, 0), "n_t": value(math.ceil(n * ratio), 0, 0)}})
        effect = optimize.brentq(lambda d: t_power(d, sd * math.sqrt(0.75), n_c, ratio, alpha, sides) - 0.9, 0, 9 * sd, xtol=1e-14, rtol=1e-13)
        cases.append({"input": {**given, "solve": "mde", "n_c": n_c, "power": 0.9, "mean": -8.0, "variance_reduction": 0.25},
                      "expect": {"mde_abs": value(effect, 1e-7), "mde_rel": value(effect / 8, 1e-7)}})
    base = {"delta": 1.0, "sd": 1.0, "n_c": 20, "alpha": 0.05, "solve": "power"}
    for note, more in (("one unit", {"n_c": 1}), ("no spread", {"sd": 0}), ("ratio 0", {"ratio": 0}), ("nothing to find", {"delta": 0, "solve": "n", "power": 0.8}),
                       ("power alpha", {"solve": "n", "power": 0.05}), ("all variance", {"variance_reduction": 1})):
        cases.append({"note": note, "input": {**base, **more}, "expect_error": "refused"})
    return cases


def chances_by_grid(densities, cdfs, lo, hi):
    """P(best) and P(first or second) by Simpson's rule on one fine grid: nothing adaptive."""
    x = numpy.linspace(lo, hi, 400001)
    f, below = [d(x) for d in densities], [c(x) for c in cdfs]
    arms = range(len(f))

    def product(skipped):
        return numpy.prod([below[j] for j in arms if j not in skipped], axis=0)
    best = [integrate.simpson(f[i] * product({i}), x=x) for i in arms]
    second = [integrate.simpson(f[i] * sum((1 - below[k]) * product({i, k}) for k in arms if k != i), x=x) for i in arms]
    return numpy.array(best), numpy.array(second)


def weights_of(best, second, values, floor, epsilon, beta):
    n = len(best)
    greedy = numpy.full(n, epsilon / n)
    greedy[int(numpy.argmax(values))] += 1 - epsilon
    top_two = [best[i] * (beta + (1 - beta) * sum(best[j] / (1 - best[j]) for j in range(n) if j != i)) for i in range(n)]
    return {"prob_best": best, "top_two_inclusion": (best + second) / 2, "ttts": top_two, "epsilon_greedy": greedy,
            "thompson_with_floor": floor + (1 - n * floor) * best if n * floor < 1 else numpy.full(n, 1 / n)}


def bandit_weights():
    cases = []
    for means, sds in (([0.2, 0.25], [0.02, 0.03]), ([3.0, 1.0, 2.5, 2.6], [0.5, 2.0, 0.1, 1.0]), ([-1.0] * 5, [0.3, 0.3, 0.3, 0.6, 0.6])):
        given = {"means": means, "sds": sds, "beta": 0.4, "floor": 0.02, "epsilon": 0.2}
        best, second = chances_by_grid([stats.norm(m, s).pdf for m, s in zip(means, sds)], [stats.norm(m, s).cdf for m, s in zip(means, sds)],
                                       min(means) - 10 * max(sds), max(means) + 10 * max(sds))
        cases.append({"note": "normal", "input": given, "answers": weights_of(best, second, means, 0.02, 0.2, 0.4)})
    for a, b in (([3, 5], [40, 38]), ([31.0, 36.0, 29.0], [971.0, 966.0, 973.0]), ([1, 1, 2], [1, 2, 1]), ([500.0, 540.0, 20.0], [9500.0, 9460.0, 300.0]),
                 ([1, 7], [101, 95])):
        given = {"a": a, "b": b, "beta": 0.5, "floor": 0.05, "epsilon": 0.1}
        best, second = chances_by_grid([stats.beta(p, q).pdf for p, q in zip(a, b)], [stats.beta(p, q).cdf for p, q in zip(a, b)], 0, 1)
        cases.append({"note": "beta", "input": given, "answers": weights_of(best, second, [p / (p + q) for p, q in zip(a, b)], 0.05, 0.1, 0.5)})
    for case in cases:
        case["expect"] = {k: {"v": [float(v) for v in values], "tol": [1e-9] * len(values)} for k, values in case.pop("answers").items()}
    ok = {"means": [1, 2], "sds": [1, 1]}
    for note, given in (("a floor of 2", {**ok, "floor": 2}), ("one arm", {"means": [1], "sds": [1]}), ("shapes of 0", {"a": [0, 1], "b": [1, 1]}),
                        ("lengths differ", {"means": [1, 2], "sds": [1]}), ("both kinds", {**ok, "a": [1, 1], "b": [1, 1]}),
                        ("infinitely apart", {"means": [1e300, -1e300], "sds": [1e-300, 1]})):
        cases.append({"note": note, "input": given, "expect_error": "refused"})
    return cases


if __name__ == "__main__":
    for name, make in (("moments", moments), ("welch_t", welch_t), ("relative_lift", relative_lift), ("ratio_delta", ratio_delta),
                       ("two_proportion", two_proportion), ("chi_square_srm", chi_square_srm), ("special", special_functions), ("bandit_weights", bandit_weights),
                       ("power_two_proportion", power_two_proportion), ("power_t", power_t)):
        write(name, make())
