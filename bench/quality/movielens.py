"""quality: recommenders on MovieLens 100k: the jobs als and bpr beside the library implicit, popularity, item cosine, and published figures.

    movielens.py [--quick]      --quick: no search for parameters

Each rating is sent to a daemon as a signal (what was rated counts, not how), and the jobs are run as they are. Three splits:
  chronological   of each user the first 75 % by time are for training, the rest for the test; P, R, nDCG, MAP at 10 as microsoft/recommenders defines them
  random          the same, of each user in a random order
  leave-last-out  of each user the last one is for the test; hit rate and nDCG at 10
All items that the user has not rated before are ranked. Parameters are chosen on the chronological training part alone, of which again the last quarter is held
out: the library's by the same grid, the same part and the same measure as the jobs'. A split is two days of signals; only the order within a user matters.
"""
import argparse
import collections
import datetime
import itertools
import json
import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "support"))
from artifact import of_version  # noqa: E402
from daemon import SHARED_DATA, Daemon  # noqa: E402

try:
    import implicit.cpu.als
    import implicit.cpu.bpr
    import numpy as np
    import scipy.sparse
except ImportError:
    implicit = None

DATA = os.path.join(SHARED_DATA, "movielens_100k", "ml-100k.inter")
K, FIRST = 10, datetime.date(2026, 1, 1)
GRIDS = {"als": {"factors": (32, 64), "alpha": (1, 5), "lambda": (3, 10, 30)},
         "bpr": {"factors": (32, 64), "learning_rate": (0.01, 0.05), "regularization": (0.001, 0.01, 0.02), "epochs": (30, 60)}}
ALS = {"factors": 32, "alpha": 1, "lambda": 10}
CHOSEN = {"job als": ALS, "implicit als": ALS, "job bpr": {"factors": 64, "learning_rate": 0.05, "regularization": 0.01, "epochs": 60},
          "implicit bpr": {"factors": 32, "learning_rate": 0.01, "regularization": 0.001, "epochs": 60}}
COLUMNS = ("P@10", "R@10", "nDCG@10", "MAP")
PUBLISHED = (("SAR", .330753, .176385, .382461, .110591), ("BPR", .388229, .212522, .441997, .132478),
             ("ALS (explicit ratings)", .048462, .017796, .044239, .004732), ("NCF", .347296, .180775, .396118, .107720))


def ratings():
    """Of each user its items, oldest first; of one second, by number, as the data's own figures have it."""
    users = collections.defaultdict(list)
    with open(DATA, encoding="utf-8") as f:
        next(f)
        for line in f:
            user, item, _, at = line.rstrip("\n").split("\t")
            users[user].append((float(at), int(item)))
    return {user: [str(item) for _, item in sorted(rows)] for user, rows in users.items()}


class Split:
    """Training and test items of each user, and the two days that stand for them."""

    def __init__(self, number, users, cut):
        self.day = FIRST + datetime.timedelta(days=10 * number)
        self.train, self.test = {}, {}
        for user, items in users.items():
            n = cut(len(items))
            self.train[user], self.test[user] = items[:n], items[n:]

    def signals(self):
        for rows, day in ((self.train, self.day), (self.test, self.day + datetime.timedelta(days=1))):
            for user, items in rows.items():
                for n, item in enumerate(items):
                    at = datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc) + datetime.timedelta(seconds=n)
                    yield {"type": "rating", "unit": user, "doc": item, "timestamp": at.isoformat()}

    def send(self, d):
        signals = self.signals()
        while batch := list(itertools.islice(signals, 1000)):
            reply = d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in batch).encode(), key="client")
            if reply.status != 200 or reply.json["rejected"]:
                raise SystemExit("quality: %r" % reply)
        d.wait_loaded()


# ---- measures

def measures(split, lists):
    """P, R, nDCG, MAP at K, means over users with something in the test part; with one item there, R is the hit rate."""
    total = [0.0] * 4
    for user, items in split.test.items():
        wanted, hits, gain, precision = set(items), 0, 0.0, 0.0
        for rank, item in enumerate(lists.get(user, ())[:K], 1):
            if item in wanted:
                hits += 1
                gain += 1 / math.log2(rank + 1)
                precision += hits / rank
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(wanted), K) + 1))
        for i, v in enumerate((hits / K, hits / len(wanted), gain / ideal, precision / len(wanted))):
            total[i] += v
    return [v / len(split.test) for v in total]


# ---- who recommends

class Job:
    def __init__(self, d, name):
        self.d, self.name = d, name

    def lists(self, split, **params):
        given = {"as_of": split.day + datetime.timedelta(days=1), "days": 1, "weights": "rating=1", "min_item_units": 1, "min_unit_items": 1,
                 "max_unit_items": 10000, "num_items": K, "num_users": 0, "gate": "none", "max_concentration": 1, **params}
        self.d.run("trainer", "run", self.name, "--data-dir", self.d.dir, *(x for n, v in given.items() for x in ("--param", "%s=%s" % (n, v))))
        return {user: [item for item, _ in entries] for user, entries in of_version(self.d, self.name).lists("items_for_user").items()}


