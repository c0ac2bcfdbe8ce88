"""The job "synonyms" over a log with known contents: the pairs that were planted, with the figures of a plain computation over all pairs of queries; misspellings
and phrases that are known; the same on any number of workers; too little data and impossible parameters are refused."""
import collections
import datetime
import itertools
import json
import math
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402
from searches import Searches  # noqa: E402

DAY = datetime.date(2026, 10, 1)
LOG = [("leather sofa", 90, {"sofa-1": 40, "sofa-2": 20}), ("leather couch", 40, {"sofa-1": 15, "sofa-2": 8, "x-1": 2}),
       ("sofa", 90, {"sofa-3": 40, "sofa-2": 20}), ("couch", 40, {"sofa-3": 15, "sofa-2": 8, "x-1": 2}),
       ("couch corner", 20, {"corner-1": 9}), ("corner sofa", 30, {"corner-1": 20, "corner-2": 3}),
       ("loveseat", 40, {"sofa-2": 25}),                               # narrow: all of it where sofa mainly leads
       ("leather chair", 90, {"chair-1": 40, "chair-2": 20}),          # another thing
       ("lether sofa", 30, {"sofa-1": 12, "sofa-2": 6}),               # a misspelling of leather sofa
       ("television", 100, {"tv-1": 70, "tv-2": 10}), ("tv", 50, {"tv-1": 20, "tv-2": 3}), ("tele", 20, {"tv-1": 9, "tv-2": 1}),
       ("phone 3", 50, {"phone": 20}), ("phone 4", 50, {"phone": 20}),  # other numbers
       ("ipad case", 60, {"case-1": 30}), ("ipad cover", 40, {"case-1": 18}), ("rare", 4, {"tv-1": 3})]
MIN_OVERLAP, MIN_INSIDE, MAIN, Z = 0.5, 0.8, 0.2, 1.959963984540054
MIN_G = 10.827566170662733  # 0.999 of chi-square, one degree of freedom


def g(table):
    """The log-likelihood ratio of (of so many, on), others' on, others'; 0: others' are as often on."""
    on, mine, others_on, others = table
    if on / mine <= others_on / others:
        return 0
    share = (on + others_on) / (mine + others)
    cells = [(on, mine * share), (mine - on, mine * (1 - share)), (others_on, others * share), (others - others_on, others * (1 - share))]
    return 2 * sum(n * math.log(n / expected) for n, expected in cells if n)


