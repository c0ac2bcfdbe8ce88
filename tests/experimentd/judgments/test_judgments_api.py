"""Judgments and query sets over HTTP: a life, edits, imports and exports in every format, what is refused, the audit trail."""
import csv
import io
import json
import os
import sys
import unittest
from urllib.parse import quote

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

DATA = os.path.join(os.path.dirname(__file__), "..", "..", "..", "..", "shared", "data")
FORMATS = ("quepid", "srw", "trec", "csv", "jsonl", "letor", "rre")


def real(*path):
    name = os.path.join(DATA, *path)
    if not os.path.exists(name):
        raise unittest.SkipTest("%s is not at hand" % os.path.join(*path))
    with open(name, encoding="utf-8") as f:
        return f.read()


class Judgments(DaemonTest):
    def call(self, method, path, body=None, **headers):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        return self.daemon.request(method, "/v1" + path, body.encode() if body is not None else None, headers=headers)

    def imported(self, name, fmt, text, query="", status=200):
        answer = self.call("POST", "/judgments/%s/import?format=%s%s" % (name, fmt, query), text)
        self.assertEqual(answer.status, status, answer.body[:300])
        return answer.json

    def ratings(self, name):
        """{(query, doc): grade}, page by page."""
        out, token = {}, ""
        while token is not None:
            page = self.daemon.get("/v1/judgments/%s/ratings?limit=1000%s" % (name, token and "&page_token=" + quote(token))).json
            out.update({(r["query"], r["doc"]): r["grade"] for r in page["ratings"]})
            token = page["next_page_token"]
        return out

    def exported(self, name, fmt, kind="judgments"):
        answer = self.daemon.get("/v1/%s/%s/export?format=%s" % (kind, name, fmt))
        self.assertEqual(answer.status, 200, answer.body[:300])
        self.assertIn("attachment; filename=\"%s." % name, answer.headers["content-disposition"])
        return answer.body.decode()

    def test_1_a_life(self):
        made = self.call("POST", "/judgments", {"name": "shop", "description": "by hand", "max_grade": 4})
        self.assertEqual((made.status, made.headers["etag"], made.json["max_grade"]), (201, '"1"', 4))
        self.assertEqual(self.call("POST", "/judgments", {"name": "shop"}).status, 409)
        one = self.call("PUT", "/judgments/shop/ratings", {"query": "desk lamp", "doc": "a", "grade": 3})
        self.assertEqual((one.status, one.json), (200, {"name": "shop", "version": 2, "new": False, "created": 1, "changed": 0, "unchanged": 0, "deleted": 0}))
        many = '{"query": "desk lamp", "doc": "b", "grade": 0}\n{"query": "chair", "doc": "c"}\n'
        self.assertEqual(self.call("PUT", "/judgments/shop/ratings", many, **{"If-Match": '"1"'}).status, 412)
        self.assertEqual(self.call("PUT", "/judgments/shop/ratings", many, **{"If-Match": '"2"'}).json["version"], 3)
        self.assertEqual(self.call("PUT", "/judgments/shop/ratings", many).json["version"], 3)  # the same: nothing is written
        rows = self.daemon.get("/v1/judgments/shop/ratings?query=desk+lamp").json["ratings"]
        self.assertEqual([(r["doc"], r["grade"], r["source"], r["judge"]) for r in rows], [("a", 3, "human", "admin.key"), ("b", 0, "human", "admin.key")])
        self.assertIsNotNone(rows[0]["edited_at"])
        queries = self.daemon.get("/v1/judgments/shop/queries").json["queries"]
        self.assertEqual(queries, [{"query": "chair", "documents": 1, "judged": 0, "human": 0, "highest": None, "mean": None},
                                   {"query": "desk lamp", "documents": 2, "judged": 2, "human": 2, "highest": 3, "mean": 1.5}])
        self.assertEqual([q["query"] for q in self.daemon.get("/v1/judgments/shop/queries?unjudged=true").json["queries"]], ["chair"])
        self.assertEqual([q["query"] for q in self.daemon.get("/v1/judgments/shop/queries?text=LAMP").json["queries"]], ["desk lamp"])
        one = self.daemon.get("/v1/judgments/shop").json
        self.assertEqual(one["tally"], {"queries": 2, "documents": 3, "judgments": 2, "unjudged": 1, "human": 2,
                                        "grades": [{"from": 0, "to": 0, "count": 1}, {"from": 3, "to": 3, "count": 1}]})
        refused = self.call("PUT", "/judgments/shop/ratings", {"query": "chair", "doc": "c", "grade": 5})
        self.assertEqual((refused.status, refused.json["detail"]),
                         (400, 'query "chair", document "c": the grade is 5, above 4, the highest of judgment set "shop"'))
        self.assertEqual(self.call("PATCH", "/judgments/shop", {"max_grade": 2}).status, 400)
        self.assertEqual(self.call("PATCH", "/judgments/shop", {"description": "better", "max_grade": 3}).json["description"], "better")
        self.assertEqual(self.call("DELETE", "/judgments/shop/ratings?query=desk+lamp&doc=b").json["deleted"], 1)
        self.assertEqual(self.call("DELETE", "/judgments/shop/ratings?query=chair").json["deleted"], 1)
        trail = self.daemon.get("/v1/judgments/shop/revisions").json["revisions"]
        self.assertEqual([r["action"] for r in trail], ["edit", "edit", "edit", "edit", "edit", "create"])
        self.assertEqual(trail[0]["before"]["ratings"], [["chair", "c", None, None, None, "human", "admin.key"]])
        self.assertEqual(self.call("DELETE", "/judgments/shop").status, 204)
        for gone in ("", "/ratings", "/queries", "/export?format=csv"):
            self.assertEqual(self.daemon.get("/v1/judgments/shop" + gone).json["detail"], 'there is no judgment set "shop"')

    def test_2_small_files_as_their_programs_write_them(self):
        answer = self.imported("quepid", "quepid", "query,docid,rating\nstar trek,1370,3\n -minus,x,0\nher,9,\nnone,,")
        self.assertEqual({k: answer[k] for k in ("rows", "unjudged", "created", "new")}, {"rows": 4, "unjudged": 2, "created": 4, "new": True})
        self.assertEqual(self.exported("quepid", "quepid"), "query,docid,rating\n -minus,x,0\nher,9,\nnone,,\nstar trek,1370,3")
        self.assertEqual(self.daemon.get("/v1/judgments/quepid").json["source"], "import")
        self.assertEqual(self.imported("quepid", "trec", "1 0 b 2\n1\tstar trek\n1 0 c -2\n")["negative"], 1)
        self.assertEqual(self.ratings("quepid")[("star trek", "c")], 0)
        self.assertEqual(self.imported("quepid", "csv", "query,doc,grade\nstar trek,1370,1\n", "&mode=replace")["deleted"], 5)
        self.assertEqual(self.ratings("quepid"), {("star trek", "1370"): 1})
        self.assertEqual(self.imported("quepid", "csv", "query,doc,grade\nstar trek,1370,1\n")["unchanged"], 1)

    def test_3_what_is_wrong_is_named_and_nothing_is_taken(self):
        bad = self.imported("bad", "csv", "query,doc,grade\nlamp,a,1\nlamp,b,good\n,c,1\n", status=400)
        self.assertEqual([e["line"] for e in bad["errors"]], [3, 4])
        self.assertEqual(bad["detail"], '2 of the lines are wrong; line 3: field "grade" is "good", not a number')
        self.assertEqual(self.daemon.get("/v1/judgments/bad").status, 404)
        self.assertIn("none of quepid, srw, trec", self.imported("bad", "xml", "", status=400)["detail"])
        self.assertIn("there is no judgment in it", self.imported("bad", "jsonl", "\n", status=400)["detail"])
        self.imported("bad", "csv", "query,doc,grade\nlamp,a,4\n", "&max_grade=3", status=400)
        self.assertEqual(self.imported("bad", "csv", "query,doc,grade\nlamp,a,4\n", "&dry_run=true")["rows"], 1)
        self.assertEqual(self.daemon.get("/v1/judgments/bad").status, 404)
        self.assertEqual(self.call("POST", "/judgments/Bad/import?format=csv", "query,doc,grade\nlamp,a,4\n").status, 400)
        self.assertEqual(self.call("POST", "/judgments", {"name": "bad", "max_grade": 0}).status, 400)
        self.assertEqual(self.call("PUT", "/judgments/none/ratings", {"query": "q", "doc": "d"}).status, 404)
        self.assertEqual(self.daemon.request("POST", "/v1/judgments/x/import?format=csv", b"", key="client").status, 403)

    def round_trip(self, name, count):
        before = self.ratings(name)
        self.assertEqual(len(before), count)
        for fmt in FORMATS:
            text = self.exported(name, fmt)
            if fmt == "trec":
                text = self.exported(name, "trec-topics") + text
            self.assertEqual(self.imported("again", fmt, text, "&mode=replace")["rows"], count, fmt)
            self.assertEqual(self.ratings("again"), before, fmt)
        return before

    def test_4_esci_in_every_format(self):
        theirs = json.loads(real("esci_us_judgments", "esci_us_judgments.json"))["judgmentRatings"]
        want = {(q["query"], r["docId"]): float(r["rating"]) for q in theirs for r in q["ratings"]}
        self.assertEqual(self.imported("esci", "srw", json.dumps({"judgmentRatings": theirs}))["rows"], 6678)
        self.assertEqual(self.round_trip("esci", len(want)), want)
        ours = json.loads(self.exported("esci", "srw"))["judgmentRatings"]
        order = lambda judged: sorted((q["query"], sorted((r["docId"], r["rating"]) for r in q["ratings"])) for q in judged)  # noqa: E731
        self.assertEqual(order(ours), order(theirs))  # ratings as the same texts
        grades = {g["from"]: g["count"] for g in self.daemon.get("/v1/judgments/esci").json["tally"]["grades"]}
        self.assertEqual(grades, {0: 1086, 1: 305, 10: 1898, 100: 3389})

    def test_5_tmdb_in_every_format(self):
        text = real("tmdb_title_judgments", "title_judgments.txt")
        rows = {(r["keywords"], r["docId"]): float(r["grade"]) for r in csv.DictReader(io.StringIO(real("tmdb_title_judgments", "title_features.csv")))}
        self.imported("tmdb", "letor", text)
        self.assertEqual(self.round_trip("tmdb", len(rows)), rows)
        line = lambda t: sorted(s.split("\t", 2)[2] + s.split("\t")[0] for s in t.splitlines() if s and s[0] != "#")  # noqa: E731
        self.assertEqual(line(self.exported("tmdb", "letor")), line(text))  # but for the numbers of topics

    def test_6_query_sets(self):
        self.assertEqual(self.call("POST", "/query-sets", {"name": "head", "description": "d"}).status, 201)
        put = self.call("PUT", "/query-sets/head/queries", ["lamp", {"query": "chair", "weight": 2.5, "params": {"c": "home"}}])
        self.assertEqual(put.json, {"name": "head", "version": 2, "new": False, "queries": 2})
        self.assertEqual(self.daemon.get("/v1/query-sets/head/queries").json["queries"],
                         [{"position": 1, "query": "lamp", "weight": 1}, {"position": 2, "query": "chair", "weight": 2.5, "params": {"c": "home"}}])
        page = self.daemon.get("/v1/query-sets/head/queries?limit=1").json
        self.assertEqual((len(page["queries"]), page["next_page_token"]), (1, "1"))
        self.assertEqual([q["query"] for q in self.daemon.get("/v1/query-sets/head/queries?page_token=1").json["queries"]], ["chair"])
        self.assertEqual(self.call("DELETE", "/query-sets/head/queries?query=lamp").json["deleted"], 1)
        self.assertEqual(self.exported("head", "jsonl", "query-sets"), '{"query":"chair","weight":2.5,"params":{"c": "home"}}\n')
        self.assertEqual(self.exported("head", "text", "query-sets"), "chair\t2.5\n")
        bad = self.call("POST", "/query-sets/head/import?format=text", "a\tx\n")
        self.assertEqual((bad.status, bad.json["errors"][0]["line"]), (400, 1))
        self.assertEqual(self.call("POST", "/query-sets/head/import?format=csv&mode=merge", "query,count\nsofa,3\n").json["queries"], 2)
        self.assertEqual([s["name"] for s in self.daemon.get("/v1/query-sets").json["query_sets"]], ["head"])
        self.assertEqual(len(self.daemon.get("/v1/query-sets/head/revisions").json["revisions"]), 4)
        self.assertEqual(self.call("DELETE", "/query-sets/head", **{"If-Match": '"1"'}).status, 412)
        self.assertEqual(self.call("DELETE", "/query-sets/head").status, 204)

    def test_7_the_workbenchs_query_set(self):
        text = real("esci_us_judgments", "esci_us_queryset.json")
        queries = [q["queryText"] for q in json.loads(text)["querySetQueries"]]
        once = list(dict.fromkeys(queries))
        self.assertEqual(self.call("POST", "/query-sets/esci/import?format=srw", text).json["queries"], len(once))
        for fmt in ("text", "csv", "jsonl", "srw"):
            body = self.exported("esci", fmt, "query-sets")
            self.assertEqual(self.call("POST", "/query-sets/esci/import?format=%s" % fmt, body).json["version"], 1, fmt)  # the same in the same order
        self.assertEqual([q["queryText"] for q in json.loads(self.exported("esci", "srw", "query-sets"))["querySetQueries"]], once)


if __name__ == "__main__":
    unittest.main()
