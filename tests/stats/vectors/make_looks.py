#!/usr/bin/env python3
"""Makes the tables of early looks, many tests, trust, policies and rankings, beside make.py's and in the same manner: make_looks.py

Likelihood ratios are integrated over their prior, random walks carried on a fine grid by Simpson's rule, adjusted p found as the least
alpha at which a procedure rejects, weighted fits by linear algebra.
"""
import itertools
import math

import numpy
from scipy import integrate, optimize, special, stats

from make import pair, value, write

random = numpy.random.Generator(numpy.random.PCG64(20261127))


def values(vs, relative=1e-9, floor=1e-14):
    return {"v": [float(v) for v in vs], "tol": [relative * abs(float(v)) + floor for v in vs]}


def refusals(base, *changes):
    return [{"note": note, "input": {**base, **change}, "expect_error": "refused"} for note, change in changes]


# ---- at any time ----

def log_mean_ratio(z, k, halves=2):
    """ln of the mean likelihood ratio of N(θ, 1) to N(0, 1) at z, θ from N(0, k): by quadrature; one half of the prior when halves is 1."""
    sd = math.sqrt(k)
    peak = z * k / (1 + k)
    width = math.sqrt(k / (1 + k))
    top = z * peak - peak * peak / 2 - peak * peak / (2 * k)
    lo = max(0.0, peak - 12 * width) if halves == 1 else peak - 12 * width
    total = integrate.quad(lambda u: math.exp(z * u - u * u / 2 - u * u / (2 * k) - top), lo, peak + 12 * width, epsabs=0, epsrel=1e-12)[0]
    return top + math.log(total / (sd * math.sqrt(2 * math.pi))) + (math.log(2) if halves == 1 else 0)


def looks_at_any_time():
    cases = []
    for effect, se, tau, alpha in ((0.02, 0.008, 0.02, 0.05), (-3.0, 1.5, 0.4, 0.01), (0.5, 0.1, 5.0, 0.1)):
        k = (tau / se) ** 2
        log_e = log_mean_ratio(abs(effect / se), k)
        z = optimize.brentq(lambda z: log_mean_ratio(z, k) + math.log(alpha), 0, 40, xtol=1e-13)
        expect = {"log_lambda": value(log_e, 1e-9, 1e-10), "log_p": value(min(0, -log_e), 1e-9, 1e-10), "halfwidth": value(z * se),
                  "ci_lo": value(effect - z * se, 1e-9, 1e-10), "ci_hi": value(effect + z * se, 1e-9, 1e-10)}
        cases.append({"note": "mixture SPRT", "input": {"effect": effect, "se": se, "tau": tau, "alpha": alpha}, "expect": expect})
        n, rho = 5000, math.sqrt(k / 5000)
        cases.append({"note": "the same as a confidence sequence",
                      "input": {"effect": effect, "se": se, "n": n, "rho": rho, "alpha": alpha, "sides": "two"},
                      "expect": {"halfwidth": value(z * se), "log_e": value(log_e, 1e-9, 1e-10)}})
    for alpha, n_star in ((0.05, 20000.0), (0.001, 500.0)):
        width = optimize.minimize_scalar(lambda u: (1 + math.exp(-u)) * (-2 * math.log(alpha) + math.log1p(math.exp(u))), bracket=(1, 3), tol=1e-15)
        cases.append({"note": "the narrowest at n_star", "input": {"effect": 0.1, "se": 0.1, "n": 100, "alpha": alpha, "sides": "two", "n_star": n_star},
                      "expect": {"rho_exact": value(math.sqrt(math.exp(width.x) / n_star), 1e-7)}})
    for v, s, one_sided in ((100.0, 30.0, False), (100.0, 30.0, True), (5.0, -2.0, True)):
        alpha, v_opt = 0.05, 60.0
        drop = -2 * math.log(2 * alpha if one_sided else alpha)
        rho = v_opt / (drop + math.log1p(drop))
        of = lambda s: log_mean_ratio(s / math.sqrt(v), v / rho, 1 if one_sided else 2)
        bound = optimize.brentq(lambda s: of(s) + math.log(alpha), 0, 20 * math.sqrt(v), xtol=1e-12)
        cases.append({"note": "normal mixture", "input": {"v": v, "s": s, "alpha": alpha, "v_opt": v_opt, "alpha_opt": alpha, "one_sided": one_sided},
                      "expect": {"log_mixture": value(of(s), 1e-8, 1e-9), "bound": value(bound, 1e-8)}})
    for x, n, t_opt in ((3, 40, 50.0), (700, 1000, 100.0), (40, 40, 20.0)):
        drop = -2 * math.log(0.05)
        prior = max(t_opt / (drop + math.log1p(drop)) - 1, 1e-3)
        log_m = lambda p: special.betaln(p * prior + x, (1 - p) * prior + n - x) - special.betaln(p * prior, (1 - p) * prior) - special.xlogy(x, p) - special.xlog1py(n - x, -p)
        end = lambda a, b: optimize.brentq(lambda p: log_m(p) + math.log(0.05), a, b, xtol=1e-14)
        expect = {"lo": value(end(1e-9, min(x / n, 1 - 1e-12)), 1e-8)}
        expect["hi"] = value(end(x / n, 1 - 1e-9), 1e-8) if x < n else value(1)
        cases.append({"note": "a share", "input": {"successes": x, "trials": n, "alpha": 0.05, "t_opt": t_opt}, "expect": expect})
    return cases + refusals({"effect": 0.1, "se": 0.1, "n": 100, "alpha": 0.05, "sides": "two", "n_star": 100}, ("sideways", {"sides": "left"}),
                            ("no units", {"n": 0}), ("infinite", {"se": "Infinity"}), ("unknown field", {"m": 1}))


