"""The job "boosts": weights, expected shares and similar queries that plain Python finds; the same bytes with other workers; shares are closer to later
days than plain ones; filters, ranges, and what is wrong with parameters."""
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
from query_log import DAY, QueryLog, normal  # noqa: E402
from topics import Topics  # noqa: E402

TOPICS, EPOCH, LAST = Topics(seed=5, visits=100), datetime.date(1970, 1, 1), 9
WEIGHTS = {"click": 1, "cart": 10, "purchase": 25}
FILTERED = [{"type": "click", "unit": "f-%d" % n, "query": "lamp", "doc": "lamp-%d" % (n % 2), "params": {"filters": ["size:L", "colour:red"]},
             "timestamp": (TOPICS.first + datetime.timedelta(days=3, seconds=n)).isoformat()} for n in range(5)]


def number(day):
    return (TOPICS.date(day) - EPOCH).days


class Plain:
    """Of days up to `until`: (query, filters) → doc → [weight, signals]."""

    def __init__(self, daemon, until, by_filters=False, half_life=30):
        self.queries, end = collections.defaultdict(lambda: collections.defaultdict(lambda: [0.0, 0])), (until + 1) * DAY
        marked = {r[0] for r in daemon.sql("select unit from marked_units where mark <> 0")}
        for kind, unit, query, doc, at, params in daemon.sql("select type, unit, coalesce(to_json(query), 'null'), doc, us(at), params from signals"):
            if kind in WEIGHTS and unit not in marked and normal(json.loads(query)) and doc and int(at) < end:
                filters = " $ ".join(sorted(json.loads(params).get("filters", []))) if by_filters and params else ""
                row = self.queries[normal(json.loads(query)) + ("\x1f" + filters if filters else "")][doc]
                row[0] += WEIGHTS[kind] * 2 ** ((int(at) - end) / DAY / half_life)
                row[1] += 1
        self.docs = collections.Counter()
        for docs in self.queries.values():
            self.docs.update({d: row[1] for d, row in docs.items()})
        self.all = sum(self.docs.values())
        self.strength = self.fit()

    def pi(self, doc):
        return self.docs[doc] / self.all

    def fit(self):
        squares, above, below = sum(self.pi(d) ** 2 for d in self.docs), 0, 0
        for docs in self.queries.values():
            n = sum(row[1] for row in docs.values())
            if n > 1:
                above += (sum(((docs[d][1] if d in docs else 0) - n * self.pi(d)) ** 2 for d in self.docs) - n * (1 - squares)) / n
                below += (n - 1) * (1 - squares)
        rho = above / below
        return (1 - rho) / rho

    def share(self, key, doc):
        docs = self.queries[key]
        return (docs[doc][1] + self.strength * self.pi(doc)) / (sum(row[1] for row in docs.values()) + self.strength)


