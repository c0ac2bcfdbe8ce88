#!/usr/bin/env python3
"""Makes the tables of adjustment, quantiles, ranks and beliefs: make_adjusted.py

As make.py, in other ways than ours: least squares with the whole hat matrix, covariance matrices with numerical gradients, loops over
users, Simpson's rule on one fine grid, SciPy's own tests. The output is committed; run this again only to add cases.
"""
import math

import numpy
from scipy import integrate, stats

from table import value, write

random = numpy.random.Generator(numpy.random.PCG64(20261127))


def listed(values, digits=6):
    return [round(float(v), digits) for v in values]


def many(values, relative=1e-9, floor=1e-14):
    return {"v": [float(v) for v in values], "tol": [relative * abs(float(v)) + floor for v in values]}


def least_squares(y, columns):
    """Coefficients, and their covariance by HC2 and HC0, from the design matrix itself."""
    x = numpy.column_stack(columns)
    inverse = numpy.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    e, h = y - x @ b, numpy.diag(x @ inverse @ x.T)
    return b, [numpy.sqrt(numpy.diag(inverse @ (x.T * w) @ x @ inverse)) for w in (e**2 / (1 - h), e**2)]


def cuped():
    cases = []
    for note, n_c, n_t, slopes, offset in (("one covariate", 40, 25, [0.8], 0), ("two, one useless", 30, 60, [1.5, 0.0], 0),
                                           ("three, far from 0", 80, 70, [0.5, -1.0, 0.2], 1000), ("ten units", 5, 5, [1.0], 0)):
        arms = []
        for n, effect in ((n_c, 0), (n_t, 0.4)):
            x = random.normal(offset, 1, (len(slopes), n))
            y = effect + numpy.array(slopes) @ (x - offset) + random.normal(0, 1, n)
            arms.append((listed(y), [listed(row) for row in x]))
        (y_c, x_c), (y_t, x_t) = arms
        y, x = numpy.array(y_c + y_t), numpy.hstack([numpy.array(x_c), numpy.array(x_t)])
        w = numpy.repeat([0.0, 1.0], [n_c, n_t])
        ones, centered = numpy.ones(len(y)), x - x.mean(axis=1, keepdims=True)
        ancova, (ancova_hc2, _) = least_squares(y, [ones, w, *centered])
        lin, (lin_hc2, lin_hc0) = least_squares(y, [ones, w, *centered, *(w * centered)])
        theta = ancova[2:]
        adjusted = y - theta @ centered
        a_c, a_t = adjusted[:n_c], adjusted[n_c:]
        test = stats.ttest_ind(a_t, a_c, equal_var=False)
        v_c, v_t = a_c.var(ddof=1) / n_c, a_t.var(ddof=1) / n_t
        df = (v_c + v_t) ** 2 / (v_c**2 / (n_c - 1) + v_t**2 / (n_t - 1))
        half = math.sqrt(v_c + v_t) * stats.t.ppf(0.95, df)
        plain = y[:n_c].var(ddof=1) / n_c + y[n_c:].var(ddof=1) / n_t
        cases.append({"note": note, "input": {"y_c": y_c, "x_c": x_c, "y_t": y_t, "x_t": x_t, "alpha": 0.1}, "expect": {
            "theta": many(theta, 1e-8, 1e-9), "diff": value(ancova[1], 1e-8), "ancova_ate": value(ancova[1], 1e-8),
            "adj_mean_c": value(a_c.mean(), 1e-8), "adj_mean_t": value(a_t.mean(), 1e-8),
            "se": value(math.sqrt(v_c + v_t), 1e-8), "variance_reduction": value(1 - (v_c + v_t) / plain, 1e-8, 1e-8),
            "t": value(test.statistic, 1e-7), "log_p": value(math.log(test.pvalue), 1e-7), "df": value(df, 1e-7),
            "ci_lo": value(ancova[1] - half, 1e-7, 1e-8), "ci_hi": value(ancova[1] + half, 1e-7, 1e-8),
            "ancova_se_hc2": value(ancova_hc2[1], 1e-8), "lin_ate": value(lin[1], 1e-8), "lin_se_hc2": value(lin_hc2[1], 1e-8),
            "lin_se_hc0": value(lin_hc0[1], 1e-8)}})
    base = {"y_c": [1, 2, 4], "x_c": [[1, 2, 3]], "y_t": [2, 3, 3], "x_t": [[1, 2, 2]], "alpha": 0.05}
    for note, more in (("a column too short", {"x_t": [[1, 2]]}), ("an infinite covariate", {"x_c": [["Infinity", 2, 3]]}), ("alpha of 1", {"alpha": 1}),
                       ("unequal numbers of covariates", {"x_t": [[1, 2, 2], [1, 2, 1]]}), ("x twice", {"x_c": [[1, 2, 3]] * 2, "x_t": [[1, 2, 2]] * 2})):
        cases.append({"note": note, "input": {**base, **more}, "expect_error": "refused"})
    return cases


