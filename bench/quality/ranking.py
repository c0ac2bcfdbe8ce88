"""quality: rankers: LambdaMART and linear models of the job learn-to-rank beside LightGBM and XGBoost; clicks corrected for places beside clicks as they are.

    ranking.py [--part same|l2|chosen|clicks]... [--seeds N]

The trainer's own functions learn from files (build/bench/ranking_train); the packages learn from the same rows in Python. Everything is measured here by one function:
nDCG with gains 2^grade - 1, means over the queries that have a relevant document.
  same    the same number of trees, depth (or leaves) and learning rate for all; two times five folds by query over all queries of a data set, so that each query is
          judged twice by models that did not see it; differences are paired by query
  l2      the same of ours, with more of a penalty on leaves
  chosen  parameters by five folds within the training part alone, from one grid for all; then the test part, once
  clicks  searches are simulated on the training queries: ten documents in the order of a ranker that learned from one in a hundred of them, with some noise, each looked at with a known probability that falls with its
          place, and clicked by its grade; signals go to a daemon, the jobs click-models and learn-to-rank run as they are, and the rankers are judged on the test queries by
          the true grades. Several seeds
"""
import argparse
import datetime
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "support"))
from daemon import SHARED_DATA, Daemon, program, wait_for  # noqa: E402

try:
    import numpy as np
    import lightgbm
    import xgboost
except ImportError:
    lightgbm = None

LIGHTGBM = os.path.join(SHARED_DATA, "lightgbm_lambdarank")
MQ2008 = os.path.join(SHARED_DATA, "letor_mq2008_fold", "test.txt")
CUTS = (1, 5, 10)
SIMULATED = {"sessions": 100, "power": 1.0, "shown": 10, "noise": 0.03, "taught": 2}


# ---- data

class Data:
    """Rows with grades, query behind query."""

    def __init__(self, x, y, sizes):
        self.x, self.y, self.sizes = np.asarray(x, dtype=np.float32), np.asarray(y, dtype=float), list(sizes)
        self.ends = np.cumsum(self.sizes)

    def take(self, queries):
        rows = np.concatenate([np.arange(self.ends[q] - self.sizes[q], self.ends[q]) for q in queries])
        return Data(self.x[rows], self.y[rows], [self.sizes[q] for q in queries])

    def write(self, path):
        with open(path, "w", encoding="utf-8") as f:
            row = 0
            for q, n in enumerate(self.sizes):
                for _ in range(n):
                    last = self.x.shape[1] - 1
                    f.write("%g qid:%d %s\n" % (self.y[row], q + 1, " ".join("%d:%.9g" % (k + 1, v) for k, v in enumerate(self.x[row]) if v or k == last)))
                    row += 1


def read(path, features, sizes=None):
    x, y, queries = [], [], []
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.split("#")[0].split()
            row = np.zeros(features, dtype=np.float32)
            for word in words[1:]:
                key, value = word.split(":")
                if key == "qid":
                    queries.append(value)
                else:
                    row[int(key) - (1 if sizes is None else 0)] = float(value)
            x.append(row)
            y.append(float(words[0]))
    if sizes is None:
        sizes = [len(list(group)) for _, group in itertools.groupby(queries)]
    return Data(x, y, sizes)


def lightgbm_part(name):
    with open(os.path.join(LIGHTGBM, name + ".query"), encoding="utf-8") as f:
        return read(os.path.join(LIGHTGBM, name), 301, [int(line) for line in f])


def together(a, b):
    return Data(np.vstack([a.x, b.x]), np.concatenate([a.y, b.y]), a.sizes + b.sizes)


def ndcg(data, scores, k):
    """Of each query; NaN without a relevant document. Equal scores keep the order of the rows."""
    out, at = [], 0
    for n in data.sizes:
        gains = 2 ** data.y[at:at + n] - 1
        discounts = 1 / np.log2(2 + np.arange(min(k, n)))
        ideal = (np.sort(gains)[::-1][:k] * discounts).sum()
        order = np.argsort(-np.asarray(scores[at:at + n]), kind="stable")
        out.append((gains[order][:k] * discounts).sum() / ideal if ideal else np.nan)
        at += n
    return np.array(out)


