"""The job "head-tail" over a log with known contents: head, tail and figures are those of plain sums; reasons and rewritings are those that were planted,
with the confidence that their formula gives; the same on any number of workers; too little data and impossible parameters are refused."""
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
HEAD = [("red lamp", 120, {"lamp-1": 60, "lamp-2": 20}), ("leather sofa", 100, {"sofa-1": 50, "sofa-2": 20}), ("television", 90, {"tv-1": 58, "tv-2": 10}),
        ("macbook", 80, {"mac-1": 45, "mac-2": 20}), ("ipad case", 80, {"case-1": 60})]
# Query, searches, clicks, zero results, next; its reason and what it is rewritten to.
TAIL = [
    ("lether sofa", 10, {"sofa-1": 1}, 6, None, "spelling", "leather sofa"),
    ("mac book", 8, {"mac-1": 1}, 0, None, "spelling", "macbook"),
    ("sofa leather", 8, {"sofa-1": 1}, 0, None, "re_ordering", "leather sofa"),
    ("macbook 16gb", 9, {"mac-1": 1}, 0, None, "number_unit", None),
    ("leather sof", 7, {"sofa-1": 1}, 0, None, "unfinished", "leather sofa"),
    ("red", 6, {}, 0, None, "missing_words", None),
    ("telly", 30, {"x-1": 1}, 0, "television", "rare_term", "television"),
    ("red lamp case", 6, {"lamp-1": 1}, 0, None, "extra_words", "red lamp"),
    ("red macbook", 6, {}, 0, None, "extra_words", None),
    ("plugh", 7, {}, 7, None, "rare_term", None),
    ("seldom", 2, {}, 0, None, None, None),
]
# Between head and tail.
TORSO = [("red desk", 15, {"desk-1": 9}), ("desk lamp", 15, {"desk-1": 9}), ("case", 15, {"case-2": 9})]