# ---- at planned looks ----

def carry(t, z, drift, sides=2, points=6001):
    """P(up), P(down) of each look: the density on a grid between the bounds, folded by Simpson's rule."""
    up, down, grid, mass, before = [], [], numpy.array([0.0]), numpy.array([1.0]), 0.0
    for k, (tk, zk) in enumerate(zip(t, z)):
        sd, hi = math.sqrt(tk - before), zk * math.sqrt(tk)
        mean = grid + drift * (tk - before)
        up.append(float((mass * stats.norm.sf((hi - mean) / sd)).sum()))
        down.append(float((mass * stats.norm.cdf((-hi - mean) / sd)).sum()) if sides == 2 else 0.0)
        lo = -hi if sides == 2 else -10 * math.sqrt(tk)
        nodes = numpy.linspace(lo, hi, points)
        simpson = numpy.full(points, 2.0)
        simpson[1::2], simpson[0], simpson[-1] = 4, 1, 1
        density = numpy.array([(mass * stats.norm.pdf((s - mean) / sd)).sum() / sd for s in nodes]) if k + 1 < len(t) else numpy.zeros(points)
        grid, mass, before = nodes, density * simpson * (hi - lo) / (points - 1) / 3, tk
    return up, down


def looks_that_are_planned():
    cases = []
    spending = {"ld_obf": lambda a, t: 2 * stats.norm.sf(stats.norm.isf(a / 2) / math.sqrt(t)), "ld_pocock": lambda a, t: a * math.log(1 + (math.e - 1) * t),
                "power": lambda a, t: a * t ** 3, "hsd": lambda a, t: a * (1 - math.exp(-2 * t)) / (1 - math.exp(-2))}
    for (name, f), par in zip(spending.items(), (None, None, 3.0, 2.0)):
        t = [0.4, 1.0]
        first = stats.norm.isf(f(0.025, t[0]))
        second = optimize.brentq(lambda z: carry(t, [first, z], 0, points=801)[0][1] - (0.025 - f(0.025, t[0])), 1, 5, xtol=1e-12)
        given = {"kind": "spending", "function": name, "alpha": 0.05, "sides": 2, "t": t, **({"par": par} if par else {})}
        cases.append({"note": name, "input": given, "expect": {"z": values([first, second], 1e-8), "cum_alpha": values([2 * f(0.025, 0.4), 0.05], 1e-8)}})
    for kind, shape in (("obrien_fleming", lambda t: 1 / math.sqrt(t)), ("pocock", lambda t: 1.0)):
        t = [0.5, 1.0]
        total = lambda c: 2 * sum(carry(t, [c * shape(u) for u in t], 0, points=801)[0]) - 0.05
        cases.append({"note": kind, "input": {"kind": kind, "alpha": 0.05, "sides": 2, "t": t},
                      "expect": {"constant": value(optimize.brentq(total, 1.5, 3, xtol=1e-12), 1e-8)}})
    t, z = [0.3, 0.7, 1.0], [3.0, 2.4, 2.0]
    up, down = carry(t, z, 2.5, points=1501)
    cases.append({"note": "three looks", "input": {"kind": "power", "z": z, "t": t, "sides": 2, "drift": 2.5},
                  "expect": {"exit_up": values(up, 1e-8, 1e-12), "exit_lo": values(down, 1e-8, 1e-12), "power": value(sum(up) + sum(down), 1e-8)}})
    above = lambda theta: carry([0.3, 0.7], [3.0, 2.6], theta, points=401)[0]
    solve = lambda p: optimize.brentq(lambda theta: sum(above(theta)) - p, -8, 14, xtol=1e-10)
    cases.append({"note": "stopped at the second look with Z = 2.6", "input": {"kind": "final", "z": z, "t": t, "sides": 2, "look": 2, "z_observed": 2.6},
                  "expect": {"p_one_sided": value(sum(above(0)), 1e-8), "median_unbiased": value(solve(0.5), 1e-7),
                             "ci": pair(solve(0.025), solve(0.975), 1e-6)}})
    return cases + refusals({"kind": "spending", "function": "ld_obf", "alpha": 0.05, "t": [0.5, 1.0]}, ("no such function", {"function": "all"}),
                            ("backwards", {"t": [0.6, 0.5]}), ("three sides", {"sides": 3}), ("no such kind", {"kind": "guess"}))


