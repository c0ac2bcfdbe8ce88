"""The jobs "training-data" and "query-intent": labels that a plain join finds, the optimum that SciPy finds, metrics by plain loops, whatever the number of workers."""
import collections
import json
import math
import os
import random
import sys
import unittest

import numpy as np
import scipy.optimize

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import classifier  # noqa: E402
from artifact import of_version  # noqa: E402
from daemon import DaemonTest, wait_for  # noqa: E402
from searches import Searches  # noqa: E402

KINDS = {"lamps": "lamp light bulb led shade lantern", "chairs": "chair stool seat bench armchair recliner", "rugs": "rug carpet mat runner kilim",
         "clocks": "clock watch alarm timer pendulum", "Küche": "pfanne topf messer löffel sieb"}
COMMON = "red blue small large cheap oak steel new for with".split()


def made_up(n, seed=5):
    """Texts that are mostly of their label; some have two."""
    rng, rows = random.Random(seed), {}
    while len(rows) < n:
        label = rng.choices(list(KINDS), (5, 4, 3, 2, 2))[0]
        words = rng.sample(COMMON, rng.randrange(0, 3)) + [rng.choice(KINDS[label].split())]
        if rng.random() < .25:
            words.append(rng.choice(KINDS[rng.choice(list(KINDS))].split()))
        if rng.random() < .3:
            words[-1] += rng.choice(["s", "es", "y"])
        words.append("%d" % rng.randrange(100))
        rng.shuffle(words)
        rows[" ".join(words)] = label
    rows = [{"text": t, "label": l, "weight": rng.choice([1, 1, 2, 5])} for t, l in rows.items()]
    return rows + [{**r, "label": "rugs", "weight": 3} for r in rows[::23] if r["label"] != "rugs"] + [{"text": "gift card %d" % i, "label": "gifts"} for i in range(7)]