# ---- learners: (training, judged, trees, leaves, depth, rate, least) → scores; or with trees a list, scores for each

class Ours:
    def __init__(self, where):
        self.where = where

    def run(self, train, judged, **params):
        paths = [os.path.join(self.where, name) for name in ("train.txt", "judged.txt")]
        train.write(paths[0])
        judged.write(paths[1])
        done = subprocess.run([program("bench/ranking_train"), *paths, *("%s=%s" % p for p in params.items())], capture_output=True, text=True, check=True)
        return [float(line) for line in done.stdout.split()]

    def trees(self, train, judged, trees, leaves=0, depth=6, rate=0.1, least=5, l2=1):
        at = {"at": ",".join(map(str, trees))} if len(trees) > 1 else {}
        scores = self.run(train, judged, trees=max(trees), leaves=leaves, depth=0 if leaves else depth, learning_rate=rate, min_child_weight=least, l2=l2, **at)
        return np.array(scores).reshape(len(trees), -1)

    def linear(self, kind):
        return lambda train, judged, l2: [self.run(train, judged, objective=kind, l2=l2, iterations=1000)]


def of_lightgbm(train, judged, trees, leaves=31, depth=6, rate=0.1, least=20):
    model = lightgbm.train({"objective": "lambdarank", "num_leaves": leaves or 2 ** depth - 1, "max_depth": -1 if leaves else depth, "learning_rate": rate,
                            "min_data_in_leaf": least, "num_threads": 1, "deterministic": True, "seed": 1, "verbosity": -1},
                           lightgbm.Dataset(train.x, train.y, group=train.sizes), max(trees))
    return [model.predict(judged.x, num_iteration=n) for n in trees]


def of_xgboost(train, judged, trees, leaves=0, depth=6, rate=0.1, least=1, objective="rank:ndcg"):
    matrix = xgboost.DMatrix(train.x, train.y)
    matrix.set_group(train.sizes)
    model = xgboost.train({"objective": objective, "tree_method": "hist", "max_leaves": leaves, "max_depth": 0 if leaves else depth, "eta": rate, "min_child_weight": least,
                           "grow_policy": "lossguide" if leaves else "depthwise", "nthread": 1, "seed": 1, "verbosity": 0}, matrix, max(trees))
    return [model.predict(xgboost.DMatrix(judged.x), iteration_range=(0, n)) for n in trees]


OF_DEBIAN = """
import sys, json, numpy as np, xgboost
d, p = np.load(sys.argv[1]), json.loads(sys.argv[2])
m = xgboost.DMatrix(d["x"], d["y"]); m.set_group(d["g"])
b = xgboost.train(p["params"], m, max(p["trees"]))
np.save(sys.argv[3], np.array([b.predict(xgboost.DMatrix(d["e"]), iteration_range=(0, n)) for n in p["trees"]]))
"""


def of_debian(where):
    """XGBoost 1.7.4, whose library the trainer links."""
    def learn(train, judged, trees, leaves=0, depth=6, rate=0.1, least=1):
        given, got = os.path.join(where, "data.npz"), os.path.join(where, "scores.npy")
        np.savez(given, x=train.x, y=train.y, g=train.sizes, e=judged.x)
        params = {"objective": "rank:ndcg", "tree_method": "hist", "max_leaves": leaves, "max_depth": 0 if leaves else depth, "eta": rate, "min_child_weight": least,
                  "grow_policy": "lossguide" if leaves else "depthwise", "nthread": 1, "seed": 1, "verbosity": 0}
        subprocess.run(["/usr/bin/python3", "-c", OF_DEBIAN, given, json.dumps({"params": params, "trees": trees}), got], check=True)
        return list(np.load(got))
    return learn


def learners(where):
    ours = Ours(where)
    return {"learn-to-rank, lambdamart": ours.trees, "LightGBM %s lambdarank" % lightgbm.__version__: of_lightgbm, "XGBoost %s rank:ndcg" % xgboost.__version__: of_xgboost,
            "XGBoost 1.7.4 rank:ndcg": of_debian(where)}


