"""The job "learn-to-rank": rankers that rank well, of judgments and of clicks; the same bytes on however many workers; linear models where SciPy finds them;
monotone features; the gate; clicks corrected for places; too little, and what cannot be."""
import datetime
import hashlib
import json
import math
import os
import random
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import build, build_lists, of_version  # noqa: E402
from artifacts import publish  # noqa: E402
from daemon import DaemonTest, wait_for  # noqa: E402

import numpy as np  # noqa: E402
import scipy.optimize  # noqa: E402

QUERIES, DOCS = 50, 10
NAMES = ["match", "price", "noise", "fresh"]
FIRST = datetime.datetime(2026, 10, 1, tzinfo=datetime.timezone.utc)
PLACES = [1, 0.5, 0.3, 0.2, 0.15]  # how often a place is looked at


def rows():
    """query, doc, grade, values: what matches and is cheap is good."""
    rng = random.Random(2)
    for q in range(QUERIES):
        for k in range(DOCS):
            v = [round(rng.random(), 3) for _ in NAMES]
            worth = 2 * v[0] - v[1] + rng.gauss(0, 0.2)
            yield "query %d" % q, "doc-%d-%d" % (q, k), 3 if worth > 1.2 else 2 if worth > 0.8 else 1 if worth > 0.3 else 0, v


ROWS = list(rows())
TRUTH = {(q, doc): grade for q, doc, grade, _ in ROWS}


