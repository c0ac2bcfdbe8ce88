"""The job "als": the lists that a plain ALS of Python finds, the same bytes on any number of workers, no look at the later day, and what is refused."""
import os
import re
import sys
import unittest

import shelves

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import of_version  # noqa: E402

PARAMS = {"as_of": str(shelves.LAST), "days": 10, "weights": "click=1,cart=10", "half_life_days": 0, "min_units": 10, "factors": 3, "iterations": 4,
          "alpha": 2, "lambda": 0.5, "solver": "cholesky", "seed": 7, "num_items": 6, "num_similar": 4, "num_users": 5, "ranges": 4, "gate": "none", "max_concentration": 1}


def solve(a, b):
    """Gauss, with what is right of the matrix."""
    n, rows = len(b), [list(row) + [v] for row, v in zip(a, b)]
    for j in range(n):
        for i in range(j + 1, n):
            by = rows[i][j] / rows[j][j]
            rows[i] = [x - by * y for x, y in zip(rows[i], rows[j])]
    x = [0.0] * n
    for j in reversed(range(n)):
        x[j] = (rows[j][n] - sum(rows[j][k] * x[k] for k in range(j + 1, n))) / rows[j][j]
    return x


def product(a, b):
    return sum(x * y for x, y in zip(a, b))


def half(rows, other, alpha, reg):
    """rows: {key: {other's key: weight}}."""
    k, found = len(next(iter(other.values()))), {}
    gram = [[sum(y[i] * y[j] for y in other.values()) + (reg if i == j else 0) for j in range(k)] for i in range(k)]
    for key, had in rows.items():
        a, b = [row[:] for row in gram], [0.0] * k
        for name, weight in had.items():
            y = other[name]
            for i in range(k):
                b[i] += (1 + alpha * weight) * y[i]
                for j in range(k):
                    a[i][j] += alpha * weight * y[i] * y[j]
        found[key] = solve(a, b)
    return found


def plain_als(rows, p):
    """Factors of units and of items, and the loss of a pair behind each iteration."""
    columns, losses = {}, []
    for unit, had in rows.items():
        for item, weight in had.items():
            columns.setdefault(item, {})[unit] = weight
    alpha, reg, k = p["alpha"], p["lambda"], p["factors"]
    y = {item: [0.1 * (shelves.random_at(p["seed"], n * k + j) - 0.5) for j in range(k)] for n, item in enumerate(sorted(columns))}
    for _ in range(p["iterations"]):
        x = half(rows, y, alpha, reg)
        y = half(columns, x, alpha, reg)
        pairs = [(1 + alpha * rows[u].get(i, 0), i in rows[u], product(x[u], y[i])) for u in rows for i in columns]
        norms = sum(product(v, v) for side in (x, y) for v in side.values())
        losses.append((sum(c * (had - s) ** 2 for c, had, s in pairs) + reg * norms) / sum(c for c, _, _ in pairs))
    return x, y, losses


class Als(shelves.Trained):
    job, params = "als", PARAMS

    def test_1_what_a_plain_als_finds(self):
        log = self.train().stderr
        a, rows = of_version(self.daemon, "als"), self.kept()
        x, y, losses = plain_als(rows, PARAMS)
        said = [float(v) for v in re.findall(r"loss ([0-9.]+)", log)]
        self.assertEqual(len(said), len(losses))
        for ours, plain in zip(said, losses):
            self.assertLess(abs(ours - plain), 1e-4 * plain)
        self.assertEqual(sorted(said, reverse=True), said)
        lists, seen = a.lists("items_for_user"), a.lists("seen")
        self.assertEqual(set(lists), set(rows))
        for unit, had in rows.items():
            self.assertEqual({i: v["weight"] for i, v in seen[unit]}, had)
            self.assertEqual(len(lists[unit]), min(PARAMS["num_items"], len(y) - len(had)))
            self.ranked(lists[unit], {i: product(x[unit], v) for i, v in y.items() if i not in had})
        for item, similar in a.lists("items_for_item").items():
            self.ranked(similar, {i: product(v, y[item]) / (product(v, v) * product(y[item], y[item])) ** 0.5 for i, v in y.items() if i != item})
        for item, users in a.lists("users_for_item").items():
            self.ranked(users, {u: product(v, y[item]) for u, v in x.items() if item not in rows[u]})
        units = {i: sum(i in had for had in rows.values()) for i in y}
        self.assertEqual([(i, v["units"]) for i, v in a.lists("popular")[""]], sorted(units.items(), key=lambda u: (-u[1], u[0]))[:6])
        print("als: %d units, %d items, loss %s" % (len(rows), len(y), said))

    def test_2_the_same_bytes_on_any_number_of_workers(self):
        digests = set()
        for solver in ("cholesky", "cg"):
            for workers in (1, 2, 4):
                self.train(workers, solver=solver)
                digests.add(self.digest())
            self.assertEqual(len(digests), 1 if solver == "cholesky" else 2)
        self.train(seed=8)
        self.assertNotIn(self.digest(), digests)

    def test_3_steps_come_near_to_what_is_exact(self):
        exact, steps = (float(re.findall(r"loss ([0-9.]+)", self.train(solver=s, iterations=12).stderr)[-1]) for s in ("cholesky", "cg"))
        self.assertLess(abs(exact - steps), 0.01 * exact)

    def test_4_the_version_says_what_it_is(self):
        self.train()
        card, metrics = self.daemon.sql("select card, metrics from model_versions where model = 'als' order by version desc limit 1")[0]
        for words in ('"factors": 3', '"seed": 7', '"until": "2026-10-05"', '"from": "2026-10-06"', '"units": %d' % len(self.kept()), '"job": "als"'):
            self.assertIn(words, card)
        for words in ('"loss"', '"ndcg@10"', '"coverage"'):
            self.assertIn(words, metrics)
        self.train(holdout_days=0, as_of=str(shelves.LAST.replace(day=5)))
        metrics = self.daemon.sql("select metrics from model_versions where model = 'als' order by version desc limit 1")[0][0]
        self.assertIn('"loss"', metrics)
        self.assertNotIn("ndcg", metrics)

    def test_5_too_little_data_is_refused(self):
        self.refused("too little data: 60 units with at least 2 items, and", min_units=61)
        self.refused("too little data: 0 units", as_of="2026-01-01")
        self.refused("too little data: 0 units with at least 2 items, and 0 items that at least 1000 units had", min_item_units=1000)

    def test_6_impossible_parameters_are_named(self):
        for name, value in (("alpha", 0), ("lambda", -1), ("factors", 0), ("iterations", 0), ("solver", "newton"), ("cg_steps", 0), ("ranges", 3),
                            ("weights", "click"), ("model", "A B"), ("gate_metric", "ctr")):
            self.refused('"%s"' % name, **{name: value})
        self.refused("alpha 100000 is too large", alpha=1e5, weights="click=1e30")


if __name__ == "__main__":
    unittest.main()
