"""GET /v1/experiments/{key}/health of a real daemon: what is sound, what is broken in several ways, what is not known yet, who may ask."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

AA = [{"key": "a", "value": 1}, {"key": "b", "value": 1}]
UNITS = 600


class Health(DaemonTest):
    @classmethod
    def prepare(cls, d):
        """An experiment whose units were assigned, and aggregated by the trainer."""
        d.make_experiment("seen", metrics=["ctr", "clicks_per_query"])
        asks = [{"unit": "unit-%d" % i, "experiments": ["seen"]} for i in range(UNITS)]
        reply = d.post("/v1/assign", asks, key="client")
        cls.variants = {u["unit"]: a["assignments"][0]["variant"] for u, a in zip(asks, reply.json)}
        signals = [{"type": "search", "unit": "unit-%d" % i, "query_id": "q%d" % i, "query": "x"} for i in range(UNITS)]
        assert d.post("/v1/signals", signals, key="client").status == 200
        d.wait_loaded()
        d.trainer()

    def counts(self, key, rows):
        """Sets the first exposures of an experiment: (variant, segment, days ago, units, several)."""
        self.daemon.sql("delete from exposure_counts where experiment = '%s'" % key)
        for variant, segment, days, units, several in rows:
            self.daemon.sql("insert into exposure_counts values ('%s', '%s', '%s', (now() at time zone 'UTC')::date - %d, %d, %d)"
                            % (key, variant, segment, days, units, several))

    def health(self, key):
        answer = self.call("get", "/v1/experiments/%s/health" % key)
        return answer, {f["check"]: f for f in answer["findings"]}

    def test_what_was_assigned_is_sound(self):
        seen = list(self.variants.values())
        self.counts("seen", [(v, "", 0, seen.count(v), 0) for v in "ab"])
        answer, found = self.health("seen")
        self.assertEqual((answer["state"], answer["spoilt_by"], answer["phase"]), ("ok", None, 1))
        self.assertEqual(found["srm"]["rows"][0]["observed"], [seen.count("a"), seen.count("b")])
        self.assertEqual(found["srm"]["rows"][0]["expected"], [UNITS / 2, UNITS / 2])
        self.assertAlmostEqual(found["srm"]["p"], self.call("get", "/v1/experiments/seen/results")["srm"]["p"], 9)
        for check in ("srm", "srm_any_time", "srm_days", "zero_weight", "multiple_exposures", "data"):
            self.assertEqual(found[check]["state"], "ok", found[check])
            self.assertIsNone(found[check]["todo"])
        for check in ("before", "novelty", "simpson", "srm_segments", "aa_history"):
            self.assertEqual(found[check]["state"], "not_enough_data", found[check])
            self.assertTrue(found[check]["text"])

    def test_a_day_a_segment_and_a_variant_that_lose_units(self):
        rows = [(v, "", day, 1000 - 300 * (v == "b" and day == 2), 0) for v in "ab" for day in range(4)]
        rows += [(v, "device=" + device, 1, 500 - 200 * (v == "b" and device == "phone"), 0) for v in "ab" for device in ("desk", "phone")]
        self.counts("seen", rows)
        answer, found = self.health("seen")
        self.assertEqual((answer["state"], answer["spoilt_by"]), ("alarm", "srm"))
        self.assertEqual(found["srm"]["rows"][0]["observed"], [4000, 3700])
        self.assertEqual(found["srm_days"]["rows"][0]["observed"], [1000, 700])
        self.assertEqual([r["observed"] for r in found["srm_days"]["rows"][1:]], [[1000, 1000]] * 3)
        self.assertEqual(found["srm_segments"]["rows"][0]["of"], "device=phone")
        self.assertLess(found["srm_segments"]["rows"][0]["adjusted_p"], 1e-9)
        self.assertIn("redirects", found["srm"]["todo"])

    def test_what_the_metrics_units_do_not_show_makes_the_verdict_unhealthy(self):
        """The moments are sound; on one of four days units of b are missing."""
        self.counts("seen", [(v, "", day, 1000, 0) for v in "ab" for day in range(4)])
        self.assertNotEqual(self.daemon.results("seen")["verdict"]["state"], "unhealthy")
        self.counts("seen", [(v, "", day, 1000 - 300 * (v == "b" and day == 2), 0) for v in "ab" for day in range(4)])
        told = self.daemon.results("seen")
        self.assertEqual(told["verdict"]["state"], "unhealthy")
        self.assertIn("Units by variant", told["verdict"]["text"])
        self.assertEqual(told["decision"]["kind"], "unhealthy")

    def test_units_of_two_variants_are_left_out_and_compared(self):
        self.counts("seen", [("a", "", 0, 1000, 4), ("b", "", 0, 1000, 44)])
        _, found = self.health("seen")
        self.assertEqual(found["srm"]["rows"][0]["observed"], [996, 956])
        self.assertEqual(found["multiple_exposures"]["state"], "alarm")
        self.assertIn('"b" 4.4 %', found["multiple_exposures"]["text"])

    def test_marks_that_fall_on_one_variant(self):
        seen = list(self.variants.values())
        self.counts("seen", [(v, "", 0, seen.count(v), 0) for v in "ab"])
        marked = [u for u, v in self.variants.items() if v == "b"][:60]
        self.daemon.sql("insert into marked_units (unit, bucket, mark) select x.unit, min(x.bucket), 1 from exposures x where x.unit in (%s) "
                        "group by x.unit" % ", ".join("'%s'" % u for u in marked))
        try:
            _, found = self.health("seen")
            self.assertEqual(found["marked_units"]["state"], "alarm", found["marked_units"])
            self.assertIn('"a" 0 %', found["marked_units"]["text"])
            self.assertIn('"b" %.3g %%' % (100 * 60 / (60 + seen.count("b"))), found["marked_units"]["text"])
        finally:
            self.daemon.sql("delete from marked_units")
        self.assertEqual(self.health("seen")[1]["marked_units"]["state"], "ok")

    def test_aa_tests_of_the_past_are_judged_together(self):
        """Ten A/A tests, eight of them with a difference that no A/A test should have."""
        for i in range(10):
            key = "aa-%d" % i
            self.daemon.make_experiment(key, variants=AA, metrics=["ctr"])
            self.call("post", "/v1/experiments/%s/stop" % key)
            self.daemon.sql("insert into moments_current (experiment, run, as_of, units, multiple_exposures) "
                            "select '%s', run, now(), 2000, 0 from moments_current where experiment = 'seen'" % key)
            for variant, p in (("a", 0.2), ("b", 0.25 if i < 8 else 0.2)):
                self.daemon.sql("insert into moments (experiment, metric, variant, day, n, mean_x, m2_x) values ('%s', 'ctr', '%s', now()::date, 1000, %g, %g)"
                                % (key, variant, p, 1000 * p * (1 - p)))
        _, found = self.health("seen")
        self.daemon.sql("delete from moments where experiment like 'aa-%'")  # the other tests' metrics are sound
        self.assertEqual(found["aa_history"]["state"], "alarm", found["aa_history"])
        self.assertIn("ctr: 10 tests, 80 % below 0.05", found["aa_history"]["text"])
        self.assertFalse(found["aa_history"]["spoils"])

    def test_a_draft_and_what_is_not_there(self):
        self.daemon.make_experiment("draft", start=False)
        answer, found = self.health("draft")
        self.assertEqual((answer["state"], answer["as_of"]), ("not_enough_data", None))
        self.assertEqual(found["srm"]["text"], "nothing has been aggregated yet")
        self.assertEqual(found["data"]["text"], "it does not run")
        self.assertIn("not known", self.call("get", "/v1/experiments/nothing/health", status=404)["detail"])
        self.call("get", "/v1/experiments/seen/health", status=403, key="client")


if __name__ == "__main__":
    unittest.main(verbosity=2)