def winsorize():
    cases = []
    for note, n_c, n_t, lower, upper, trim in (("revenue", 50, 60, 0.0, 0.95, 0.1), ("both ends", 33, 21, 0.1, 0.9, 0.2), ("nothing cut", 10, 9, 0.0, 1.0, 0.0)):
        c, t = listed(random.lognormal(0, 1.5, n_c)), listed(random.lognormal(0.3, 1.5, n_t))
        lo, hi = numpy.quantile(c + t, [lower, upper])
        k_c, k_t = numpy.clip(c, lo, hi), numpy.clip(t, lo, hi)
        yuen = stats.ttest_ind(t, c, equal_var=False, trim=trim)
        expect = {"cut_lo": value(lo), "cut_hi": value(hi), "diff": value(k_t.mean() - k_c.mean(), 1e-9, 1e-12),
                  "se": value(math.sqrt(k_c.var(ddof=1) / n_c + k_t.var(ddof=1) / n_t)), "yuen_t": value(yuen.statistic, 1e-9, 1e-12),
                  "yuen_log_p": value(math.log(yuen.pvalue), 1e-8), "trimmed_mean_c": value(stats.trim_mean(c, trim)),
                  "trimmed_mean_t": value(stats.trim_mean(t, trim)), "diff_uncapped": value(numpy.mean(t) - numpy.mean(c), 1e-9, 1e-12)}
        for arm, raw, kept in (("c", c, k_c), ("t", t, k_t)):
            expect.update({"mean_" + arm: value(kept.mean()), "var_" + arm: value(kept.var(ddof=1)), "n_capped_" + arm: value(int(sum(kept != raw)), 0, 0)})
        cases.append({"note": note, "input": {"x_c": c, "x_t": t, "lower": lower, "upper": upper, "trim": trim}, "expect": expect})
    for note, more in (("levels", {"lower": 0.5, "upper": 0.5}), ("trim", {"trim": -0.1}), ("one value", {"x_t": [1]}), ("a level above 1", {"upper": 1.5})):
        cases.append({"note": note, "input": {"x_c": [1, 2, 3], "x_t": [1, 2, 4], "lower": 0, "upper": 1, "trim": 0, **more}, "expect_error": "refused"})
    return cases


def gradient(f, at):
    """Central differences."""
    g = numpy.zeros(len(at))
    for i, v in enumerate(at):
        h = 1e-5 * max(1, abs(v))
        up, down = numpy.array(at), numpy.array(at)
        up[i] += h
        down[i] -= h
        g[i] = (f(up) - f(down)) / (2 * h)
    return g


def strata_with_covariate(k):
    """θ by least squares with a dummy for each stratum and arm; then the strata of y - θ x."""
    rows = [(i, arm, x, 2 * i + 0.3 * arm + 1.5 * x + random.normal()) for i in range(k) for arm in (0, 1) for x in random.normal(i, 1, random.integers(15, 60))]
    cell, arm, x, y = numpy.array([2 * r[0] + r[1] for r in rows]), numpy.array([r[1] for r in rows]), numpy.array([r[2] for r in rows]), numpy.array([r[3] for r in rows])
    b, _ = least_squares(y, [x, *((cell == c).astype(float) for c in range(2 * k))])
    z, given, d, v = y - b[0] * x, [], [], []
    for i in range(k):
        stratum = {}
        for a, name in ((0, "_c"), (1, "_t")):
            at = cell == 2 * i + a
            cov = numpy.cov(x[at], y[at])
            stratum.update({"n" + name: int(at.sum()), "mean_y" + name: y[at].mean(), "mean_x" + name: x[at].mean(), "var_y" + name: cov[1, 1],
                            "var_x" + name: cov[0, 0], "cov_xy" + name: cov[0, 1]})
        parts = [z[cell == 2 * i + a] for a in (0, 1)]
        d.append(parts[1].mean() - parts[0].mean())
        v.append(sum(part.var(ddof=1) / len(part) for part in parts))
        given.append(stratum)
    share, d, v = numpy.array([g["n_c"] + g["n_t"] for g in given]) / len(rows), numpy.array(d), numpy.array(v)
    return {"note": "%d strata with a covariate" % k, "input": {"strata": given, "alpha": 0.05}, "expect": {
        "theta": many([b[0]], 1e-8), "effect": value(share @ d, 1e-8), "se_conditional": value(math.sqrt(share**2 @ v), 1e-8),
        "se_superpop": value(math.sqrt(share**2 @ v + share @ (d - share @ d) ** 2 / len(rows)), 1e-8)}}


