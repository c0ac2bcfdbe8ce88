"""On /metrics: how old the results of each running experiment are."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, wait_for  # noqa: E402


class Ages(DaemonTest):
    @classmethod
    def prepare(cls, d):
        d.make_experiment("ranker")
        d.make_experiment("draft", start=False)

    def ages(self, name="experimentd_results_age_seconds"):
        text = self.daemon.get("/metrics", key=None).body.decode()
        self.assertIn("# TYPE %s gauge" % name, text)
        return {key: float(age) for key, age in re.findall(r'^%s\{experiment="([^"]+)"\} (\S+)$' % name, text, re.M)}

    def test_age_since_the_start_then_since_the_results(self):
        d, data = self.daemon, "experimentd_results_data_age_seconds"
        wait_for(lambda: set(self.ages()) == {"ranker"}, "the age of what runs")
        self.assertEqual(self.ages(data), {})
        d.sql("update experiments set started_at = now() - interval '2 hours' where key = 'ranker'")
        wait_for(lambda: self.ages()["ranker"] > 7000, "two hours")
        d.post("/v1/assign", {"unit": "u", "experiments": ["ranker"]}, key="client")
        d.wait_loaded()
        d.trainer()
        wait_for(lambda: self.ages()["ranker"] < 7000, "results")
        known = d.sql("select extract(epoch from now() - published_at), extract(epoch from now() - as_of) from moments_current")[0]
        for name, at_least in zip(("experimentd_results_age_seconds", data), known):
            self.assertGreaterEqual(self.ages(name)["ranker"], float(at_least) - 0.01)
        d.post("/v1/experiments/ranker/stop")
        wait_for(lambda: self.ages() == {}, "what was stopped to go")


if __name__ == "__main__":
    unittest.main()
