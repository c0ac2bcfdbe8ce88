"""Search configurations over HTTP: made, read, changed, given lists, deleted; who may, and what is refused."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

SOLR = {"engine": "solr", "url": "http://search:8983/solr/products/select", "description": "as it is", "secret": "prod"}


class Searches(DaemonTest):
    def put(self, name, document, query="", **headers):
        return self.daemon.request("PUT", "/v1/searches/%s%s" % (name, query), document, headers=headers)

    def test_1_a_life(self):
        made = self.put("now", SOLR)
        self.assertEqual((made.status, made.headers["etag"]), (201, '"1"'))
        self.assertEqual({k: made.json[k] for k in ("name", "engine", "docs_path", "id_field", "secret", "lists", "version", "updated_by")},
                         {"name": "now", "engine": "solr", "docs_path": "response.docs", "id_field": "id", "secret": "prod", "lists": 0, "version": 1,
                          "updated_by": "admin.key"})
        same = self.put("now", made.json)  # what GET gives may come back
        self.assertEqual((same.status, same.json["version"]), (200, 1))
        self.assertEqual(self.put("now", SOLR, **{"If-Match": '"7"'}).status, 412)
        changed = self.put("now", {**SOLR, "params": "q={{query}}&rows={{k}}&bq={{colour}}"}, **{"If-Match": '"1"'})
        self.assertEqual((changed.status, changed.json["version"], changed.json["params"]), (200, 2, "q={{query}}&rows={{k}}&bq={{colour}}"))
        self.assertEqual([s["name"] for s in self.daemon.get("/v1/searches").json["searches"]], ["now"])
        self.daemon.sql("insert into jobs (id, type, name, params) values ('nightly', 'ranking-metrics', 'x', '{\"searches\": \"now, then\"}') returning 1")
        used = self.daemon.request("DELETE", "/v1/searches/now")
        self.assertEqual((used.status, used.json["detail"]), (409, 'search "now" is used by job "nightly"'))
        self.daemon.sql("delete from jobs where id = 'nightly' returning 1")
        self.assertEqual(self.daemon.request("DELETE", "/v1/searches/now", headers={"If-Match": '"1"'}).status, 412)
        self.assertEqual(self.daemon.request("DELETE", "/v1/searches/now").status, 204)
        gone = self.daemon.get("/v1/searches/now")
        self.assertEqual((gone.status, gone.json["detail"]), (404, 'there is no search "now"'))
        self.assertEqual([r[0] for r in self.daemon.sql("select action from revisions where subject = 'search:now' order by id")], ["create", "edit", "delete"])

    def test_2_lists_that_are_brought(self):
        run = b"1\tdesk lamp\n1 Q0 b 1 1.0 x\n1 Q0 a 2 2.5 x\nsofa Q0 c 1 1 x\n"
        self.assertEqual(self.put("theirs", {"engine": "run"}).status, 201)
        given = self.daemon.request("PUT", "/v1/searches/theirs/lists?format=trec", run)
        self.assertEqual((given.status, given.json["lists"], given.json["version"]), (200, 2, 2))
        self.assertEqual([tuple(r) for r in self.daemon.sql("select query, docs::text from search_lists order by query")],
                         [("desk lamp", '["a", "b"]'), ("sofa", '["c"]')])
        bad = self.daemon.request("PUT", "/v1/searches/theirs/lists?format=trec", b"1 Q0 b\n")
        self.assertEqual((bad.status, bad.json["errors"][0]["line"]), (400, 1))
        self.assertEqual(self.daemon.request("PUT", "/v1/searches/theirs/lists?format=xml", run).status, 400)
        self.assertEqual(self.daemon.request("PUT", "/v1/searches/nobody/lists?format=trec", run).status, 404)
        self.assertEqual(self.put("theirs", SOLR).status, 409)
        self.assertEqual(self.put("ours", SOLR).status, 201)
        self.assertEqual(self.daemon.request("PUT", "/v1/searches/ours/lists?format=trec", run).status, 409)

    def test_3_what_is_wrong_is_named(self):
        for document, text in (({**SOLR, "engine": "lucene"}, 'search: field "engine"'), ({"engine": "solr"}, 'field "url" is missing'),
                               ({**SOLR, "headers": {"Authorization": "Basic x"}}, "file of secrets"), ({**SOLR, "bogus": 1}, '"bogus"')):
            refused = self.put("bad", document)
            self.assertEqual(refused.status, 400)
            self.assertIn(text, refused.json["detail"])
        self.assertEqual(self.put("Bad", SOLR).status, 400)
        self.assertEqual(self.put("bad", SOLR, "?dry_run=true").json["docs_path"], "response.docs")
        self.assertEqual(self.daemon.get("/v1/searches/bad").status, 404)

    def test_4_evaluations_that_are_not_there(self):
        self.assertEqual(self.daemon.get("/v1/evaluations").json, {"evaluations": [], "next_page_token": None})
        for path in ("", "/queries", "/points"):
            for evaluation in ("0190c5a8-0000-7000-8000-000000000000", "x"):
                self.assertEqual(self.daemon.get("/v1/evaluations/%s%s" % (evaluation, path)).status, 404)
        self.assertEqual(self.daemon.get("/v1/evaluations?limit=0").status, 400)

    def test_5_a_client_may_not(self):
        for method, path in (("PUT", "/v1/searches/now"), ("GET", "/v1/searches"), ("GET", "/v1/evaluations")):
            self.assertEqual(self.daemon.request(method, path, {}, key="client").status, 403)


if __name__ == "__main__":
    unittest.main()
