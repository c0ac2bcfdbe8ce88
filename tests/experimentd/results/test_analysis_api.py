"""Results as they were declared, over HTTP, on rollups written by hand: one experiment a way of looking, with an effect and without one; adjusted; decided.

Rows are publish()ed as of tomorrow, for what is older than the start does not count."""
import datetime
import math
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, variant_of, wait_for  # noqa: E402
from explained import reproduced  # noqa: E402
from moments import mean_and_rest, publish, row  # noqa: E402

TOMORROW = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=1)
FIRST, LAST = (TOMORROW - datetime.timedelta(days=14)).isoformat(), TOMORROW.isoformat()
LOOKED = {"difference", "se", "statistic", "p", "difference_ci", "lift", "lift_ci"}
GUARDED = [{"metric": "ctr", "role": "primary"}, {"metric": "clicks_per_unit", "role": "guardrail", "margin": 0.1}]


def ones(n, k):
    return [1] * k + [0] * (n - k)


def rows(metric, arms):
    """On the first and the last day; what counts is the last."""
    return [row(metric, v, values, day=day) for v, values in arms.items() for day in (FIRST, LAST)]


def with_before(d, experiment, metric, variant, values):
    """values: (what came, what was before). Adds the second moments of both to the rows of the last day."""
    y, z = [v[0] for v in values], [v[1] for v in values]
    (mean_y, m2_y), (mean_z, m2_z) = mean_and_rest(y), mean_and_rest(z)
    both = sum((a - mean_y) * (b - mean_z) for a, b in values)
    packed = ",".join(repr(v) for v in (mean_y, 0.0, mean_z, 0.0, m2_y, both, m2_z))
    d.sql("update moments set pre = '{%s}' where experiment = '%s' and metric = '%s' and variant = '%s' and day = '%s'"
          % (packed, experiment, metric, variant, LAST))


