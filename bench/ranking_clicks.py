#!/usr/bin/env python3
"""EM of click models: searches per second and core of the job's own code, beside the same iteration in NumPy.

    ranking_clicks.py [--searches 1000000] [--queries 2000] [--iterations 10]

Made-up searches: queries by Zipf's law, twenty documents each, ten of them shown, in the order of a ranker that swaps neighbours now and then; clicks by ubm. One iteration of
each model over all of them, on one core: CPU seconds, the best of three. NumPy does the same E and M steps, and the log-likelihood that convergence is seen by, over every search ("as it comes"), and over what we count
once, cells with weights ("counted"); for the models that go down a list (dbn) there is no such form, and it works on different searches with counts. Behind the
iterations log-likelihoods are compared: both did the same.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "support"))
try:
    import numpy as np
except ImportError:
    sys.exit("bench ranking: NumPy is not installed (python3-scipy; script/setup --test installs it)")
from daemon import BUILD_DIR  # noqa: E402

N, DOCS, PRIOR, MEAN = 10, 20, 2, 0.5


def make(searches, queries):
    """Query, documents, clicks: sorted by what is equal, as the log's merge has them."""
    rng = np.random.default_rng(5)
    weight = 1 / np.arange(1, queries + 1)
    query = np.sort(rng.choice(queries, searches, p=weight / weight.sum())).astype(np.uint32)
    docs = np.tile(np.arange(N, dtype=np.uint16), (searches, 1))
    for r in range(N - 1):
        swap = rng.random(searches) < 0.04
        docs[swap, r], docs[swap, r + 1] = docs[swap, r + 1], docs[swap, r]
    other = rng.random(searches) < 0.1  # a document from further down at the end
    docs[other, N - 1] = rng.integers(N, DOCS, other.sum())
    alpha, gamma = rng.beta(1, 2, (queries, DOCS)), 1 / np.arange(1, N + 2) ** 0.7
    clicks, before = np.zeros((searches, N), bool), np.zeros(searches, np.int64)
    for r in range(N):
        clicks[:, r] = rng.random(searches) < gamma[r - before] * alpha[query, docs[:, r]]
        before = np.where(clicks[:, r], r + 1, before)
    bits = (clicks << np.arange(N)).sum(axis=1).astype(np.uint32)
    order = np.lexsort((bits, *(docs[:, r] for r in range(N - 1, -1, -1)), query))
    return query[order], docs[order], clicks[order], bits[order]


def cells_of(model, clicks):
    r = np.broadcast_to(np.arange(N), clicks.shape)
    if model == "pbm":
        return r, N
    at = np.where(clicks, np.arange(1, N + 1), 0)
    before = np.hstack([np.zeros((len(at), 1), np.int64), np.maximum.accumulate(at, axis=1)[:, :-1]])
    return r * (r + 1) // 2 + before, N * (N + 1) // 2


class Cells:
    """pbm, ubm over entries (pair of query and document, cell, clicked) with weights."""

    def __init__(self, pair, cell, clicked, weight, pairs, cells):
        self.pair, self.cell, self.pairs, self.cells = pair, cell, pairs, cells
        self.clicks = np.bincount(pair, clicked * weight, pairs)
        self.cell_clicks, self.total = np.bincount(cell, clicked * weight, cells), np.bincount(cell, weight, cells)
        self.skip = np.flatnonzero(~clicked)
        self.skip_pair, self.skip_cell, self.skip_w = pair[self.skip], cell[self.skip], weight[self.skip]
        self.alpha, self.gamma = np.full(pairs, 0.5), np.where(np.arange(cells) > 0, 0.5, 1.0)

    def step(self):
        a, g = self.alpha[self.skip_pair], self.gamma[self.skip_cell]
        rest = 1 - g * a
        looked = self.skip_w * (1 - (1 - g) / rest)
        loglikelihood = (self.skip_w * np.log(rest)).sum() + (self.clicks * np.log(self.alpha)).sum() + (self.cell_clicks * np.log(self.gamma)).sum()
        alpha = (self.clicks + PRIOR * MEAN) / (self.clicks + np.bincount(self.skip_pair, looked, self.pairs) + PRIOR)
        num = self.cell_clicks + np.bincount(self.skip_cell, looked, self.cells)
        self.gamma = np.where(np.arange(self.cells) > 0, (num + 1) / (self.total + 2), 1.0)
        self.alpha = alpha
        return float(loglikelihood)