# ---- the same parameters

def folds_of(data, seed, n=5):
    order = np.random.RandomState(seed).permutation(len(data.sizes))
    for f in range(n):
        held = sorted(order[f::n])
        yield data.take(sorted(set(range(len(data.sizes))) - set(held))), data.take(held), held


def pooled(data, learn, **params):
    """nDCG of each query at each cut, mean over two rounds of folds."""
    found = np.zeros((2, len(CUTS), len(data.sizes)))
    for seed in range(2):
        for train, held, queries in folds_of(data, seed + 7):
            scores = learn(train, held, **params)[0]
            for c, k in enumerate(CUTS):
                found[seed, c, queries] = ndcg(held, scores, k)
    return found.mean(0)


def line(name, found, base=None):
    means = [np.nanmean(f) for f in found]
    text = "%-34s" % name + "".join("%9.4f" % m for m in means)
    if base is not None:
        d = base[-1] - found[-1]
        d = d[~np.isnan(d)]
        text += "   %+.4f ± %.4f" % (d.mean(), 1.96 * d.std(ddof=1) / len(d) ** 0.5)
    print(text, flush=True)


def same(sets, where):
    settings = [({"trees": [100], "depth": 6, "rate": 0.1}, "100 trees of depth 6, rate 0.1"), ({"trees": [200], "leaves": 15, "depth": 0, "rate": 0.05}, "200 trees of 15 leaves, rate 0.05"),
                ({"trees": [100], "depth": 3, "rate": 0.1}, "100 trees of depth 3, rate 0.1")]
    for name, data in sets.items():
        for params, words in settings:
            print("\n%s: %s\n%-34s%9s%9s%9s   ours is better by (nDCG@10, 95%%)" % (name, words, "", *("nDCG@%d" % k for k in CUTS)))
            ours = None
            for learner, learn in learners(where).items():
                found = pooled(data, learn, **params)
                line(learner, found, ours)
                ours = found if ours is None else ours
        linear = {"learn-to-rank, pairwise": "pairwise", "learn-to-rank, listwise": "listwise"}
        print("\n%s: linear models, l2 0.1" % name)
        for learner, kind in linear.items():
            line(learner, pooled(data, Ours(where).linear(kind), l2=0.1))


def by_l2(sets, where):
    for name, data in sets.items():
        print("\n%s: learn-to-rank, lambdamart, 100 trees, rate 0.1, by l2\n%-34s%9s%9s%9s" % (name, "", *("nDCG@%d" % k for k in CUTS)))
        for depth, l2 in itertools.product((6, 3), (1, 20)):
            line("depth %d, l2 %g" % (depth, l2), pooled(data, Ours(where).trees, trees=[100], depth=depth, l2=l2))


# ---- parameters chosen on the training part

TREES = [50, 100, 200]
GRID = [{"leaves": 0, "depth": depth, "rate": rate, "trees": TREES} for depth in (3, 6) for rate in (0.05, 0.1)]


def choose(train, learn, grid):
    best = None
    for params in grid:
        found = np.zeros(max(1, len(params.get("trees", [0]))))
        for part, held, _ in folds_of(train, 3):
            found += [np.nanmean(ndcg(held, s, 10)) for s in learn(part, held, **params)]
        at = int(found.argmax())
        if best is None or found[at] > best[0]:
            best = (found[at], {**params, **({"trees": [params["trees"][at]]} if "trees" in params else {})})
    return best[1]


def chosen(where):
    train, test = lightgbm_part("rank.train"), lightgbm_part("rank.test")
    print("\nlightgbm_lambdarank: parameters by five folds of the 201 training queries, then the 50 test queries\n%-34s%9s%9s%9s" % ("", *("nDCG@%d" % k for k in CUTS)))
    for learner, learn in learners(where).items():
        params = choose(train, learn, GRID)
        scores = learn(train, test, **params)[0]
        line(learner, [ndcg(test, scores, k) for k in CUTS])
        print("    %s" % json.dumps(params))
    for kind in ("pairwise", "listwise"):
        learn = Ours(where).linear(kind)
        params = choose(train, learn, [{"l2": l2} for l2 in (0.01, 0.1, 1, 10)])
        scores = learn(train, test, **params)[0]
        line("learn-to-rank, " + kind, [ndcg(test, scores, k) for k in CUTS])
        print("    %s" % json.dumps(params))


