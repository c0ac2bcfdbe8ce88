"""The job "bpr": what a plain stochastic gradient descent in Python comes to, the same bytes on any number of workers, and what is refused."""
import math
import os
import re
import sys
import unittest

import shelves

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import of_version  # noqa: E402

MASK, TRIES = shelves.MASK, 16
PARAMS = {"as_of": str(shelves.LAST), "days": 10, "weights": "click=1,cart=10", "half_life_days": 0, "min_units": 10, "factors": 3, "epochs": 5,
          "learning_rate": 0.1, "regularization": 0.02, "seed": 7, "num_items": 6, "num_similar": 4, "num_users": 5, "ranges": 4, "gate": "none",
          "max_concentration": 1}


def hash64(text):
    """base/hash.h"""
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    h = ((h ^ h >> 33) * 0xFF51AFD7ED558CCD) & MASK
    h = ((h ^ h >> 33) * 0xC4CEB9FE1A85EC53) & MASK
    return h ^ h >> 33


class Rand:
    """trainer/engine/task.h: of the first split of a pass."""

    def __init__(self, seed, name):
        self.key = shelves.mixed(shelves.mixed(seed ^ hash64(name)))

    def __call__(self, stream, i):
        key = shelves.mixed((self.key + stream * 0xd1342543de82ef95) & MASK)
        return shelves.mixed((key + (i + 1) * 0x9e3779b97f4a7c15) & MASK)


def step(u, i, j, p):
    """Rows of factors, the last number an item's bias. Returns x before it."""
    n, rate, shrink = p["factors"], p["learning_rate"], 1 - p["learning_rate"] * p["regularization"]
    x = i[n] - j[n] + sum(a * (b - c) for a, b, c in zip(u[:n], i, j))
    by = rate / (1 + math.exp(x))
    for k in range(n):
        u[k], i[k], j[k] = shrink * u[k] + by * (i[k] - j[k]), shrink * i[k] + by * u[k], shrink * j[k] - by * u[k]
    i[n], j[n] = shrink * i[n] + by, shrink * j[n] - by
    return x


def plain_bpr(rows, p):
    """Units come by ranges of their buckets, then by name."""
    buckets = 4096 // p["ranges"]
    units = sorted(rows, key=lambda u: ((hash64(u) & 4095) // buckets, u))
    items, seed, k = sorted({i for had in rows.values() for i in had}), p["seed"], p["factors"]

    def begin(first, n, last):
        return [[(shelves.random_at(seed, (first + m) * k + f) - 0.5) / k for f in range(k)] + [last] for m in range(n)]
    y, x, losses = begin(0, len(items), 0.0), begin(len(items), len(units), 1.0), []
    number = {item: n for n, item in enumerate(items)}
    cells = [(u, number[item]) for u, unit in enumerate(units) for item in sorted(rows[unit])]
    had = set(cells)
    for epoch in range(1, p["epochs"] + 1):
        rand, found = Rand(seed, "epoch %d" % epoch), []
        for s in range(len(cells)):
            unit, item = cells[rand(0, s) % len(cells)]
            others = (rand(1, s * TRIES + t) % len(items) for t in range(TRIES))
            other = next((o for o in others if (unit, o) not in had), None)
            if other is not None:
                found.append(math.log1p(math.exp(-step(x[unit], y[item], y[other], p))))
        losses.append(sum(found) / len(found))
    return dict(zip(units, x)), dict(zip(items, y)), losses


def score(u, i):
    return sum(a * b for a, b in zip(u, i))


class Bpr(shelves.Trained):
    job, params = "bpr", PARAMS

    def test_1_what_a_plain_descent_comes_to(self):
        log, rows = self.train().stderr, self.kept()
        a, (x, y, losses) = of_version(self.daemon, "bpr"), plain_bpr(rows, PARAMS)
        said = [float(v) for v in re.findall(r"loss ([0-9.]+)", log)]
        self.assertEqual(len(said), len(losses))
        for ours, plain in zip(said, losses):
            self.assertLess(abs(ours - plain), 1e-4)
        self.assertLess(said[-1], said[0])
        lists = a.lists("items_for_user")
        self.assertEqual(set(lists), set(rows))
        for unit, had in rows.items():
            self.assertEqual(len(lists[unit]), min(PARAMS["num_items"], len(y) - len(had)))
            self.ranked(lists[unit], {i: score(x[unit], v) for i, v in y.items() if i not in had})
        plain = {i: v[:-1] for i, v in y.items()}
        for item, similar in a.lists("items_for_item").items():
            self.ranked(similar, {i: score(v, plain[item]) / (score(v, v) * score(plain[item], plain[item])) ** 0.5 for i, v in plain.items() if i != item})
        print("bpr: %d units, %d items, loss %s" % (len(rows), len(y), said))

    def test_2_the_same_bytes_on_any_number_of_workers(self):
        digests = set()
        for workers in (1, 2, 4):
            self.assertIn("\n4 blocks of units", self.train(workers, steps_of_units=100).stderr)
            digests.add(self.digest())
        self.assertEqual(len(digests), 1)

    def test_3_blocks_are_put_together(self):
        """Each of four goes through a quarter of the pairs from the same items, and all of them learn."""
        said = [float(v) for v in re.findall(r"loss ([0-9.]+)", self.train(4, steps_of_units=100, epochs=60).stderr)]
        self.assertLess(said[-1], 0.8 * said[0])

    def test_4_what_is_refused(self):
        self.refused("too little data: 60 units with at least 2 items, and", min_units=61)
        for name, value in (("learning_rate", 0), ("regularization", -1), ("factors", 0), ("epochs", 0), ("steps_of_units", 0), ("seed", -1)):
            self.refused('"%s"' % name, **{name: value})
        self.refused("the loss is not finite", learning_rate=9.9, regularization=9.9, epochs=60)


if __name__ == "__main__":
    unittest.main()