class Synonyms(DaemonTest):
    params = {"as_of": str(DAY + datetime.timedelta(days=1))}

    @classmethod
    def prepare(cls, d):
        cls.log = Searches(DAY)
        for query, searches, docs in LOG:
            cls.log.add(query, searches, docs)
        cls.log.send(d)

    def job(self, workers=2, check=True, **more):
        given = [x for pair in {**self.params, **more}.items() for x in ("--param", "%s=%s" % pair)]
        return self.daemon.run("trainer", "run", "synonyms", "--data-dir", self.daemon.dir, "--workers", str(workers), *given, check=check)

    def rows(self):
        return self.daemon.sql("select input, output, bidirectional, confidence, review, searches, evidence from query_rewrites where type = 'synonym' order by 1, 2")

    def found(self):
        return {(r[0], r[1]): (r[2] == "t", float(r[3]), int(r[5]), json.loads(r[6])) for r in self.rows()}

    def add(self, *rewrites):
        docs = [{"type": kind, "input": a, "output": b, "bidirectional": False, "confidence": 1, "review": "approved", "note": ""} for kind, a, b in rewrites]
        self.daemon.sql("select rewrites_add('%s'::jsonb, 'somebody')" % json.dumps(docs))

    # ---- the same otherwise

    @staticmethod
    def differ(x, y):
        """What stands in each where they differ, and the words around it; None: not in one place."""
        common = collections.Counter(x.split()) & collections.Counter(y.split())
        rests = []
        for query in (x, y):
            left, rest = collections.Counter(common), []
            for n, word in enumerate(query.split()):
                if left[word]:
                    left[word] -= 1
                else:
                    rest.append(n)
            if not rest or rest != list(range(rest[0], rest[0] + len(rest))) or len(rest) > 3:
                return None
            rests.append(" ".join(query.split()[n] for n in rest))
        return (*rests, " ".join(sorted(common.elements())))

    def plain(self, queries):
        """(a, b) → overlap, inside each way, clicks, contexts, G, over all pairs of queries."""
        sums, tables, shares = collections.defaultdict(lambda: [0.0] * 6 + [set()]), collections.defaultdict(lambda: [[0] * 4, [0] * 4]), {}
        reach = sum((query["docs"] for query in self.log.queries.values()), collections.Counter())
        for query in queries:
            docs = self.log.queries[query]["docs"]
            if sum(docs.values()) >= 5:
                shares[query] = {doc: n / sum(docs.values()) for doc, n in docs.items()}
        for x, y in itertools.combinations(sorted(shares), 2):
            both = set(shares[x]) & set(shares[y])
            slot = self.differ(x, y)
            if not both or not slot:
                continue
            (a, p), (b, q) = sorted([(slot[0], x), (slot[1], y)])
            clicks = [sum(self.log.queries[query]["docs"].values()) for query in (p, q)]
            row, weight = sums[a, b], min(clicks)
            row[0] += weight
            row[1] += weight * sum(min(shares[p][doc], shares[q][doc]) for doc in both)
            row[2] += weight * sum(shares[p][doc] for doc in both if shares[q][doc] >= MAIN)
            row[3] += weight * sum(shares[q][doc] for doc in both if shares[p][doc] >= MAIN)
            row[4] += clicks[0]
            row[5] += clicks[1]
            row[6].add(slot[2])
            for table, mine, other in zip(tables[a, b], (p, q), (q, p)):
                docs, all_mine, all_other = self.log.queries[mine]["docs"], sum(self.log.queries[mine]["docs"].values()), sum(self.log.queries[other]["docs"].values())
                on = sum(docs[doc] for doc in both)
                others = sum(reach[doc] for doc in shares[other]) - on - all_other
                table[:] = [n + m for n, m in zip(table, (on, all_mine, others, sum(reach.values()) - all_mine - all_other))]
        return {pair: (*(v / row[0] for v in row[1:4]), row[0], row[4], row[5], len(row[6]), min(map(g, tables[pair]))) for pair, row in sums.items()}

    @staticmethod
    def bound(share, n):
        """Wilson's lower bound."""
        return (share + Z * Z / 2 / n - Z * math.sqrt(share * (1 - share) / n + Z * Z / 4 / n / n)) / (1 + Z * Z / n)

    def check(self, queries, variants):
        """What was found is what a plain look finds, but for pairs of variants."""
        wanted = {}
        for (a, b), (overlap, inside, back, clicks, of_a, of_b, contexts, ratio) in self.plain(queries).items():
            if (a, b) in variants or ratio < MIN_G:
                continue
            if overlap >= MIN_OVERLAP:
                wanted[a, b] = (True, self.bound(overlap, clicks), overlap, contexts, ratio)
            elif max(inside, back) >= MIN_INSIDE > min(inside, back):
                narrow, wide, share, n = (a, b, inside, of_a) if inside > back else (b, a, back, of_b)
                wanted[narrow, wide] = (False, self.bound(share, n), overlap, contexts, ratio)
        found = self.found()
        self.assertEqual(sorted(found), sorted(wanted))
        for pair, (both, confidence, overlap, contexts, ratio) in wanted.items():
            row = found[pair]
            self.assertEqual((row[0], row[3]["contexts"]), (both, contexts), pair)
            self.assertAlmostEqual(row[1], confidence, 5, pair)
            self.assertAlmostEqual(row[3]["overlap"], overlap, 4, pair)
            self.assertAlmostEqual(row[3]["g"], ratio, 4, pair)
        return found

    VARIANTS = {("3", "4"), ("leather", "lether"), ("tele", "television")}

    def test_1_pairs_are_those_of_a_plain_look(self):
        self.job()
        found = self.check(list(self.log.queries), self.VARIANTS)
        self.assertEqual(found["couch", "sofa"][0], True)
        self.assertEqual(found["couch", "sofa"][3]["contexts"], 3)  # alone, leather, corner
        self.assertEqual(found["loveseat", "sofa"][0], False)
        self.assertEqual(found["loveseat", "sofa"][2], self.log.queries["loveseat"]["searches"])
        self.assertIn(("television", "tv"), found)
        self.assertEqual({r[4] for r in self.rows()}, {"pending"})

    def test_2_workers_do_not_matter(self):
        self.job(workers=1)
        rows = self.rows()
        for workers in (2, 4):
            self.job(workers=workers)
            self.assertEqual(self.rows(), rows)

    def test_3_known_misspellings_and_phrases(self):
        self.job()
        self.assertIn(("case", "cover"), self.found())
        self.assertTrue(any("lether" in text for pair in self.found() for text in pair))
        self.add(("spelling", "lether", "leather"), ("phrase", "ipad case", "ipad case"))
        self.job()
        result = json.loads(self.daemon.sql("select result from runs order by started_at desc limit 1")[0][0])
        self.assertEqual((result["phrases_known"], result["misspellings_known"]), (1, 1))
        self.assertFalse(any("lether" in text for pair in self.found() for text in pair))
        self.assertNotIn(("case", "cover"), self.found())
        self.assertIn(("ipad case", "ipad cover"), self.found())

    def test_4_parameters(self):
        self.job(min_contexts=2)
        self.assertEqual(set(self.found()), {("couch", "sofa")})
        self.job(whole_queries="false", auto_confidence=0.5)
        self.assertTrue(all(row[3]["context"] for row in self.found().values()))
        self.assertEqual({r[4] for r in self.rows()}, {"auto"})
        self.assertNotIn(("tele", "television"), self.found())
        self.job(beginnings="true")
        self.assertIn(("tele", "television"), self.found())
        self.job(top=1)
        self.assertEqual(len(self.found()), 1)
        self.job(min_clicks=1000)
        self.assertEqual(self.found(), {})

    def test_5_what_cannot_be_is_refused(self):
        for given, words in [({"min_signals": 100000}, "too little data"), ({"min_overlap": 2}, "min_overlap"), ({"max_words": 0}, "max_words"), ({"level": 1}, "level")]:
            done = self.job(check=False, **given)
            self.assertNotEqual(done.returncode, 0, given)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
