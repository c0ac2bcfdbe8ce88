#!/usr/bin/env python3
"""Makes mean_t.json and shrinkage.json with SciPy: make_segments.py

Other ways than ours: Morris's equations as he prints them, A by his fixed-point steps instead of a root, in 60 digits; t quantiles by SciPy.
"""
import math
from decimal import Decimal, getcontext

import numpy
from scipy import stats

from table import value, write

random = numpy.random.Generator(numpy.random.PCG64(20161219))
getcontext().prec = 60


def mean_t():
    cases = []
    for n, mean, var, alpha in ((2, 1.5, 2.0, 0.05), (31, -4.0, 9.0, 0.05), (100, 0.25, 0.1875, 0.1), (5000, 1e8, 1.0, 0.01),
                                (10 ** 12, 0.3, 0.21, 0.05), (50, 7.0, 0.0, 0.05)):
        se = math.sqrt(var / n)
        half = stats.t.isf(alpha / 2, n - 1) * se
        cases.append({"input": {"n": n, "mean": mean, "var": var, "alpha": alpha},
                      "expect": {"mean": value(mean), "se": value(se), "df": value(n - 1), "ci_lo": value(mean - half), "ci_hi": value(mean + half)}})
    cases.append({"note": "one unit", "input": {"n": 1, "mean": 1, "var": 0, "alpha": 0.05}, "expect_error": "domain"})
    cases.append({"note": "alpha", "input": {"n": 9, "mean": 1, "var": 2, "alpha": 1}, "expect_error": "domain"})
    return cases


def morris(y, ses):
    """Morris (1983), equations as printed: A <- max(0, ΣW (K/(K - 1) (y - μ)² - V)/ΣW) until it stands."""
    y, v, k = [Decimal(x) for x in y], [Decimal(s) ** 2 for s in ses], len(y)
    a, new = Decimal(-1), Decimal(0)
    while abs(new - a) > Decimal(10) ** -30 * (1 + a):
        a = new
        w = [1 / (x + a) for x in v]
        mu = sum(p * q for p, q in zip(w, y)) / sum(w)
        new = max(Decimal(0), sum(p * (Decimal(k) / (k - 1) * (q - mu) ** 2 - r) for p, q, r in zip(w, y, v)) / sum(w))
    v_bar = sum(p * r for p, r in zip(w, v)) / sum(w)
    factor, effect, se = [], [], []
    for i in range(k):
        b = Decimal(k - 3) / (k - 1) * v[i] / (v[i] + a)
        l_i = k * w[i] / sum(w)
        v_i = Decimal(2) / (k - 3) * b ** 2 * (v_bar + a) / (v[i] + a)
        factor.append(b)
        effect.append((1 - b) * y[i] + b * mu)
        se.append((v[i] * (1 - (k - l_i) / k * b) + v_i * (y[i] - mu) ** 2).sqrt())
    return mu, a, factor, effect, se


def shrinkage_case(note, y, ses, alpha):
    mu, a, factor, effect, se = morris(y, ses)
    z = Decimal(float(stats.norm.isf(alpha / 2)))
    floor = 1e-9 * float(max(abs(x) for x in y)) + 1e-12
    many = lambda xs: {"v": [float(x) for x in xs], "tol": [1e-9 * abs(float(x)) + floor for x in xs]}
    return {"note": note, "input": {"effects": y, "ses": ses, "alpha": alpha},
            "expect": {"mean": value(mu, 1e-9, floor), "variance": value(a, 1e-8, 1e-12), "factor": many(factor), "effect": many(effect),
                       "se": many(se), "ci_lo": many([e - z * s for e, s in zip(effect, se)]),
                       "ci_hi": many([e + z * s for e, s in zip(effect, se)])}}


def shrinkage():
    rounded = lambda xs: [float("%.6g" % x) for x in xs]
    cases = [shrinkage_case("equal variances: James and Stein", [0.4, 0.1, -0.2, 0.7, 0.3, -0.1], [0.2] * 6, 0.05),
             shrinkage_case("no spread beyond chance", [0.10, 0.12, 0.09, 0.11], [0.05, 0.06, 0.04, 0.05], 0.05),
             shrinkage_case("one far from the rest", [0.0, 0.01, -0.02, 0.0, 3.0], [0.1, 0.2, 0.1, 0.15, 0.3], 0.1),
             shrinkage_case("precise and vague ones", [1.0, 1.4, 0.2, 5.0, -3.0], [0.01, 0.2, 0.3, 4.0, 3.0], 0.05),
             shrinkage_case("far from 0", [1e6 + x for x in (0.0, 1.0, 2.5, -1.0)], [0.5, 0.4, 0.6, 0.5], 0.05)]
    for k, spread in ((8, 0.0), (21, 0.05), (21, 0.5)):
        ses = rounded(0.05 + 0.3 * random.random(k))
        truth = random.normal(0.1, spread, k) if spread else numpy.full(k, 0.1)
        cases.append(shrinkage_case("%d segments, spread %g" % (k, spread), rounded(truth + random.normal(0, 1, k) * ses), ses, 0.05))
    for note, given in (("three", {"effects": [1, 2, 3], "ses": [1, 1, 1], "alpha": 0.05}),
                        ("lengths", {"effects": [1, 2, 3, 4], "ses": [1, 1, 1], "alpha": 0.05}),
                        ("no standard error", {"effects": [1, 2, 3, 4], "ses": [1, 1, 0, 1], "alpha": 0.05})):
        cases.append({"note": note, "input": given, "expect_error": "domain"})
    return cases


if __name__ == "__main__":
    write("mean_t", mean_t())
    write("shrinkage", shrinkage())