def plans():
    cases = []
    for effect, var_c, var_t, ratio in ((0.05, 0.2, 0.25, 1.0), (-3.0, 400.0, 100.0, 0.5)):
        given = {"method": "spending", "function": "ld_pocock", "t": [0.5, 1.0], "alpha": 0.05, "var_c": var_c, "var_t": var_t, "ratio": ratio}
        half = 0.025 * math.log(1 + (math.e - 1) / 2)
        first = stats.norm.isf(half)
        second = optimize.brentq(lambda z: carry([0.5, 1.0], [first, z], 0, points=801)[0][1] - (0.025 - half), 1, 5, xtol=1e-12)
        power = lambda drift: sum(sum(side) for side in carry([0.5, 1.0], [first, second], drift, points=801))
        drift = optimize.brentq(lambda d: power(d) - 0.9, 1, 6, xtol=1e-11)
        n = (drift / effect) ** 2 * (var_c + var_t / ratio)
        fixed = (var_c + var_t / ratio) * (optimize.brentq(lambda d: stats.norm.sf(1.959963984540054 - d) + stats.norm.cdf(-1.959963984540054 - d) - 0.9, 1, 6) / effect) ** 2
        expect = {"n_c_real": value(n, 1e-7), "inflation": value(n / fixed, 1e-7), "z": values([first, second], 1e-8)}
        cases.append({"note": "units", "input": {**given, "solve": "n", "effect": effect, "power": 0.9, "traffic_units": 1000, "growth": 0.8},
                      "expect": {**expect, "days": value(7 * ((math.ceil(n) + math.ceil(math.ceil(n) * ratio)) / 1000) ** (1 / 0.8), 1e-7)}})
        cases.append({"note": "power", "input": {**given, "solve": "power", "effect": effect, "n_c": n}, "expect": {"power": value(0.9, 1e-7)}})
        cases.append({"note": "effect", "input": {**given, "solve": "mde", "power": 0.9, "n_c": n}, "expect": {"mde_abs": value(abs(effect), 1e-7)}})
    base = {"solve": "n", "method": "any_time", "looks": 5, "effect": 1.0, "power": 0.8, "alpha": 0.05, "var_c": 1.0}
    return cases + refusals(base, ("no effect", {"effect": 0}), ("no looks", {"looks": 0}), ("a million looks", {"looks": 10 ** 6}), ("negative variance", {"var_c": -1}),
                            ("no such method", {"method": "guess"}), ("no growth", {"traffic_units": 100, "growth": 0}))


