"""The job "similar-queries": the lists and metrics that plain Python finds, the same bytes with other workers and ranges and from kept days, what the gate
refuses, and what is wrong with parameters."""
import collections
import datetime
import json
import math
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import artifact  # noqa: E402
from daemon import DaemonTest  # noqa: E402
from query_log import QueryLog  # noqa: E402
from topics import Topics  # noqa: E402

TOPICS, EPOCH, LAST = Topics(seed=3), datetime.date(1970, 1, 1), 10
JOB = "similar-queries"


def number(day):
    return (TOPICS.date(day) - EPOCH).days


def llr(both, a, b, n):
    cells = [(both, a, b), (a - both, a, n - b), (b - both, n - a, b), (n - a - b + both, n - a, n - b)]
    value = 2 * sum(o * math.log(o * n / (r * c)) for o, r, c in cells if o > 0)
    return value if both > a * b / n else -value


def best(counter, n=200):
    return sorted(counter.items(), key=lambda e: (-e[1], e[0].encode()))[:n]


class Plain:
    """Related queries of a log, by the formulas of query_pairs.h."""

    def __init__(self, log, min_count=2, min_units=2, min_pair=2, min_overlap=0.3, min_llr=10.83, prior_sessions=10, prior_clicks=10, top=20, top_items=50):
        self.log, self.q = log, {t: q for t, q in log.queries.items() if q.searches >= min_count and len(q.units) >= min_units}
        self.doc_clicks = collections.Counter()
        for q in self.q.values():
            self.doc_clicks.update(q.docs)
        self.all_clicks = sum(self.doc_clicks.values())
        self.pairs, self.items = {}, {}
        for a in self.q:
            found = {}
            for b in self.q:
                coclick = self.coclick(a, b, min_pair, min_overlap, min_llr)
                session = self.session(a, b, min_pair, min_llr, prior_sessions)
                if a != b and sorted(a.split()) != sorted(b.split()) and (coclick or session) and 3 <= len(a) <= 50 and 3 <= len(b) <= 50:
                    found[b] = (1 - (1 - coclick) * (1 - session), coclick, session)
            self.pairs[a] = self.choose(sorted(found.items(), key=lambda e: (-e[1][0], e[0])), top)
            self.items[a] = self.expected(a, self.pairs[a], prior_clicks)[:top_items]

    @staticmethod
    def choose(found, top):
        seen, chosen = set(), []
        for text, values in found:
            bag = tuple(sorted(text.split()))
            if bag not in seen:
                chosen.append((text, values))
            seen.add(bag)
        return chosen[:top]

    def coclick(self, a, b, least, overlap, evidence):
        x, y = self.q[a], self.q[b]
        both = [d for d in x.docs if d in y.docs]
        own, theirs = sum(x.docs[d] for d in both), sum(y.docs[d] for d in both)
        if own < least or theirs < least:
            return 0
        mass = [sum(self.doc_clicks[d] for d in q.docs) for q in (x, y)]
        value = sum(min(x.docs[d] / x.clicks, y.docs[d] / y.clicks) for d in both)
        strength = min(llr(own, x.clicks, mass[1], self.all_clicks), llr(theirs, y.clicks, mass[0], self.all_clicks))
        return value if value >= overlap and strength >= evidence else 0

    def session(self, a, b, least, evidence, prior):
        both, x, y, n = self.q[a].same[b], self.q[a].sessions, self.q[b].sessions, self.log.sessions
        if both < least or llr(both, x, y, n) < evidence:
            return 0
        return max(0, both - x * y / n) / (x + prior)

    def expected(self, a, pairs, prior):
        shares, weights = collections.defaultdict(float), sum(v[0] for _, v in pairs)
        for b, values in pairs:
            for doc, n in self.q[b].docs.items():
                shares[doc] += values[0] / weights * n / self.q[b].clicks
        own = self.q[a].docs
        found = {d: ((own[d] + prior * shares[d]) / (sum(own.values()) + prior), own[d]) for d in {*own, *shares}}
        return sorted(found.items(), key=lambda e: (-e[1][0], e[0]))


def judged(lists, later, of):
    """Of each query with something later: ndcg, hit rate, mrr."""
    found = {}
    for text, query in later.queries.items():
        counts = dict(best(getattr(query, of)))
        if not counts:
            continue
        gains = [counts.get(x, 0) for x in [e[0] for e in lists.get(text, [])][:10]]
        ideal = sorted(counts.values(), reverse=True)[:10]
        all_of_them = sum(counts.values())
        found[text] = (sum(g / math.log2(i + 2) for i, g in enumerate(gains)) / sum(g / math.log2(i + 2) for i, g in enumerate(ideal)),
                       sum(gains) / all_of_them, sum(g / (i + 1) for i, g in enumerate(gains)) / all_of_them)
    return found