def matrix_of(split):
    users, items = sorted(split.train), sorted({i for rows in split.train.values() for i in rows})
    number = {item: n for n, item in enumerate(items)}
    cells = [(u, number[i]) for u, user in enumerate(users) for i in split.train[user]]
    return users, items, scipy.sparse.csr_matrix((np.ones(len(cells), np.float32), tuple(zip(*cells))), shape=(len(users), len(items)))


class Library:
    """implicit's, with the same meaning of parameters."""

    def __init__(self, name):
        self.name = name

    def lists(self, split, **p):
        users, items, matrix = matrix_of(split)
        if self.name == "als":
            model = implicit.cpu.als.AlternatingLeastSquares(factors=p["factors"], regularization=p["lambda"], alpha=1.0, iterations=15, num_threads=1,
                                                             random_state=1)
            model.fit(matrix * (1 + p["alpha"]), show_progress=False)
        else:
            model = implicit.cpu.bpr.BayesianPersonalizedRanking(factors=p["factors"], learning_rate=p["learning_rate"], regularization=p["regularization"],
                                                                 iterations=p["epochs"], random_state=1, num_threads=1)
            model.fit(matrix, show_progress=False)
        found, _ = model.recommend(np.arange(len(users)), matrix, N=K, filter_already_liked_items=True)
        return {user: [items[i] for i in found[u]] for u, user in enumerate(users)}


def popularity(split):
    counts = collections.Counter(i for rows in split.train.values() for i in rows)
    order = sorted(counts, key=lambda i: (-counts[i], i))
    return {user: list(itertools.islice((i for i in order if i not in had), K)) for user, had in ((u, set(r)) for u, r in split.train.items())}


def item_cosine(split):
    """Σ over what the user had of the cosine of who had the items."""
    users, items, matrix = matrix_of(split)
    norms = np.sqrt(np.asarray(matrix.sum(axis=0)).ravel())
    scores = (matrix @ ((matrix.T @ matrix).toarray() / np.outer(norms, norms)))
    scores[matrix.nonzero()] = -1
    return {user: [items[i] for i in np.argsort(-scores[u], kind="stable")[:K]] for u, user in enumerate(users)}


# ---- the tables

def choose(who, split, grid):
    """By nDCG on the part of the training data that is held out."""
    best = max((measures(split, who.lists(split, **p))[2], n, p) for n, p in enumerate(dict(zip(grid, v)) for v in itertools.product(*grid.values())))
    return best[2]


def words(params):
    return ", ".join("%s %g" % p for p in params.items())


def rows_of(split, jobs, chosen):
    yield "popularity", measures(split, popularity(split)), ""
    if implicit:
        yield "item cosine", measures(split, item_cosine(split)), ""
    for who, name in jobs:
        yield name, measures(split, who.lists(split, **chosen[name])), words(chosen[name])


def table(columns, rows):
    print("| | " + " | ".join(columns) + " | parameters |\n|---|" + "---|" * (len(columns) + 1))
    for name, values, params in rows:
        print("| %s | %s | %s |" % (name, " | ".join("%.4f" % v for v in values), params), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    if not os.path.exists(DATA):
        print("the data is not here: %s" % os.path.normpath(DATA))
        return
    users = ratings()
    chronological = Split(0, users, lambda n: round(0.75 * n))
    inner = Split(1, chronological.train, lambda n: round(0.75 * n))
    last = Split(2, users, lambda n: n - 1)
    rng = random.Random(1)
    shuffled = Split(3, {user: rng.sample(rows, len(rows)) for user, rows in users.items()}, lambda n: round(0.75 * n))
    with Daemon() as d:
        for split in (chronological, inner, last, shuffled):
            split.send(d)
        jobs = [(Job(d, name), "job " + name) for name in GRIDS]
        if implicit:
            jobs += [(Library(name), "implicit " + name) for name in GRIDS]
        else:
            print("implicit is not installed: it is left out")
        chosen = {name: CHOSEN[name] if quick else choose(who, inner, GRIDS[who.name]) for who, name in jobs}
        print("%d users, %d ratings\n\nChronological, 75 %% / 25 %%\n" % (len(users), sum(map(len, users.values()))))
        table(COLUMNS, rows_of(chronological, jobs, chosen))
        print("\nRandom, 75 % / 25 %\n")
        table(COLUMNS, itertools.chain(rows_of(shuffled, jobs, chosen), (("microsoft/recommenders: " + p[0], p[1:], "published") for p in PUBLISHED)))
        print("\nLeave-last-out\n")
        table(("HR@10", "nDCG@10"), ((name, values[1:3], params) for name, values, params in rows_of(last, jobs, chosen)))


if __name__ == "__main__":
    main()
