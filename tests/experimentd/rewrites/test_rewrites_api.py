"""Rewrites through the daemon: what jobs found beside what people write and decide."""
import json
import os
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

FOUND = [  # type, input, output, confidence, review, searches
    ("spelling", "ipone", "iphone", 0.95, "auto", 120), ("spelling", "samsng", "samsung", 0.6, "pending", 40),
    ("spelling", "nokai", "nokia", 0.3, "pending", 7), ("synonym", "tv", "television", 0.8, "pending", 300),
    ("phrase", "new york", "new york", 0.9, "auto", 60), ("remove_words", "cheap", "", 0.5, "denied", 9),
    ("head_tail", "red shoes for men size 44", "red shoes men", 0.7, "approved", 3)]


class RewritesApi(DaemonTest):
    def setUp(self):
        self.daemon.sql("truncate query_rewrites restart identity; delete from revisions where subject like 'rewrite:%'")
        for n, (kind, given, put, confidence, review, searches) in enumerate(FOUND):
            self.daemon.sql(
                "insert into query_rewrites (type, input, output, confidence, review, source, job, searches, evidence, created_at)"
                " values ('%s', '%s', '%s', %s, '%s', 'job', 'spelling', %d, '{\"distance\": %d}', timestamptz '2026-03-01' + interval '%d hours')"
                % (kind, given, put, confidence, review, searches, n, n))

    def inputs(self, query=""):
        return [r["input"] for r in self.call("get", "/v1/rewrites" + query)["rewrites"]]

    def refused(self, method, path, body, status, *parts, **more):
        detail = self.call(method, path, body, status, **more)["detail"]
        for part in parts:
            self.assertIn(part, detail)

    # ---- reading

    def test_the_list_in_every_order_whole_and_in_pages(self):
        whole = {"confidence": ["ipone", "new york", "tv", "red shoes for men size 44", "samsng", "cheap", "nokai"],
                 "searches": ["tv", "ipone", "new york", "samsng", "cheap", "nokai", "red shoes for men size 44"],
                 "created_at": [f[1] for f in reversed(FOUND)], "input": sorted(f[1] for f in FOUND)}
        for sort, inputs in whole.items():
            self.assertEqual(self.inputs("?sort=" + sort), inputs, sort)
            paged, token = [], ""
            while token is not None:
                page = self.call("get", "/v1/rewrites?page_size=2&sort=" + sort + (token and "&page_token=" + token))
                paged += [r["input"] for r in page["rewrites"]]
                token = page["next_page_token"] and urllib.parse.quote(page["next_page_token"])
            self.assertEqual(paged, inputs, sort)
        self.assertEqual(self.inputs()[0], "ipone")

    def test_filters(self):
        for query, inputs in {"type=synonym,phrase": ["new york", "tv"], "review=pending": ["tv", "samsng", "nokai"],
                              "review=pending&type=spelling": ["samsng", "nokai"], "confidence_class=low": ["nokai"],
                              "min_confidence=0.6&max_confidence=0.8": ["tv", "red shoes for men size 44", "samsng"],
                              "text=VISION": ["tv"], "min_searches=100": ["ipone", "tv"], "source=manual": [], "job=spelling&text=new": ["new york"]}.items():
            self.assertEqual(self.inputs("?" + query), inputs, query)
        counts = self.call("get", "/v1/rewrites/counts")
        self.assertEqual(counts["total"], 7)
        self.assertIn({"type": "spelling", "review": "pending", "rewrites": 2, "searches": 47}, counts["counts"])
        self.assertEqual(self.call("get", "/v1/rewrites/counts?review=auto")["total"], 2)

    def test_one_has_all_that_is_known(self):
        one = self.call("get", "/v1/rewrites/1")
        self.assertEqual({k: one[k] for k in ("type", "input", "output", "confidence", "confidence_class", "review", "source", "job", "evidence", "searches", "created_at")},
                         {"type": "spelling", "input": "ipone", "output": "iphone", "confidence": 0.95, "confidence_class": "high", "review": "auto",
                          "source": "job", "job": "spelling", "evidence": {"distance": 0}, "searches": 120, "created_at": "2026-03-01T00:00:00Z"})
        self.assertEqual(self.daemon.get("/v1/rewrites/1").headers["etag"], '"1"')
        for path in ("99", "x", "-1", "1e3"):
            self.refused("get", "/v1/rewrites/" + path, None, 404, "is not known")
        self.refused("get", "/v1/rewrites?type=spelling,typo", None, 400, '"type" is "typo", not of query, spelling')
        self.refused("get", "/v1/rewrites?min_confidence=high", None, 400, '"min_confidence" is "high", not a number')
        self.refused("get", "/v1/rewrites?sort=id", None, 400, "none of confidence, searches")
        self.refused("get", "/v1/rewrites?page_token=7", None, 400, "page_token")
        self.refused("get", "/v1/rewrites?page_size=0", None, 400, "from 1 to 1000")

    # ---- rules of people

    def test_a_rule_of_ones_own(self):
        reply = self.daemon.post("/v1/rewrites", {"type": "synonym", "input": " Sofa ", "output": "COUCH", "bidirectional": True, "note": "as in the catalogue"})
        self.assertEqual([reply.status, reply.headers["location"], reply.headers["etag"]], [201, "/v1/rewrites/8", '"1"'])
        made = reply.json
        self.assertEqual([made[k] for k in ("input", "output", "bidirectional", "confidence", "review", "source", "job", "reviewed_by")],
                         ["sofa", "couch", True, 1, "approved", "manual", None, "admin.key"])
        self.refused("post", "/v1/rewrites", {"type": "synonym", "input": "sofa", "output": "couch"}, 409, '"8" has this')
        changed = self.call("patch", "/v1/rewrites/8", {"output": "settee", "bidirectional": False, "confidence": 0.25})
        self.assertEqual([changed[k] for k in ("output", "bidirectional", "confidence", "confidence_class", "version")], ["settee", False, 0.25, "low", 2])
        self.refused("patch", "/v1/rewrites/8", {"note": "x"}, 412, 'which is "2"', headers={"If-Match": '"1"'})
        self.refused("patch", "/v1/rewrites/8", {"output": "sofa"}, 400, "output is the same as input")
        self.refused("delete", "/v1/rewrites/8", None, 412, "If-Match", headers={"If-Match": '"1"'})
        self.assertEqual(self.daemon.request("DELETE", "/v1/rewrites/8", headers={"If-Match": '"2"'}).status, 204)
        self.refused("get", "/v1/rewrites/8", None, 404)
        actions = self.daemon.sql("select action, actor, before->>'output', after->>'output' from revisions where subject = 'rewrite:8' order by id")
        self.assertEqual(actions, [["create", "admin.key", "", "couch"], ["change", "admin.key", "couch", "settee"], ["delete", "admin.key", "settee", ""]])

    def test_many_at_once_and_what_a_job_had_found_becomes_ones_own(self):
        body = [{"type": "spelling", "input": "samsng", "output": "samsung"}, {"type": "phrase", "input": "Key  West"},
                {"type": "remove_words", "input": "please", "output": ""}, {"type": "phrase", "input": "key west"}]
        self.assertEqual(self.call("post", "/v1/rewrites", body), {"exists": [{"index": 3, "id": 9}], "created": 2, "replaced": 1})
        self.assertEqual([self.call("get", "/v1/rewrites/2")[k] for k in ("source", "review", "confidence", "searches", "version")],
                         ["manual", "approved", 1, 40, 2])

    def test_what_cannot_be_a_rule(self):
        for body, part in (({"type": "typo", "input": "a", "output": "b"}, '"type" is "typo"'), ({"type": "query", "output": "b"}, '"input" is missing'),
                           ({"type": "query", "input": "a", "output": " "}, "output is empty"), ({"type": "query", "input": "a", "output": "A"}, "the same as input"),
                           ({"type": "phrase", "input": "one"}, "two words"), ({"type": "spelling", "input": "a", "output": "b", "bidirectional": True}, "only synonyms"),
                           ({"type": "query", "input": "a", "output": "b", "confidence": 2}, "not from 0 to 1"), ({"type": "query", "input": "a", "output": "b", "x": 1}, '"x"'),
                           ({"type": "query", "input": "a" * 600, "output": "b" * 3000}, "more than 512"), ({"type": "query", "input": "a", "output": "b", "review": "auto"}, '"review" is "auto"'),
                           ({"type": "spelling", "input": "a b c d e f g h i j k l m", "output": "b"}, "13 words")):
            self.refused("post", "/v1/rewrites", body, 400, part)
        self.refused("post", "/v1/rewrites", [{"type": "phrase", "input": "a b"}, {"type": "query"}], 400, "element 1: ", '"input"')
        self.assertEqual(self.daemon.number("select count(*) from query_rewrites"), 7)

    # ---- reviews

    def test_a_job_s_rewrite_is_reviewed_not_changed(self):
        one = self.call("patch", "/v1/rewrites/2", {"review": "approved", "note": "clear"})
        self.assertEqual([one[k] for k in ("review", "note", "reviewed_by", "source", "version")], ["approved", "clear", "admin.key", "job", 2])
        self.refused("patch", "/v1/rewrites/2", {"output": "samsonite"}, 409, '"output" of rewrite "2" is what a job found')
        self.refused("patch", "/v1/rewrites/2", {"review": "maybe"}, 400, "none of approved, denied, pending")
        self.refused("delete", "/v1/rewrites/2", None, 409, "deny it")

    def test_reviews_of_many(self):
        body = {"filter": {"type": "spelling", "review": "pending", "max_confidence": 0.5}, "review": "denied", "note": "too unsure", "count": 2}
        self.refused("post", "/v1/rewrites/review", body, 409, "these are 1 rewrites")
        self.assertEqual(self.call("post", "/v1/rewrites/review", {**body, "count": 1}), {"matched": 1, "changed": 1})
        self.assertEqual([self.call("get", "/v1/rewrites/3")[k] for k in ("review", "note")], ["denied", "too unsure"])
        self.assertEqual(self.call("post", "/v1/rewrites/review", {"ids": [2, 4, 7], "review": "approved"}), {"matched": 3, "changed": 2})
        self.assertEqual(self.inputs("?review=approved&sort=input"), ["red shoes for men size 44", "samsng", "tv"])
        self.refused("post", "/v1/rewrites/review", {"ids": [1, 77], "review": "denied"}, 404, '"77" is not known; nothing was changed')
        self.assertEqual(self.call("get", "/v1/rewrites/1")["review"], "auto")
        for body, part in (({"review": "denied"}, 'either "ids" or a "filter"'), ({"ids": [1], "filter": {}, "review": "denied"}, "either"),
                           ({"ids": ["1"], "review": "denied"}, "not a whole number"), ({"filter": {"kind": "x"}, "review": "denied"}, '"kind"'), ({"ids": [1]}, '"review" is missing')):
            self.refused("post", "/v1/rewrites/review", body, 400, part)
        told = self.daemon.sql("select subject, actor, before->>'review', after->>'review' from revisions where action = 'review' order by id")
        self.assertEqual(told, [["rewrite:3", "admin.key", "pending", "denied"], ["rewrite:2", "admin.key", "pending", "approved"], ["rewrite:4", "admin.key", "pending", "approved"]])

    def test_exports(self):
        solr = self.daemon.get("/v1/rewrites/export?format=solr")
        self.assertEqual([solr.status, solr.headers["content-type"], solr.headers["x-rewrites"]],
                         [200, "text/plain; charset=utf-8", "1 spelling; left out: 1 head_tail, 1 phrase"])
        self.assertEqual(solr.body.decode().splitlines()[1:], ["ipone => iphone"])
        rows = [json.loads(line) for line in self.daemon.get("/v1/rewrites/export?format=jsonl&min_confidence=0.8").body.splitlines()]
        self.assertEqual([(r["type"], r["input"]) for r in rows], [("phrase", "new york"), ("spelling", "ipone")])
        self.call("post", "/v1/rewrites/review", {"filter": {"type": "synonym"}, "review": "approved"})
        self.assertEqual(self.call("get", "/v1/rewrites/export?format=algolia&type=synonym"),
                         [{"objectID": "rewrite-4", "type": "oneWaySynonym", "input": "tv", "synonyms": ["television"]}])
        self.refused("get", "/v1/rewrites/export", None, 400, '"format" is missing')
        self.refused("get", "/v1/rewrites/export?format=xml", None, 400, '"xml", none of solr')

    def test_who_may(self):
        for method, path, body in (("get", "/v1/rewrites", None), ("post", "/v1/rewrites", {}), ("post", "/v1/rewrites/review", {})):
            self.call(method, path, body, 403, key="client")
        paths = json.loads(self.daemon.get("/openapi.json", key=None).body)["paths"]
        self.assertEqual(sorted(paths["/v1/rewrites/{id}"]), ["delete", "get", "patch"])


if __name__ == "__main__":
    unittest.main()
