"""The job "word2vec": words of a planted topic lie together; lists, analogies and documents as NumPy has them from the same vectors; whatever the number of workers."""
import os
import sys
import unittest

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import of_version  # noqa: E402
from daemon import DaemonTest, wait_for  # noqa: E402
from month import Month  # noqa: E402
from planted import planted  # noqa: E402
from vectors import factors, words_of  # noqa: E402

TOPICS = 4
DOCS = planted(seed=8, topics=TOPICS, each=60, own=12, common=10)
MONTH = Month(seed=3, days=2, visits=60, units=60, docs=60, late=0)


def topic_of(word):
    return word.rstrip("0123456789")


class Word2vec(DaemonTest):
    params = {"dimension": 20, "epochs": 15, "min_count": 3, "nearest": 8, "subsample": 0}

    @classmethod
    def prepare(cls, d):
        assert d.post("/v1/items", [{k: v for k, v in x.items() if k != "topic"} for x in DOCS]).json["created"] == len(DOCS)
        for day in range(MONTH.days):
            MONTH.send(d, day)
        d.wait_loaded()

    def compute(self, workers=2, check=True, **params):
        return self.daemon.run("trainer", "run", "word2vec", "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for k, v in {**self.params, **params}.items() for x in ("--param", "%s=%s" % (k, v))), check=check)

    def last(self, model="word2vec"):
        return self.daemon.sql("select version, status, artifact, gate->>'rule', metrics->'skill'->>'value', metrics->'skill'->>'n', metrics->'loss'->>'value' "
                               "from model_versions where model = '%s' order by version desc limit 1" % model)[0]

    def ask(self, **given):
        return self.daemon.post("/v1/models/word2vec/predict", {"inputs": [given]}, key="client")

    def test_1_topics_and_lists(self):
        self.compute(doc_vectors="true")
        a = of_version(self.daemon, "word2vec")
        words, inner, outer = words_of(a)
        rows = numpy.array(inner, float)
        unit = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
        self.assertEqual(numpy.array(outer).shape, rows.shape)
        nearest, right = a.lists("nearest_words"), 0
        self.assertEqual(sorted(nearest), sorted(words))
        for i, word in enumerate(words):
            cosines = unit @ unit[i]
            cosines[i] = -2
            for (_, v), c in zip(nearest[word], sorted(cosines, reverse=True)[:8]):
                self.assertAlmostEqual(v["cosine"], c, places=4)
            right += topic_of(word) != "word" and topic_of(nearest[word][0][0]) == topic_of(word)
        self.assertGreater(right, 0.95 * sum(topic_of(w) != "word" for w in words))
        version, status, _, rule, skill, n, loss = self.last()
        self.assertEqual((version, status, rule), ("1", "ready", "first"))
        self.assertGreater(float(skill), 0.2)
        self.assertGreater(int(n), 20)
        self.assertLess(float(loss), 6 * 0.6931)
        docs, vectors = factors(a.sections["documents"])
        self.assertEqual(len(docs), len(DOCS))
        number = {w: i for i, w in enumerate(words)}
        for d in DOCS[:5]:
            found = [unit[number[w]] for w in (d["title"] + " " + d["text"]).split() if w in number]
            numpy.testing.assert_allclose(vectors[docs.index(d["id"])], numpy.mean(found, axis=0), atol=1e-5)

    def test_2_predict(self):
        a = of_version(self.daemon, "word2vec")
        words, inner, _ = words_of(a)
        rows = numpy.array(inner, float)
        unit = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
        number = {w: i for i, w in enumerate(words)}
        wait_for(lambda: self.ask(word="lamp").status == 200, "the model is served")

        def wanted(plus, minus=(), of=unit, names=words):
            s = sum(unit[number[w]] for w in plus) - sum((unit[number[w]] for w in minus), numpy.zeros(rows.shape[1]))
            cosines = of @ (s / numpy.linalg.norm(s))
            order = [i for i in numpy.argsort(-cosines, kind="stable") if names is not words or words[i] not in (*plus, *minus)]
            return [(names[i], cosines[i]) for i in order]

        def check(answer, want, name="word"):
            for got, (_, cosine) in zip(answer["nearest"], want):
                self.assertAlmostEqual(got["cosine"], cosine, places=4)
            self.assertEqual(answer["nearest"][0][name], want[0][0])
        check(self.ask(word=" LAMP ", n=5).json["predictions"][0], wanted(["lamp"]))
        check(self.ask(text="Lamp, desk nosuchword").json["predictions"][0], wanted(["lamp", "desk"]))
        check(self.ask(plus=["lamp1", "desk"], minus=["lamp"]).json["predictions"][0], wanted(["lamp1", "desk"], ["lamp"]))
        self.assertEqual({k: self.ask(text="lamp nosuchword").json["predictions"][0][k] for k in ("known", "unknown")}, {"known": 1, "unknown": 1})
        docs, vectors = factors(a.sections["documents"])
        vectors = numpy.array(vectors, float)
        vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        check(self.ask(text="lamp lamp1", of="documents").json["predictions"][0], wanted(["lamp", "lamp1"], of=vectors, names=docs), "doc")
        first = self.ask(doc=docs[3], of="documents", n=1).json["predictions"][0]["nearest"][0]
        self.assertEqual(first["doc"], docs[3])
        self.assertEqual(self.ask(word="nosuchword").json["predictions"][0]["note"], "nothing_known")
        for given, word in (({}, "is needed"), ({"word": "a", "text": "b"}, "is needed"), ({"word": "lamp", "of": "things"}, '"of"')):
            reply = self.ask(**given)
            self.assertEqual(reply.status, 400)
            self.assertIn(word, reply.json["detail"])

    def test_3_workers_and_gate(self):
        digests = set()
        for workers in (1, 2, 4):
            self.compute(workers, sources="both", query_sessions="true", as_of=MONTH.date(1), block_words=1500, epochs=2, model="both")
            digests.add(self.last("both")[2])
        self.assertEqual(len(digests), 1)
        self.assertEqual(self.last("both")[1:4:2], ["refused", "gate"])
        self.assertIn("büro", words_of(of_version(self.daemon, "both"))[0])
        self.compute(sources="both", query_sessions="true", as_of=MONTH.date(1), epochs=20, model="both")
        self.assertEqual(self.last("both")[1:4:2], ["ready", "better"])

    def test_4_clusters_by_vectors(self):
        self.daemon.run("trainer", "run", "clusters", "--data-dir", self.daemon.dir, "--workers", "2", "--param", "vectors=word2vec", "--param", "k=%d" % TOPICS, "--param", "outlier_k=0")
        of = {doc: rows[0][0] for doc, rows in of_version(self.daemon, "clusters").lists("cluster_of").items()}
        pairs = {(of[d["id"]], d["topic"]) for d in DOCS if not of[d["id"]].endswith("_doc")}
        self.assertEqual(len(pairs), TOPICS, pairs)
        wait_for(lambda: self.daemon.post("/v1/models/clusters/predict", {"inputs": []}, key="client").status == 200, "the model is served")
        d = next(d for d in DOCS if not of[d["id"]].endswith("_doc"))
        text = " ".join([d["title"]] * 3 + [d["text"]])
        one = self.daemon.post("/v1/models/clusters/predict", {"inputs": [{"text": text}]}, key="client").json["predictions"][0]
        self.assertEqual(one["cluster"], of[d["id"]])
        self.assertAlmostEqual(one["distance"], of_version(self.daemon, "clusters").lists("cluster_of")[d["id"]][0][1]["distance"], places=3)

    def test_5_too_little_and_impossible(self):
        for params, words in (({"min_sentences": 100000}, '"min_sentences"'), ({"min_count": 100000}, '"min_count"'), ({"min_learning_rate": 0.5}, '"min_learning_rate"'),
                              ({"sources": "books"}, '"sources"'), ({"fields": "title"}, 'parameter "fields"')):
            done = self.compute(check=False, model="nothing", **params)
            self.assertNotEqual(done.returncode, 0, params)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.daemon.sql("select count(*) from runs where job = 'word2vec' and state = 'skipped'")[0][0], "2")


if __name__ == "__main__":
    unittest.main()
