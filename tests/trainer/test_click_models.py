"""The job "click-models" on simulated searches whose position bias is known: every model as NumPy finds it, EM that never falls, intervals that cover, what
randomisation measures, the same bytes with other workers and ranges, the gate, and too little data."""
import datetime
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import numpy as np  # noqa: E402
from artifact import of_version  # noqa: E402
from click_models import EM, MODELS, Searches  # noqa: E402
from daemon import DaemonTest, wait_for  # noqa: E402

JOB, DAY = "click-models", datetime.datetime(2026, 10, 1, tzinfo=datetime.timezone.utc)
SEARCHES, QUERIES, DOCS, N = 4000, 6, 9, 6
GAMMA = [1, 0.7, 0.5, 0.35, 0.25, 0.2]


def simulate():
    """Each search: a random choice of documents in a random order; pbm with GAMMA and attractiveness of its own for each document."""
    rng = random.Random(11)
    alpha = {(q, d): rng.uniform(0.05, 0.95) for q in range(QUERIES) for d in range(DOCS)}
    rows = []
    for _ in range(SEARCHES):
        q = min(int(rng.expovariate(0.5)), QUERIES - 1)
        docs = rng.sample(range(DOCS), N)
        clicked = {r for r, d in enumerate(docs) if rng.random() < GAMMA[r] * alpha[q, d]}
        rows.append(("query %d" % q, ["doc-%d" % d for d in docs], clicked))
    return alpha, rows


ALPHA, ROWS = simulate()
TRUE = {("query %d" % q, "doc-%d" % d): a for (q, d), a in ALPHA.items()}


def signals():
    """A day of them, some seconds apart. Of one in three the impressions tell the list, and no more is known of it; the others were shown at random."""
    for n, (query, docs, clicked) in enumerate(ROWS):
        at = DAY + datetime.timedelta(seconds=20 * n)
        common = {"unit": "u%d" % n, "query_id": "q%d" % n}
        if n % 3:
            params = {"docs": docs, "propensity": 1 / DOCS}
            yield {**common, "type": "response", "query": query.upper(), "timestamp": at.isoformat(), "params": params}
        else:
            for r, doc in enumerate(docs, 1):
                yield {**common, "type": "impression", "query": query, "doc": doc, "position": r, "timestamp": at.isoformat()}
        for r in sorted(clicked):
            yield {**common, "type": "click", "doc": docs[r], "position": r + 1, "timestamp": (at + datetime.timedelta(seconds=1 + r)).isoformat()}