class Dbn:
    """dbn: behind the last click backward and forward along the lists, all searches at once."""

    def __init__(self, pair, clicks, weight, pairs):
        self.pair, self.w, self.pairs = pair, weight, pairs
        self.last = np.where(clicks.any(axis=1), N - np.argmax(clicks[:, ::-1], axis=1), 0)
        r = np.arange(N)
        self.above, self.is_last = r < (self.last - 1)[:, None], r == (self.last - 1)[:, None]
        w = weight[:, None]
        flat = pair.ravel()
        self.flat = flat

        def total(values):
            return np.bincount(flat, np.broadcast_to(values, pair.shape).ravel(), pairs)
        self.total = total
        self.clicks, self.sure = total(clicks * w), total(~clicks * self.above * w)
        self.gone, ends = total(clicks * self.above * w), clicks & (r == N - 1)
        self.trials = self.clicks - total(ends * w)
        self.sure_all, self.gone_all = self.sure.sum(), self.gone.sum()
        self.alpha, self.sigma, self.go = np.full(pairs, 0.5), np.full(pairs, 0.5), 0.5

    def walk(self):
        a = self.alpha[self.pair]
        b, on = np.ones((len(a), N + 1)), np.zeros((len(a), N))
        for r in range(N - 1, -1, -1):
            stays = 1 - self.go + self.go * b[:, r + 1]
            on[:, r] = self.go * b[:, r + 1] / stays
            b[:, r] = (1 - a[:, r]) * stays
        return b, on

    def step(self):
        b, on = self.walk()
        rows = np.flatnonzero((self.last > 0) & (self.last < N))
        doc = self.pair[rows, self.last[rows] - 1]
        after, behind = self.go * (1 - self.sigma[doc]), b[rows, self.last[rows]]
        t = 1 - after + after * behind
        entry = np.zeros(len(b))
        entry[rows] = after * behind / t
        entry[self.last == 0] = 1
        looked, p = np.zeros((len(b), N)), np.zeros(len(b))
        opened = passed = 0.0
        for r in range(N):
            p = np.where(self.last == r, entry, p)
            looked[:, r] = p
            if r + 1 < N:
                opened += float((self.w * p).sum())
                p = p * on[:, r]
                passed += float((self.w * p).sum())
        loglikelihood = (self.w[rows] * np.log(t)).sum() + (self.w * (self.last == 0) * np.log(b[:, 0])).sum() + (
            self.clicks * np.log(self.alpha) + self.sure * np.log(self.go * (1 - self.alpha)) + self.gone * np.log(self.go * (1 - self.sigma))).sum()
        satisfied = np.bincount(doc, self.w[rows] * self.sigma[doc] / t, self.pairs)
        went = float((self.w[rows] * after * behind / t).sum())
        alpha = (self.clicks + PRIOR * MEAN) / (self.clicks + self.sure + self.total(looked * self.w[:, None]) + PRIOR)
        self.sigma = (satisfied + PRIOR / 2) / (self.trials + PRIOR)
        opportunity = self.sure_all + self.gone_all + float(self.w[rows].sum()) - float(satisfied.sum()) + opened
        self.go = (self.sure_all + self.gone_all + went + passed + 1) / (opportunity + 2)
        self.alpha = alpha
        return float(loglikelihood)


def timed(make_model, iterations):
    best, before = float("inf"), 0.0
    for _ in range(3):
        model = make_model()
        for _ in range(iterations):
            start = time.process_time()
            before = model.step()
            best = min(best, time.process_time() - start)
    return best, before


def references(model, query, docs, clicks):
    """"as it comes" and "counted", each as a function that makes it."""
    pair = query.astype(np.int64)[:, None] * DOCS + docs
    pairs = int(query.max() + 1) * DOCS
    if model == "dbn":
        key = np.hstack([pair, clicks.astype(np.int64)])
        new = np.concatenate([[True], (key[1:] != key[:-1]).any(axis=1)])
        counts = np.diff(np.append(np.flatnonzero(new), len(key))).astype(float)
        return (lambda: Dbn(pair, clicks, np.ones(len(pair)), pairs)), (lambda: Dbn(pair[new], clicks[new], counts, pairs))
    cell, cells = cells_of(model, clicks)
    flat = ((pair * cells + cell) * 2 + clicks).ravel()
    keys, weight = np.unique(flat, return_counts=True)
    plain = (pair.ravel(), np.ascontiguousarray(cell).ravel(), clicks.ravel(), np.ones(pair.size), pairs, cells)
    counted = (keys // 2 // cells, keys // 2 % cells, keys % 2 == 1, weight.astype(float), pairs, cells)
    return (lambda: Cells(*plain)), (lambda: Cells(*counted))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--searches", type=int, default=1000000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--iterations", type=int, default=10)
    o = parser.parse_args()
    query, docs, clicks, bits = make(o.searches, o.queries)
    print("click models, one iteration of EM: %d searches of %d queries, %.2f clicks each" % (o.searches, o.queries, clicks.sum() / o.searches))
    with tempfile.NamedTemporaryFile(dir=BUILD_DIR) as f:
        f.write(np.array([o.searches, N, o.queries, DOCS], np.uint32).tobytes() + query.tobytes() + bits.tobytes() + docs.tobytes())
        f.flush()
        print("%-4s %16s %18s %18s %9s %9s  %s" % ("", "ours, searches/s", "NumPy as it comes", "NumPy counted", "times", "times", "same log-likelihood"))
        for model in ("pbm", "ubm", "dbn"):
            runs = [json.loads(subprocess.run([os.path.join(BUILD_DIR, "bench", "ranking_clicks"), f.name, model, str(o.iterations)], check=True,
                                              capture_output=True, text=True).stdout) for _ in range(3)]
            ours = min(r["iteration"] for r in runs)
            plain, counted = (timed(m, o.iterations) for m in references(model, query, docs, clicks))
            same = max(abs(x[1] / runs[0]["loglikelihood"] - 1) for x in (plain, counted))
            print("%-4s %16.0f %18.0f %18.0f %9.1f %9.1f  to %.0e" % (model, o.searches / ours, o.searches / plain[0], o.searches / counted[0],
                                                                     plain[0] / ours, counted[0] / ours, same))
    r = runs[0]
    print("counting, once: %.0f searches/s; %d searches are %d patterns, %d places, %d slots, %d lists" % (
        o.searches / min(x["counting"] for x in runs), o.searches, r["patterns"], r["places"], r["slots"], r["lists"]))


if __name__ == "__main__":
    main()