class Factors:
    """Implicit ALS (Hu, Koren, Volinsky) over queries and documents, row by row, by Gaussian elimination."""

    def __init__(self, log, rank, iterations, alpha, penalty, seed, min_count=2):
        self.queries = sorted((t for t, q in log.queries.items() if q.searches >= min_count), key=str.encode)
        self.docs = sorted({d for t in self.queries for d in log.queries[t].docs}, key=str.encode)
        self.rank, self.alpha, self.penalty = rank, alpha, penalty
        self.query, self.doc = ({t: i for i, t in enumerate(texts)} for texts in (self.queries, self.docs))
        rows = [{self.doc[d]: math.log1p(n) for d, n in log.queries[t].docs.items()} for t in self.queries]
        columns = [{q: row[d] for q, row in enumerate(rows) if d in row} for d in range(len(self.docs))]
        self.y = [[0.1 * self.random(seed, d * rank + k) for k in range(rank)] for d in range(len(self.docs))]
        for _ in range(iterations):
            self.x = self.half(rows, self.y)
            self.y = self.half(columns, self.x)

    @staticmethod
    def random(seed, i):
        v = ((seed << 32 ^ i) * 0x9e3779b97f4a7c15) % 2**64
        v = ((v ^ v >> 30) * 0xbf58476d1ce4e5b9) % 2**64
        v = ((v ^ v >> 27) * 0x94d049bb133111eb) % 2**64
        return ((v ^ v >> 31) >> 11) / 2**53 - 0.5

    def half(self, rows, other):
        gram = [[sum(y[i] * y[j] for y in other) + (self.penalty if i == j else 0) for j in range(self.rank)] for i in range(self.rank)]
        return [self.solve(row, other, gram) if row else [0.0] * self.rank for row in rows]

    def solve(self, row, other, gram):
        a = [list(g) + [0.0] for g in gram]
        for n, weight in row.items():
            y = other[n]
            for i in range(self.rank):
                for j in range(self.rank):
                    a[i][j] += self.alpha * weight * y[i] * y[j]
                a[i][-1] += (1 + self.alpha * weight) * y[i]
        for i in range(self.rank):
            best = max(range(i, self.rank), key=lambda r: abs(a[r][i]))
            a[i], a[best] = a[best], a[i]
            for r in range(self.rank):
                if r != i:
                    by = a[r][i] / a[i][i]
                    a[r] = [u - by * v for u, v in zip(a[r], a[i])]
        return [a[i][-1] / a[i][i] for i in range(self.rank)]

    def cosine(self, a, b):
        x, y = self.x[self.query[a]], self.x[self.query[b]]
        return sum(u * v for u, v in zip(x, y)) / math.sqrt(sum(u * u for u in x) * sum(v * v for v in y))

    def product(self, query, doc):
        return sum(u * v for u, v in zip(self.x[self.query[query]], self.y[self.doc[doc]]))


