"""Every ranking metric over ESCI's and TMDB's judgments (bench/quality/rankings.py): xstat and the job "ranking-metrics" equal the definitions in plain Python, and trec_eval where it is there."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench", "quality"))
import rankings  # noqa: E402
from daemon import DaemonTest  # noqa: E402


@unittest.skipIf(rankings.missing(), rankings.missing())
class Rankings(DaemonTest):
    def test_every_value_equals_the_definitions(self):
        rows, summaries = rankings.measure(self.daemon)
        self.assertEqual([(r[0], r[2]) for r in rows], [("esci", 150)] * 3 + [("tmdb", 40)] * 4)
        for name, title, queries, values, xstat, job, trec in rows:
            self.assertEqual(values, queries * len(rankings.METRICS))
            self.assertLess(xstat, 1e-12, (name, title))
            self.assertLess(job, 1e-12, (name, title))
            self.assertLess(trec or 0, 1e-12, (name, title))
        tmdb = summaries["tmdb"]
        self.assertEqual((tmdb["judged_queries"], tmdb["max_grade"], len(tmdb["pairs"])), (40, 4, 6))
        self.assertLess(summaries["esci"]["searches"][2]["judged"], 0.8)
        self.assertIn("holes", [w["code"] for w in summaries["esci"]["warnings"]])


if __name__ == "__main__":
    unittest.main()
