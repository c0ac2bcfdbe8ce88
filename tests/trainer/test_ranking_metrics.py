"""The job "ranking-metrics": engines that answer, and that do not, are asked over HTTP; what their rankings are worth equals a computation in plain Python.

The engines are small servers of ours (support/engines.py) that speak as the documentation says; no real one is here."""
import json
import math
import os
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402
from engines import Engine  # noqa: E402

QUERIES = ["lamp %d" % i for i in range(24)] + ["a \"b\" & ü/+", "nobody's"]
METRICS = "ndcg@5,ndcg_burges@5,map@10,mrr,precision@5,precision_returned@5,recall@10,rbp(p=0.7)@10,err(max=3)@5,success@3,judged@10"
rng = random.Random(27)
DOCS = ["d%d" % i for i in range(30)]
GRADES = {q: {d: rng.randint(0, 3) for d in rng.sample(DOCS, 12)} for q in QUERIES[:-1]}
OLD = {q: rng.sample(DOCS, rng.choice([10, 10, 10, 4, 0])) for q in QUERIES}
NEW = {q: sorted(OLD[q], key=lambda d: -GRADES.get(q, {}).get(d, 0) - rng.random()) for q in QUERIES}


def metrics_of(docs, grades, k=10):
    """Plain Python from trec_eval's definitions."""
    listed, ideal = [grades.get(d, 0) for d in docs[:k]], sorted(grades.values(), reverse=True)
    dcg = lambda gs, f, n: sum(f(g) / math.log2(i + 2) for i, g in enumerate(gs[:n]))
    share = lambda a, b: a / b if b else 0.0
    two = lambda g: 2.0 ** g - 1
    rel = [g >= 1 for g in listed]
    all_rel = sum(g >= 1 for g in ideal)
    err, left = 0.0, 1.0
    for i, g in enumerate(listed[:5]):
        err, left = err + left * two(g) / 8 / (i + 1), left * (1 - two(g) / 8)
    return [share(dcg(listed, float, 5), dcg(ideal, float, 5)), share(dcg(listed, two, 5), dcg(ideal, two, 5)),
            share(sum(sum(rel[:i + 1]) / (i + 1) for i in range(len(rel)) if rel[i]), all_rel), next((1 / (i + 1) for i, r in enumerate(rel) if r), 0.0),
            sum(rel[:5]) / 5, share(sum(rel[:5]), len(rel[:5])), share(sum(rel), all_rel), sum(0.3 * 0.7 ** i for i, r in enumerate(rel) if r), err,
            float(any(rel[:3])), share(sum(d in grades for d in docs[:k]), len(docs[:k]))]