class Queries(DaemonTest):
    """The tests go on where the one before has stopped."""

    @classmethod
    def prepare(cls, d):
        for day in range(LAST + 1):
            TOPICS.send(d, day)
            TOPICS.send(d, day, bots=True)
        d.wait_loaded()

    def train(self, day, *more, job=JOB, check=True, **params):
        given = {"as_of": TOPICS.date(day), "holdout_days": 2, "min_searches": 100, **params}
        return self.daemon.run("trainer", "run", job, "--data-dir", self.daemon.dir, *(more or ("--workers", "2")),
                               *(x for name, value in given.items() for x in ("--param", "%s=%s" % (name, value))), check=check)

    def version(self, n=None, model=JOB):
        """Of the last one: number, status, digest, metrics, gate."""
        row = self.daemon.sql("select version, status, artifact, metrics, gate from model_versions where model = '%s' %s order by version desc limit 1" %
                              (model, "and version = %d" % n if n else ""))[0]
        return int(row[0]), row[1], row[2], json.loads(row[3]), json.loads(row[4])

    def same_lists(self, got, want, columns):
        """Equal but for rounding; entries whose scores are as good as equal may change places."""
        self.assertEqual(set(got), {k for k, v in want.items() if v})
        for key, entries in got.items():
            wanted = dict(want[key])
            self.assertEqual({e[0] for e in entries}, set(wanted), key)
            for text, values in entries:
                for i, column in enumerate(columns):
                    self.assertAlmostEqual(values[column], wanted[text][i], delta=1e-5 * max(1, abs(wanted[text][i])), msg=(key, text, column))
            scores = [wanted[e[0]][0] for e in entries]
            self.assertTrue(all(a >= b - 1e-6 for a, b in zip(scores, scores[1:])), key)

    def test_1_what_plain_python_finds(self):
        done = self.train(LAST)
        print(done.stderr)
        log, later = (QueryLog(self.daemon, a, b) for a, b in ((number(0), number(LAST - 2)), (number(LAST - 1), number(LAST))))
        plain, got = Plain(log), artifact.of_version(self.daemon, JOB)
        self.assertEqual((got.kind, got.card["job"], got.card["rows"], got.card["units"]), ("queries", JOB, log.searches, len(plain.q)))
        self.assertRegex(done.stderr, "training: %d searches for %d queries, %d clicks, %d sessions" %
                         (log.searches, len(log.queries), sum(q.clicks for q in log.queries.values()), log.sessions))
        lists, items = got.lists("queries_for_query"), got.lists("items_for_query")
        self.same_lists(lists, plain.pairs, ("score", "coclick", "session"))
        self.same_lists(items, plain.items, ("score", "clicks"))
        self.assertGreater(sum(map(len, lists.values())), 100)
        self.assertTrue({e[1]["session"] > 0 for v in lists.values() for e in v} == {True, False})
        self.assertFalse([k for k, v in lists.items() if "spam" in k or any(e[0] in ("spam", "sale") for e in v)])  # a bot's; what is asked about everything
        n, status, digest, metrics, gate = self.version()
        self.assertEqual((n, status, digest, gate["rule"]), (1, "ready", got.digest, "first"))
        for prefix, of, judged_lists in (("", "next", lists), ("items_", "docs", items)):
            values = judged(judged_lists, later, of)
            for i, name in enumerate(("ndcg@10", "hit_rate@10", "mrr@10")):
                m, mean = metrics[prefix + name], sum(v[i] for v in values.values()) / len(values)
                half = 1.959964 * math.sqrt(sum((v[i] - mean) ** 2 for v in values.values()) / (len(values) - 1) / len(values))
                self.assertEqual(m["n"], len(values))
                for key, wanted in (("value", mean), ("low", mean - half), ("high", mean + half)):
                    self.assertAlmostEqual(m[key], wanted, delta=1e-5, msg=(name, key))
            self.assertGreater(metrics[prefix + "ndcg@10"]["low"], 0.2)
        self.assertAlmostEqual(metrics["coverage"]["value"], sum(t in lists for t in judged(lists, later, "next")) / metrics["ndcg@10"]["n"], delta=1e-9)
        most = collections.Counter(v[0][0] for v in lists.values()).most_common(1)[0][1]
        self.assertAlmostEqual(metrics["concentration"]["value"], most / len(lists), delta=1e-9)

    def test_2_workers_ranges_and_kept_days_do_not_matter(self):
        digest, first = self.version(1)[2], artifact.of_version(self.daemon, JOB, 1)
        for more in (("--workers", "1"), ("--workers", "4"), ("--workers", "2")):
            self.train(LAST, *more)
            n, status, again, _, gate = self.version()
            self.assertEqual((again, status, gate["rule"]), (digest, "refused", "gate"), more)  # no better than itself
            self.assertIn("difference 0", gate["reason"])
        for params in ({"full": "true"}, {"ranges": 1}):  # the card says so, the lists are the same
            self.train(LAST, **params)
            got = artifact.of_version(self.daemon, JOB, self.version()[0])
            self.assertEqual([got.sections[k] for k in ("queries_for_query", "items_for_query")], [first.sections[k] for k in ("queries_for_query", "items_for_query")])

    def test_3_the_champion_is_asked_for_the_same_queries(self):
        TOPICS.send(self.daemon, LAST + 1)
        self.daemon.wait_loaded()
        champion = artifact.of_version(self.daemon, JOB).lists("queries_for_query")
        self.train(LAST + 1, source="clicks", gate="not_worse", gate_margin=1)
        n, status, _, metrics, _ = self.version()
        later = QueryLog(self.daemon, number(LAST), number(LAST + 1))
        x = judged(artifact.of_version(self.daemon, JOB, n).lists("queries_for_query"), later, "next")
        y = judged(champion, later, "next")
        differences = [x[t][0] - y[t][0] for t in x]
        mean = sum(differences) / len(differences)
        half = 1.959964 * math.sqrt(sum((d - mean) ** 2 for d in differences) / (len(differences) - 1) / len(differences))
        got = metrics["ndcg@10"]["difference"]
        self.assertEqual(status, "ready")
        for key, wanted in (("value", mean), ("low", mean - half), ("high", mean + half)):
            self.assertAlmostEqual(got[key], wanted, delta=1e-5, msg=key)
        self.assertFalse([e for v in artifact.of_version(self.daemon, JOB, n).lists("queries_for_query").values() for e in v if e[1]["session"]])

    def test_4_days_are_kept_and_marks_count_at_once(self):
        done = self.train(LAST + 1, gate="none")
        same = [tuple(map(int, m)) for m in re.findall(r"(\d+) of (\d+) days and ranges of buckets are as they were", done.stderr)]
        self.assertEqual([a for a, _ in same], [b for _, b in same])
        self.assertEqual(self.daemon.request("PUT", "/v1/marks/bot-1", {"mark": "none"}).status, 200)
        done = self.train(LAST + 1, gate="none", max_concentration=1, min_query_units=1)
        same = [tuple(map(int, m)) for m in re.findall(r"(\d+) of (\d+) days and ranges of buckets are as they were", done.stderr)]
        self.assertEqual([a for a, _ in same], [b for _, b in same])
        self.assertIn("sale", [e[0] for e in artifact.of_version(self.daemon, JOB, self.version()[0]).lists("queries_for_query")["spam"]])
        self.train(LAST + 1, gate="none", max_concentration=1)  # what one unit types is nobody else's suggestion
        self.assertNotIn("spam", artifact.of_version(self.daemon, JOB, self.version()[0]).lists("queries_for_query"))
        self.assertEqual(self.daemon.request("PUT", "/v1/marks/bot-1", {"mark": "hand"}).status, 200)

    def test_5_what_is_refused(self):
        for params, words in (({"min_searches": 1000000}, 'too little data: '), ({"min_length": 60}, 'parameter "min_length" is 60, more than max_length, 50'),
                              ({"click_types": "click,Cart"}, "--param click_types=click,Cart"), ({"session_gap_minutes": 90}, 'parameter "session_gap_minutes" is 90'),
                              ({"model": "Bad name"}, 'parameter "model"')):
            done = self.train(LAST, check=False, **params)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
        self.train(LAST, gate_min_units=100000)
        _, status, _, _, gate = self.version()
        self.assertEqual((status, gate["rule"]), ("refused", "gate_min_units"))
        self.train(LAST, holdout_days=0)
        _, status, _, metrics, gate = self.version()
        self.assertEqual((status, gate["rule"], metrics), ("ready", "none", {}))

    def test_6_queries_and_documents_factorised(self):
        job, given = "query-similarity", {"factors": 6, "iterations": 3, "alpha": 5, "lambda": 0.5, "seed": 7, "min_similarity": 0.4, "top": 10, "top_items": 10}
        done = self.train(LAST, job=job, **given)
        print(done.stderr)
        n, status, digest, metrics, gate = self.version(model=job)
        self.assertEqual((n, status, gate["rule"]), (1, "ready", "first"))
        log, got = QueryLog(self.daemon, number(0), number(LAST - 2)), artifact.of_version(self.daemon, job)
        f = Factors(log, 6, 3, 5, 0.5, 7)
        lists, items = got.lists("queries_for_query"), got.lists("items_for_query")
        self.assertEqual((got.kind, got.card["units"], got.card["items"]), ("queries", len(f.queries), len(f.docs)))
        for query, entries in lists.items():
            for text, values in entries:
                self.assertAlmostEqual(values["score"], f.cosine(query, text), delta=2e-3)
            least, bags = entries[-1][1]["score"], [sorted(t.split()) for t, _ in entries] + [sorted(query.split())]
            for other in f.queries:  # nobody is missing
                if sorted(other.split()) not in bags and f.x[f.query[other]] != [0.0] * 6:
                    self.assertLess(f.cosine(query, other), max(0.4, least if len(entries) == 10 else 0.4) + 2e-3)
        for query, entries in items.items():
            self.assertEqual(len(entries), 10)
            for doc, values in entries:
                self.assertAlmostEqual(values["score"], f.product(query, doc), delta=2e-3)
                self.assertEqual(values["clicks"], log.queries[query].docs[doc])
            best = sorted(f.docs, key=lambda d: -f.product(query, d))[:10]
            self.assertGreaterEqual(len({d for d, _ in entries} & set(best)), 9)
        self.assertGreater(metrics["ndcg@10"]["low"], 0.2)
        self.assertGreater(metrics["items_ndcg@10"]["low"], 0.4)
        for workers in ("1", "4"):
            self.train(LAST, "--workers", workers, job=job, **given)
            self.assertEqual(self.version(model=job)[1:3], ("refused", digest))
        self.assertNotEqual(self.daemon.run("trainer", "run", job, "--data-dir", self.daemon.dir, "--param", "model=similar-queries", "--param", "alpha=0", check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