# ---- many tests ----

def closed(p, i, test):
    others = [k for k in range(len(p)) if k != i]
    return max(min(1, test(sorted([p[i]] + [p[k] for k in group]))) for size in range(len(p)) for group in itertools.combinations(others, size))


def least_alpha(p, i, factor):
    """The least alpha at which a step-up procedure rejects test i; it is one at which some comparison is tight."""
    n, order = len(p), sorted(p)
    for alpha in sorted(min(1.0, v * factor(n, j + 1)) for j, v in enumerate(order)) + [1.0]:
        k = max((j + 1 for j, v in enumerate(order) if v * factor(n, j + 1) <= alpha), default=0)
        if k and p[i] <= order[k - 1]:
            return alpha
    return 1.0


def many_tests():
    cases = []
    harmonic = lambda n: sum(1 / j for j in range(1, n + 1))
    for n in (1, 2, 5, 8):
        p = [round(float(v), 6) for v in random.random(n) ** 3]
        each = range(n)
        expect = {"bonferroni": [min(1, n * v) for v in p], "sidak": [1 - (1 - v) ** n for v in p],
                  "holm": [closed(p, i, lambda q: len(q) * q[0]) for i in each],
                  "holm_sidak": [closed(p, i, lambda q: 1 - (1 - q[0]) ** len(q)) for i in each],
                  "hommel": [closed(p, i, lambda q: min(len(q) * v / (j + 1) for j, v in enumerate(q))) for i in each],
                  "hochberg": [least_alpha(p, i, lambda n, j: n - j + 1) for i in each],
                  "bh": [least_alpha(p, i, lambda n, j: n / j) for i in each], "by": [least_alpha(p, i, lambda n, j: harmonic(n) * n / j) for i in each]}
        cases.append({"note": "%d tests" % n, "input": {"p": p}, "expect": {k: values(v) for k, v in expect.items()}})
    effects, ses = [0.3, 0.02, -0.11, 0.05], [0.08, 0.03, 0.04, 0.06]
    p = [float(2 * stats.norm.sf(abs(e / s))) for e, s in zip(effects, ses)]
    found = sum(least_alpha(p, i, lambda n, j: n / j) <= 0.05 for i in range(4))
    ends = lambda alpha, sign: values([e + sign * stats.norm.isf(alpha / 2) * s for e, s in zip(effects, ses)], 1e-8)
    cases.append({"note": "%d of 4 found, with intervals" % found, "input": {"p": p, "effects": effects, "ses": ses, "alpha": 0.05},
                  "expect": {"holm_interval_alpha": value(0.0125), "bh_interval_alpha": value(0.05 * found / 4), "holm_lo": ends(0.0125, -1),
                             "bh_lo": ends(0.05 * found / 4, -1), "bh_hi": ends(0.05 * found / 4, 1)}})
    log_e = [6.0, 1.0, 4.2, 2.9, -3.0]
    rejected = max(k for k in range(6) if sum(e >= math.log(5 / (0.1 * max(k, 1))) for e in log_e) >= k)
    cut = sorted(log_e)[-rejected]
    cases.append({"note": "e-values", "input": {"procedure": "e_bh", "log_e": log_e, "alpha": 0.1},
                  "expect": {"n_rejected": value(rejected), "rejected": values([float(e >= cut) for e in log_e])}})
    return cases + refusals({"p": [0.1, 0.2]}, ("p of 2", {"p": [2]}), ("no such procedure", {"procedure": "guess"}),
                            ("an effect too many", {"effects": [1, 2, 3], "ses": [1, 1, 1]}), ("alpha of 0", {"effects": [1, 2], "ses": [1, 1], "alpha": 0}),
                            ("weights do not fit", {"procedure": "weighted_holm", "weights": [1]}), ("not a list", {"p": 0.1}))