class RankingMetrics(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        d = cls.daemon
        ratings = [{"query": q, "doc": doc, "grade": g} for q, grades in GRADES.items() for doc, g in grades.items()]
        cls.ratings(d, ratings)

    @staticmethod
    def ratings(d, ratings):
        d.sql("insert into judgment_sets (name, max_grade) values ('people', 3) returning 1")
        d.sql("insert into judgments (set_name, query, doc, grade, source) select 'people', r->>'query', r->>'doc', (r->>'grade')::real, 'human' "
              "from jsonb_array_elements('%s'::jsonb) r returning 1" % json.dumps(ratings).replace("'", "''"))
        d.sql("insert into query_sets (name, queries) values ('top', 26) returning 1")
        rows = [[q, 1 + i % 3, {"colour": "red"}] for i, q in enumerate(QUERIES)]
        d.sql("insert into query_set_queries (set_name, position, query, weight, params) select 'top', n, r->>0, (r->>1)::real, r->2 "
              "from jsonb_array_elements('%s'::jsonb) with ordinality x (r, n) returning 1" % json.dumps(rows).replace("'", "''"))

    def search(self, name, **spec):
        made = self.daemon.request("PUT", "/v1/searches/" + name, spec)
        self.assertIn(made.status, (200, 201), made.body)

    def run_job(self, *arguments, workers=2, check=True, **params):
        given = {"query_set": "top", "judgments": "people", "metrics": METRICS, "draws": 500, **params}
        words = [x for n, v in given.items() if v is not None for x in ("--param", "%s=%s" % (n, v))]
        return self.daemon.run("trainer", "run", "ranking-metrics", "--data-dir", self.daemon.dir, "--workers", str(workers), *words, *arguments, check=check)

    def newest(self):
        return self.daemon.get("/v1/evaluations?limit=1").json["evaluations"][0]

    def rows(self, evaluation, config):
        return {r[0]: (json.loads(r[1]), json.loads(r[2]), json.loads(r[3] or "null"), json.loads(r[4] or "null")) for r in self.daemon.sql(
            "select query, docs, grades, to_json(metrics), to_json(error) from evaluation_queries where evaluation = '%s' and config = '%s'" % (evaluation, config))}

    def expect(self, rows, rankings):
        for query in QUERIES:
            docs, grades, metrics, error = rows[query]
            self.assertIsNone(error)
            self.assertEqual(docs, rankings[query][:10])
            self.assertEqual(grades, [GRADES.get(query, {}).get(doc) for doc in docs])
            if query not in GRADES:
                self.assertIsNone(metrics)  # nothing is judged: no metric, and not 0
                continue
            for got, wanted in zip(metrics, metrics_of(docs, GRADES[query]), strict=True):
                self.assertAlmostEqual(got, wanted, 12)

    def test_1_engines_are_asked_and_compared(self):
        """Solr, Elasticsearch, somebody's JSON, and a TREC run: the same lists give the same numbers, on however many workers."""
        run = "".join("%d\t%s\n" % (i, q) for i, q in enumerate(QUERIES)) + "".join(
            "%d Q0 %s 1 %d x\n" % (i, doc, -place) for i, q in enumerate(QUERIES) for place, doc in enumerate(NEW[q]))
        with Engine("solr", OLD, pause=0.005) as solr, Engine("elasticsearch", NEW, packs=True) as elastic, Engine("json", NEW) as own:
            self.search("old", engine="solr", url=solr.url + "/solr/products/select", params="q={{query}}&rows={{k}}&fq={{colour}}", headers={"X-Tenant": "a"})
            self.search("new", engine="elasticsearch", url=elastic.url + "/products/_search")
            self.search("own", engine="json", url=own.url, params="q={{query}}&n={{k}}", docs_path="results.0.items", id_field="product.id")
            self.search("brought", engine="run")
            self.assertEqual(self.daemon.request("PUT", "/v1/searches/brought/lists?format=trec", run.encode()).status, 200)
            summaries = []
            for workers in (1, 2, 4):
                self.run_job(workers=workers, searches="old,new,own,brought", at_once=3)
                found = self.newest()
                summaries.append(found["summary"])
                self.expect(self.rows(found["id"], "old"), OLD)
                for other in ("new", "own"):
                    self.expect(self.rows(found["id"], other), NEW)
            self.assertTrue(all(s == summaries[0] for s in summaries))
            self.assertLessEqual(solr.most, 3)
            path, params, body, headers = solr.seen[0]
            self.assertEqual((path, params["rows"], params["fq"], body, headers["X-Tenant"]), ("/solr/products/select", "10", "red", "", "a"))
            self.assertEqual({s[1]["q"] for s in solr.seen}, set(QUERIES))
        self.expect(self.rows(found["id"], "brought"), NEW)  # no list in a run: nothing was found
        self.assertEqual([s["empty"] for s in found["summary"]["searches"]], [sum(not OLD[q] for q in QUERIES)] * 4)

    def test_2_the_summary_equals_scipy(self):
        from scipy import stats
        summary = self.newest()["summary"]
        values = [[metrics_of(lists[q][:10], GRADES[q])[0] for q in QUERIES if q in GRADES] for lists in (OLD, NEW)]
        old = summary["searches"][0]["metrics"]["ndcg@5"]
        mean, n = sum(values[0]) / len(values[0]), len(values[0])
        half = stats.t.isf(0.025, n - 1) * stats.sem(values[0])
        for got, wanted in zip((old["mean"], old["low"], old["high"]), (mean, mean - half, mean + half), strict=True):
            self.assertAlmostEqual(got, wanted, 10)
        self.assertEqual((summary["queries"], summary["judged_queries"], old["queries"]), (26, 25, 25))
        pair = summary["pairs"][0]
        test = stats.ttest_rel(values[1], values[0])
        got = pair["metrics"]["ndcg@5"]
        self.assertEqual((pair["a"], pair["b"], got["better"]), ("old", "new", "b"))
        self.assertAlmostEqual(got["t"], test.statistic, 8)
        self.assertAlmostEqual(got["p_t"], test.pvalue, 10)
        self.assertEqual(got["wins"] + got["losses"] + got["ties"], 25)
        ps = [m["p_randomisation"] for m in pair["metrics"].values()]
        self.assertAlmostEqual(min(m["p_adjusted"] for m in pair["metrics"].values()), min(1, min(ps) * len(ps)), 10)  # Holm
        jaccards = [1.0 for q in QUERIES if OLD[q]]  # the same documents in another order
        self.assertAlmostEqual(pair["jaccard"], sum(jaccards) / len(jaccards), 12)
        self.assertLess(pair["rbo"], 1)
        same = summary["pairs"][3]  # new and own
        self.assertEqual((same["a"], same["b"], same["rbo"], same["changed"]), ("new", "own", 1, 0))
        holes = [w for w in summary["warnings"] if w["code"] == "holes"]
        self.assertEqual([w["search"] for w in holes], ["old", "new", "own", "brought"])
        shown = sum(len(OLD[q][:10]) for q in GRADES)
        judged = sum(d in GRADES[q] for q in GRADES for d in OLD[q][:10])
        self.assertAlmostEqual(summary["searches"][0]["judged"], judged / shown, 12)

    def test_3_what_the_api_says_of_it(self):
        d, found = self.daemon, self.newest()
        asked = d.get("/v1/evaluations/%s/queries?a=old&b=new&metric=ndcg@5&sort=gain&limit=5" % found["id"]).json
        self.assertEqual((asked["total"], len(asked["queries"]), asked["next_page_token"]), (26, 5, "5"))
        gains = [q["b"]["metrics"][0] - q["a"]["metrics"][0] for q in asked["queries"]]
        self.assertEqual(gains, sorted(gains, reverse=True))
        first = asked["queries"][0]
        self.assertEqual([x["doc"] for x in first["b"]["docs"]], NEW[first["query"]])
        self.assertEqual([x["grade"] for x in first["b"]["docs"]], [GRADES[first["query"]].get(x) for x in NEW[first["query"]]])
        rest = d.get("/v1/evaluations/%s/queries?a=old&b=new&metric=ndcg@5&sort=gain&limit=50&page_token=5" % found["id"]).json
        self.assertEqual((len(rest["queries"]), rest["next_page_token"]), (21, None))
        points = d.get("/v1/evaluations/%s/points?a=old&b=new&metric=ndcg@5" % found["id"]).json["points"]
        self.assertEqual(len(points), 25)
        for p in points:
            self.assertAlmostEqual(p["a"], metrics_of(OLD[p["query"]][:10], GRADES[p["query"]])[0], 12)
        for bad in ("a=nobody", "b=nobody", "metric=ndcg@7", "sort=name", "limit=0"):
            self.assertEqual(d.get("/v1/evaluations/%s/queries?%s" % (found["id"], bad)).status, 400, bad)

    def test_4_errors_are_kept_and_counted(self):
        trouble = dict(zip([q for q in QUERIES if OLD[q]], ("slow", "cut", "500", "404", "garbage", "huge", "partial", "no_id", "twice")))
        with Engine("solr", OLD, trouble) as engine:
            self.search("ill", engine="solr", url=engine.url)
            refused = self.run_job(searches="ill", timeout_seconds=1, tries=1, check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn('search "ill" failed on 9 of 26 queries, more than parameter "max_errors" lets it', refused.stderr)
            before = self.daemon.number("select count(*) from evaluations")
            self.run_job(searches="ill", timeout_seconds=1, tries=2, max_errors=1)
            self.assertEqual(self.daemon.number("select count(*) from evaluations"), before + 1)
            asked = [s[1]["q"] for s in engine.seen]
        found = self.newest()
        rows = self.rows(found["id"], "ill")
        wanted = {"slow": "tried 2 times: ", "cut": "tried 2 times: ", "500": 'tried 2 times: HTTP status 500: {"error":{"msg":"no such field',
                  "404": "HTTP status 404: ", "garbage": "the answer is no JSON", "huge": "the answer has more than 4194304 bytes",
                  "partial": "the answer says that its results are partial", "no_id": "document 1 of the answer has no id"}
        for query, kind in trouble.items():
            if kind == "twice":  # the second try of the second run was good
                self.assertEqual((rows[query][0], rows[query][3]), (OLD[query][:10], None))
            else:
                self.assertTrue(rows[query][3].startswith(wanted[kind]), (kind, rows[query][3]))
                self.assertEqual((rows[query][0], rows[query][2]), ([], None))
        self.assertEqual([asked.count(q) for q, kind in trouble.items()], [3, 3, 3, 2, 2, 2, 2, 2, 3])  # one try, then two
        search = found["summary"]["searches"][0]
        self.assertEqual((search["errors"], search["metrics"]["mrr"]["queries"], len(search["error_examples"])), (8, 25 - 8, 5))
        self.assertIn("errors", [w["code"] for w in found["summary"]["warnings"]])

    def test_5_certificates_and_secrets(self):
        folder = self.daemon.root
        key, cert, secrets = (os.path.join(folder, n) for n in ("key.pem", "cert.pem", "secrets"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
        with open(secrets, "w", encoding="utf-8") as f:
            f.write("# who may\nprod Authorization: Basic c2VjcmV0\nother X-Key: 1\n")
        os.chmod(secrets, 0o644)
        with Engine("elasticsearch", NEW, certificate=(cert, key)) as engine:
            self.search("safe", engine="elasticsearch", url=engine.url + "/p/_search", secret="prod")
            one = {"searches": "safe", "query_set": None, "query": "lamp 1", "max_errors": 1}
            self.assertIn("others may read the file, too", self.run_job("--search-secrets", secrets, check=False, **one).stderr)
            os.chmod(secrets, 0o600)
            self.run_job("--search-secrets", secrets, **one)
            self.assertIn("certificate", self.rows(self.newest()["id"], "safe")["lamp 1"][3])
            self.assertEqual(engine.seen, [])
            self.run_job("--search-secrets", secrets, "--search-ca-file", cert, **one)
            self.assertEqual(engine.seen[0][3]["Authorization"], "Basic c2VjcmV0")
            self.assertEqual(self.rows(self.newest()["id"], "safe")["lamp 1"][0], NEW["lamp 1"][:10])
        kept = self.daemon.sql("select (select count(*) from run_log where line like '%c2VjcmV0%') + (select count(*) from runs where params::text || coalesce(result::text, '') like '%c2VjcmV0%') "
                               "+ (select count(*) from search_configs where spec::text like '%c2VjcmV0%')")
        self.assertEqual(int(kept[0][0]), 0)

    def test_6_too_little_and_impossible(self):
        self.search("nobody", engine="solr", url="http://127.0.0.1:9")
        self.daemon.sql("insert into query_sets (name) values ('empty') returning 1")
        skipped = self.run_job(searches="nobody", query_set="empty", check=False)
        self.assertIn('query set "empty" has no query', skipped.stderr)
        self.assertEqual(self.daemon.sql("select state from runs order by started_at desc limit 1")[0][0], "skipped")
        for params, words in (({"searches": "who"}, 'parameter "searches": there is no search "who"'), ({"metrics": "ndgc@5"}, 'parameter "metrics": there is no metric "ndgc@5"'),
                              ({"query": "x"}, "one of both is wanted")):
            refused = self.run_job(**{"searches": "nobody", **params}, check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(words, refused.stderr)


if __name__ == "__main__":
    unittest.main()
