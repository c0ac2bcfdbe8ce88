"""The jobs "clusters" and "cluster-labels": planted topics are found, as NumPy finds them from the same seeds; outliers, lengths, labels, gate; whatever the number
of workers."""
import collections
import math
import os
import re
import sys
import unittest

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import hash64, of_version  # noqa: E402
from daemon import DaemonTest, wait_for  # noqa: E402
from planted import planted, rand  # noqa: E402

TOPICS = 6
DOCS = planted(seed=5, topics=TOPICS, each=35, outliers=3)
EXTRA = [{"id": "short-1", "title": "lamp", "text": ""}, {"id": "long-1", "title": "lamp", "text": " ".join("lamp%d" % (i % 20) for i in range(400))}]
MASK = (1 << 64) - 1


def draw(seed, stream, i):
    """kernels/clusters/kmeans.h"""
    v = (seed * 0xd1342543de82ef95 + stream * 0xaf251af3b0f025b5 + (i + 1) * 0x9e3779b97f4a7c15) & MASK
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9 & MASK
    v = (v ^ v >> 27) * 0x94d049bb133111eb & MASK
    return ((v ^ v >> 31) >> 11) / 2 ** 53


def held_out(doc, share):
    return (hash64(doc.encode()) >> 11) / 2 ** 53 < share


def vectors(docs):
    """TF-IDF as docs/clusters.md has it, float32 rows of length 1."""
    words = {d["id"]: collections.Counter() for d in docs}
    for d in docs:
        for field, weight in (("title", 3), ("text", 1)):
            for word in re.findall(r"[a-z0-9]+", d[field].lower()):
                words[d["id"]][word] += weight
    n, df = len(docs), collections.Counter(t for w in words.values() for t in w)
    kept = sorted((t for t in df if 2 <= df[t] <= math.floor(0.5 * n)), key=lambda t: hash64(t.encode()) >> 1)
    number = {t: i for i, t in enumerate(kept)}
    rows = numpy.zeros((n, len(kept)))
    for i, d in enumerate(docs):
        for t, x in words[d["id"]].items():
            if t in number:
                rows[i, number[t]] = math.sqrt(x) * (math.log((1 + n) / (1 + df[t])) + 1)
    return (rows / numpy.maximum(numpy.linalg.norm(rows, axis=1, keepdims=True), 1e-30)).astype(numpy.float32), kept, df


def seeds(x, k, seed, stream):
    far, places = numpy.ones(len(x)), []
    for i in range(k):
        u, sums = draw(seed, stream, i), numpy.cumsum(far)
        places.append(int(numpy.searchsorted(sums, u * sums[-1], side="right")) if i else int(u * len(x)))
        d = 1 - x @ x[places[-1]]
        far = numpy.minimum(far, numpy.where(d > 1e-6, d, 0))
    return places


def kmeans(x, k, seed, stream, iterations=30):
    x = x.astype(float)
    centres, before = x[seeds(x, k, seed, stream)], None
    for it in range(iterations + 1):
        cosines = x @ centres.T
        near = cosines.argmax(1)
        if it == iterations or before is not None and (near == before).all():
            break
        before = near
        sums = numpy.array([x[near == c].sum(0) for c in range(k)])
        centres = sums / numpy.linalg.norm(sums, axis=1, keepdims=True)
    return near, cosines.max(1).sum()


