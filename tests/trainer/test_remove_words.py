"""The job "remove-words" over a log with known contents: words and queries that were planted, with the gain of a plain computation; the same on any number of
workers; too little data and impossible parameters are refused."""
import datetime
import json
import math
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402
from searches import Searches  # noqa: E402

DAY = datetime.date(2026, 10, 1)
Z95 = 1.959963984540054
# Query, searches, clicks, searches without results.
LOG = [("sofa", 80, {"s": 40}, 0), ("red lamp", 60, {"l": 30}, 1), ("desk", 40, {"d": 10}, 0), ("flights", 50, {"f": 20}, 0), ("chair", 50, {"c": 25}, 0),
       ("bestest sofa", 20, {}, 20), ("bestest red lamp", 16, {"l": 1}, 14), ("desk bestest", 10, {}, 10),  # of no use anywhere
       ("blue chair", 30, {"c": 1}, 27),                                                               # of no use here
       ("blue desk", 20, {"d": 6}, 0),                                                                 # but here
       ("cheap flights", 40, {"f": 30}, 0),                                                            # of use
       ("tiny sofa", 3, {}, 3), ("plain words nobody knows", 9, {}, 9)]


class RemoveWords(DaemonTest):
    params = {"as_of": str(DAY + datetime.timedelta(days=1)), "min_signals": 100}

    @classmethod
    def prepare(cls, d):
        cls.log = Searches(DAY)
        for query, searches, docs, zero in LOG:
            cls.log.add(query, searches, docs, zero=zero)
        cls.log.send(d)

    def job(self, workers=2, check=True, **more):
        given = [x for pair in {**self.params, **more}.items() for x in ("--param", "%s=%s" % pair)]
        return self.daemon.run("trainer", "run", "remove-words", "--data-dir", self.daemon.dir, "--workers", str(workers), *given, check=check)

    def rows(self):
        return self.daemon.sql("select input, output, confidence, review, searches, evidence from query_rewrites where type = 'remove_words' order by 1, 2")

    def counts(self, query, measure):
        q = self.log.queries[query]
        return (q["searches"] - q["zero"] if measure == "results" else q["clicks"]), q["searches"]

    def gain(self, cases, measure):
        """Of pairs (with, without): the gain and its lower bound."""
        total, gain, variance = sum(self.log.queries[a]["searches"] for a, _ in cases), 0, 0
        for a, b in cases:
            (x, n), (y, m) = self.counts(a, measure), self.counts(b, measure)
            p, q = (x + 1) / (n + 2), (y + 1) / (m + 2)
            gain += n / total * (q - p)
            variance += (n / total) ** 2 * (p * (1 - p) / (n + 2) + q * (1 - q) / (m + 2))
        return gain, gain - Z95 * math.sqrt(variance)

    def test_1_words_are_those_planted(self):
        self.job()
        rows = self.rows()
        self.assertEqual([r[:2] for r in rows], [["bestest", ""], ["blue chair", "chair"]])
        for row, cases in zip(rows, ([("bestest sofa", "sofa"), ("bestest red lamp", "red lamp"), ("desk bestest", "desk")], [("blue chair", "chair")])):
            evidence = json.loads(row[5])
            gain, low = self.gain(cases, evidence["measure"])
            self.assertAlmostEqual(evidence["gain"], gain, 4)
            self.assertAlmostEqual(float(row[2]), low, 5)
            self.assertEqual((evidence["measure"], evidence["queries"]), ("results", len(cases)))
            self.assertEqual(int(row[4]), sum(self.log.queries[a]["searches"] for a, _ in cases))
            self.assertEqual(row[3], "pending")

    def test_2_workers_do_not_matter(self):
        self.job(workers=1)
        rows = self.rows()
        for workers in (2, 4):
            self.job(workers=workers)
            self.assertEqual(self.rows(), rows)

    def test_3_parameters(self):
        self.job(min_contexts=4)  # then each query by itself
        self.assertEqual([r[0] for r in self.rows()], ["bestest red lamp", "bestest sofa", "blue chair", "desk bestest"])
        self.job(min_searches=20)
        self.assertEqual([r[0] for r in self.rows()], ["bestest sofa", "blue chair"])
        self.job(min_gain=0.99)
        self.assertEqual(self.rows(), [])
        self.job(auto_confidence=0.1)
        self.assertEqual({r[3] for r in self.rows()}, {"auto"})
        self.job(top=1)
        self.assertEqual(len(self.rows()), 1)

    def test_4_what_cannot_be_is_refused(self):
        for given, words in [({"min_signals": 100000}, "too little data"), ({"min_gain": -1}, "min_gain"), ({"max_words": 9}, "max_words"), ({"level": 1}, "level")]:
            done = self.job(check=False, **given)
            self.assertNotEqual(done.returncode, 0, given)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