def post_strat():
    cases = []
    for k in (2, 3, 7):
        n = random.integers(20, 400, (2, k))
        mean, var = random.normal(5, 2, (2, k)).round(4), random.uniform(0.5, 9, (2, k)).round(4)
        share, total = n.sum(axis=0) / n.sum(), n.sum()
        covariance = numpy.zeros((3 * k, 3 * k))  # of shares (multinomial), means of the control, means of the treatment
        covariance[:k, :k] = (numpy.diag(share) - numpy.outer(share, share)) / total
        covariance[k:, k:] = numpy.diag((var / n).ravel())
        at = numpy.concatenate([share, mean[0], mean[1]])

        def effect(p, size=k):
            return p[:size] @ (p[2 * size:] - p[size:2 * size])

        def lift(p, size=k):
            return effect(p, size) / abs(p[:size] @ p[size:2 * size])
        d, v = mean[1] - mean[0], (var / n).sum(axis=0)
        conditional, fixed = math.sqrt(share**2 @ v), (d / v).sum() / (1 / v).sum()
        q = ((d - fixed) ** 2 / v).sum()
        expect = {"effect": value(effect(at)), "lift": value(lift(at)), "se_conditional": value(conditional),
                  "log_p_conditional": value(math.log(2) + stats.norm.logsf(abs(effect(at)) / conditional)),
                  "naive_diff": value((n[1] @ mean[1]) / n[1].sum() - (n[0] @ mean[0]) / n[0].sum()), "fixed_effect": value(fixed),
                  "cochran_q": value(q), "log_p_q": value(stats.chi2.logsf(q, k - 1), 1e-8), "i_squared": value(max(0, 1 - (k - 1) / q)),
                  **{key: value(math.sqrt(gradient(f, at) @ covariance @ gradient(f, at)), 1e-7) for key, f in (("se_superpop", effect), ("lift_se", lift))}}
        strata = [{"n_c": int(n[0, i]), "mean_c": mean[0, i], "var_c": var[0, i], "n_t": int(n[1, i]), "mean_t": mean[1, i], "var_t": var[1, i]} for i in range(k)]
        cases.append({"note": "%d strata" % k, "input": {"strata": strata, "alpha": 0.05}, "expect": expect})
    cases += [strata_with_covariate(3), strata_with_covariate(5)]
    for note, more in (("a negative variance", {"strata": [{**strata[0], "var_t": -1}]}), ("a weight too few", {"weights": [1]}), ("weights of 0", {"weights": [0] * 7}),
                       ("a stratum without a mean", {"strata": [{"n_c": 5}]}), ("not objects", {"strata": [1, 2]})):
        cases.append({"note": note, "input": {"strata": strata, "alpha": 0.05, **more}, "expect_error": "refused"})
    return cases


def quantile_arm(users, q, z):
    events = sorted(v for user in users for v in user)
    n, k = len(events), len(users)
    at = events[math.ceil(n * q - 1e-9) - 1]
    below, own = [sum(v <= at for v in user) for user in users], [len(user) for user in users]
    r = sum(below) / n
    var = k / (k - 1) * sum((b - r * o) ** 2 for b, o in zip(below, own)) / n**2

    def at_ranks(s):
        lo, hi = (min(n, max(1, r)) for r in (math.floor(n * (q - z * s)), math.floor(n * (q + z * s)) + 1))
        return lo, hi, events[lo - 1], events[hi - 1]
    lo, hi, y_lo, y_hi = at_ranks(math.sqrt(var))
    _, _, i_lo, i_hi = at_ranks(math.sqrt(q * (1 - q) / n))
    return {"n_events": n, "n_users": k, "outer_rank_lo": lo, "outer_rank_hi": hi}, {
        "quantile": at, "ecdf_at_quantile": r, "var_indicator_cluster": var, "outer_lo": y_lo, "outer_hi": y_hi, "se_outer": (y_hi - y_lo) / (2 * z),
        "var_scaled": ((i_hi - i_lo) / (2 * z)) ** 2 * var / (q * (1 - q) / n)}