class HeadTail(DaemonTest):
    params = {"as_of": str(DAY + datetime.timedelta(days=1)), "rare_queries": 2, "min_confidence": 0.5}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.log = Searches(DAY)
        for query, searches, docs in HEAD + TORSO:
            cls.log.add(query, searches, docs)
        for query, searches, docs, zero, after, _, _ in TAIL:
            cls.log.add(query, searches, docs, zero=zero, next=after)
        cls.log.send(cls.daemon)

    def job(self, name, workers=2, check=True, **more):
        given = [x for pair in {**self.params, **more}.items() for x in ("--param", "%s=%s" % pair)]
        return self.daemon.run("trainer", "run", name, "--data-dir", self.daemon.dir, "--workers", str(workers), *given, check=check)

    def report(self, **more):
        self.job("head-tail", **more)
        last = self.daemon.sql("select id from runs order by started_at desc limit 1")[0][0]
        return self.call("GET", "/v1/runs/" + last)["result"]

    def rows(self):
        return self.daemon.sql("select type, input, output, bidirectional, confidence, review, searches, evidence from query_rewrites order by 1, 2, 3")

    def rewritings(self):
        return {r[0]: (r[1], float(r[2]), json.loads(r[3])) for r in self.daemon.sql("select input, output, confidence, evidence from query_rewrites where type = 'head_tail'")}

    # ---- the figures

    def test_1_head_and_tail_are_those_of_plain_sums(self):
        report, queries = self.report(), self.log.queries
        clicks = sorted((q["clicks"] for q in queries.values()), reverse=True)
        mean = sum(clicks) / len(clicks)
        rest = [c for c in clicks if c <= mean]
        head, tail = [c for c in clicks if c > mean], [c for c in clicks if c <= sum(rest) / len(rest)]
        summary = report["summary_stat"]
        self.assertEqual((summary["queries"], summary["clicks"]), (len(clicks), sum(clicks)))
        self.assertEqual(summary["searches"], sum(q["searches"] for q in queries.values()))
        self.assertEqual(summary["zero_results"], sum(q["zero"] for q in queries.values()))
        self.assertEqual((summary["head"]["queries"], summary["head"]["traffic_from"]), (len(head), min(head)))
        self.assertEqual((summary["tail"]["queries"], summary["tail"]["traffic_to"]), (len(tail), max(tail)))
        self.assertEqual(summary["torso"]["queries"], len(clicks) - len(head) - len(tail))
        self.assertEqual(summary["tail_too_seldom"], 1)
        half = next(r for r in report["overall_distribution"] if r["what"] == "queries_for_share_of_traffic" and r["of"] == 0.5)
        self.assertEqual(half["queries"], next(n for n in range(len(clicks)) if sum(clicks[:n]) >= sum(clicks) / 2))
        ordered = sorted(queries, key=lambda q: (-queries[q]["clicks"], q))[:len(head)]
        self.assertEqual([r["query"] for r in report["queries_ordered"]], ordered)
        self.assertEqual(sum(r["queries"] for r in report["query_length"]), len(clicks))
        lamp = next(r for r in report["tokens_ordered"] if r["token"] == "lamp")
        with_lamp = [q for q in queries if "lamp" in q.split()]
        self.assertEqual((lamp["queries"], lamp["traffic"]), (len(with_lamp), sum(queries[q]["clicks"] for q in with_lamp)))

    def test_2_reasons_and_rewritings_are_those_planted(self):
        report = self.report()
        reasons = {q: r["reason"] for r in report["tail_reasons"] for q in r["examples"]}
        self.assertEqual(reasons, {t[0]: t[5] for t in TAIL if t[5]})
        self.assertEqual({q: r[0] for q, r in self.rewritings().items()}, {t[0]: t[6] for t in TAIL if t[6]})
        self.assertEqual({r["query"]: r["head"] for r in report["tail_rewriting"]}, {t[0]: t[6] for t in TAIL if t[6]})
        self.assertEqual({r[5] for r in self.rows()}, {"pending"})

    # ---- the formula, otherwise

    def weight(self, word):
        queries = [q for q in self.log.queries if word in q.split()]
        return math.log(1 + len(self.log.queries) / (len(queries) if len(queries) >= self.params["rare_queries"] else 1))

    def text(self, tail, head):
        """Words that are the same, one edit away, or begun; or, without spaces, the same."""
        if tail.replace(" ", "") == head.replace(" ", ""):
            return 1
        shared, total, left = 0, 0, head.split()
        for word in tail.split():
            share = {"lether": 6 / 6 - 1 / 6, "sof": 3 / 4}.get(word, 1)
            other = {"lether": "leather", "sof": "sofa"}.get(word, word)
            total += self.weight(other if other in left else word)
            if other in left:
                left.remove(other)
                shared += share * self.weight(other)
        alike = 2 * shared / (total + sum(map(self.weight, head.split())))
        return max(alike, {"lether sofa": 1 - 1 / 10, "leather sof": 1 - 1 / 10}.get(tail, 0))

    def test_3_confidence_is_what_the_formula_says(self):
        self.report()
        for tail, (head, confidence, evidence) in self.rewritings().items():
            mine, theirs = self.log.queries[tail], self.log.queries[head]
            shared = sum(min(n / mine["clicks"], theirs["docs"][doc] / theirs["clicks"]) for doc, n in mine["docs"].items())
            documents = shared * mine["clicks"] / (mine["clicks"] + 2)
            sessions = mine["next"][head] / (sum(mine["next"].values()) + 2)
            wanted = 1 - (1 - 0.6 * self.text(tail, head)) * (1 - 0.7 * documents) * (1 - 0.7 * sessions)
            self.assertAlmostEqual(confidence, wanted, 5, tail)
            self.assertAlmostEqual(evidence["documents"], documents, 4, tail)
            self.assertEqual((evidence["searched_next"], evidence["head_searches"]), (mine["next"][head], theirs["searches"]))

    # ---- what must not matter, and what is refused

    def test_4_workers_do_not_matter(self):
        report, rows = self.report(workers=1), self.rows()
        for workers in (2, 4):
            again = self.report(workers=workers)
            self.assertEqual(self.rows(), rows)
            self.assertEqual(again.pop("rewrites")["unchanged"], len(rows))
            self.assertEqual(again, {name: table for name, table in report.items() if name != "rewrites"})

    def test_5_parameters(self):
        report = self.report(head=2, tail=0.4, auto_confidence=0.6)
        self.assertEqual((report["summary_stat"]["head"]["queries"], report["queries_ordered"][0]["query"]), (2, "red lamp"))
        self.assertEqual({r[5] for r in self.rows() if float(r[4]) >= 0.6}, {"auto"})
        self.assertNotIn("telly", self.rewritings())  # television is not in the head
        self.assertEqual(self.report(rewrite="false")["tail_rewriting"], [])
        self.assertEqual(self.rows(), [])
        searches = self.report(traffic="searches")["summary_stat"]
        self.assertEqual((searches["traffic"], searches["most_traffic"]), ("searches", 120))

    def test_6_what_cannot_be_is_refused(self):
        for given, words in [({"min_signals": 100000}, "too little data: %d searches and" % sum(q["searches"] for q in self.log.queries.values())),
                             ({"as_of": "2020-01-01", "days": 3}, "too little data: 0 searches and 0 clicks"), ({"head": -0.5}, "parameter \"head\" is -0.5"),
                             ({"head": 0}, "no head"), ({"min_confidence": 2}, "min_confidence"), ({"click_types": "request"}, "click_types")]:
            done = self.job("head-tail", check=False, **given)
            self.assertNotEqual(done.returncode, 0, given)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
