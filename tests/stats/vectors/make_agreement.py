#!/usr/bin/env python3
"""Makes judge_agreement.json: make_agreement.py

kappa by its definition in NumPy; tau-b by scipy.stats.kendalltau where there is one query, and by counting pairs where there are several.
"""
import itertools

import numpy
from scipy import stats

from table import value, write

random = numpy.random.default_rng(41)


def kappa(table):
    m, k = numpy.array(table, dtype=float), len(table)
    w = numpy.array([[(i - j) ** 2 for j in range(k)] for i in range(k)]) / (k - 1) ** 2
    below = (w * numpy.outer(m.sum(1), m.sum(0)) / m.sum()).sum() if m.sum() else 0
    return 1 - (w * m).sum() / below if below else None


def counted(x, y):
    c = {"concordant": 0, "discordant": 0, "tied_x": 0, "tied_y": 0}
    for a, b in zip(x, y):
        for i, j in itertools.combinations(range(len(a)), 2):
            dx, dy = numpy.sign(a[i] - a[j]), numpy.sign(b[i] - b[j])
            name = "concordant" if dx * dy > 0 else "discordant" if dx * dy < 0 else "tied_x" if dy else "tied_y" if dx else None
            if name:
                c[name] += 1
    return c


def tau(c):
    both = c["concordant"] + c["discordant"]
    below = (both + c["tied_x"]) * (both + c["tied_y"])
    return (c["concordant"] - c["discordant"]) / below ** 0.5 if below else None


def case(note, table, x, y):
    c = counted(x, y)
    expect = {"kappa": None if kappa(table) is None else value(kappa(table)), "tau": None if tau(c) is None else value(tau(c)), **{k: value(v) for k, v in c.items()}}
    if len(x) == 1 and tau(c) is not None:
        assert abs(stats.kendalltau(x[0], y[0]).statistic - tau(c)) < 1e-12
    return {"note": note, "input": {"grades": len(table), "table": table, "x": x, "y": y}, "expect": expect}


def drawn(k, n, queries):
    a = [[int(v) for v in random.integers(0, k, n)] for _ in range(queries)]
    b = [[min(k - 1, max(0, v + int(random.integers(-1, 2)))) for v in q] for q in a]
    table = [[sum(x == i and y == j for p, q in zip(a, b) for x, y in zip(p, q)) for j in range(k)] for i in range(k)]
    return table, a, [[y + round(float(random.random()), 3) * (i % 2) for i, y in enumerate(q)] for q in b]


def cases():
    out = [case("drawn, %d grades, %d queries" % (k, q), *drawn(k, n, q)) for k, n, q in ((2, 12, 1), (4, 10, 1), (5, 9, 6), (11, 40, 3))]
    out.append(case("nothing to say", [[0, 0], [0, 7]], [[1, 1]], [[0.5, 0.7]]))
    out.append(case("the contrary", [[0, 5], [5, 0]], [[0, 1, 2]], [[3, 2, 1]]))
    for note, given in (("one grade", {"grades": 1, "table": [[1]]}), ("no square", {"grades": 2, "table": [[1, 2]]}), ("below 0", {"grades": 2, "table": [[1, -1], [0, 1]]}),
                        ("queries", {"x": [[1], [2]], "y": [[1]]}), ("lengths", {"x": [[1, 2]], "y": [[1]]}), ("nothing", {})):
        out.append({"note": note, "input": given, "expect_error": "refused"})
    return out


if __name__ == "__main__":
    write("judge_agreement", cases())
