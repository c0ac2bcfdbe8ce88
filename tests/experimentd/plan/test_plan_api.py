"""POST /v1/plan of a real daemon: by hand, from an experiment, from what was measured; its numbers are those of xstat."""
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

UNITS = 400
BY_HAND = {"baseline": {"mean": 10, "variance": 25}, "effect": 0.02, "traffic": {"units": 7000, "growth": 0.9}}
METHODS = {"fixed": {"method": "fixed"}, "any_time": {"method": "any_time"},
           "group_sequential": {"method": "group_sequential", "looks": 4, "spending": "pocock"}}


class Plan(DaemonTest):
    @classmethod
    def prepare(cls, d):
        """An experiment that measured clicks, as a share and as a ratio, of 400 units today."""
        slow = {"key": "patience", "name": "patience", "kind": "quantile", "quantile": 0.75, "numerator": {"of": "signals", "type": "wait", "sum": "value"}}
        assert d.post("/v1/metrics", slow).status == 201
        d.make_experiment("before", metrics=["ctr", "clicks_per_query", "patience"])
        units = ["unit-%d" % i for i in range(UNITS)]
        assert d.post("/v1/assign", [{"unit": u, "experiments": ["before"]} for u in units], key="client").status == 200
        now, signals = time.time() + 1, []
        for i, unit in enumerate(units):
            for q in range(1 + i % 3):
                signals.append({"type": "wait", "unit": unit, "value": 1 + i * 7919 % 397 + q, "timestamp": now})
                signals.append({"type": "request", "unit": unit, "query_id": "q%d-%d" % (i, q), "query": "x", "timestamp": now})
            if i % 4 == 0:
                signals.append({"type": "click", "unit": unit, "query_id": "q%d-0" % i, "doc": "d", "position": 1, "timestamp": now + 1})
        time.sleep(3)
        assert d.post("/v1/signals", signals, key="client").json["accepted"] == len(signals)
        d.wait_loaded()
        d.trainer()

    def plan(self, status=200, **fields):
        return self.call("post", "/v1/plan", fields, status)

    def xstat(self, _method, **fields):
        return json.loads(self.daemon.run("xstat", _method, input=json.dumps(fields) + "\n").stdout)

    def test_every_way_of_looking_by_hand(self):
        looks = {"any_time": {"method": "any_time", "looks": 8}, "group_sequential": {"method": "spending", "function": "ld_pocock", "looks": 4}}
        for name, analysis in METHODS.items():
            told = self.plan(**BY_HAND, analysis=analysis)
            self.assertEqual((told["design"]["method"], told["design"]["alpha"], told["why_not"]), (name, 0.05, None))
            if name == "fixed":
                want = self.xstat("power_t", solve="n", delta=0.2, sd=5, alpha=0.05, power=0.8)
            else:
                want = self.xstat("plan_sequential", solve="n", effect=0.2, var_c=25, alpha=0.05, power=0.8, **looks[name])
                self.assertAlmostEqual(told["units"]["expected_share"], want["expected_share"], 9)
            self.assertEqual(told["units"]["control"], want["n_c"])
            self.assertEqual(told["units"]["all"], 2 * want["n_c"])
            days = 7 * (told["units"]["all"] / 7000) ** (1 / 0.9)
            self.assertAlmostEqual(told["units"]["days"], days, 6)
            self.assertEqual(told["units"]["weeks"], -(-days // 7))
            self.assertEqual([w["week"] for w in told["weeks"]], list(range(1, 9)))
            self.assertAlmostEqual(told["weeks"][1]["units"], 7000 * 2 ** 0.9, 6)
            self.assertEqual(sorted(w["power"] for w in told["weeks"]), [w["power"] for w in told["weeks"]])

    def test_from_what_was_measured(self):
        for metric in ("ctr", "clicks_per_query"):
            told = self.plan(metric=metric, effect=0.2)
            row = self.daemon.sql("select n, mean_x, m2_x, mean_y, m2_y, cxy from moments where experiment = 'before' and variant = 'a' "
                                  "and metric = '%s' and segment = '' order by day desc limit 1" % metric)[0]
            n, mx, m2x = int(row[0]), float(row[1]), float(row[2])
            if metric == "ctr":
                mean, variance = mx, m2x / (n - 1)
            else:
                my, m2y, cxy = map(float, row[3:])
                mean = mx / my
                variance = (m2x - 2 * mean * cxy + mean * mean * m2y) / (n - 1) / my ** 2
            self.assertEqual((told["baseline"]["experiment"], told["baseline"]["n"]), ("before", n))
            self.assertAlmostEqual(told["baseline"]["mean"], mean)
            self.assertAlmostEqual(told["baseline"]["variance"], variance)
            self.assertAlmostEqual(told["design"]["distance"], 0.2 * mean)
            self.assertEqual(told["traffic"]["units"], UNITS)
            self.assertGreater(told["units"]["all"], UNITS)

    def test_a_quantile_is_planned_with_what_ranks_cost(self):
        told = self.plan(metric="patience", effect=0.2, analysis={"method": "fixed"})
        row = self.daemon.sql("select n, mean_x, m2_x, mean_y, m2_y, cxy from moments where experiment = 'before' and variant = 'a' "
                              "and metric = 'patience' and segment = '' order by day desc limit 1")[0]
        n, (mx, m2x, my, m2y, cxy) = int(row[0]), map(float, row[1:])
        share = mx / my
        self.assertAlmostEqual(share, 0.75, 1)
        rank_sd = ((m2x - 2 * share * cxy + share * share * m2y) / (n - 1)) ** 0.5
        baseline = told["baseline"]
        self.assertAlmostEqual(baseline["rank_sd"], rank_sd)
        arm = next(v for m in self.daemon.results("before")["metrics"] if m["metric"] == "patience" for v in m["variants"] if v["variant"] == "a")
        se = (arm["ci"][1] - arm["ci"][0]) / (2 * 1.959963984540054)
        between = 2 * 1.959963984540054 * rank_sd * n ** 0.5
        self.assertAlmostEqual(baseline["variance"] * (1 + 3 / between) / (se ** 2 * n), 1, 5)
        want = self.xstat("plan_sequential", solve="n", method="fixed", effect=told["design"]["distance"], var_c=baseline["variance"], alpha=0.05,
                          power=0.8, rank_sd=rank_sd)
        self.assertEqual(told["units"]["control"], want["n_c"])
        given = {"mean": baseline["mean"], "variance": baseline["variance"]}
        same = self.plan(baseline={**given, "rank_sd": baseline["rank_sd"]}, effect=0.2, analysis={"method": "fixed"})
        self.assertEqual((same["units"], same["weeks"]), (told["units"], told["weeks"]))
        self.assertLess(self.plan(baseline=given, effect=0.2, analysis={"method": "fixed"})["units"]["all"], told["units"]["all"])

    def test_covariates_that_are_known_save_units(self):
        """What kern stores as pre: mean and rest of x and z, then the upper triangle of their moments; here ρ² = 0.5."""
        self.daemon.sql("update moments set pre = null")
        without = self.plan(metric="ctr", effect=0.2)
        try:
            self.daemon.sql("update moments set pre = array[mean_x, 0, 0, 0, m2_x, m2_x * sqrt(0.5), m2_x] where experiment = 'before' and metric = 'ctr' "
                            "and variant = 'a' and segment = ''")
            told = self.plan(metric="ctr", effect=0.2)
        finally:
            self.daemon.sql("update moments set pre = null")
        self.assertAlmostEqual(told["baseline"]["variance_reduction"], 0.5)
        self.assertIsNone(without["baseline"]["variance_reduction"])
        self.assertEqual(told["units"]["all_unadjusted"], without["units"]["all"])
        self.assertAlmostEqual(told["units"]["all"] / without["units"]["all"], 0.5, 2)
        self.assertEqual(self.plan(metric="ctr", effect=0.2, variance_reduction=0)["units"]["all"], without["units"]["all"])

    def test_an_experiment_is_planned_as_it_declares(self):
        self.daemon.make_experiment("draft", start=False, metrics=["ctr"], mde=0.3, coverage=0.5, analysis={"method": "fixed"},
                                    variants=[{"key": "a", "weight": 0.6}, {"key": "b", "weight": 0.3}, {"key": "c", "weight": 0.1}])
        told = self.plan(experiment="draft")
        self.assertEqual((told["experiment"], told["metric"]), ("draft", "ctr"))
        design = told["design"]
        self.assertEqual((design["method"], design["treatments"], design["control"], design["smallest_treatment"]), ("fixed", 2, 0.6, 0.1))
        self.assertEqual((design["alpha"], design["effect"], design["share"]), (0.025, 0.3, 0.5))
        weeks = self.call("post", "/v1/experiments/draft/preflight")["power"]["weeks"]
        for planned, flown in zip(told["weeks"], weeks):  # the pre-flight simulates the share that is reached
            self.assertAlmostEqual(planned["power"], flown["power"], 2)

    def test_what_cannot_be_planned(self):
        told = self.plan(metric="zero_result_rate")
        self.assertIn("has not been measured in any experiment yet", told["why_not"])
        self.assertEqual(told["weeks"], [])
        self.assertIn("is needed", self.plan(400)["detail"])
        self.assertIn("not known", self.plan(404, experiment="nothing")["detail"])
        self.assertIn('field "effect"', self.plan(400, **{**BY_HAND, "effect": 0})["detail"])
        self.call("post", "/v1/plan", BY_HAND, 403, key="client")


if __name__ == "__main__":
    unittest.main(verbosity=2)