class Boosts(DaemonTest):
    @classmethod
    def prepare(cls, d):
        for day in range(LAST + 1):
            TOPICS.send(d, day)
            TOPICS.send(d, day, bots=True)
        assert d.post("/v1/signals", FILTERED, key="client").json["rejected"] == []
        d.wait_loaded()

    def train(self, workers=2, check=True, **params):
        given = {"as_of": TOPICS.date(LAST), "holdout_days": 2, **params}
        return self.daemon.run("trainer", "run", "boosts", "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for name, value in given.items() for x in ("--param", "%s=%s" % (name, value))), check=check)

    def version(self):
        row = self.daemon.sql("select version, status, artifact, metrics, gate from model_versions where model = 'boosts' order by version desc limit 1")[0]
        return int(row[0]), row[1], row[2], json.loads(row[3]), json.loads(row[4])

    def version_of_champion(self):
        return self.daemon.sql("select version from model_aliases where model = 'boosts' and alias = 'champion'")

    def newest(self):
        return artifact.of_version(self.daemon, "boosts", self.version()[0])

    def check_boosts(self, lists, plain, value):
        self.assertEqual(set(lists), set(plain.queries))
        for key, entries in lists.items():
            docs = plain.queries[key]
            self.assertEqual({e[0] for e in entries}, set(docs))
            for doc, values in entries:
                self.assertAlmostEqual(values["weight"], value(docs, doc), delta=1e-5 * max(1, value(docs, doc)))
                self.assertAlmostEqual(values["calibrated"], plain.share(key, doc), delta=1e-6)
                self.assertEqual(values["signals"], docs[doc][1])
            self.assertTrue(all(docs[a[0]][0] >= docs[b[0]][0] - 1e-9 for a, b in zip(entries, entries[1:])), key)

    def test_1_what_plain_python_finds(self):
        done = self.train()
        print(done.stderr)
        plain, got = Plain(self.daemon, number(LAST - 2)), self.newest()
        self.assertEqual((got.kind, got.card["units"], got.card["rows"]), ("boosts", len(plain.queries), plain.all))
        self.check_boosts(got.lists("boosts"), plain, lambda docs, doc: math.log(1 + docs[doc][0]))
        self.assertIn("as good as %.2f signals" % plain.strength, done.stderr)
        similar = got.lists("similar")
        self.assertGreater(len(similar), 20)
        for key, entries in similar.items():
            self.assertFalse([e for e in entries if e[0] not in plain.queries or e[0] == key])
            same = [e for e in entries if set(e[0].split()) & set(key.split())]
            self.assertGreater(len(same), 0.5 * len(entries), (key, entries))  # of the same topic
        _, status, digest, metrics, gate = self.version()
        self.assertEqual((status, gate["rule"]), ("ready", "first"))
        self.assertEqual(set(metrics), {"ndcg@10", "hit_rate@10", "mrr@10", "concentration", "coverage"})
        self.assertGreater(metrics["ndcg@10"]["low"], 0.5)
        for workers in (1, 4):
            self.train(workers)
            self.assertEqual(self.version()[1:3], ("refused", digest))

    def test_2_expected_shares_are_closer_to_later_days_than_plain_ones(self):
        plain, later = Plain(self.daemon, number(LAST - 2)), QueryLog(self.daemon, number(LAST - 1), number(LAST), clicks=tuple(WEIGHTS))
        lists, losses = artifact.of_version(self.daemon, "boosts", 1).lists("boosts"), collections.Counter()
        for key, query in later.queries.items():
            if not query.docs or key not in lists:
                continue
            docs, n, clicks = plain.queries[key], sum(r[1] for r in plain.queries[key].values()), query.clicks
            self.assertLessEqual(sum(e[1]["calibrated"] for e in lists[key]), 1 + 1e-6)
            for doc, values in lists[key]:
                for name, p in (("calibrated", values["calibrated"]), ("plain", docs[doc][1] / n), ("weight", docs[doc][0] / sum(r[0] for r in docs.values()))):
                    losses[name] += clicks * (p - query.docs[doc] / clicks) ** 2
        print({k: round(v, 3) for k, v in losses.items()})
        self.assertLess(losses["calibrated"], losses["plain"])
        self.assertLess(losses["calibrated"], losses["weight"])

    def test_3_filters_expressions_and_ranges(self):
        self.train(filters="filters", expression="sqrt", gate="none")
        plain, lists = Plain(self.daemon, number(LAST - 2), by_filters=True), self.newest().lists("boosts")
        self.check_boosts(lists, plain, lambda docs, doc: math.sqrt(docs[doc][0]))
        self.assertEqual({e[0]: e[1]["signals"] for e in lists["lamp\x1fcolour:red $ size:L"]}, {"lamp-0": 3, "lamp-1": 2})
        self.train(expression="linear", scale_low=1.1, scale_high=5, top=3, min_signals=2, gate="none")
        lists = self.newest().lists("boosts")
        plain = Plain(self.daemon, number(LAST - 2))
        self.assertEqual({round(v[0][1]["weight"], 5) for v in lists.values()}, {5.0})
        for key, entries in lists.items():
            self.assertLessEqual(len(entries), 3)
            best = max(row[0] for doc, row in plain.queries[key].items() if row[1] >= 2)
            for doc, values in entries:
                self.assertGreaterEqual(values["signals"], 2)
                self.assertAlmostEqual(values["weight"], 1.1 + 3.9 * plain.queries[key][doc][0] / best, delta=1e-4)

    def test_4_days_are_those_of_the_job_clicks(self):
        self.daemon.run("trainer", "run", "clicks", "--data-dir", self.daemon.dir, "--param", "as_of=%s" % TOPICS.date(LAST))
        said = self.train(gate="none", half_life_days=7).stderr
        same = [tuple(map(int, m)) for m in re.findall(r"(\d+) of (\d+) days and ranges of buckets are as they were", said)]
        self.assertEqual(len(same), 3)
        self.assertTrue(all(a == b for a, b in same), said)

    def test_5_what_is_refused(self):
        for params, words in (({"min_queries": 100000}, 'too little data: '), ({"scale_low": 3, "scale_high": 2}, 'parameter "scale_low" is 3, more than scale_high, 2'),
                              ({"weights": "click"}, "--param weights=click"), ({"model": "similar-queries/x"}, 'parameter "model"'),
                              ({"expression": "cube"}, 'parameter "expression"')):
            done = self.train(check=False, **params)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)

    def test_6_a_click_bot_is_refused(self):
        """It buys one thing for every query, with as many names as it needs; nobody has marked it."""
        champion = self.version_of_champion()
        queries = sorted(Plain(self.daemon, number(LAST)).queries)
        poison = [{"type": "purchase", "unit": "p-%d" % (n % 40), "query": query, "doc": "junk", "timestamp": (TOPICS.first + datetime.timedelta(days=LAST - 1, seconds=n)).isoformat()}
                  for n, query in enumerate(queries * 100)]
        self.assertEqual(self.daemon.post("/v1/signals", poison, key="client").json["rejected"], [])
        self.daemon.wait_loaded()
        said = self.train(holdout_days=1).stderr
        _, status, _, metrics, gate = self.version()
        self.assertEqual((status, gate["rule"]), ("refused", "max_concentration"), said)
        self.assertGreater(metrics["concentration"]["value"], 0.9)
        self.assertLess(metrics["concentration"]["champion"], 0.3)
        self.assertLess(metrics["ndcg@10"]["difference"]["value"], 0)
        self.assertEqual(self.version_of_champion(), champion)


if __name__ == "__main__":
    unittest.main(verbosity=2)