# ---- clicks

FIRST = datetime.datetime(2026, 10, 1, tzinfo=datetime.timezone.utc)


def examination(place):
    """How often the document at this place, from 0, is looked at."""
    return (place + 1) ** -SIMULATED["power"]


def attraction(grade):
    return 0.05 + 0.95 * (2 ** grade - 1) / 15


def simulate(d, train, weak, seed):
    """Signals of all searches; lists are those of a weak ranker with noise, so that a document is seen at several places."""
    rng, signals, at = random.Random(seed), [], 0
    for q, n in enumerate(train.sizes):
        for s in range(SIMULATED["sessions"]):
            order = sorted(range(n), key=lambda i: -(weak[at + i] + rng.gauss(0, SIMULATED["noise"])))[:SIMULATED["shown"]]
            when = FIRST + datetime.timedelta(days=s % 2, seconds=q * 60 + s)
            common = {"unit": "u-%d-%d" % (q, s), "query_id": "q-%d-%d" % (q, s), "query": "q%d" % (q + 1)}
            signals.append({**common, "type": "response", "timestamp": when.isoformat(), "params": {"docs": ["d%d" % (i + 1) for i in order]}})
            for place, i in enumerate(order):
                if rng.random() < examination(place) * attraction(train.y[at + i]):
                    signals.append({**common, "type": "click", "doc": "d%d" % (i + 1), "position": place + 1, "timestamp": (when + datetime.timedelta(seconds=place + 1)).isoformat()})
        at += n
    for start in range(0, len(signals), 5000):
        reply = d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in signals[start:start + 5000]).encode(), key="client")
        assert reply.status == 200 and not reply.json["rejected"], reply
    d.wait_loaded()
    return sum(s["type"] == "click" for s in signals)


def put_rows(d, train):
    """In pieces, each below the limit of a request."""
    pieces, at = [[]], 0
    for q, n in enumerate(train.sizes):
        for i in range(n):
            text = "%g qid:%d %s # d%d\tq%d\n" % (train.y[at], q + 1, " ".join("%d:%.9g" % (k + 1, v) for k, v in enumerate(train.x[at]) if v), i + 1, q + 1)
            if sum(map(len, pieces[-1])) + len(text) > 4 << 20:
                pieces.append([])
            pieces[-1].append(text)
            at += 1
    spec = {"features": [{"name": "f%d" % (k + 1), "default": 0} for k in range(train.x.shape[1])]}
    assert d.request("PUT", "/v1/feature-sets/rows", json.dumps(spec).encode()).status == 201
    for piece in pieces:
        reply = d.post("/v1/feature-sets/rows/rows?judgments=truth", "".join(piece).encode())
        assert reply.status == 200, reply


def run_job(d, job, **params):
    d.run("trainer", "run", job, "--data-dir", d.dir, *(x for k, v in params.items() for x in ("--param", "%s=%s" % (k, v))))


def served(d, model, test):
    """Scores of the test documents by /v1/rank."""
    wait_for(lambda: d.post("/v1/rank", {"model": model, "docs": [{"id": "a", "features": {}}]}, key="client").status == 200, model + " is served")
    scores, at = [], 0
    for n in test.sizes:
        docs = [{"id": str(i), "features": {"f%d" % (k + 1): float(v) for k, v in enumerate(test.x[at + i]) if v}} for i in range(n)]
        by_id = {x["id"]: x["score"] for x in d.post("/v1/rank", {"model": model, "docs": docs}, key="client").json["docs"]}
        scores += [by_id[str(i)] for i in range(n)]
        at += n
    return scores