class Clusters(DaemonTest):
    @classmethod
    def prepare(cls, d):
        items = [{**x, "kind": "topic-%d" % x.get("topic", 99)} for x in DOCS + EXTRA]
        for x in items:
            x.pop("topic", None)
        assert d.post("/v1/items", items).json["created"] == len(items)

    def compute(self, job="clusters", workers=2, check=True, **params):
        return self.daemon.run("trainer", "run", job, "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for k, v in params.items() for x in ("--param", "%s=%s" % (k, v))), check=check)

    def last(self, model="clusters"):
        return self.daemon.sql("select version, status, artifact, gate->>'rule', gate->>'reason' from model_versions where model = '%s' order by version desc limit 1" % model)[0]

    def groups(self, model="clusters", version=None):
        a = of_version(self.daemon, model, version)
        return a, {doc: rows[0][0] for doc, rows in a.lists("cluster_of").items()}

    def test_1_as_numpy(self):
        """Without outliers and lengths: each document is where NumPy puts it from the same seeds."""
        docs = sorted(DOCS + EXTRA, key=lambda d: d["id"])
        self.compute(k=TOPICS, outlier_k=0, short_len=0, long_len=0, holdout=0, starts=2, seed=9, model="plain")
        artifact, of = self.groups("plain")
        x, kept, df = vectors(docs)
        near, _ = max((kmeans(x, TOPICS, 9, TOPICS * 64 + s) for s in range(2)), key=lambda r: r[1])
        ours = [of[d["id"]] for d in docs]
        pairs = collections.Counter(zip(ours, near))
        self.assertEqual(len(pairs), TOPICS, pairs)
        topics = {d["id"]: d.get("topic", -2) for d in docs}
        planted_docs = [d["id"] for d in docs if topics[d["id"]] >= 0]
        self.assertGreater(rand([of[d] for d in planted_docs], [topics[d] for d in planted_docs]), 0.95)
        # distances, sizes, labels
        sizes = {c: v for c, v in artifact.lists("sizes")[""] if v["documents"]}
        self.assertEqual({c: v["documents"] for c, v in sizes.items()}, collections.Counter(ours))
        self.assertEqual([v["documents"] for v in sizes.values()], sorted((v["documents"] for v in sizes.values()), reverse=True))
        for c in sizes:
            members = [i for i, o in enumerate(ours) if o == c]
            centre = x[members].astype(float).sum(0)
            centre /= numpy.linalg.norm(centre)
            got = {d: v["distance"] for d, v in artifact.lists("documents")[c]}
            for i in members:
                self.assertAlmostEqual(got[docs[i]["id"]], 1 - float(x[i] @ centre), places=4)
            words = {t: sum(x[i, k] > 0 for i in members) for k, t in enumerate(kept)}
            for term, v in artifact.lists("labels")[c] + artifact.lists("frequent_terms")[c]:
                self.assertEqual(v["documents"], words[term], (c, term))
        labels = [t for rows in artifact.lists("labels").values() for t, _ in rows]
        self.assertEqual(len(labels), len(set(labels)), "a term labels one cluster only")

    def test_2_chosen_and_outliers(self):
        self.compute(k_min=2, k_max=16, k_step=2, outlier_threshold=0.02, model="auto")
        artifact, of = self.groups("auto")
        clusters = [c for c in artifact.lists("labels") if not c.startswith("outlier")]
        self.assertEqual(len(clusters), TOPICS)
        self.assertEqual((of["short-1"], of["long-1"]), ("short_doc", "long_doc"))
        topics = {d["id"]: d["topic"] for d in DOCS}
        kept = [d for d in topics if topics[d] >= 0 and not of[d].endswith("_doc")]
        self.assertGreater(len(kept), 0.97 * TOPICS * 35)
        self.assertGreater(rand([of[d] for d in kept], [topics[d] for d in kept]), 0.95)
        odd = {of[d] for d in topics if topics[d] == -1}
        self.assertTrue(all(c.startswith("outlier_group") for c in odd), odd)
        self.compute(outliers_only="true", outlier_k=12, outlier_threshold=0.02, model="odd")
        _, of = self.groups("odd")
        found = {d for d, c in of.items() if c.startswith("outlier_group")}
        self.assertLessEqual({d for d in topics if topics[d] == -1}, found)
        self.assertLess(len(found), 12)

    def test_3_bisecting(self):
        self.compute(method="bisecting", k=TOPICS, model="halves")
        _, of = self.groups("halves")
        topics = [d for d in DOCS if d["topic"] >= 0 and not of[d["id"]].endswith("_doc")]
        self.assertGreater(rand([of[d["id"]] for d in topics], [d["topic"] for d in topics]), 0.8)

    def test_4_workers_and_gate(self):
        digests = set()
        for workers in (1, 2, 4):
            self.compute(workers=workers, k=TOPICS)
            digests.add(self.last()[2])
        self.assertEqual(len(digests), 1)
        self.assertEqual(self.last()[1:4:2], ["refused", "gate"])
        self.compute(k=2, ranges=4)
        self.assertEqual(self.last()[1:4:2], ["refused", "gate"])
        self.assertIn("cohesion", self.last()[4])
        self.compute(k=2, model="bound", max_cluster_share=0.1)
        self.assertEqual(self.last("bound")[1:4:2], ["refused", "max_cluster_share"])

    def test_5_labels_of_classes(self):
        self.compute("cluster-labels", class_field="kind", min_class_documents=3)
        artifact = of_version(self.daemon, "cluster-labels")
        self.assertEqual(sorted(artifact.lists("labels")), ["topic--1"] + ["topic-%d" % t for t in range(TOPICS)])
        for name, rows in artifact.lists("labels").items():
            stems = {re.sub(r"\d+$", "", t) for t, _ in rows}
            self.assertEqual(len(stems - {"thing"}), 1, (name, stems))
        self.assertEqual(len(artifact.lists("cluster_of")), len(DOCS))

    def test_6_too_little_and_impossible(self):
        for params, words in (({"k": 500}, '"k" asks for'), ({"k_min": 9, "k_max": 3}, '"k_min" is 9'), ({"fields": "name=1"}, "no term"),
                              ({"vectors": "none-such"}, 'no model "none-such"'), ({"ngrams": 2, "vectors": "x"}, '"ngrams"')):
            done = self.compute(check=False, model="nothing", **params)
            self.assertNotEqual(done.returncode, 0, params)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.daemon.sql("select count(*) from runs where job = 'clusters' and state = 'skipped'")[0][0], "2")
        done = self.compute("cluster-labels", class_field="none", check=False)
        self.assertIn("two are needed", done.stderr)

    def ask(self, model, **given):
        return self.daemon.post("/v1/models/%s/predict" % model, {"inputs": [given]}, key="client")

    def test_7_predict(self):
        """A known document, a text that was never seen, the documents of a group; as the artifact has them."""
        artifact, of = self.groups("auto")
        wait_for(lambda: self.ask("auto", doc="doc-0000").status == 200, "the model is served")
        for doc in ("doc-0007", "short-1"):
            one = self.ask("auto", doc=doc).json["predictions"][0]
            self.assertEqual((one["doc"], one["cluster"], one["outlier"]), (doc, of[doc], False))
            self.assertEqual(one["labels"], [t for t, _ in artifact.lists("labels").get(of[doc], [])])
        for d in DOCS[:40]:
            if d["topic"] >= 0 and not of[d["id"]].startswith(("short", "long", "outlier")):
                one = self.ask("auto", text="%s %s %s %s" % (d["title"], d["title"], d["title"], d["text"])).json["predictions"][0]
                self.assertEqual(one["cluster"], of[d["id"]])
                self.assertAlmostEqual(one["distance"], dict(artifact.lists("cluster_of")[d["id"]])[of[d["id"]]]["distance"], places=3)
                self.assertGreater(one["next"]["distance"], one["distance"])
        one = self.ask("auto", text="nothing of this is known").json["predictions"][0]
        self.assertEqual((one["cluster"], one["outlier"], one["note"]), (None, True, "nothing_in_common"))
        self.assertTrue(self.ask("auto", text="odd1 odd2 odd3 odd4").json["predictions"][0]["outlier"])
        first = self.ask("auto", cluster="0", n=3, offset=1).json["predictions"][0]
        self.assertEqual([x["doc"] for x in first["docs"]], [d for d, _ in artifact.lists("documents")["0"][1:4]])
        self.assertEqual(first["documents"], len(artifact.lists("documents")["0"]))
        groups = self.ask("auto", clusters=True).json["predictions"][0]["clusters"]
        sizes = [g["documents"] for g in groups if g["cluster"].isdigit()]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertEqual([(g["cluster"], g["documents"]) for g in groups], [(c, v["documents"]) for c, v in artifact.lists("sizes")[""]])
        self.assertEqual(groups[0]["labels"], first["labels"])
        self.assertEqual(self.ask("auto", doc="none").json["predictions"][0]["note"], "unknown_document")
        self.assertEqual(self.ask("auto", cluster="99").json["predictions"][0]["note"], "unknown_cluster")
        for given, words in (({}, "one of the fields"), ({"doc": "a", "text": "b"}, "one of the fields"), ({"cluster": "0", "n": 0}, '"n"')):
            reply = self.ask("auto", **given)
            self.assertEqual(reply.status, 400)
            self.assertIn(words, reply.json["detail"])


if __name__ == "__main__":
    unittest.main()
