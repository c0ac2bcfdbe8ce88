"""The jobs "judgments" and "query-set": coec, the workbench's coec and click/skip as plain Python has them, grades, people beside clicks, a click model's
artifact; samples of queries; the same rows with other workers; what is refused, and what is too little."""
import collections
import datetime
import json
import math
import os
import random
import sys
import unittest

from scipy.stats import kendalltau

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import artifact  # noqa: E402
import artifacts  # noqa: E402
from daemon import DaemonTest  # noqa: E402

DAY, POSITIONS, QUERIES, Z = datetime.date(2026, 10, 5), 5, 24, 1.959963984540054
UTC = datetime.timezone.utc


def shop(seed=3):
    """[(query, documents shown, clicked)]: searches of queries, of which the first are searched most, with clicks by relevance and place."""
    rand, searches = random.Random(seed), []
    for q in range(QUERIES):
        query, docs = "thing %02d" % q, ["d-%02d-%d" % (q, i) for i in range(7)]
        worth = {d: rand.random() ** 2 for d in docs}
        for _ in range(240 // (q + 1)):
            shown = sorted(docs, key=lambda d: -worth[d] + rand.gauss(0, 0.4))[:POSITIONS + rand.randrange(2)]  # one more than is read, at times
            clicked = {d for p, d in enumerate(shown) if rand.random() < worth[d] / (p + 1)}
            searches.append((query, shown, clicked))
    rand.shuffle(searches)
    return searches


SEARCHES = shop()


def signals():
    start = datetime.datetime.combine(DAY, datetime.time(6), UTC)
    for n, (query, shown, clicked) in enumerate(SEARCHES):
        at = lambda s: (start + datetime.timedelta(seconds=20 * n + s)).isoformat()  # noqa: E731
        base = {"unit": "unit-%d" % (n % 400), "query": query.title() if n % 3 else query, "query_id": "q-%d" % n}
        yield {**base, "type": "request", "timestamp": at(0)}
        yield {**base, "type": "response", "timestamp": at(1), "value": len(shown), "params": {"docs": shown}}
        for k, doc in enumerate(sorted(clicked)):
            for again in range(1 + (n % 5 == 0)):  # some click twice: once counts
                yield {**base, "type": "click", "timestamp": at(2 + k + again), "doc": doc, "position": shown.index(doc) + 1}


def wilson(c, n):
    p, d = c / n, 1 + Z * Z / n
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / d
    return 1 - 2 * half


class Plain:
    """{(query, doc): (value, confidence, evidence)} by each formula."""

    def __init__(self, prior=1.0):
        shown, clicked, rank = collections.Counter(), collections.Counter(), {}
        at, clicks_at, showings, skips = collections.Counter(), collections.Counter(), collections.Counter(), collections.Counter()
        for query, docs, chosen in SEARCHES:
            docs = docs[:POSITIONS]
            lowest = max((p for p, d in enumerate(docs) if d in chosen), default=-1)
            for p, d in enumerate(docs):
                at[p] += 1
                shown[query, d, p] += 1
                showings[query, d] += 1
                rank[query, d] = min(p, rank.get((query, d), p))
                clicks_at[p] += d in chosen
                clicked[query, d] += d in chosen
                skips[query, d] += p <= lowest and d not in chosen
        ctr, clicks, passed = [clicks_at[p] / at[p] for p in range(POSITIONS)], sum(clicked.values()), sum(skips.values())
        self.coec, self.srw, self.skip, mean = {}, {}, {}, clicks / (clicks + passed)
        for key, n in showings.items():
            c, expected = clicked[key], sum(shown[key + (p,)] * ctr[p] for p in range(POSITIONS))
            below = (ctr[rank[key]] if rank[key] + 1 < POSITIONS else 0) * n
            self.coec[key] = ((c + prior) / (expected + prior), wilson(c, n), n)
            self.srw[key] = (float("%.3f" % (c / below if below else 0)), wilson(c, n), n)
            if c + skips[key]:
                self.skip[key] = ((c + prior * mean) / (c + skips[key] + prior), wilson(c, c + skips[key]), c + skips[key])


def kappa(pairs, k):
    n, rows, columns = len(pairs), collections.Counter(a for a, _ in pairs), collections.Counter(b for _, b in pairs)
    return 1 - sum((a - b) ** 2 for a, b in pairs) / sum((a - b) ** 2 * rows[a] * columns[b] / n for a in range(k) for b in range(k))


class Judgments(DaemonTest):
    @classmethod
    def prepare(cls, d):
        rows = list(signals())
        for at in range(0, len(rows), 2000):
            assert d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in rows[at:at + 2000]).encode(), key="client").json["rejected"] == []
        d.wait_loaded()

    def train(self, job="judgments", workers=2, check=True, **params):
        given = {"as_of": DAY, "days": 1, **({"positions": POSITIONS} if job == "judgments" else {}), **params}
        return self.daemon.run("trainer", "run", job, "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for name, value in given.items() for x in ("--param", "%s=%s" % (name, value))), check=check)

    def rows(self, name="clicks"):
        return {(q, d): (float(g), float(c or "nan"), float(e or "nan"), s) for q, d, g, c, e, s in self.daemon.sql(
            "select query, doc, grade, confidence, evidence, source from judgments where set_name = '%s'" % name)}

    def check(self, got, plain, grade, least=10):
        want = {k: v for k, v in plain.items() if v[2] >= least}
        self.assertEqual(set(got), set(want))
        for key, (value, confidence, evidence) in want.items():
            self.assertAlmostEqual(got[key][0], grade(value), delta=2e-6 * max(1, grade(value)), msg=key)
            self.assertAlmostEqual(got[key][1], confidence, delta=1e-6)
            self.assertEqual(got[key][2:], (evidence, "clicks"))

    def test_1_coec_and_the_same_rows_with_other_workers(self):
        done = self.train(method="coec", scale="raw", prior=2)
        print(done.stderr)
        self.check(self.rows(), Plain(2).coec, lambda v: v)
        digest = "select md5(string_agg(j::text, '' order by query, doc)), (select version from judgment_sets where name = 'clicks') from judgments j"
        first = self.daemon.sql(digest)
        for workers in (1, 4):
            self.train(method="coec", scale="raw", prior=2, workers=workers)
            self.assertEqual(self.daemon.sql(digest), first)  # and nothing was written
        one = self.daemon.get("/v1/judgments/clicks").json
        self.assertEqual((one["source"], one["spec"]["method"], one["spec"]["searches"], one["updated_by"]), ("clicks", "coec", len(SEARCHES), "job judgments"))
        self.train(method="coec", min_sessions=0)
        plain = Plain().coec
        top = sorted(v[0] for v in plain.values())[math.ceil(0.99 * len(plain)) - 1]
        self.assertAlmostEqual(self.daemon.get("/v1/judgments/clicks").json["spec"]["top"], top, places=9)
        self.check(self.rows(), plain, lambda v: math.floor(3 * min(1, v / top) + 0.5), least=1)

    def test_2_the_workbenchs_coec_bit_by_bit(self):
        self.train(method="coec", srw="true", scale="raw", min_sessions=0)
        plain = Plain().srw
        self.check(self.rows(), plain, lambda v: v, least=1)
        texts = {(q["query"], r["docId"]): r["rating"] for q in self.daemon.get("/v1/judgments/clicks/export?format=srw").json["judgmentRatings"] for r in q["ratings"]}
        self.assertEqual(texts, {k: "%.3f" % v[0] for k, v in plain.items()})
        self.assertGreater(sum(v[0] == 0 for v in plain.values()), 0)

    def test_3_click_skip_by_quantiles(self):
        self.train(method="click_skip", scale="quantile", max_grade=4, min_confidence=0.5, min_sessions=5)
        plain = {k: v for k, v in Plain().skip.items() if v[1] >= 0.5}
        values = sorted(v[0] for v in plain.values() if v[2] >= 5)
        self.check(self.rows(), plain, lambda v: math.floor(5 * sum(x < v for x in values) / len(values)), least=5)

    def test_4_people_win_and_agreement_is_told(self):
        plain, rand = {k: v for k, v in Plain().skip.items() if v[2] >= 10}, random.Random(1)
        people = {k: min(4, max(0, round(4 * v[0] + rand.gauss(0, 1)))) for k, v in sorted(plain.items()) if rand.random() < 0.5}
        people[("Thing 00", "new")] = 4
        lines = "".join(json.dumps({"query": q.replace("thing", "Thing"), "doc": d, "grade": g, "judge": "anna"}) + "\n" for (q, d), g in people.items())
        self.assertEqual(self.daemon.post("/v1/judgments/people/import?format=jsonl&max_grade=4", lines.encode()).status, 200)
        self.train(set="merged", method="click_skip", human="people", conflict=2)
        got, both = self.rows("merged"), [k for k in people if k in plain]
        self.assertEqual({(k[0].lower(), k[1]): (v[0], v[3]) for k, v in got.items() if v[3] == "human"}, {(k[0].lower(), k[1]): (g, "human") for k, g in people.items()})
        self.assertEqual(len(got), len(plain) + 1)
        self.assertEqual(self.daemon.sql("select source, judge, count(*) from judgments where set_name = 'merged' group by 1, 2 order by 1"),
                         [["clicks", "", str(len(plain) - len(both))], ["human", "anna", str(len(people))]])
        self.assertEqual({k[0] for k in got} - {k[0].title() for k in got}, {q for q, _ in plain} - {q.lower() for q, _ in people})  # texts are people's
        told = self.daemon.get("/v1/judgments/merged").json
        agreement, clicks = told["spec"]["agreement"], {k: math.floor(4 * min(1, plain[k][0]) + 0.5) for k in both}
        self.assertEqual((told["source"], told["max_grade"], agreement["pairs"]), ("merged", 4, len(both)))
        self.assertAlmostEqual(agreement["kappa"], kappa([(people[k], clicks[k]) for k in both], 5), places=12)
        self.assertEqual(agreement["table"], [[sum(people[k] == a and clicks[k] == b for k in both) for b in range(5)] for a in range(5)])
        far = sorted((-abs(people[k] - clicks[k]), -plain[k][1], k) for k in both if abs(people[k] - clicks[k]) >= 2)
        self.assertEqual(agreement["conflicts"], len(far))
        self.assertEqual([(c["query"], c["doc"]) for c in told["spec"]["conflicts"]], [k for _, _, k in far])
        one = [k for k in both if k[0] == "thing 00"]  # of one query, Kendall's tau is SciPy's
        lines = "".join(json.dumps({"query": q, "doc": d, "grade": people[q, d]}) + "\n" for q, d in one)
        self.assertEqual(self.daemon.post("/v1/judgments/few/import?format=jsonl", lines.encode()).status, 200)
        self.train(set="merged", method="click_skip", human="few")
        tau = self.daemon.get("/v1/judgments/merged").json["spec"]["agreement"]["tau"]
        self.assertAlmostEqual(tau, kendalltau([people[k] for k in one], [plain[k][0] for k in one]).statistic, places=12)
        self.assertIn("people brought this judgment set (import)", self.train(set="people", method="click_skip", check=False).stderr)

    def test_5_what_was_put_in_by_hand_stays(self):
        self.train(set="edited", method="click_skip")
        key = min(k for k, v in self.rows("edited").items() if v[2] >= 20)
        row = {"query": key[0], "doc": key[1], "grade": 0}
        self.assertEqual(self.daemon.request("PUT", "/v1/judgments/edited/ratings", json.dumps(row).encode()).status, 200)
        self.train(set="edited", method="click_skip", min_sessions=20)
        self.assertEqual((self.rows("edited")[key][0], self.rows("edited")[key][3]), (0, "human"))
        told = self.daemon.get("/v1/judgments/edited").json
        self.assertEqual((told["source"], told["spec"]["agreement"]["pairs"]), ("merged", 1))

    def test_6_a_click_models_relevance(self):
        self.assertIn("there is no champion of model", self.train(model="none", check=False).stderr)
        self.assertEqual(self.daemon.sql("select state from runs order by queued_at desc limit 1"), [["skipped"]])
        columns = ["relevance", "attractiveness", "satisfaction", "low", "high", "sessions", "clicks"]
        lists = {"lamp": [("a", 0.8, 0, 0, 0.7, 0.9, 50, 20), ("b", 0.4, 0, 0, 0.1, 0.7, 30, 9), ("c", 0.9, 0, 0, 0.1, 1, 3, 2)], "sofa": [("d", 1.0, 0, 0, 0.5, 1, 11, 9)]}
        data = artifact.build("clicks", {"documents": artifact.build_lists(columns, lists), "card": b"{}"})
        artifacts.publish(self.daemon, "shop-clicks", (data, artifact.Artifact(data).digest), kind="clicks")
        self.train(set="model", model="shop-clicks", max_grade=10)
        want = {("lamp", "a"): (8, 0.8, 50), ("lamp", "b"): (4, 0.4, 30), ("sofa", "d"): (10, 0.5, 11)}
        got = {k: (v[0], round(v[1], 6), v[2]) for k, v in self.rows("model").items()}
        self.assertEqual(got, want)
        spec = self.daemon.get("/v1/judgments/model").json["spec"]
        self.assertEqual((spec["model"], spec["model_version"], spec["too_little"]), ("shop-clicks", 1, 1))

    def test_7_what_is_refused_and_what_is_too_little(self):
        for params, text in (({"set": "Clicks"}, "--param set=Clicks"), ({"human": "nobody"}, "--param human=nobody: there is no judgment set"),
                             ({"set": "x", "human": "x"}, "--param human=x: is the set that is made"), ({"max_grade": "0"}, "max_grade")):
            done = self.train(method="coec", check=False, **params)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(text, done.stderr)
        before = self.rows()
        self.assertIn("clicks judge 0 documents", self.train(method="coec", min_sessions=100000, check=False).stderr)
        self.assertEqual(self.daemon.sql("select state from runs order by queued_at desc limit 1"), [["skipped"]])
        self.assertEqual(self.rows(), before)  # the set stays as it was

    def drawn(self, **params):
        self.train("query-set", **params)
        page = self.daemon.get("/v1/query-sets/sampled/queries?limit=1000").json
        return {q["query"]: q["weight"] for q in page["queries"]}, [q["query"] for q in page["queries"]]

    def test_8_samples_of_queries(self):
        searches = collections.Counter(q for q, _, _ in SEARCHES)
        order = sorted(searches, key=lambda q: (-searches[q], q))
        top, queries = self.drawn(sampling="topn", size=5)
        self.assertEqual((queries, top), (order[:5], {q: searches[q] for q in order[:5]}))
        self.assertEqual(self.drawn(sampling="random", size=1000, min_searches=12)[0], {q: n for q, n in searches.items() if n >= 12})
        some, _ = self.drawn(sampling="random", size=6, workers=1)
        for q, w in some.items():
            self.assertAlmostEqual(w, searches[q] * QUERIES / 6, delta=1e-4 * w)
        pptss, _ = self.drawn(sampling="pptss", size=10, seed=5)
        self.assertLessEqual(len(pptss), 10)
        self.assertEqual(sum(pptss.values()), 10)  # draws
        self.assertEqual(self.drawn(sampling="pptss", size=10, seed=5, workers=4)[0], pptss)
        before, strata = 0, collections.defaultdict(list)
        for q in order:
            strata["head" if before < 0.5 * len(SEARCHES) else "torso" if before < 0.8 * len(SEARCHES) else "tail"].append(q)
            before += searches[q]
        got, _ = self.drawn(sampling="stratified", size=9, torso=0.3, head_size=0.2, torso_size=0.3)
        spec = self.daemon.get("/v1/query-sets/sampled").json["spec"]
        for name, n in (("head", 2), ("torso", 3), ("tail", 4)):
            mine = [q for q in got if q in strata[name]]
            self.assertEqual((len(mine), spec[name]), (n, {"drawn": n, "queries": len(strata[name]), "searches": sum(searches[q] for q in strata[name])}))
            for q in mine:
                self.assertAlmostEqual(got[q], searches[q] * len(strata[name]) / n, delta=1e-4 * got[q])
        self.assertEqual(set(self.drawn(sampling="stratified", size=9, weights="equal")[0].values()), {1})
        for params, text in (({"torso": "0.7"}, "torso"), ({"head_size": "0.9"}, "torso_size")):
            self.assertIn("--param %s=" % text, self.train("query-set", check=False, **params).stderr)
        self.assertEqual(self.daemon.post("/v1/query-sets/mine/import?format=text", b"lamp\n").status, 200)
        self.assertIn("people brought this query set", self.train("query-set", set="mine", check=False).stderr)
        self.assertIn("asks for 1000", self.train("query-set", min_queries=1000, check=False).stderr)


if __name__ == "__main__":
    unittest.main()
