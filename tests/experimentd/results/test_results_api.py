"""Results over HTTP, on rollups written by hand: every number is computed here, or by xstat, a second time."""
import json
import math
import os
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, program, variant_of  # noqa: E402
from moments import publish, row  # noqa: E402

DAY = "2026-03-15"
METRICS = ["ctr", "clicks_per_unit", "clicks_per_query"]
COUNTRIES = {"de": 700, "fr": 500, "it": 400, "(none)": 350, "es": 300, "(other)": 200}


def units(rng, n, chance):
    """(clicks, queries) of n units."""
    made = []
    for _ in range(n):
        queries = 1 + min(8, int(rng.expovariate(0.8)))
        made.append((sum(rng.random() < chance for _ in range(queries)), queries))
    return made


def rows_of(variant, of, segment="", day=None):
    """The three metrics of the same units."""
    return [row("ctr", variant, [int(c > 0) for c, _ in of], segment, day), row("clicks_per_unit", variant, [c for c, _ in of], segment, day),
            row("clicks_per_query", variant, of, segment, day)]


def xstat(method, given):
    done = subprocess.run([program("xstat"), method], input=json.dumps(given) + "\n", capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def close(a, b, relative=1e-9):
    return math.isclose(a, b, rel_tol=relative, abs_tol=1e-300)


class ResultsTest(DaemonTest):
    def check_explained(self, numbers):
        """Every step of an explanation gives the numbers that stand beside it. Returns what was reproduced."""
        found = set()
        for step in numbers["explain"]["steps"]:
            answer = xstat(step["method"], step["input"])
            self.assertNotIn("error", answer, step)
            for ours, theirs in step["gives"].items():
                theirs = answer[theirs] if isinstance(theirs, str) else [answer[key] for key in theirs]
                pairs = zip(numbers[ours], theirs) if isinstance(theirs, list) else [(numbers[ours], theirs)]
                for mine, wanted in pairs:
                    self.assertTrue(close(mine, wanted), (step, ours, mine, wanted))
                found.add(ours)
        return found


class Explained(ResultsTest):
    @classmethod
    def prepare(cls, d):
        rng = random.Random(5)
        arms = {"a": units(rng, 1500, 0.2), "b": units(rng, 1400, 0.23)}
        for key, method in (("once", "fixed"), ("always", "any_time")):
            d.make_experiment(key, metrics=METRICS, analysis={"method": method})
            publish(d, key, [r for v in arms for r in rows_of(v, arms[v])], DAY, 2900)
        cls.arms = arms

    def test_a_line_of_xstat_reproduces_each_number(self):
        for key, looks in (("once", "one, at the planned end"), ("always", "any number, at any time")):
            results = self.daemon.results(key)
            for m in results["metrics"]:
                for v in m["variants"]:
                    self.assertLessEqual({"value", "ci"}, self.check_explained(v), v)
                    self.assertEqual(v["explain"]["counts"]["units"]["units"], len(self.arms[v["variant"]]))
                c = m["variants"][1]["comparison"]
                self.assertLessEqual({"difference", "se", "statistic", "p", "difference_ci", "lift", "lift_ci"}, self.check_explained(c), c)
                self.assertEqual(c["explain"]["looks"], looks)
                for step in c["explain"]["steps"]:
                    self.assertTrue(results["methods"][step["method"]]["formula"])
                    self.assertTrue(results["methods"][step["method"]]["source"])

    def test_without_a_value_there_is_nothing_to_explain(self):
        self.daemon.make_experiment("thin", metrics=["ctr"])
        publish(self.daemon, "thin", rows_of("a", [(1, 2)])[:1] + rows_of("b", [(0, 1), (1, 1)])[:1], DAY, 3)
        v = variant_of(self.daemon.results("thin"), "ctr", "a")
        self.assertNotIn("explain", v)
        self.assertIn("1 unit", v["reason"])


class Segments(ResultsTest):
    @classmethod
    def prepare(cls, d):
        rng = random.Random(9)
        cls.units, rows = {}, []
        for country, n in COUNTRIES.items():
            for variant, chance in (("a", 0.2), ("b", 0.22 if country != "fr" else 0.35)):
                of = cls.units[country, variant] = units(rng, n, chance)
                rows += rows_of(variant, of, "country=" + country)
        for variant in "ab":
            rows += rows_of(variant, [u for (_, v), of in cls.units.items() if v == variant for u in of])
        rows += [r for v in "ab" for r in rows_of(v, [(0, 1), (1, 2), (1, 1)], "device=tv")]
        d.make_experiment("shop", metrics=METRICS, analysis={"method": "fixed"})
        publish(d, "shop", rows, DAY, 4900)
        cls.answer = d.get("/v1/experiments/shop/results?segment=country").json

    def metric(self, key):
        return next(m for m in self.answer["metrics"] if m["metric"] == key)

    def test_values_by_units_with_the_rest_last(self):
        self.assertEqual([v["value"] for v in self.metric("ctr")["values"]], ["de", "fr", "it", "es", "(none)", "(other)"])
        self.assertEqual(self.answer["dimensions"], ["country", "device"])
        self.assertEqual(self.daemon.results("shop")["dimensions"], ["country", "device"])

    def test_numbers_are_those_of_the_units_and_explained(self):
        for value in self.metric("clicks_per_query")["values"]:
            for v in value["variants"]:
                of = self.units[value["value"], v["variant"]]
                self.assertEqual((v["n"], v["numerator"], v["denominator"]), (len(of), sum(c for c, _ in of), sum(q for _, q in of)))
            self.check_explained(value["variants"][1]["comparison"])

    def comparisons(self, key):
        return [v["variants"][1]["comparison"] for v in self.metric(key)["values"]]

    def test_p_is_adjusted_for_all_looks(self):
        every = [c for m in METRICS for c in self.comparisons(m)]
        self.assertEqual(self.answer["looks"], len(every))
        for c, wanted in zip(every, xstat("holm_bh", {"p": [c["p"] for c in every]})["bh"]):
            self.assertTrue(close(c["p_adjusted"], wanted))
            self.assertGreaterEqual(c["p_adjusted"], c["p"])

    def test_effects_are_shrunk(self):
        for metric in METRICS:
            all_of = self.comparisons(metric)
            wanted = xstat("shrinkage", {"effects": [c["difference"] for c in all_of], "ses": [c["se"] for c in all_of], "alpha": 0.05})
            for i, c in enumerate(all_of):
                self.assertTrue(close(c["shrunk"]["difference"], wanted["effect"][i]))
                self.assertTrue(close(c["shrunk"]["difference_ci"][0], wanted["ci_lo"][i]))
                self.assertTrue(close(c["shrunk"]["lift"], wanted["effect"][i] / self.metric(metric)["values"][i]["variants"][0]["value"]))
            self.assertTrue(close(self.metric(metric)["effects"][0]["common"]["difference"], wanted["mean"]))
        raw = [c["difference"] for c in self.comparisons("ctr")]
        shrunk = [c["shrunk"]["difference"] for c in self.comparisons("ctr")]
        self.assertLess(max(shrunk) - min(shrunk), max(raw) - min(raw))

    def test_one_country_that_differs_is_noticed(self):
        strata = []
        for value in COUNTRIES:
            given = {}
            for variant, name in (("a", "c"), ("b", "t")):
                xs = [c for c, _ in self.units[value, variant]]
                mean = sum(xs) / len(xs)
                given.update({"n_" + name: len(xs), "mean_" + name: mean, "var_" + name: sum((x - mean) ** 2 for x in xs) / (len(xs) - 1)})
            strata.append(given)
        wanted = xstat("post_strat", {"strata": strata, "alpha": 0.05})
        got = self.metric("clicks_per_unit")["effects"][0]
        self.assertTrue(close(got["heterogeneity"]["q"], wanted["cochran_q"], 1e-6))
        self.assertEqual(got["heterogeneity"]["df"], 5)
        self.assertLess(got["heterogeneity"]["p"], 0.01)
        self.assertFalse(got["simpson"])

    def test_fewer_than_four_are_not_shrunk(self):
        got = self.daemon.get("/v1/experiments/shop/results?segment=device").json["metrics"][0]
        self.assertIn("at least 4", got["effects"][0]["not_shrunk"])
        self.assertIsNone(got["values"][0]["variants"][1]["comparison"]["shrunk"])

    def test_simpsons_reversal_is_told(self):
        arms = {("x", "a"): (100, 90), ("x", "b"): (1000, 880), ("y", "a"): (1000, 300), ("y", "b"): (100, 28)}
        rows = [row("ctr", v, [1] * k + [0] * (n - k), "device=" + d) for (d, v), (n, k) in arms.items()]
        for v in "ab":
            n, k = (sum(arm[i] for (_, w), arm in arms.items() if w == v) for i in (0, 1))
            rows.append(row("ctr", v, [1] * k + [0] * (n - k)))
        self.daemon.make_experiment("simpson", metrics=["ctr"])
        publish(self.daemon, "simpson", rows, DAY, 2200)
        (effect,) = self.daemon.get("/v1/experiments/simpson/results?segment=device").json["metrics"][0]["effects"]
        self.assertTrue(effect["simpson"])
        self.assertIn("opposite", effect["simpson_text"])

    def test_empty_says_why(self):
        empty = self.daemon.get("/v1/experiments/shop/results?segment=browser").json
        self.assertEqual(empty["reason"], 'no units have been counted by "browser"')
        self.assertEqual((empty["looks"], empty["metrics"][0]["values"]), (0, []))
        self.daemon.make_experiment("new", metrics=["ctr"])
        self.assertIn("nothing has been aggregated yet", self.daemon.get("/v1/experiments/new/results?segment=browser").json["reason"])

    def test_a_strange_dimension_is_refused(self):
        for name in ("", "a%22b", "a%2Cb", "a%7D", "x" * 101):
            reply = self.call("get", "/v1/experiments/shop/results?segment=" + name, status=400)
            self.assertIn('query parameter "segment"', reply["detail"])
        self.call("get", "/v1/experiments/none/results?segment=country", status=404)


if __name__ == "__main__":
    unittest.main()