class TestClickModels(DaemonTest):
    @classmethod
    def prepare(cls, d):
        lines = [json.dumps(s) for s in signals()]
        for start in range(0, len(lines), 5000):
            reply = d.post("/v1/signals", "\n".join(lines[start:start + 5000]).encode(), key="client")
            assert reply.status == 200 and not reply.json["rejected"], reply
        d.wait_loaded()

    def job(self, *arguments, check=True, **params):
        given = {"as_of": "2026-10-01", "holdout_share": 0.2, "gate_min_units": 1, "min_query_sessions": 1, "positions": N, **params}
        return self.daemon.run("trainer", "run", JOB, "--data-dir", self.daemon.dir, *arguments, check=check,
                               *(x for name, value in given.items() for x in ("--param", "%s=%s" % (name, value))))

    def test_is_what_numpy_finds(self):
        said = self.job("--workers", "2", model="exact", max_iterations=150, tolerance=0, sweeps=4).stderr
        found = json.loads(of_version(self.daemon, "exact").sections["models"])
        train, held = Searches(ROWS).split(0.2)
        for name, model in MODELS.items():
            m = model(train, 2).fit(500 if name in EM else 0)
            with self.subTest(name):
                self.assertAlmostEqual(found[name]["loglikelihood"], m.loglikelihood(held), delta=2e-6)
                np.testing.assert_allclose(found[name]["perplexity_at_rank"], m.perplexity(held), atol=2e-6)
                self.assertAlmostEqual(found[name]["perplexity"], m.perplexity(held).mean(), delta=2e-6)
        for name in EM:
            objective = found[name]["objective"]
            self.assertGreater(len(objective), 5)
            self.assertTrue(found[name]["never_fell"])
            self.assertTrue(all(b >= a - 1e-6 for a, b in zip(objective, objective[1:])), objective)
            self.assertRegex(said, r"%s: log-likelihood and log prior rose from .* and never fell" % name)
        self.assertEqual(found["chosen"], min((m for m in MODELS if m not in ("gctr", "rctr")), key=lambda m: found[m]["perplexity"]))
        self.assertGreater(found["pbm"]["loglikelihood"], found["dctr"]["loglikelihood"])
        self.assertGreater(found["dctr"]["loglikelihood"], found["gctr"]["loglikelihood"])

    def test_finds_what_was_simulated(self):
        self.job(model="known", click_model="pbm", max_iterations=40, tolerance=1e-7, holdout_share=0, holdout_days=0)
        a = of_version(self.daemon, "known")
        looked = [v["examination"] for _, v in a.lists("propensity")["pbm"]]
        np.testing.assert_allclose(looked, GAMMA, atol=0.06)
        swaps = [v["examination"] for _, v in a.lists("propensity")["swaps"]]
        np.testing.assert_allclose(swaps, GAMMA, atol=0.09)
        for s in json.loads(a.sections["models"])["swaps"]:
            self.assertTrue(s["low"] < s["examination"] < s["high"] < 3 * s["low"], s)
        inside = total = 0
        for query, entries in a.lists("documents").items():
            relevance = [v["relevance"] for _, v in entries]
            self.assertEqual(relevance, sorted(relevance, reverse=True))
            for doc, v in entries:
                self.assertTrue(0 < v["low"] < v["relevance"] < v["high"] < 1, v)
                inside += v["low"] <= TRUE[query, doc] <= v["high"]
                total += 1
        self.assertEqual(total, len(TRUE))
        self.assertGreaterEqual(inside, 0.85 * total, "%d of %d" % (inside, total))  # 95 %; fewer in one of 200 data sets
        card = a.card
        self.assertEqual((card["rows"], card["units"]), (SEARCHES, QUERIES))

        self.asks(a)

    def asks(self, a):
        """What the daemon foretells of a list is position times document."""
        known = {doc: v["relevance"] for doc, v in a.lists("documents")["query 1"]}
        looked = [v["examination"] for _, v in a.lists("propensity")["pbm"]]
        docs = ["doc-3", "doc-8", "never seen", "doc-0"]
        asked = {"inputs": [{"query": " Query  1", "docs": docs}]}
        reply = wait_for(lambda: (lambda r: r if r.status == 200 else None)(self.daemon.post("/v1/models/known/predict", asked)), "the model to be served", 30)
        found = reply.json["predictions"][0]
        self.assertEqual((found["model"], [d["doc"] for d in found["docs"]], [d["known"] for d in found["docs"]]), ("pbm", docs, [True, True, False, True]))
        for at, d in enumerate(found["docs"]):
            self.assertAlmostEqual(d["looked"], looked[at], delta=1e-5)
            self.assertAlmostEqual(d["clicked"], looked[at] * known.get(d["doc"], d["relevance"]), delta=1e-5)
        wrong = self.daemon.post("/v1/models/known/predict", {"inputs": [{"query": "x", "docs": ["a"] * (N + 1)}]})
        self.assertEqual(wrong.status, 400)
        self.assertIn('field \\"docs\\" has 7 documents', wrong.body.decode())

    def test_workers_and_ranges_change_no_byte(self):
        for model, arguments, params in (("w1", ("--workers", "1"), {"full": "true"}), ("w2", ("--workers", "2"), {"ranges": 4}), ("w4", ("--workers", "4"), {})):
            self.job(*arguments, model=model, max_iterations=2, **params)
        parts = [{k: v for k, v in of_version(self.daemon, m).sections.items() if k != "card"} for m in ("w1", "w2", "w4")]
        self.assertEqual(parts[0], parts[1])
        self.assertEqual(parts[0], parts[2])

    def test_a_better_model_takes_the_place(self):
        first = self.job(model="gate", click_model="dctr", max_iterations=1)
        self.assertIn("champion (first", first.stderr)
        better = self.job(model="gate", click_model="pbm", max_iterations=10)
        self.assertRegex(better.stderr, r"version 2: champion \(better: loglikelihood -0\.\d+, of version 1 -0\.\d+")
        worse = self.job(model="gate", click_model="cm", max_iterations=1)
        self.assertRegex(worse.stderr, r"version 3: refused")
        metrics = json.loads(self.daemon.sql("select metrics from model_versions where model = 'gate' and version = 2")[0][0])
        found = json.loads(of_version(self.daemon, "gate").sections["models"])["pbm"]
        self.assertAlmostEqual(metrics["loglikelihood"]["value"], found["loglikelihood"], delta=1e-6)  # what is served is what was judged
        self.assertLess(metrics["loglikelihood"]["low"], metrics["loglikelihood"]["value"])
        self.assertEqual(metrics["loglikelihood"]["n"], QUERIES)

    def test_too_little_and_impossible(self):
        few = self.job(check=False, model="few", min_sessions=10**6)
        trained = len(Searches(ROWS).split(0.2)[0].query)
        self.assertIn('%d searches with their lists, parameter "min_sessions" asks for 1000000' % trained, few.stderr)
        self.assertEqual(self.daemon.sql("select count(*) from model_versions where model = 'few'")[0][0], "0")
        wrong = self.job(check=False, model="few", click_types="click,impression")
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn("click_types=click,impression", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
