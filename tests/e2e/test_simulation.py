"""The simulated shop (script/simulate.py): the true effect, known from the click model, lies in the intervals that are reported.

Everything is seeded, and assignment is a hash, so the outcome is the same on every run: this is no test that fails one time in
twenty. Were the seed changed, an interval could miss by luck; three intervals at 95 % each."""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import SOURCE_DIR, Daemon, variant_of  # noqa: E402

SIMULATE = ["/usr/bin/python3", os.path.join(SOURCE_DIR, "script", "simulate.py")]
VISITORS, DAYS = 1500, 14


def simulate(*arguments):
    return subprocess.run([*SIMULATE, *arguments], check=True, capture_output=True, text=True).stdout


class Simulation(unittest.TestCase):
    def test_the_true_effect_lies_in_the_interval_and_the_a_a_test_shows_none(self):
        truth = json.loads(simulate("--truth"))
        with Daemon("--page-open") as d:
            print(simulate("--url", "http://%s:%d" % (d.host, d.port), "--key-file", os.path.join(d.dir, "admin.key"),
                           "--visitors", str(VISITORS), "--days", str(DAYS)))
            d.wait_loaded()
            d.trainer("--workers", "2")
            ab, aa = d.results("shop-ranker"), d.results("shop-aa")
            days = d.get("/v1/experiments/shop-ranker/timeseries", key=None).json["metrics"][0]["days"]
        self.assertEqual((ab["experiment"]["origin"], ab["units"], aa["units"]), ("simulated", VISITORS, VISITORS))
        self.assertFalse(ab["srm"]["alarm"] or aa["srm"]["alarm"])
        self.assertGreaterEqual(len(days), DAYS - 1)
        for metric in ("ctr", "clicks_per_query", "mrr"):
            row = variant_of(ab, metric, "b")["comparison"]
            low, high = row["lift_ci"]
            print("%-18s true lift %+.4f, measured %+.4f, interval %+.4f to %+.4f" % (metric, truth["lift"][metric], row["lift"],
                                                                                   low, high))
            self.assertLess(low, truth["lift"][metric])
            self.assertGreater(high, truth["lift"][metric])
            self.assertEqual(row["outcome"], "better")
        self.assertEqual((ab["verdict"]["state"], ab["verdict"]["variant"]), ("better", "b"))
        self.assertEqual(variant_of(aa, "ctr", "a2")["comparison"]["outcome"], "no_difference")
        self.assertEqual(aa["verdict"]["state"], "no_difference")


if __name__ == "__main__":
    unittest.main(verbosity=2)
