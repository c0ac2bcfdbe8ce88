"""The jobs "spelling" and "phrases": what a plain look at every word finds, what sessions, phrases and a dictionary add, what people decided stays, and
the same rows however many workers there are."""
import collections
import datetime
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402

DAY = datetime.datetime(2026, 10, 5, tzinfo=datetime.timezone.utc)
AS_OF = "2026-10-06"
# query, searches, share of them that find nothing, query that half of the sessions go on with
SEARCHES = [
    ("notebook", 220, 0, None), ("Notebook  A4", 60, 0, None), ("table lamp", 160, 0, None), ("desk lamp", 130, 0, None), ("lamp", 200, 0, None),
    ("garden hose", 140, 0, None), ("garden chairs", 90, 0, None), ("curtain", 150, 0, None), ("blue curtain", 60, 0, None),
    ("new york poster", 110, 0, None), ("new york map", 70, 0, None), ("new lamp", 20, 0, None), ("iphone 12", 90, 0, None), ("büro stuhl", 80, 0, None),
    ("notebok", 14, 0.9, "notebook"), ("note book", 15, 0.3, "notebook"), ("tablelamp", 12, 1, None), ("gardn hose", 13, 0.8, "garden hose"),
    ("curtian", 16, 0.5, None), ("garden chair", 12, 0, None), ("iphone 13", 15, 0, None), ("büro sthul", 11, 0.5, "büro stuhl"),
    ("table lanp", 4, 1, None), ("curtainz", 11, 0, None), ("gardenposter", 12, 0.5, None),
]
NOISE = ["vase", "rug red", "sofa", "bed", "clock wall", "shelf oak"]


def signals(seed=5):
    rng = random.Random(seed)
    searches = [s for s in SEARCHES for _ in range(s[1])] + [(q, 0, 0, None) for q in NOISE for _ in range(rng.randrange(2, 9))]
    rng.shuffle(searches)
    for i, (query, _, zero, then) in enumerate(searches):
        at = DAY + datetime.timedelta(seconds=rng.randrange(2 * 86400 - 600))
        queries = [(query, rng.random() < zero)] + ([(then, False)] if then and i % 2 else [])
        for n, (text, empty) in enumerate(queries):
            common = {"unit": "u-%d" % i, "session": "s-%d" % i, "query_id": "q-%d-%d" % (i, n)}
            when = at + datetime.timedelta(seconds=30 * n)
            yield {**common, "type": "request", "query": text, "timestamp": when.isoformat(), "id": "r-%d-%d" % (i, n)}
            yield {**common, "type": "response", "value": 0 if empty else 5, "timestamp": when.isoformat(), "id": "p-%d-%d" % (i, n)}
            if not empty and (i + n) % 3 == 0:
                yield {**common, "type": "click", "query": text, "doc": "d-%d" % (len(text) % 7), "timestamp": when.isoformat(), "id": "c-%d-%d" % (i, n)}


def osa(a, b):
    """By the definition."""
    d = {}
    for i in range(-1, len(a)):
        for j in range(-1, len(b)):
            if i < 0 or j < 0:
                d[i, j] = i + j + 2
                continue
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i] != b[j]))
            if i and j and a[i] == b[j - 1] and a[i - 1] == b[j]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[len(a) - 1, len(b) - 1]