class LearnToRank(DaemonTest):
    params = {"feature_set": "shop", "judgments": "grades", "trees": 30, "folds": 3, "depth": 4, "gate_min_units": 5, "as_of": "2026-10-05"}

    @classmethod
    def prepare(cls, d):
        letor = "".join("%d qid:%d %s # %s\t%s\n" % (grade, i // DOCS + 1, " ".join("%d:%g" % (k + 1, x) for k, x in enumerate(v)), doc, q)
                        for i, (q, doc, grade, v) in enumerate(ROWS))
        spec = {"features": [{"name": "match", "monotone": 1}, {"name": "price", "default": 0.5}, "noise", "fresh"]}
        assert d.request("PUT", "/v1/feature-sets/shop", json.dumps(spec).encode()).status == 201
        put = d.post("/v1/feature-sets/shop/rows?judgments=grades", letor.encode())
        assert (put.status, put.json["created"]) == (200, len(ROWS)), put.body

    def compute(self, workers=2, check=True, **params):
        return self.daemon.run("trainer", "run", "learn-to-rank", "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for k, v in {**self.params, **params}.items() if v is not None for x in ("--param", "%s=%s" % (k, v))), check=check)

    def last(self, model="learn-to-rank"):
        row = self.daemon.sql("select version, status, artifact, gate->>'rule', (metrics->'ndcg_burges@10'->>'value'), metrics->'folds_ndcg'->>'value' from model_versions "
                              "where model = '%s' order by version desc limit 1" % model)[0]
        return {"version": int(row[0]), "status": row[1], "artifact": row[2], "rule": row[3], "ndcg": row[4], "folds": row[5]}

    def rank(self, model, query, docs):
        """By /v1/rank, with the features of ROWS."""
        got = self.daemon.post("/v1/rank", {"model": model, "query": query, "docs": [{"id": d, "features": dict(zip(NAMES, v))} for d, v in docs]}, key="client")
        self.assertEqual(got.status, 200, got.body)
        return [d["id"] for d in got.json["docs"]]

    def true_ndcg(self, model):
        total = 0
        for q in range(QUERIES):
            docs = [(doc, v) for query, doc, _, v in ROWS if query == "query %d" % q]
            gains = [2 ** TRUTH["query %d" % q, d] - 1 for d in self.rank(model, "query %d" % q, docs)]
            ideal = sum(g / math.log2(i + 2) for i, g in enumerate(sorted(gains, reverse=True)[:10]))
            total += sum(g / math.log2(i + 2) for i, g in enumerate(gains[:10])) / ideal if ideal else 0
        return total / QUERIES

    def linear(self, model):
        section = of_version(self.daemon, model).sections["ranker"]
        features, names = struct.unpack_from("<I", section, 12)[0], struct.unpack_from("<I", section, 24)[0]
        numbers = struct.unpack_from("<%df" % (3 * features), section, 64 + names)
        return numbers[0::3]  # weight, mean and scale of each

    def test_1_trees_rank_well_on_any_number_of_workers(self):
        self.compute(trees=1, folds=0, depth=1)  # what comes behind it is better, and becomes champion
        made = set()
        for workers in (1, 2, 4):
            self.compute(workers)
            made.add(self.last()["artifact"])
        self.assertEqual(len(made), 1)
        self.assertEqual(self.daemon.sql("select status, gate->>'rule' from model_versions where model = 'learn-to-rank' order by version"),
                         [["ready", "first"], ["ready", "better"], ["refused", "gate"], ["refused", "gate"]])  # the same again is not better
        self.assertGreater(float(self.last()["ndcg"]), 0.85)
        self.assertGreater(float(self.last()["folds"]), 0.85)
        wait_for(lambda: self.daemon.post("/v1/rank", {"model": "learn-to-rank", "docs": [{"id": "a", "features": {}}]}, key="client").status == 200, "the model is served")
        self.assertGreater(self.true_ndcg("learn-to-rank"), 0.9)
        importance = json.loads(of_version(self.daemon, "learn-to-rank", 2).sections["importance"])
        self.assertEqual({f["name"] for f in importance[:2]}, {"match", "price"})
        for f in importance[:2]:
            self.assertTrue(f["gain"] > 0 and f["splits"] > 0 and f["cover"] > 0 and f["permutation"] > 0.01, f)

    def test_2_a_monotone_feature_never_turns(self):
        rng = random.Random(4)
        for _ in range(20):
            v = [rng.random() for _ in NAMES]
            docs = [("%03d" % i, [i / 50] + v[1:]) for i in range(51)]
            got = self.daemon.post("/v1/rank", {"model": "learn-to-rank", "docs": [{"id": d, "features": dict(zip(NAMES, x))} for d, x in docs]}, key="client").json["docs"]
            scores = [s for _, s in sorted((d["id"], d["score"]) for d in got)]
            self.assertEqual(scores, sorted(scores))

    def test_3_linear_models_are_those_of_scipy(self):
        x, g, of = np.array([v for *_, v in ROWS]), np.array([2.0 ** grade - 1 for _, _, grade, _ in ROWS]), np.repeat(np.arange(QUERIES), DOCS)
        x = ((x - x.mean(0)) / x.std(0, ddof=1)).astype(np.float32).astype(float)

        def loss(w, kind):
            total, used = 0, 0
            for q in range(QUERIES):
                s, gain = x[of == q] @ w, g[of == q]
                if gain.min() == gain.max():
                    continue
                used += 1
                if kind == "listwise":
                    total -= (gain / gain.sum() * (s - s.max() - np.log(np.exp(s - s.max()).sum()))).sum()
                else:
                    by = np.maximum(gain[:, None] - gain[None, :], 0)
                    total += (by * np.logaddexp(0, s[None, :] - s[:, None])).sum() / by.sum()
            return total / used + 0.05 * w @ w

        for kind in ("pairwise", "listwise"):
            self.compute(objective=kind, model=kind, l2=0.1, holdout_queries=0, folds=0)
            best = scipy.optimize.minimize(loss, np.zeros(len(NAMES)), (kind,), method="L-BFGS-B", bounds=[(0, None)] + [(None, None)] * 3, options={"ftol": 1e-14, "gtol": 1e-9})
            for got, want in zip(self.linear(kind), best.x):
                self.assertAlmostEqual(got, want, places=3)

    def send_clicks(self):
        """Each query a hundred times over five days, its documents always in the same order, which has nothing to do with what they are worth."""
        rng, signals = random.Random(9), []
        for q in range(QUERIES):
            docs = [doc for query, doc, *_ in ROWS if query == "query %d" % q][:5]
            for n in range(100):
                at = FIRST + datetime.timedelta(days=n % 5, seconds=q * 300 + n)
                common = {"unit": "u-%d-%d" % (q, n), "query_id": "q-%d-%d" % (q, n), "query": "Query %d" % q}
                signals.append({**common, "type": "response", "timestamp": at.isoformat(), "params": {"docs": docs}})
                for place, doc in enumerate(docs):
                    if rng.random() < PLACES[place] * (0.1 + 0.28 * TRUTH["query %d" % q, doc]):
                        signals.append({**common, "type": "click", "doc": doc, "position": place + 1, "timestamp": (at + datetime.timedelta(seconds=place + 1)).isoformat()})
        for start in range(0, len(signals), 5000):
            reply = self.daemon.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in signals[start:start + 5000]).encode(), key="client")
            self.assertEqual((reply.status, reply.json["rejected"]), (200, []))
        self.daemon.wait_loaded()

    def put_propensities(self):
        made = build("clicks", {"propensity": build_lists(["examination"], {"pbm": [(str(i + 1), p) for i, p in enumerate(PLACES)]}), "card": b"{}"})
        publish(self.daemon, "click-models", (made, hashlib.blake2b(made[:-32], digest_size=32).hexdigest()), "clicks")

    def test_4_clicks_corrected_for_places_rank_better(self):
        self.send_clicks()
        clicks = {"labels": "clicks", "judgments": None, "days": 4, "holdout_days": 1, "min_sessions": 5}
        skipped = self.compute(check=False, **clicks)
        self.assertIn("too little data: model \"click-models\"", skipped.stderr)
        self.put_propensities()
        true = {}
        for debias in ("none", "ratio"):
            self.compute(model="clicks-" + debias, debias=debias, **clicks)
            wait_for(lambda: self.daemon.post("/v1/rank", {"model": "clicks-" + debias, "docs": [{"id": "a", "features": {}}]}, key="client").status == 200, "served")
            true[debias] = self.true_ndcg("clicks-" + debias)
        self.assertGreater(true["ratio"], true["none"])

    def test_5_features_of_signals_are_filled_in_when_served(self):
        spec = {"features": [{"name": "match"}, {"name": "ctr", "source": "signals"}, {"name": "doc_clicks", "source": "signals"}]}
        self.assertEqual(self.daemon.request("PUT", "/v1/feature-sets/signals", json.dumps(spec).encode()).status, 201)
        self.compute(feature_set="signals", model="signals", feature_days=5)
        made = of_version(self.daemon, "signals").lists("signals")
        counted = {doc: v["doc_clicks"] for doc, v in made[""]}
        rows_ = self.daemon.sql("select doc, count(distinct query_id) from signals where type = 'click' group by doc")
        self.assertEqual(counted, {**dict.fromkeys(counted, 0), **{doc: float(n) for doc, n in rows_}})
        wait_for(lambda: self.daemon.post("/v1/rank", {"model": "signals", "docs": [{"id": "a", "features": {}}]}, key="client").status == 200, "served")
        ask = [{"id": d, "features": {"match": 0.5}} for d in list(counted)[:20]]
        filled = self.daemon.post("/v1/rank", {"model": "signals", "query": "query 1", "docs": ask}, key="client").json["docs"]
        self.assertGreater(len({d["score"] for d in filled}), 1)

    def test_6_too_little_and_impossible(self):
        steep = "query,docid,rating\n" + "".join("%s,%s,%d\n" % (q, doc, 100 * grade) for q, doc, grade, _ in ROWS)
        self.assertEqual(self.daemon.post("/v1/judgments/steep/import?format=quepid", steep.encode()).status, 200)
        few = {"judgments": "steep", "model": "steep", "trees": 2, "folds": 0}
        self.assertIn("take grades of up to 100, or gain=linear", self.compute(check=False, **few).stderr)  # 2^300 is no float
        self.compute(gain="linear", **few)
        for params, words in (({"min_queries": 100}, 'too little data: '), ({"feature_set": "none"}, 'parameter "feature_set"'), ({"judgments": "none"}, "none"),
                              ({"depth": 0}, '"leaves"'), ({"objective": "svm"}, '"objective"'), ({"learning_rate": 0}, '"learning_rate"'),
                              ({"feature_set": None}, "too little data"), ({"judgments": None}, "too little data")):
            done = self.compute(check=False, **params)
            self.assertNotEqual(done.returncode, 0, params)
            self.assertIn(words, done.stderr, params)


if __name__ == "__main__":
    unittest.main()