# ---- trust ----

def uniformity():
    cases = []
    for p in (random.random(9), random.random(120) ** 1.2, 0.3 + 0.1 * random.random(30)):
        p = sorted(float(v) for v in p)
        n = len(p)
        d = stats.kstest(p, "uniform", mode="exact")
        edges = [0.0] + p + [1.0]
        square = sum(integrate.quad(lambda u, f=i / n: (f - u) ** 2 / (u * (1 - u)), a, b, epsabs=1e-13)[0] for i, (a, b) in enumerate(zip(edges, edges[1:])))
        below = sum(v < 0.05 for v in p)
        cases.append({"input": {"p": p}, "expect": {"n": value(n), "d": value(d.statistic), "p_exact": value(d.pvalue, 1e-8, 1e-12), "anderson_darling": value(n * square, 1e-7),
                                                    "p_asymptotic": value(special.kolmogorov(math.sqrt(n) * d.statistic)), "frac_below_0.05": value(below / n),
                                                    "log_p_rejections_5pct": value(stats.binom.logsf(below - 1, n, 0.05))}})
    return cases + refusals({"p": [0.1]}, ("none", {"p": []}), ("negative", {"p": [-0.1]}))


def trends():
    cases = []
    for n, early in ((5, 2), (14, 4)):
        effects, ses = random.normal(0.1, 0.2, n), random.uniform(0.05, 0.3, n)
        days = numpy.cumsum(random.integers(1, 4, n)).astype(float)
        (slope, _), covariance = numpy.polyfit(days, effects, 1, w=1 / ses, cov="unscaled")
        pooled = lambda part: (numpy.average(effects[part], weights=ses[part] ** -2), (ses[part] ** -2.0).sum() ** -0.5)
        every, first, last = pooled(slice(None)), pooled(slice(early)), pooled(slice(early, None))
        q = (((effects - every[0]) / ses) ** 2).sum()
        z = (last[0] - first[0]) / math.hypot(first[1], last[1])
        expect = {"pooled_effect": value(every[0]), "pooled_se": value(every[1]), "slope": value(slope, 1e-8), "slope_se": value(math.sqrt(covariance[0, 0]), 1e-8),
                  "cochran_q": value(q), "log_p_q": value(stats.chi2.logsf(q, n - 1), 1e-8), "late_minus_early": value(last[0] - first[0], 1e-8),
                  "late_minus_early_log_p": value(math.log(2) + stats.norm.logsf(abs(z)), 1e-8)}
        cases.append({"input": {"effects": effects.tolist(), "ses": ses.tolist(), "day": days.tolist(), "early": early}, "expect": expect})
    return cases + refusals({"effects": [1, 2, 3], "ses": [1, 1, 1], "early": 1}, ("one window", {"early": 0}), ("one day", {"day": [4, 4, 4]}), ("two days", {"day": [1, 2]}))


# ---- policies, rankings ----

