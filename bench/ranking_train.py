#!/usr/bin/env python3
"""LambdaMART: training by the functions of the job learn-to-rank beside the XGBoost package (Debian's python3-xgboost, the same library) with the same threads.

    ranking_train.py [--rounds N] [--queries N] [--threads 1,2]

Made-up graded relevance 0 to 4, queries of 100 documents with 50 features; 50 trees of depth 6, rate 0.1, hist. What is measured goes from values in memory to the trees:
matrix, rounds, and with us thresholds between values. Both in alternation, medians. The nDCG@10 of queries that neither saw stands beside it.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np  # noqa: E402

BUILD_DIR = os.environ.get("BUILD_DIR", "build")
DOCS, FEATURES, TREES, DEPTH, RATE = 100, 50, 50, 6, 0.1


def make(queries, seed):
    """What is asked of a query's documents depends on a few features, on two of them together, and on chance."""
    rng = np.random.RandomState(seed)
    x = rng.rand(queries * DOCS, FEATURES).astype(np.float32)
    worth = 2 * x[:, 0] + x[:, 1] - x[:, 2] + 2 * x[:, 3] * x[:, 4] + np.sin(6 * x[:, 5]) + rng.normal(0, 0.5, len(x))
    order = worth.reshape(queries, DOCS).argsort(1).argsort(1)
    return x, np.digitize(order, [60, 80, 90, 97]).reshape(-1).astype(np.float32)


def write(path, x, y):
    with open(path, "w", encoding="utf-8") as f:
        for i, row in enumerate(x):
            f.write("%d qid:%d %s\n" % (y[i], i // DOCS + 1, " ".join("%d:%.9g" % (k + 1, v) for k, v in enumerate(row))))


def ndcg(y, scores, k=10):
    gains = (2 ** y - 1).reshape(-1, DOCS)
    order = np.argsort(-np.asarray(scores).reshape(-1, DOCS), 1, kind="stable")
    discounts = 1 / np.log2(2 + np.arange(k))
    return ((np.take_along_axis(gains, order, 1)[:, :k] * discounts).sum(1) / (np.sort(gains, 1)[:, ::-1][:, :k] * discounts).sum(1)).mean()


def ours(paths, threads):
    done = subprocess.run([os.path.join(BUILD_DIR, "bench", "ranking_train"), *paths, "trees=%d" % TREES, "depth=%d" % DEPTH, "learning_rate=%g" % RATE, "min_child_weight=1",
                           "threads=%d" % threads], capture_output=True, text=True, check=True)
    told = json.loads(done.stderr)
    return told["cpu"], told["wall"], [float(line) for line in done.stdout.split()]


def package(xgboost, train, test, threads, objective):
    cpu, wall = time.process_time(), time.monotonic()
    matrix = xgboost.DMatrix(train[0], train[1], nthread=threads)
    matrix.set_group([DOCS] * (len(train[0]) // DOCS))
    model = xgboost.train({"objective": objective, "tree_method": "hist", "max_depth": DEPTH, "eta": RATE, "min_child_weight": 1, "nthread": threads, "seed": 1}, matrix, TREES)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return cpu, wall, model.predict(xgboost.DMatrix(test[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--threads", default="1,2")
    given = parser.parse_args()
    try:
        import xgboost
    except ImportError:
        print("LambdaMART training: there is no python3-xgboost here: left out")
        return
    train, test = make(given.queries, 1), make(200, 2)
    with tempfile.TemporaryDirectory() as where:
        paths = [os.path.join(where, name) for name in ("train.txt", "test.txt")]
        write(paths[0], *train)
        write(paths[1], *test)
        print("LambdaMART training: %d documents of %d queries, %d features, %d trees of depth %d; medians of %d rounds in alternation"
              % (len(train[0]), given.queries, FEATURES, TREES, DEPTH, given.rounds))
        print("%-32s%8s%10s%10s%12s%10s" % ("", "threads", "CPU s", "wall s", "ours / it", "nDCG@10"))
        for threads in map(int, given.threads.split(",")):
            sides = {"learn-to-rank, lambdamart": lambda n: ours(paths, n)}
            for objective in ("rank:ndcg", "rank:pairwise"):
                sides["XGBoost %s %s" % (xgboost.__version__, objective)] = lambda n, o=objective: package(xgboost, train, test, n, o)
            found = {name: [] for name in sides}
            for _ in range(given.rounds):
                for name, side in sides.items():
                    found[name].append(side(threads))
            base = None
            for name, runs in found.items():
                cpu, wall = (statistics.median(r[i] for r in runs) for i in (0, 1))
                base = base or cpu
                print("%-32s%8d%10.2f%10.2f%12s%10.4f" % (name, threads, cpu, wall, "" if name == next(iter(found)) else "%.2f" % (base / cpu), ndcg(test[1], runs[-1][2])))


if __name__ == "__main__":
    main()
