"""Sets of features and their rows over HTTP: made, imported in every format, exported with judgments, deleted; who may, and what is refused."""
import json
import os
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

import xgboost  # noqa: E402

LETOR = "3 qid:1 1:9.8 2:12.3 # 7555 rambo\n0 qid:1 1:1.5 # 1370 rambo\n1 qid:2 2:-0.25 # 12180 first blood\n"


class Features(DaemonTest):
    def rows(self, name, text, query="", **options):
        return self.daemon.post("/v1/feature-sets/%s/rows%s" % (name, query), text.encode(), **options)

    def export(self, name, query=""):
        return self.daemon.get("/v1/feature-sets/%s/rows%s" % (name, query)).body.decode()

    def put(self, name, document, query="", **headers):
        return self.daemon.request("PUT", "/v1/feature-sets/%s%s" % (name, query), json.dumps(document).encode(), headers=headers)

    def test_1_a_life(self):
        made = self.put("shop", {"description": "by hand", "features": ["bm25", {"name": "price", "default": 0.5, "monotone": -1, "solr": {"class": "x"}}]})
        self.assertEqual((made.status, made.headers["etag"]), (201, '"1"'))
        self.assertEqual(made.json["features"], [{"name": "bm25"}, {"name": "price", "default": 0.5, "monotone": -1, "solr": {"class": "x"}}])
        self.assertEqual(self.rows("shop", LETOR).json, {"created": 3, "changed": 0, "unchanged": 0, "judgments": None})
        self.assertEqual(self.rows("shop", "query,doc,price,bm25\nrambo,1370,,1.5\nrambo,7555,1,\n", "?format=csv").json["changed"], 1)
        refused = self.put("shop", {"features": ["price", "bm25"]})
        self.assertEqual(refused.status, 409)
        self.assertIn("has rows", refused.json["detail"])
        self.assertEqual(self.put("shop", {"features": ["bm25", "price", "age"]}, **{"If-Match": '"1"'}).json["version"], 2)
        self.assertEqual(self.daemon.get("/v1/feature-sets/shop").json["rows"], 3)
        self.assertEqual(self.export("shop"), "0 qid:1 2:-0.25 # 12180\tfirst blood\n0 qid:2 1:1.5 # 1370\trambo\n0 qid:2 2:1 # 7555\trambo\n")
        self.assertEqual(self.daemon.request("DELETE", "/v1/feature-sets/shop/rows?query=rambo").json, {"deleted": 2})
        self.assertEqual(self.daemon.request("DELETE", "/v1/feature-sets/shop", headers={"If-Match": '"1"'}).status, 412)
        self.assertEqual(self.daemon.request("DELETE", "/v1/feature-sets/shop").status, 204)
        self.assertEqual(self.daemon.get("/v1/feature-sets/shop").status, 404)

    def test_2_a_file_alone_makes_set_and_judgments(self):
        made = self.daemon.post("/v1/judgments", {"name": "of-one", "max_grade": 1})
        self.assertEqual(made.status, 201, made)
        self.assertEqual(self.rows("refused", LETOR, "?create=true&judgments=of-one").status, 409)
        self.assertEqual(self.daemon.get("/v1/feature-sets/refused").status, 404)  # all of it, or nothing
        self.assertEqual(self.rows("mq", LETOR).status, 404)
        put = self.rows("mq", LETOR, "?create=true&judgments=mq-grades")
        self.assertEqual((put.status, put.json["created"], put.json["judgments"]["created"]), (200, 3, 3))
        self.assertEqual([f["name"] for f in self.daemon.get("/v1/feature-sets/mq").json["features"]], ["f1", "f2"])
        want = "1 qid:1 2:-0.25 # 12180\tfirst blood\n0 qid:2 1:1.5 # 1370\trambo\n3 qid:2 1:9.8 2:12.3 # 7555\trambo\n"
        self.assertEqual(self.export("mq", "?judgments=mq-grades"), want)
        self.assertEqual(self.rows("again", want, "?create=true").json["created"], 3)  # what is exported reads the same again
        self.assertEqual(self.export("again", "?judgments=mq-grades"), want)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(want)
            file.flush()
            loaded = xgboost.DMatrix(file.name + "?format=libsvm", silent=True)
            self.assertEqual((loaded.get_label().tolist(), loaded.get_uint_info("group_ptr").tolist(), loaded.num_nonmissing()), ([1, 0, 3], [0, 1, 3], 4))
        lines = [json.loads(line) for line in self.export("mq", "?judgments=mq-grades&format=jsonl").splitlines()]
        self.assertEqual(lines[2], {"query": "rambo", "doc": "7555", "grade": 3, "weight": 1, "features": {"f1": 9.8, "f2": 12.3}})
        self.assertEqual(self.export("mq", "?judgments=mq-grades&format=csv").splitlines()[:2], ["qid,query,doc,grade,weight,f1,f2", "1,first blood,12180,1,1,,-0.25"])
        self.assertEqual(self.export("mq", "?format=jsonl&judged=true"), "")
        pages, token = [], ""
        while True:
            page = self.daemon.get("/v1/feature-sets/mq/rows?limit=2&judgments=mq-grades" + token)
            pages.append(page.body.decode())
            if "next-page-token" not in page.headers:
                break
            token = "&page_token=" + page.headers["next-page-token"]
        self.assertEqual(pages, ["".join(line + "\n" for line in want.splitlines()[:2]), want.splitlines()[2] + "\n"])

    def test_3_answers_of_engines(self):
        self.put("engine", {"features": ["bm25", "price"]})
        solr = {"responseHeader": {"params": {"q": "lamp"}}, "response": {"docs": [{"sku": "a", "[features]": "bm25=1.5,price=2.0"}]}}
        self.assertEqual(self.rows("engine", json.dumps(solr), "?format=solr&id_field=sku").json["created"], 1)
        elastic = {"hits": {"hits": [{"_id": "b", "fields": {"_ltrlog": [{"main": [{"name": "price", "value": 3}, {"name": "bm25"}]}]}}]}}
        self.assertEqual(self.rows("engine", json.dumps(elastic), "?format=elasticsearch&query=" + urllib.parse.quote("red lamp")).json["created"], 1)
        self.assertEqual([json.loads(x)["features"] for x in self.export("engine", "?format=jsonl").splitlines()], [{"bm25": 1.5, "price": 2}, {"price": 3}])

    def test_4_what_is_wrong_is_named_and_nothing_is_kept(self):
        self.put("bad", {"features": ["bm25"]})
        refused = self.rows("bad", "1 qid:1 1:1 # a lamp\n1 qid:1 2:1 # b lamp\nx\n")
        self.assertEqual((refused.status, [e["line"] for e in refused.json["errors"]]), (400, [2, 3]))
        self.assertEqual(self.daemon.get("/v1/feature-sets/bad").json["rows"], 0)
        for document, words in (({"features": []}, "from 1 to 1000"), ({"features": ["a", "a"]}, '"a" is there twice'), ({"features": [{"name": "a", "monotone": 2}]}, "monotone"),
                                ({"features": [{"name": "a", "default": 1e99}]}, "default"), ({"features": ["a"], "rows": 1}, "rows"), ({"features": [{"name": "a", "source": "x"}]}, "source")):
            done = self.put("bad2", document)
            self.assertEqual(done.status, 400, document)
            self.assertIn(words, done.json["detail"])
        self.assertEqual(self.put("Bad", {"features": ["a"]}).status, 400)
        self.assertEqual(self.put("dry", {"features": ["a"]}, "?dry_run=true").json, {"features": [{"name": "a"}]})
        self.assertEqual(self.daemon.get("/v1/feature-sets/dry").status, 404)
        self.assertEqual(self.rows("bad", LETOR, "?format=xml").status, 400)
        self.assertEqual(self.rows("bad", LETOR, key="client").status, 403)
        self.assertEqual(self.daemon.get("/v1/feature-sets/bad/rows", key="client").status, 403)


if __name__ == "__main__":
    unittest.main()
