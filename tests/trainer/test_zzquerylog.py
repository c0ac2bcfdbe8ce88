"""Head and tail, and synonyms, on a real log (bench/quality/zzquerylog.py): what must hold of the methods' order, whatever the figures."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench", "quality"))
import zzquerylog  # noqa: E402
from daemon import DaemonTest  # noqa: E402


@unittest.skipIf(zzquerylog.missing(), zzquerylog.missing())
class ZZQueryLog(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.found = zzquerylog.measure(d)

    def precisions(self, what):
        rows = self.found[what]["rows"]
        self.assertGreaterEqual(len(rows[0][1]), 10)
        self.assertEqual({len(pairs) for _, pairs in rows}, {len(rows[0][1])})
        return {name: self.found["judge"].precision(pairs) for name, pairs in rows}

    def test_most_of_what_the_jobs_find_is_right(self):
        for what, job in (("head_tail", "head-tail"), ("synonyms", "synonyms, both directions")):
            found = self.precisions(what)
            self.assertGreater(found[job], 0.8)
            self.assertGreater(found[job], found["Jaccard of clicked documents"])
            self.assertGreater(found["Jaccard of clicked documents"], found["edit distance"])
            self.assertGreaterEqual(found[job], found["cosine of clicks"] - 0.1)

    def test_most_of_what_is_right_is_found(self):
        for what in ("head_tail", "synonyms"):
            pairs = self.found[what]["rows"][0][1]
            self.assertGreater(sum(self.found["judge"].right(*pair) for pair in pairs), 0.6 * self.found[what]["possible"])


if __name__ == "__main__":
    unittest.main()