def quantile_clustered():
    cases = []
    for q, n_c, n_t in ((0.9, 40, 50), (0.5, 25, 25), (0.23, 60, 12)):
        users = [[listed(math.exp(random.normal(4, 0.6)) * random.lognormal(0, 0.4, random.integers(1, 7)), 3) for _ in range(n)] for n in (n_c, n_t)]
        z, expect, arms = stats.norm.isf(0.05), {}, {}
        for arm, own in zip("ct", users):
            whole, real = quantile_arm(own, q, z)
            arms[arm] = real
            expect.update({k + "_" + arm: value(v, 0, 0) for k, v in whole.items()})
            expect.update({k + "_" + arm: value(v) for k, v in real.items()})
        diff, se = arms["t"]["quantile"] - arms["c"]["quantile"], math.hypot(arms["c"]["se_outer"], arms["t"]["se_outer"])
        expect.update(diff=value(diff, 1e-9, 1e-12), log_p_outer=value(math.log(2) + stats.norm.logsf(abs(diff) / se), 1e-9, 1e-12))
        cases.append({"note": "q %g" % q, "input": {"q": q, "alpha": 0.1, "users_c": users[0], "users_t": users[1]}, "expect": expect})
    for note, more in (("q of 1", {"q": 1}), ("one user", {"users_t": [[1, 2]]}), ("no events", {"users_c": [[], []]}), ("not a list", {"users_c": 3})):
        cases.append({"note": note, "input": {"q": 0.5, "alpha": 0.05, "users_c": [[1, 2], [3]], "users_t": [[1], [4, 5]], **more}, "expect_error": "refused"})
    return cases


def beta_binomial():
    cases = []
    for arms in ([(42, 104, 0.5, 0.5), (50, 109, 0.5, 0.5)], [(3, 40, 2, 30), (9, 40, 2, 30), (7, 55, 2, 30)], [(900, 1000, 1, 1), (880, 1000, 1, 1), (20, 22, 1, 1), (0, 0, 1, 1)]):
        posteriors = [stats.beta(a + x, b + n - x) for x, n, a, b in arms]
        grid = numpy.linspace(0, 1, 400001)
        f, below = [p.pdf(grid) for p in posteriors], [p.cdf(grid) for p in posteriors]
        whole = range(len(arms))
        best = [integrate.simpson(f[i] * numpy.prod([below[j] for j in whole if j != i], axis=0), x=grid) for i in whole]
        largest = integrate.simpson(1 - numpy.prod(below, axis=0), x=grid)  # E max = ∫ P(max > x) dx
        losses = [largest - p.mean() for p in posteriors]
        expect = {"prob_best": many(best, 1e-6, 1e-9), "expected_loss": many(losses, 1e-6, 1e-9), "post_mean": many([p.mean() for p in posteriors]),
                  "ci_lo": many([p.ppf(0.1) for p in posteriors], 1e-7), "ci_hi": many([p.isf(0.1) for p in posteriors], 1e-7)}
        if len(arms) == 2:
            expect.update(prob_b_beats_a=value(best[1], 1e-6), expected_loss_choose_b=value(losses[1], 1e-6, 1e-9))
        cases.append({"note": "%d arms" % len(arms), "input": {
            "arms": [{"x": x, "n": n, "prior_alpha": a, "prior_beta": b} for x, n, a, b in arms], "alpha": 0.2}, "expect": expect})
    for note, given in (("one arm", [{"x": 1, "n": 2}]), ("x above n", [{"x": 3, "n": 2}, {"x": 1, "n": 2}]), ("half a success", [{"x": 0.5, "n": 2}] * 2),
                        ("a prior of 0", [{"x": 1, "n": 2, "prior_beta": 0}] * 2), ("an unknown field", [{"x": 1, "n": 2, "y": 0}] * 2)):
        cases.append({"note": note, "input": {"arms": given, "alpha": 0.05}, "expect_error": "refused"})
    return cases