def policies():
    cases = []
    for n, actions in ((12, 2), (60, 4)):
        pi, q = random.dirichlet(numpy.ones(actions), n), random.random((n, actions))
        action, pscore, reward = random.integers(0, actions, n), random.uniform(0.05, 1, n), random.normal(1, 1, n)
        rows = numpy.arange(n)
        w, rest, direct = pi[rows, action] / pscore, reward - q[rows, action], numpy.einsum("ij,ij->i", pi, q)
        expect = {"ips": value((w * reward).mean()), "ips_se": value(stats.sem(w * reward)), "snips": value(numpy.average(reward, weights=w)),
                  "ess": value(n / (1 + numpy.var(w) / w.mean() ** 2)), "max_weight": value(w.max()), "clipped_ips": value((numpy.minimum(w, 2) * reward).mean()),
                  "dm": value(direct.mean()), "dr": value((direct + w * rest).mean()), "dr_se": value(stats.sem(direct + w * rest)),
                  "sndr": value(direct.mean() + numpy.average(rest, weights=w)), "switch_dr": value((direct + numpy.where(w <= 1.5, w, 0) * rest).mean()),
                  "dr_os": value((direct + 3 * w / (w * w + 3) * rest).mean())}
        cases.append({"input": {"reward": reward.tolist(), "pscore": pscore.tolist(), "action": action.tolist(), "pi_e": pi.tolist(), "q_hat": q.tolist(),
                                "clip": 2, "switch": 1.5, "shrink": 3}, "expect": expect})
    batches, total = [], numpy.zeros(2)
    for size, prob in ((100, [0.5, 0.5]), (300, [0.2, 0.8])):
        units = [random.normal(2, 1, round(size * p)) for p in prob]
        batches.append({"n_total": size, "prob": prob, "n": [len(u) for u in units], "sum": [float(u.sum()) for u in units], "sum_sq": [float((u * u).sum()) for u in units]})
        total += [size / 400 * u.mean() for u in units]
    cases.append({"note": "a bandit", "input": {"arms": ["a", "b"], "batches": batches}, "expect": {"stratified": values(total)}})
    one = {"reward": [1.0, 0.0], "pscore": [0.5, 0.5], "action": [0, 1], "pi_e": [[0.5, 0.5], [1.0, 0.0]], "q_hat": [[0, 0], [0, 0]]}
    return cases + refusals(one, ("no such action", {"action": [0, 2]}), ("no policy", {"pi_e": [[0.5, 0.2], [1.0, 0.0]]}), ("ragged", {"q_hat": [[0, 0], [0]]}),
                            ("clip of 0", {"clip": 0}), ("both", {"target_prob": [0.1, 0.1]}))


def satisfied(grades, k, most):
    """ERR as what it says: the mean of 1/rank at which a reader is satisfied, over all ways to be."""
    r = [(2 ** g - 1) / 2 ** most for g in grades[:k]]
    return sum(math.prod(x if s else 1 - x for x, s in zip(r, way)) / (1 + way.index(True)) for way in itertools.product((True, False), repeat=len(r)) if any(way))


def rankings():
    cases = []
    for n, k in ((6, 4), (9, 12), (3, 3)):
        grades, more = [int(g) for g in random.integers(0, 5, n)], [int(g) for g in random.integers(0, 5, 4)]
        best, top, relevant = sorted(grades + more, reverse=True)[:k], grades[:k], sum(g >= 2 for g in grades + more)
        discounted = lambda list_, gain: sum(gain(g) * math.log(2) / math.log(i + 2) for i, g in enumerate(list_))
        hits = [i + 1 for i, g in enumerate(top) if g >= 2]
        expect = {"ndcg_exp": value(discounted(top, lambda g: 2 ** g - 1) / discounted(best, lambda g: 2 ** g - 1)), "dcg_lin": value(discounted(top, float)),
                  "rr": value(1 / hits[0] if hits else 0), "err": value(satisfied(grades, k, 4)), "precision": value(len(hits) / k),
                  "recall": value(len(hits) / relevant if relevant else 0), "ap": value(sum((j + 1) / rank for j, rank in enumerate(hits)) / relevant if relevant else 0),
                  "rbp": value(sum(0.3 * 0.7 ** (rank - 1) for rank in hits))}
        cases.append({"input": {"grades": grades, "all_grades": grades + more, "k": k, "max_grade": 4, "relevant_at": 2, "rbp_p": 0.7}, "expect": expect})
    return cases + refusals({"grades": [1, 0], "k": 2}, ("too many relevant", {"all_grades": [0, 0]}), ("above the scale", {"max_grade": 0.5}), ("half a rank", {"k": 1.5}))


for name, make in (("msprt_and_confidence_sequence", looks_at_any_time), ("group_sequential", looks_that_are_planned), ("plan_sequential", plans), ("holm_bh", many_tests),
                   ("ks_uniform", uniformity), ("effect_trend", trends), ("ips_snips_dr", policies), ("ndcg_mrr_err", rankings)):
    write(name, make())
