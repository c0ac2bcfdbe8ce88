"""The job "content": the lists that a plain TF-IDF finds; with later days, judged by them; whatever the number of workers."""
import collections
import math
import os
import random
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import of_version  # noqa: E402
from daemon import DaemonTest  # noqa: E402
from month import Month  # noqa: E402

WORDS = "lamp desk brass oak chair sofa shelf rug vase clock bed steel glass linen blue red".split()
MONTH = Month(seed=3, days=4, visits=100, units=60, docs=60, late=0)


def made_up():
    rng = random.Random(4)
    for i in range(60):
        yield {"id": "doc-%d" % i, "title": "The %s of %s" % (rng.choice(WORDS), rng.choice(WORDS)), "price": i,
               "text": [" ".join(rng.choice(WORDS) for _ in range(rng.randrange(0, 7))), "and more-%d" % (i % 9)] if i % 3 else " ".join(rng.choice(WORDS) for _ in range(5))}


SHOP = list(made_up())


class Content(DaemonTest):
    params = {"fields": "title=3,text=1", "ngrams": 2, "max_df": 0.4, "top": 8, "min_score": 0.1, "stop_words": "and,of"}

    @classmethod
    def prepare(cls, d):
        assert d.post("/v1/items", SHOP).json["created"] == len(SHOP)

    def compute(self, workers=2, check=True, **params):
        return self.daemon.run("trainer", "run", "content", "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for k, v in {**self.params, **params}.items() for x in ("--param", "%s=%s" % (k, v))), check=check)

    def last(self):
        return self.daemon.sql("select version, status, artifact, gate->>'rule', metrics->'ndcg@10'->>'n' from model_versions where model = 'content' order by version desc limit 1")[0]

    @staticmethod
    def terms(text):
        words = [w for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in ("the", "of", "and")]
        return words + [" ".join(p) for p in zip(words, words[1:])]

    def wanted(self, max_terms=100):
        """Of each document the cosines with all others."""
        sums = {}
        for d in SHOP:
            sums[d["id"]] = s = collections.Counter()
            for field, weight in (("title", 3), ("text", 1)):
                for text in d[field] if isinstance(d[field], list) else [d[field]]:
                    for term in self.terms(text):
                        s[term] += weight
        df = collections.Counter(t for s in sums.values() for t in s)
        n = len(SHOP)
        vectors = {}
        for doc, s in sums.items():
            v = {t: math.sqrt(x) * (math.log((1 + n) / (1 + df[t])) + 1) for t, x in s.items() if 2 <= df[t] <= math.floor(0.4 * n)}
            v = dict(sorted(v.items(), key=lambda e: -e[1])[:max_terms])
            norm = math.sqrt(sum(x * x for x in v.values()))
            vectors[doc] = {t: x / norm for t, x in v.items()}
        return {a: {b: sum(x * vb.get(t, 0) for t, x in va.items()) for b, vb in vectors.items() if b != a} for a, va in vectors.items()}

    def test_1_as_plain_tf_idf(self):
        self.compute()
        got = of_version(self.daemon, "content").lists("items_for_item")
        for doc, others in self.wanted().items():
            want = sorted((s for s in others.values() if s >= 0.1), reverse=True)[:8]
            entries = got.get(doc, [])
            self.assertEqual(len(entries), len(want), doc)
            for (other, v), score in zip(entries, want):
                self.assertAlmostEqual(v["score"], score, places=5)
                self.assertAlmostEqual(v["score"], others[other], places=5)
        self.assertGreater(len(got), 40)
        self.assertEqual(self.last()[1:2] + self.last()[3:4], ["ready", "none"])

    def test_2_workers(self):
        digests = set()
        for workers in (1, 2, 4):
            self.compute(workers)
            digests.add(self.last()[2])
        self.assertEqual(len(digests), 1)

    def test_3_judged_by_later_days(self):
        for day in range(MONTH.days):
            MONTH.send(self.daemon, day)
        self.daemon.wait_loaded()
        self.compute(holdout_days=2, as_of=MONTH.date(3), gate="none")
        version, status, _, rule, units = self.last()
        self.assertEqual((status, rule), ("ready", "none"))
        self.assertGreater(int(units), 20)
        artifact = of_version(self.daemon, "content", int(version))
        self.assertIn("popular", artifact.sections)

    def test_4_too_little_and_impossible(self):
        for params, words in (({"fields": "name=1"}, "too little data: no term"), ({"fields": "title"}, 'parameter "fields"'), ({"min_documents": 61}, '"min_documents"'),
                              ({"ngrams": 4}, '"ngrams"'), ({"language": "latin"}, '"language"')):
            done = self.compute(check=False, **params)
            self.assertNotEqual(done.returncode, 0, params)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