def normal_bayes():
    cases = []
    for effect, se, prior, rope in ((0.1, 0.06, None, 0.02), (-0.3, 0.2, (0.1, 0.04), 0.1), (1.0, 1.0, (0.0, 1.0), 0.5), (4.0, 1.0, (-1.0, 9.0), 1.0)):
        mean, var = effect, se**2
        if prior:
            var = 1 / (1 / se**2 + 1 / prior[1])
            mean = var * (effect / se**2 + prior[0] / prior[1])
        p = stats.norm(mean, math.sqrt(var))
        far = 14 * math.sqrt(var)

        def integral(f, lo, hi):
            return integrate.quad(f, lo, hi, epsabs=0, epsrel=1e-12, limit=200)[0]
        expect = {"post_mean": value(mean), "post_sd": value(math.sqrt(var)), "chance_to_win": value(p.sf(0)),
                  "loss_ship": value(integral(lambda d, p=p: -d * p.pdf(d), min(0, mean) - far, 0)),
                  "loss_keep": value(integral(lambda d, p=p: d * p.pdf(d), 0, max(0, mean) + far)),
                  "ci_lo": value(p.ppf(0.05)), "ci_hi": value(p.isf(0.05)), "p_in_rope": value(integral(p.pdf, -rope, rope)),
                  "log_p_above_rope": value(p.logsf(rope)), "log_p_below_rope": value(p.logcdf(-rope))}
        given = {"effect": effect, "se": se, "alpha": 0.1, "rope": rope}
        if prior:
            expect["log_bf10"] = value(stats.norm.logpdf(0, prior[0], math.sqrt(prior[1])) - p.logpdf(0))
            given.update(prior_proper=True, prior_mean=prior[0], prior_var=prior[1])
        cases.append({"note": "prior %s" % (prior,), "input": given, "expect": expect})
    means, sds = [0.1, 0.0, 0.15], [0.05, 0.1, 0.08]
    grid = numpy.linspace(-1.5, 1.5, 400001)
    below = [stats.norm(m, s).cdf(grid) for m, s in zip(means, sds)]
    largest = grid[0] + integrate.simpson(1 - numpy.prod(below, axis=0), x=grid)
    best = [integrate.simpson(stats.norm(means[i], sds[i]).pdf(grid) * numpy.prod([below[j] for j in range(3) if j != i], axis=0), x=grid) for i in range(3)]
    cases.append({"note": "three arms", "input": {"means": means, "sds": sds}, "expect": {
        "prob_best": many(best, 1e-8), "expected_loss": many([largest - m for m in means], 1e-7)}})
    for note, given in (("an alpha of 0", {"alpha": 0}), ("no spread", {"se": 0}), ("a rope of 0", {"rope": 0}), ("prior variance", {"prior_proper": True, "prior_var": -1})):
        cases.append({"note": note, "input": {"effect": 1, "se": 1, "alpha": 0.05, **given}, "expect_error": "refused"})
    return cases


def mann_whitney():
    cases = []
    for note, c, t in (("no ties", random.normal(0, 1, 14), random.normal(0.6, 2, 19)), ("counts", random.poisson(2, 30), random.poisson(3, 25)),
                       ("mostly none", random.poisson(0.3, 60), random.poisson(0.5, 45)), ("few", random.normal(0, 1, 4), random.normal(1, 1, 3))):
        c, t = listed(c), listed(t)
        plain, corrected = (stats.mannwhitneyu(t, c, method="asymptotic", use_continuity=b) for b in (False, True))
        bm = stats.brunnermunzel(c, t)
        expect = {"u_t": value(plain.statistic), "auc": value(plain.statistic / len(c) / len(t)), "log_p": value(math.log(plain.pvalue), 1e-8),
                  "log_p_cc": value(math.log(corrected.pvalue), 1e-8, 1e-12), "bm_stat": value(bm.statistic) if math.isfinite(bm.statistic) else None,
                  "bm_log_p": value(math.log(bm.pvalue), 1e-7) if math.isfinite(bm.statistic) else None,
                  "hodges_lehmann": value(numpy.median(numpy.subtract.outer(t, c)), 1e-12, 1e-12)}
        if len(set(c + t)) == len(c + t):
            exact = [stats.mannwhitneyu(t, c, method="exact", alternative=a).pvalue for a in ("two-sided", "greater")]
            expect.update(p_exact=value(exact[0]), p_exact_greater=value(exact[1]))
        cases.append({"note": note, "input": {"x_c": c, "x_t": t}, "expect": expect})
        values = sorted(set(c + t))
        cases.append({"note": note + ", as counts", "input": {"values": values, "counts_c": [c.count(v) for v in values], "counts_t": [t.count(v) for v in values]},
                      "expect": expect})
    for note, given in (("no treatment", {"x_c": [1, 2], "x_t": []}), ("not ascending", {"values": [2, 1], "counts_c": [1, 1], "counts_t": [1, 1]}),
                        ("lengths", {"values": [1, 2], "counts_c": [1], "counts_t": [1, 1]}), ("infinite", {"x_c": ["Infinity"], "x_t": [1]})):
        cases.append({"note": note, "input": given, "expect_error": "refused"})
    return cases


for make in (cuped, winsorize, post_strat, quantile_clustered, beta_binomial, normal_bayes, mann_whitney):
    write(make.__name__, make())