class Spelling(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sent = list(signals())
        body = "".join(json.dumps(s) + "\n" for s in cls.sent).encode()
        reply = cls.daemon.post("/v1/signals", body, key="client")
        assert reply.status == 200 and not reply.json["rejected"], reply
        cls.daemon.wait_loaded()

    def compute(self, job="spelling", workers=2, check=True, **params):
        given = [x for name, value in {"as_of": AS_OF, **params}.items() for x in ("--param", "%s=%s" % (name, value))]
        return self.daemon.run("trainer", "run", job, "--data-dir", self.daemon.dir, "--workers", str(workers), *given, check=check)

    def rows(self, kind="spelling"):
        return self.daemon.sql("select input, output, confidence, review, searches, evidence from query_rewrites where type = '%s' order by input" % kind)

    def found(self, kind="spelling"):
        return {r[0]: {"to": r[1], "confidence": float(r[2]), "review": r[3], "searches": int(r[4]), **json.loads(r[5])} for r in self.rows(kind)}

    # ---- what is in the log, plainly

    @classmethod
    def words(cls):
        """Of each word: searches, clicks, and searches that found nothing."""
        texts, counts = {}, collections.defaultdict(lambda: [0, 0, 0])
        for s in cls.sent:
            if s["type"] == "request":
                texts[s["query_id"]] = set(s["query"].lower().split())
        for s in cls.sent:
            at = {"request": 0, "click": 1, "response": 2}[s["type"]]
            for word in texts[s["query_id"]]:
                counts[word][at] += at < 2 or s["value"] == 0
        return counts

    @staticmethod
    def cut(searches, share):
        wanted, total = share * sum(searches), 0
        for least in sorted(searches, reverse=True):
            total += least
            if total >= wanted:
                return least

    def meant(self, word, words, cut):
        """All that it may be a misspelling of, by the rules alone."""
        most = min(2, int(len(word) / 5))
        return {w for w, (searches, clicks, _) in words.items() if searches >= cut and clicks >= 1 and w != word and osa(w, word) <= most
                and w[0] == word[0] and searches >= 3 * words[word][0] and not (w in (word + "s", word + "es") or word in (w + "s", w + "es"))
                and [c for c in w if c.isdigit()] == [c for c in word if c.isdigit()]}

    # ---- words

    def test_1_words_as_a_plain_look_at_all_of_them_finds(self):
        self.compute(phrases="false")
        words, found = self.words(), self.found()
        cut = self.cut([c[0] for c in words.values()], 0.8)
        self.assertGreater(len(found), 3)
        for word, (searches, clicks, zero) in words.items():
            if searches < 10 or searches >= cut or len(word) < 5:
                self.assertNotIn(word, found)
                continue
            may = self.meant(word, words, cut)
            if " " in found.get(word, {"to": ""})["to"]:
                self.assertEqual(found[word]["to"].replace(" ", ""), word)
            elif word in found:
                row = found[word]
                self.assertIn(row["to"], may)
                self.assertEqual((row["searches"], row["clicks"], row["zero_results"]), (searches, clicks, zero), word)
                self.assertEqual((row["correction_searches"], row["correction_clicks"]), tuple(words[row["to"]][:2]), word)
                self.assertEqual(row["distance"], osa(word, row["to"]))
            else:
                self.assertEqual(may, set(), word)
        self.assertEqual({k: v["to"] for k, v in found.items()},
                         {"notebok": "notebook", "gardn": "garden", "curtian": "curtain", "curtainz": "curtain",
                          "tablelamp": "table lamp", "gardenposter": "garden poster"})
        self.assertTrue(found["gardenposter"]["split"])
        self.assertEqual(found["gardenposter"]["review"], "pending")  # nobody searched for both together
        self.assertGreater(found["gardenposter"]["confidence"], 0.8)

    def test_2_phrases_and_sessions(self):
        self.compute()
        found = self.found()
        self.assertEqual(found["büro sthul"]["to"], "büro stuhl")  # "stuhl" alone is searched too seldom to be sure of
        self.assertEqual(found["note book"]["to"], "notebook")
        self.assertEqual(found["tablelamp"]["to"], "table lamp")
        self.assertFalse(found["tablelamp"]["split"])  # both were searched side by side
        for absent in ("garden chair", "iphone 13", "gardn hose", "table lanp", "new lamp"):
            self.assertNotIn(absent, found)  # a plural; another number; its word is corrected; too seldom; meant
        self.assertGreater(found["notebok"]["corrected_next"], 3)
        self.assertEqual((found["notebok"]["review"], found["curtainz"]["corrected_next"]), ("auto", 0))
        self.compute(auto_confidence=1.1)
        self.assertEqual({r["review"] for r in self.found().values()}, {"pending"})

    def test_3_workers_do_not_matter(self):
        for job, kind, more in (("spelling", "spelling", {}), ("phrases", "phrase", {"minmatch": 10})):
            self.compute(job, **more)
            rows = self.rows(kind)
            self.assertGreater(len(rows), 2)
            for workers in (1, 4):
                self.compute(job, workers=workers, full="true", ranges=4, **more)
                self.assertEqual(self.rows(kind), rows, (job, workers))

    def test_4_a_dictionary(self):
        put = self.daemon.request("PUT", "/v1/dictionaries/shop", "curtainz 5\nposters 100\nlanterns 50\nnotebooks 3\n".encode())
        self.assertEqual(put.status, 201, put)
        self.compute(dictionary="shop", min_count_filter=2)
        found = self.found()
        self.assertNotIn("curtainz", found)  # which is one of its words
        self.assertEqual(found["notebok"]["to"], "notebook")
        self.compute(dictionary="shop", misspelling_threshold=0, correction_threshold=1, phrases="false")
        self.assertEqual(self.found()["sthul"]["to"], "stuhl")  # any word can be wrong now, and any one right
        self.assertEqual(self.daemon.number("select (result->>'dictionary_version')::int from runs where job = 'spelling' order by started_at desc limit 1"), 1)
        refused = self.compute(dictionary="none", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('parameter "dictionary": there is no dictionary "none"', refused.stderr)

    def test_5_what_people_decided_stays(self):
        self.compute()
        wanted = {r[0]: r[1] for r in self.daemon.sql("select input, id from query_rewrites where type = 'spelling'")}
        reply = self.daemon.request("PATCH", "/v1/rewrites/%s" % wanted["notebok"], {"review": "denied"}) if self.has_review() else None
        if reply is None:
            self.daemon.sql("update query_rewrites set review = 'denied' where id = %s" % wanted["notebok"])
        else:
            self.assertEqual(reply.status, 200, reply)
        self.compute(min_misspelling_len=8)
        found = self.found()
        self.assertEqual(found["notebok"]["review"], "denied")
        self.assertNotIn("curtian", found)  # too short now
        self.daemon.sql("delete from query_rewrites")

    def has_review(self):
        return any(p.startswith("/v1/rewrites/") for p in self.daemon.get("/openapi.json").json["paths"])

    # ---- phrases

    def test_6_phrases(self):
        self.compute("phrases", minmatch=10)
        found = self.found("phrase")
        searches = collections.Counter(s["query"].lower() for s in self.sent if s["type"] == "request")
        new_york = sum(n for q, n in searches.items() if "new york" in q)
        self.assertEqual(found["new york"]["searches"], new_york)
        total, new, york = sum(searches.values()), sum(n for q, n in searches.items() if "new" in q.split()), sum(n for q, n in searches.items() if "york" in q.split())
        self.assertAlmostEqual(found["new york"]["lift"], new_york * total / (new * york), places=9)
        self.assertEqual(found["new york"]["review"], "auto")
        self.assertIn("new york poster", found)
        self.assertNotIn("york poster", found)  # which comes in the longer one only
        self.assertNotIn("new lamp", found)     # seldom, for how often both are searched
        for row in found.values():
            self.assertLess(row["log10_p"], -2)
        self.compute("phrases", minmatch=10, ngram_size=2)
        self.assertNotIn("new york poster", self.found("phrase"))

    def test_7_too_little_and_impossible(self):
        for job in ("spelling", "phrases"):
            refused = self.compute(job, min_searches=1000000, check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn('too little data: %d searches, parameter "min_searches" asks for 1000000' % sum(s["type"] == "request" for s in self.sent), refused.stderr)
        for job, given, words in (("spelling", {"max_distance": 4}, "max_distance"), ("spelling", {"context": 2}, "context"),
                                  ("phrases", {"ngram_size": 9}, "ngram_size"), ("phrases", {"stop_words": "a,,b"}, 'parameter "stop_words"')):
            refused = self.compute(job, check=False, **given)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(words, refused.stderr)


if __name__ == "__main__":
    unittest.main()