class QueryIntent(DaemonTest):
    params = {"texts": "shop", "min_examples": 20, "hash_bits": 14, "tolerance": 1e-5, "max_iterations": 1000, "ranges": 4, "c": 5, "holdout": .2, "calibration": .2}

    @classmethod
    def prepare(cls, d):
        cls.rows = made_up(500)
        reply = d.request("POST", "/v1/labelled-texts/shop/import?format=jsonl", "\n".join(map(json.dumps, cls.rows)).encode())
        assert reply.status == 201, reply

    def compute(self, job="query-intent", workers=2, check=True, **params):
        params = {**self.params, **params} if job == "query-intent" else params
        return self.daemon.run("trainer", "run", job, "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for k, v in params.items() for x in ("--param", "%s=%s" % (k, v))), check=check)

    def last(self, model="query-intent"):
        return self.daemon.get("/v1/models/%s/versions" % model).json["versions"][0]

    def texts(self, low, high):
        """Of the texts in this part: texts, shares of labels (rows: texts)."""
        labels, by_text = sorted(KINDS, key=str.encode), collections.defaultdict(lambda: np.zeros(len(KINDS)))
        for r in self.rows:
            if r["label"] in KINDS and low <= classifier.share(r["text"]) < high:
                by_text[r["text"]][labels.index(r["label"])] += r.get("weight", 1)
        return list(by_text), np.array([v / v.sum() for v in by_text.values()])

    def test_1_the_optimum_of_scipy(self):
        said = self.compute().stderr
        self.assertIn("1 labels with fewer than 20 texts are left out, and their 7 texts", said)
        c, training = classifier.Classifier(of_version(self.daemon, "query-intent").sections["classifier"]), self.last()["metrics"]["training"]
        self.assertEqual((c.labels, training["converged"]), (sorted(KINDS, key=str.encode), True))
        texts, y = self.texts(.4, 1)
        self.assertEqual(training["trained"], len(texts))
        x = classifier.matrix(texts, c)
        seen = collections.Counter(b for t in texts for b in classifier.buckets(t, bits=14))
        self.assertEqual({b for b in range(1 << 14) if c.slots[b]}, {b for b, n in seen.items() if n >= 2})
        for b, n in seen.items():
            if n >= 2:
                self.assertAlmostEqual(float(c.idf[c.slots[b] - 1]), math.log((1 + len(texts)) / (1 + n)) + 1, places=5)
        least, bias, weights = classifier.optimum(x, y, np.ones(len(texts)), 5)
        self.assertAlmostEqual(training["objective"], least, delta=1e-7)
        self.assertLess(np.abs((c.bias - c.bias.mean()) - (bias - bias.mean())).max(), 2e-3)
        self.assertLess(np.abs(c.weights - weights).max(), 2e-3)
        texts, y = self.texts(.2, .4)
        z = classifier.matrix(texts, c) @ c.weights + c.bias
        loss = lambda t: 5 * math.log(t) ** 2 - (y * np.log(classifier.softmax(z / t))).sum()  # noqa: E731
        best = scipy.optimize.minimize_scalar(loss, bounds=(.25, 16), method="bounded").x
        self.assertAlmostEqual(c.temperature / best, 1, delta=5e-3)

    def test_2_metrics(self):
        c, m = classifier.Classifier(of_version(self.daemon, "query-intent").sections["classifier"]), self.last()["metrics"]
        texts, y = self.texts(0, .2)
        p = np.array([c.predict(t) for t in texts])
        best, order = p.argmax(axis=1), np.argsort(-p, axis=1)[:, :3]
        right = y[np.arange(len(y)), best]
        for name, want in (("accuracy", right.mean()), ("top3_accuracy", np.take_along_axis(y, order, 1).sum(axis=1).mean()),
                           ("log_likelihood", (y * np.log(p)).sum(axis=1).mean()), ("log_loss", -(y * np.log(p)).sum(axis=1).mean())):
            self.assertAlmostEqual(m[name]["value"], want, places=6, msg=name)
            self.assertEqual(m[name]["n"], len(texts))

        def whole(keep):
            said, true, n = np.eye(5)[best[keep]], y[keep], keep.sum()
            tp = (said * true).sum(axis=0)
            f1 = (2 * tp / (said.sum(axis=0) + true.sum(axis=0))).mean()
            bins, top = np.minimum((p[keep].max(axis=1) * 15).astype(int), 14), p[keep].max(axis=1)
            return f1, sum(abs((right[keep] - top)[bins == b].sum()) for b in range(15)) / n

        groups = np.array([classifier.group(t) for t in texts])
        left = np.array([whole(groups != g) for g in range(20)])
        se = np.sqrt(((left - left.mean(axis=0)) ** 2).sum(axis=0) * 19 / 20)
        for k, name in enumerate(("macro_f1", "ece")):
            want = whole(groups >= 0)[k]
            self.assertAlmostEqual(m[name]["value"], want, places=6)
            self.assertAlmostEqual(m[name]["high"] - m[name]["value"], 1.959964 * se[k], places=5)
        order = m["confusion"]["labels"]
        for i, row in enumerate(m["confusion"]["rows"]):
            for j, n in enumerate(row):
                self.assertAlmostEqual(n, y[best == c.labels.index(order[j]), c.labels.index(order[i])].sum(), places=6)
        self.assertAlmostEqual(sum(b["texts"] for b in m["reliability"]), len(texts))
        self.assertGreater(m["accuracy"]["value"], .8)

    def test_3_workers_weights_and_the_gate(self):
        first = self.last()["artifact"]
        self.compute(workers=1, model="small", max_iterations=4)
        for workers in (2, 4):
            self.assertIn("the model is as version 1 has it", self.compute(workers=workers, model="small", max_iterations=4).stderr)  # the same digest
        self.compute(c=.05, tolerance=1e-2)
        worse = self.last()
        self.assertEqual((worse["status"], worse["gate"]["rule"]), ("refused", "gate"), worse["gate"])
        self.assertLess(worse["metrics"]["log_likelihood"]["difference"]["high"], 0)
        self.assertEqual(self.daemon.get("/v1/models/query-intent/versions/@champion").json["artifact"], first)
        compared = self.daemon.get("/v1/models/query-intent/compare?a=1&b=2").json["metrics"]
        self.assertEqual({m["name"] for m in compared}, {"accuracy", "top3_accuracy", "log_likelihood", "log_loss", "macro_f1", "ece"})

    def test_4_other_objectives(self):
        self.compute(model="balanced", class_weights="balanced", count_texts="weights", gate="none", tolerance=1e-4)
        c, training = classifier.Classifier(of_version(self.daemon, "balanced").sections["classifier"]), self.last("balanced")["metrics"]["training"]
        texts, y = self.texts(.4, 1)
        s = np.array([sum(r.get("weight", 1) for r in self.rows if r["text"] == t and r["label"] in KINDS) for t in texts], float)
        by_label = (s[:, None] * y).sum(axis=0)
        s *= y @ (by_label.sum() / (5 * by_label))
        least, _, _ = classifier.optimum(classifier.matrix(texts, c), y, s, 5)
        self.assertAlmostEqual(training["objective"], least, delta=1e-6)

    def test_5_served(self):
        c = classifier.Classifier(of_version(self.daemon, "query-intent").sections["classifier"])
        asked = [{"text": t, "n": 5} for t in ("red lamp", "  OAK Stools, 12", "löffel", "zzz")]
        ask = lambda inputs: self.daemon.post("/v1/models/query-intent/predict", {"inputs": inputs})  # noqa: E731
        reply = wait_for(lambda: (r := ask(asked)).status == 200 and r, "the model to be served").json
        for a, got in zip(asked, reply["predictions"]):
            want = sorted(zip(c.predict(a["text"]), c.labels), reverse=True)
            self.assertEqual([x["label"] for x in got["classes"]], [label for _, label in want])
            for x, (p, _) in zip(got["classes"], want):
                self.assertAlmostEqual(x["score"], p, places=9)
        self.assertEqual([p["known"] for p in reply["predictions"]], [True, True, True, False])
        self.assertEqual([p["classes"][0]["label"] for p in reply["predictions"][:3]], ["lamps", "chairs", "Küche"])
        one = ask([{"text": "red lamp", "explain": 5, "min_score": .5}]).json["predictions"][0]
        self.assertEqual((len(one["classes"]), len(one["explanation"])), (1, 5))
        weights = [abs(e["weight"]) for e in one["explanation"]]
        self.assertEqual(weights, sorted(weights, reverse=True))
        rows, values = c.vector("red lamp")
        by_row = dict(zip(rows, values * (c.weights[rows, c.labels.index("lamps")] - c.weights[rows].astype(float).mean(axis=1)) / c.temperature))
        for e in one["explanation"]:
            b = (classifier.hash64(e["ngram"]) ^ (classifier.WORD_MARK if e["of"] == "words" else 0)) >> 50
            self.assertAlmostEqual(e["weight"], by_row[int(c.slots[b]) - 1], places=6)
        self.assertAlmostEqual(weights[0], max(map(abs, by_row.values())), places=6)
        self.assertEqual(ask([{"n": 3}]).status, 400)
        self.assertEqual(ask([{"text": "x", "q": "y"}]).json["detail"][:39], 'field "inputs" element 0: unknown field')

    def test_6_training_data(self):
        """Against a plain join of clicks with the catalogue."""
        docs = {"lamp-1": ["lamps"], "lamp-2": ["lamps", "sale"], "rug-1": ["rugs"], "odd-1": [], "both-1": ["rugs", "lamps"]}
        self.daemon.post("/v1/items", [{"id": d, "kind": c[0] if len(c) == 1 else c} for d, c in docs.items()])
        rng, log = random.Random(2), Searches()
        for i in range(60):
            log.add("%s %d" % (rng.choice(["lamp", "Rug", "thing"]), i), rng.randrange(20, 40), {d: rng.randrange(0, 4) for d in rng.sample(sorted(docs), 3)})
        log.add("one person", 1, {"lamp-1": 1})
        log.send(self.daemon)
        params = {"texts": "clicked", "category_field": "kind", "as_of": "2026-10-02", "top_category_proportion": .6, "min_texts": 5}
        want, counts = {}, collections.Counter()
        for text, q in log.queries.items():
            n = collections.Counter()
            for d, clicks in q["docs"].items():
                for category in docs[d]:
                    n[category] += clicks
            all_of_them = sum(clicks for d, clicks in q["docs"].items() if docs[d])
            top = min(n, key=lambda c: (-n[c], c)) if any(n.values()) else None
            counts["units_few" if q["searches"] < 2 else "uncategorised" if not top else "clicks_few" if n[top] < 2 else "undecided" if n[top] < .6 * all_of_them else "made"] += 1
            if top and q["searches"] >= 2 and n[top] >= max(2, .6 * all_of_them):
                want[text.lower()] = (top, n[top])
        rows = lambda: self.daemon.sql("select text, label, weight, source from labelled_texts where set_name = 'clicked' order by 1")  # noqa: E731
        for workers in (1, 4):
            self.compute("training-data", workers=workers, **params)
            self.assertEqual({r[0]: (r[1], int(r[2])) for r in rows()}, want)
        result = self.daemon.sql("select result from runs where job = 'training-data' order by started_at desc limit 1")[0][0]
        result = json.loads(result) if isinstance(result, str) else result
        self.assertEqual({k: result[k] for k in ("made", "undecided", "clicks_few", "uncategorised", "units_few")}, {k: counts[k] for k in ("made", "undecided", "clicks_few", "uncategorised", "units_few")})
        text = sorted(want)[0]
        self.daemon.request("POST", "/v1/labelled-texts/clicked/import", ("text,label\n%s,by hand\n" % text).encode())
        self.compute("training-data", **params)
        self.assertEqual([r[1:] for r in rows() if r[0] == text], [["by hand", "1", "manual"]])
        self.assertEqual(len(rows()), len(want))
        self.assertIn('too little data: %d queries with a label, parameter "min_texts" asks for 1000' % len(want), self.compute("training-data", check=False, **{**params, "min_texts": 1000}).stderr)
        self.assertIn('no document of the catalogue has field "colour"', self.compute("training-data", check=False, **{**params, "category_field": "colour"}).stderr)
        self.assertEqual(len(rows()), len(want))
        self.assertEqual(self.daemon.request("DELETE", "/v1/labelled-texts/clicked").status, 204)

    def test_7_refusals(self):
        for params, text in (({"texts": "none"}, 'parameter "texts": there are no labelled texts "none"'),
                             ({"holdout": .6, "calibration": .5}, 'parameters "holdout" and "calibration" are 0.6 and 0.5: nothing is left to train on'),
                             ({"chars_max": 0, "words_max": 0}, 'parameters "chars_min", "chars_max" and "words_max": n-grams of neither characters nor words'),
                             ({"min_examples": 300}, '0 of 6 labels of "shop" have as many texts as parameter "min_examples" asks for, 300; two are needed')):
            self.assertIn(text, self.compute(check=False, **params).stderr)
        self.assertEqual(self.daemon.sql("select state from runs where job = 'query-intent' order by started_at desc limit 1")[0][0], "skipped")


if __name__ == "__main__":
    unittest.main()
