"""The job "off-policy": what NumPy says of Open Bandit's log, users as clusters; models as the other policy; what is warned of; whatever the number of workers."""
import json
import math
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import bandit_log  # noqa: E402
from artifact import build, build_lists  # noqa: E402
from daemon import DaemonTest  # noqa: E402

WINDOW = {"as_of": "2026-10-31", "days": 30, "ranges": 2}
ITEMS = ["item-%d" % i for i in range(12)]


def made_up(n, seed=1):
    """A log of two queries and three places; the served policy prefers some items, the others are better."""
    rng, rows = random.Random(seed), []
    for i in range(n):
        query, position = rng.choice(["Lamp", "rug"]), rng.randrange(1, 4)
        items = ITEMS[:8] if query == "Lamp" else ITEMS[5:]
        shares = [1 / (1 + k) for k in range(len(items))]
        k = rng.choices(range(len(items)), shares)[0]
        rows.append({"at": "2026-10-%02dT12:00:00.%06dZ" % (10 + i % 5, i), "item": items[k], "position": position, "click": int(rng.random() < (.1 + .05 * k) / position) * rng.choice([1, 2]),
                     "propensity": shares[k] / sum(shares), "unit": "unit-%d" % rng.randrange(n // 4), "id": "d-%d" % i, "query": query, "target": round(rng.random(), 3)})
    return rows


class OffPolicy(DaemonTest):
    rows = None

    def compute(self, workers=2, check=True, **params):
        done = self.daemon.run("trainer", "run", "off-policy", "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for k, v in {**WINDOW, **params}.items() for x in ("--param", "%s=%s" % (k, v))), check=check)
        result = self.daemon.sql("select result::text, state from runs where job = 'off-policy' order by started_at desc limit 1")[0]
        return (json.loads(result[0]) if result[0] else None), done.stderr

    def check_same(self, got, want):
        for e in got["estimates"]:
            value, se, difference, difference_se = want["estimates"][e["name"]]
            self.assertAlmostEqual(e["value"], value, delta=1e-9 + 1e-9 * abs(value), msg=e["name"])
            self.assertAlmostEqual(e["se"], se, delta=1e-9, msg=e["name"])
            self.assertAlmostEqual(e["difference"]["value"], difference, delta=1e-9)
            self.assertAlmostEqual(e["difference"]["se"], difference_se, delta=1e-9)
            self.assertAlmostEqual(e["high"], value + 1.959963984540054 * se, delta=1e-8)
        self.assertEqual({e["name"] for e in got["estimates"]}, set(want["estimates"]))
        self.assertAlmostEqual(got["served"]["value"], want["served"][0], places=12)
        self.assertAlmostEqual(got["served"]["se"], want["served"][1], places=12)
        self.assertAlmostEqual(got["effective_sample_size"], want["ess"], places=6)
        self.assertAlmostEqual(got["max_weight"], want["max_weight"], places=9)
        self.assertAlmostEqual(got["mean_weight"]["value"], want["mean_weight"], places=9)
        self.assertEqual(got["units"], want["units"])


class MadeUp(OffPolicy):
    @classmethod
    def prepare(cls, d):
        cls.rows = made_up(1500)
        bandit_log.send(d, cls.rows)

    def shown(self, query):
        return sorted({r["item"] for r in self.rows if r["query"] == query})

    def uniform(self, r):
        shown = self.shown(r["query"])
        return {d: 1 / len(shown) for d in shown}

    def log(self, name, day, units):
        """Decisions of one document with a logged target; of all units but the first it is 0."""
        rows = [{"id": "%s-%d" % (name, i), "type": "response", "unit": "%s%d" % (name, i % units), "query_id": "%s-%d" % (name, i), "query": name, "timestamp": day + "T10:00:00Z",
                 "params": {"docs": ["a"], "propensity": [.5], "target": [.25 if i % units == 0 else 0]}} for i in range(60)]
        self.daemon.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in rows).encode(), key="client")
        self.daemon.wait_loaded()

    def test_1_uniform_and_workers(self):
        first = None
        for workers in (1, 2, 4):
            got, _ = self.compute(workers=workers)
            self.assertEqual(first or got, got)
            first = got
        self.check_same(got, bandit_log.estimates(self.rows, self.uniform, bandit_log.expected(self.rows)))
        self.assertEqual((got["decisions"], got["queries"], got["left_out"], got["warnings"], got["primary"]), (1500, 2, 0, [], "dr"))
        for e in got["estimates"]:  # drawn and computed intervals are about as wide
            self.assertAlmostEqual((e["bootstrap_high"] - e["bootstrap_low"]) / (e["high"] - e["low"]), 1, delta=.15)
        one_fold, _ = self.compute(folds=1, prior_decisions=3, clip=2, switch=1.5, shrink=4, replicates=0)
        self.check_same(one_fold, bandit_log.estimates(self.rows, self.uniform, bandit_log.expected(self.rows, folds=1, prior=3), 2, 1.5, 4))
        self.assertEqual(got["would_have_been"], "better")  # by construction

    def test_2_as_logged(self):
        got, _ = self.compute(target="logged", replicates=0)
        self.check_same(got, bandit_log.estimates(self.rows, lambda r: {r["item"]: r["target"]}))
        self.assertEqual({e["name"] for e in got["estimates"]}, {"ips", "snips", "clipped"})
        self.assertEqual(got["decisions"], len(self.rows))
        whole = [{"id": "w-%d" % i, "type": "response", "unit": "w%d" % (i % 2), "query_id": "w-%d" % i, "query": "whole", "timestamp": "2026-10-30T10:00:00Z", "params": {"docs": ["a", "b"], "propensity": .5, "target": .25}} for i in range(60)]
        self.daemon.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in whole).encode(), key="client")
        self.daemon.wait_loaded()
        day = {"as_of": "2026-10-30", "days": 1, "min_decisions": 10, "replicates": 0}
        self.assertEqual(self.compute(target="logged", **day)[0]["decisions"], 120)  # of the whole list: a logged target, too
        self.assertIn("0 decisions with a propensity", self.compute(check=False, **day)[1])
        self.log("few", "2026-09-28", 2)  # half of what is drawn anew has no weight, or nothing at all
        few = self.compute(target="logged", **{**day, "as_of": "2026-09-28", "replicates": 400})[0]
        for e in few["estimates"]:
            self.assertLessEqual(e["bootstrap_low"], e["value"], e)
            self.assertGreaterEqual(e["bootstrap_high"], e["value"], e)
        self.log("one", "2026-09-26", 1)
        _, said = self.compute(target="logged", check=False, **{**day, "as_of": "2026-09-26"})
        self.assertIn("the 60 decisions are of one unit; intervals are over units, of at least 2", said)
        self.assertIn("propensities are not those with which documents were shown", got["warnings"][-1])  # made-up targets add up to nothing

    def test_3_a_model(self):
        lists = {"lamp": [("item-7", 2.0), ("new", 1.0), ("item-3", .5)]}
        file = build("recommender", {"items_for_query": build_lists(["score"], lists), "card": b"{}"})
        self.assertEqual(self.daemon.request("POST", "/v1/models/liked/versions", file).status, 201)
        lamp = [r for r in self.rows if r["query"] == "Lamp"]
        q = bandit_log.expected(self.rows)
        got, said = self.compute(target="model", model="liked@1", replicates=0)
        self.check_same(got, bandit_log.estimates(lamp, lambda r: {lists["lamp"][r["position"] - 1][0]: 1}, q))
        self.assertEqual((got["left_out"], got["model"]), (len(self.rows) - len(lamp), "liked version 1"))
        share = sum(r["position"] == 2 for r in lamp) / len(lamp)
        self.assertAlmostEqual(got["unsupported"], share)
        self.assertIn("%.1f %% of what the other policy shows was never shown" % (100 * share), said)
        got, _ = self.compute(target="model", model="liked@1", temperature=.7, replicates=0)
        z = sum(math.exp(s / .7) for _, s in lists["lamp"])
        self.check_same(got, bandit_log.estimates(lamp, lambda r: {d: math.exp(s / .7) / z for d, s in lists["lamp"]}, q))
        got, _ = self.compute(target="model", model="liked@1", temperature=1e-310, replicates=0)  # scores over it are infinite
        self.check_same(got, bandit_log.estimates(lamp, lambda r: {"item-7": 1}, q))

    def test_4_what_is_said(self):
        got, said = self.compute(target="model", model="liked@1", min_decisions=2, days=1, as_of="2026-10-12", replicates=0)
        self.assertIn("effective sample size is", got["warnings"][0])
        self.assertIn("warning: effective sample size is", said)
        self.assertEqual(got["would_have_been"], "unknown")
        for params, text in (({"target": "model"}, 'parameter "model" is needed for target=model'), ({"target": "model", "model": "none@2"}, 'parameter "model": there is no "none@2"'),
                             ({"rewards": "click"}, 'parameter "rewards": '), ({"rewards": "response=1"}, 'parameter "rewards": "response" is what was shown, no reward'),
                             ({"days": 1, "as_of": "2026-10-20"}, '0 decisions with a propensity, parameter "min_decisions" asks for 100')):
            _, said = self.compute(check=False, **params)
            self.assertIn(text, said)
        self.assertEqual(self.daemon.sql("select state from runs where job = 'off-policy' order by started_at desc limit 1")[0][0], "skipped")


@unittest.skipUnless(os.path.isdir(bandit_log.FOLDER), "open_bandit_small is not there")
class OpenBandit(OffPolicy):
    """The uniform policy from Thompson sampling's log, beside the truth: the log of the uniform policy."""

    @classmethod
    def prepare(cls, d):
        cls.rows = bandit_log.read("bts")
        bandit_log.send(d, cls.rows)

    def test_uniform(self):
        items = sorted({r["item"] for r in self.rows})
        self.assertEqual(len(items), 34)
        got, _ = self.compute(replicates=200)
        self.check_same(got, bandit_log.estimates(self.rows, lambda r: dict.fromkeys(items, 1 / 34), bandit_log.expected(self.rows)))
        truth = bandit_log.read("random")
        clicks = sum(min(r["click"], 1) for r in truth) / len(truth)
        self.assertAlmostEqual(clicks, .0046, places=6)
        for e in got["estimates"]:
            se = math.sqrt(e["se"] ** 2 + clicks * (1 - clicks) / len(truth))
            self.assertLess(abs(e["value"] - clicks), 3 * se, e["name"])


del OffPolicy

if __name__ == "__main__":
    unittest.main()