TREES_OF_CLICKS = {"depth": 4, "learning_rate": 0.05, "l2": 1}
LINEAR = {"objective": "pairwise", "l2": 1}
TRUTH = {"labels": "judgments", "judgments": "truth", "holdout_queries": 0}
LEARNED = {"lambdamart": {"clicks as they are": {**TREES_OF_CLICKS, "debias": "none"}, "ips": {**TREES_OF_CLICKS, "debias": "ips"}, "ratio": {**TREES_OF_CLICKS, "debias": "ratio"},
                          "true grades": {**TREES_OF_CLICKS, **TRUTH}},
           "pairwise": {"clicks as they are": {**LINEAR, "debias": "none"}, "ips": {**LINEAR, "debias": "ips"}, "ratio": {**LINEAR, "debias": "ratio"}, "true grades": {**LINEAR, **TRUTH}}}


def of_seed(seed, train, test, where):
    rng = np.random.RandomState(seed)
    few = train.take(sorted(rng.permutation(len(train.sizes))[:SIMULATED["taught"]]))
    weak = np.array(Ours(where).linear("pairwise")(few, train, 1)[0])
    weak = weak / (weak.max() - weak.min())
    found = {}
    with Daemon() as d:
        put_rows(d, train)
        clicks = simulate(d, train, weak, seed)
        run_job(d, "click-models", as_of="2026-10-02", days=2, holdout_days=0, gate="none")
        for objective, ways in LEARNED.items():
            for name, params in ways.items():
                model = "m%d" % len(found)
                run_job(d, "learn-to-rank", **{"model": model, "labels": "clicks", "feature_set": "rows", "as_of": "2026-10-02", "days": 2, "holdout_days": 0, "gate": "none", **params})
                found[objective + ", " + name] = np.array([np.nanmean(ndcg(test, served(d, model, test), k)) for k in CUTS])
    few_scores = Ours(where).linear("pairwise")(few, test, 1)[0]
    found["the weak ranker that was shown"] = np.array([np.nanmean(ndcg(test, few_scores, k)) for k in CUTS])
    return found, clicks


def clicks(seeds, where):
    train, test = lightgbm_part("rank.train"), lightgbm_part("rank.test")
    print("\nlightgbm_lambdarank: %d searches of each training query, place k looked at with 1/k; mean of %d seeds, and of differences the 95 %% interval over seeds\n%-46s%9s%9s%9s   better than clicks as they are (nDCG@10)"
          % (SIMULATED["sessions"], seeds, "", *("nDCG@%d" % k for k in CUTS)))
    runs = [of_seed(seed, train, test, where) for seed in range(1, seeds + 1)]
    for name in runs[0][0]:
        all_ = np.array([r[name] for r, _ in runs])
        naive = np.array([r[name.split(",")[0] + ", clicks as they are"][-1] for r, _ in runs]) if "," in name else all_[:, -1]
        d = all_[:, -1] - naive
        print("%-46s" % name + "".join("%9.4f" % m for m in all_.mean(0)) + ("   %+.4f ± %.4f" % (d.mean(), 2.776 * d.std(ddof=1) / len(d) ** 0.5) if seeds == 5 and d.any() else ""), flush=True)
    print("clicks a seed: %s" % ", ".join(str(n) for _, n in runs))
    return runs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=("same", "l2", "chosen", "clicks"))
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    parts = given.part or ["same", "l2", "chosen", "clicks"]
    if lightgbm is None:
        print("ranking: LightGBM, XGBoost and NumPy cannot be had from PyPI here: left out")
        return
    if not os.path.isdir(LIGHTGBM) or not os.path.exists(MQ2008):
        print("ranking: there is no data in %s: left out" % SHARED_DATA)
        return
    with tempfile.TemporaryDirectory() as where:
        sets = {"lightgbm_lambdarank (251 queries)": together(lightgbm_part("rank.train"), lightgbm_part("rank.test")), "letor_mq2008_fold (156 queries)": read(MQ2008, 46)}
        if "same" in parts:
            same(sets, where)
        if "l2" in parts:
            by_l2(sets, where)
        if "chosen" in parts:
            chosen(where)
        if "clicks" in parts:
            clicks(given.seeds, where)


if __name__ == "__main__":
    main()