class Analysis(DaemonTest):
    def compared(self, key, metric="ctr"):
        results = self.daemon.results(key)
        return results, variant_of(results, metric, "b")["comparison"]

    def make(self, key, k_a, k_b, n=10000, **fields):
        fields.setdefault("metrics", ["ctr"])
        self.daemon.make_experiment(key, **fields)
        publish(self.daemon, key, rows("ctr", {"a": ones(n, k_a), "b": ones(n, k_b)}), LAST, 2 * n)

    # ---- ways of looking

    def test_any_time_says_better_and_ships_or_says_nothing(self):
        plan = {"method": "any_time", "planned_units": 20000}
        self.make("any-effect", 1000, 1200, analysis=plan)
        results, c = self.compared("any-effect")
        self.assertEqual((results["verdict"]["state"], c["outcome"]), ("better", "better"))
        self.assertEqual(results["decision"]["kind"], "ship")
        self.assertEqual(results["analysis"]["planned_units"], 20000)
        self.make("any-none", 1000, 1010, analysis=plan)
        results, c = self.compared("any-none")
        self.assertEqual((results["verdict"]["state"], c["outcome"], results["decision"]["kind"]),
                         ("no_difference", "no_difference", "cannot_tell"))

    def test_a_fixed_horizon_waits_for_its_end(self):
        self.make("fixed-early", 1000, 1200, analysis={"method": "fixed", "planned_units": 40000})
        results, c = self.compared("fixed-early")
        self.assertEqual((results["verdict"]["state"], c["outcome"], results["decision"]["kind"]), ("not_yet", "not_yet", "keep_running"))
        self.assertEqual(results["decision"]["units_left"], 20000)
        self.make("fixed-effect", 1000, 1200, analysis={"method": "fixed", "planned_units": 20000})
        self.assertEqual(self.daemon.results("fixed-effect")["decision"]["kind"], "ship")
        self.make("fixed-none", 1000, 1010, analysis={"method": "fixed", "planned_units": 20000})
        results, c = self.compared("fixed-none")
        self.assertEqual((c["outcome"], results["decision"]["kind"]), ("no_difference", "cannot_tell"))

    def test_planned_looks_are_taken_kept_and_obeyed(self):
        plan = {"method": "group_sequential", "planned_units": 20000, "looks": 4}
        d = self.daemon
        self.make("looks", 100, 101, n=1000, analysis=plan)
        results, c = self.compared("looks")
        self.assertEqual((results["verdict"]["state"], c["outcome"]), ("not_yet", "none"))
        self.assertEqual((c["reason"], results["analysis"]["next_look_units"]), ("not yet: the first look is at 5000 units", 5000))
        publish(d, "looks", rows("ctr", {"a": ones(2600, 260), "b": ones(2600, 265)}), LAST, 5200)
        self.look("looks", 1)
        results, c = self.compared("looks")
        self.assertEqual((c["outcome"], results["decision"]["kind"], c["look"]["number"]), ("no_difference", "keep_running", 1))
        self.assertGreater(c["look"]["bound"], 4)
        self.assertLess(abs(c["look"]["z"]), 1)
        self.assertLessEqual(LOOKED, reproduced(c))
        publish(d, "looks", rows("ctr", {"a": ones(4000, 400), "b": ones(4000, 800)}), LAST, 8000)
        self.assertEqual(self.compared("looks")[1]["look"]["number"], 1)  # between looks the last one speaks
        publish(d, "looks", rows("ctr", {"a": ones(5000, 500), "b": ones(5000, 640)}), LAST, 10000)
        self.look("looks", 2)
        results, c = self.compared("looks")
        self.assertEqual((c["outcome"], results["decision"]["kind"]), ("better", "ship"))
        self.assertLessEqual(LOOKED, reproduced(c))
        stopped = c["look"]["stopped"]
        self.assertEqual(stopped["look"], 2)
        self.assertLess(stopped["difference"], c["difference"])
        self.assertGreater(stopped["difference_ci"][0], 0)
        self.assertLess(c["p"], 0.05)
        revisions = [r["action"] for r in d.get("/v1/experiments/looks/revisions").json["revisions"]]
        self.assertEqual(revisions.count("look"), 2)

    def look(self, key, count):
        wait_for(lambda: len(self.daemon.results(key)["analysis"]["looks"]) == count, "look %d of %s" % (count, key))

    # ---- adjustments

    def test_what_units_did_before_narrows_the_interval(self):
        rng = random.Random(3)
        d = self.daemon
        d.make_experiment("before", metrics=["clicks_per_unit"], analysis={"method": "any_time", "planned_units": 4000})
        arms = {}
        for v, effect in (("a", 0), ("b", 0.3)):
            z = [rng.gauss(5, 2) for _ in range(2000)]
            arms[v] = [(x + effect + rng.gauss(0, 1), x) for x in z]
        publish(d, "before", rows("clicks_per_unit", {v: [y for y, _ in arms[v]] for v in arms}), LAST, 4000)
        plain = self.compared("before", "clicks_per_unit")[1]
        self.assertEqual((plain["adjustment"]["by"], plain["unadjusted"]), ("none", None))
        self.assertIn("was not kept", plain["adjustment"]["reason"])
        for v in arms:
            with_before(d, "before", "clicks_per_unit", v, arms[v])
        c = self.compared("before", "clicks_per_unit")[1]
        self.assertEqual(c["adjustment"]["by"], "cuped")
        self.assertAlmostEqual(c["adjustment"]["variance_reduction"], 0.8, delta=0.03)  # rho² = 4/5
        self.assertAlmostEqual(c["unadjusted"]["difference"], plain["difference"])
        self.assertAlmostEqual(c["unadjusted"]["se"], plain["se"])
        self.assertAlmostEqual(c["se"], plain["se"] * math.sqrt(1 - c["adjustment"]["variance_reduction"]))
        self.assertEqual(c["outcome"], "better")
        self.assertLess(c["difference_ci"][0], 0.3)
        self.assertGreater(c["difference_ci"][1], 0.3)

    def test_strata_take_away_what_their_mix_does(self):
        d = self.daemon
        d.make_experiment("strata", metrics=["ctr"], adjustment="strata", stratify_by="country", analysis={"method": "fixed", "planned_units": 10000})
        shares = {("a", "at"): (3000, 300), ("b", "at"): (2000, 200), ("a", "de"): (2000, 800), ("b", "de"): (3000, 1200)}
        made = [row("ctr", v, ones(*shares[v, c]), "country=" + c, day=LAST) for v, c in shares]
        whole = {v: ones(5000, sum(k for (w, _), (_, k) in shares.items() if w == v)) for v in "ab"}
        publish(d, "strata", made + rows("ctr", whole), LAST, 10000)
        c = self.compared("strata")[1]
        self.assertEqual((c["adjustment"]["by"], c["outcome"]), ("strata", "no_difference"))
        self.assertAlmostEqual(c["difference"], 0)
        self.assertGreater(c["unadjusted"]["difference_ci"][0], 0)
        listed = {e["key"]: e["verdict"] for e in d.get("/v1/experiments?page_size=200").json["experiments"]}
        self.assertEqual(listed["strata"], self.daemon.results("strata")["verdict"])  # not another one than on its page

    # ---- few, many, margins

    def test_nobody_against_some_has_an_answer(self):
        self.make("few", 0, 9, n=500, analysis={"method": "fixed", "planned_units": 1000})
        results, c = self.compared("few")
        self.assertEqual(c["outcome"], "better")
        self.assertIn("score test", c["method"])
        self.assertAlmostEqual(c["p_exact"], 0.0037669617595309)
        self.assertGreater(c["belief"]["chance_to_win"], 0.99)

    def test_variants_share_the_level_and_the_answer_says_so(self):
        d = self.daemon
        d.make_experiment("three", variants=[{"key": "a"}, {"key": "b"}, {"key": "c"}], metrics=["ctr", "clicks_per_unit"],
                          analysis={"method": "fixed", "planned_units": 30000})
        arms = {"a": ones(10000, 1000), "b": ones(10000, 1095), "c": ones(10000, 1000)}
        publish(d, "three", rows("ctr", arms) + rows("clicks_per_unit", arms), LAST, 30000)
        c = self.compared("three")[1]
        self.assertLess(c["p"], 0.05)
        self.assertAlmostEqual(c["together"]["p"], 2 * c["p"])
        self.assertAlmostEqual(c["together"]["level"], 0.975)
        self.assertLess(c["together"]["difference_ci"][0], c["difference_ci"][0])
        self.assertEqual(c["together"]["family"], "primary metrics of the variant")

    def test_a_guardrail_must_stay_within_its_margin(self):
        d = self.daemon
        for key, clicks, state, kind in (("within", 5000, "within", "ship"), ("beyond", 4000, "beyond", "roll_back"),
                                         ("unclear", 4600, "not_shown", "cannot_tell")):
            d.make_experiment(key, metrics=GUARDED, analysis={"method": "fixed", "planned_units": 20000})
            publish(d, key, rows("ctr", {"a": ones(10000, 1000), "b": ones(10000, 1200)}) +
                    rows("clicks_per_unit", {"a": ones(10000, 5000), "b": ones(10000, clicks)}), LAST, 20000)
            results = self.daemon.results(key)
            self.assertEqual(variant_of(results, "clicks_per_unit", "b")["comparison"]["margin"]["state"], state, key)
            self.assertEqual(results["decision"]["kind"], kind, results["decision"])

    def test_the_rule_is_written_out(self):
        self.make("rule", 1000, 1200, analysis={"method": "any_time", "planned_units": 20000}, minimum_days=21, target_effect=0.1)
        decision = self.daemon.results("rule")["decision"]
        rule = {c["condition"]: c["met"] for c in decision["variants"][0]["rule"]}
        self.assertEqual(rule, {"healthy": "yes", "harm": "yes", "primary": "yes", "target": "yes", "days": "no"})
        self.assertEqual((decision["kind"], decision["days_left"]), ("keep_running", 7))
        self.assertIn("14 of at least 21 days have been seen", decision["text"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
