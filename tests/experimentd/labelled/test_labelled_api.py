"""Labelled texts over HTTP: imported, listed, corrected, exported, replaced, deleted; who may, and what is refused."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

CSV = "text,label,weight\nred lamp,lamps,3\noak table,tables,\nlamp table,tables,1\nlamp table,lamps,2\n"


class LabelledTexts(DaemonTest):
    def put(self, name, text, query="", **headers):
        return self.daemon.request("POST", "/v1/labelled-texts/%s/import%s" % (name, query), text.encode(), headers=headers)

    def get(self, path):
        return self.daemon.get("/v1/labelled-texts" + path)

    def rows(self, name="shop"):
        return [(r["text"], r["label"], r["weight"], r["source"]) for r in self.get("/%s/texts" % name).json["texts"]]

    def publish(self, rows):  # as the job training-data does
        run = "00000000-0000-0000-0000-000000000001"
        self.daemon.sql("delete from labelled_texts where set_name = 'shop' and source = 'job'; "
                        "select labelled_texts_add('shop', '%s', '%s')" % (json.dumps(rows), run))

    def test_1_a_life(self):
        made = self.put("shop", CSV)
        self.assertEqual((made.status, made.headers["etag"]), (201, '"1"'), made)
        self.assertEqual({k: made.json[k] for k in ("texts", "labels", "manual", "version", "run")},
                         {"texts": 4, "labels": 2, "manual": 4, "version": 1, "run": None})
        self.assertEqual(made.json["by_label"], [{"label": "lamps", "texts": 2, "weight": 5}, {"label": "tables", "texts": 2, "weight": 2}])
        self.assertEqual(made.json["changes"], {"added": 4, "changed": 0, "unchanged": 0, "deleted": 0})
        same = self.put("shop", CSV)
        self.assertEqual((same.status, same.json["version"], same.json["changes"]["unchanged"]), (200, 1, 4))
        self.assertEqual(self.rows()[0], ("lamp table", "lamps", 2, "manual"))
        pages, token = [], ""
        while token is not None:
            page = self.get("/shop/texts?page_size=1&page_token=%s" % token.replace(" ", "%20").replace("\n", "%0A")).json
            pages += [(r["text"], r["label"]) for r in page["texts"]]
            token = page["next_page_token"]
        self.assertEqual(pages, [r[:2] for r in self.rows()])
        self.assertEqual(len(self.get("/shop/texts?label=lamps").json["texts"]), 2)
        self.assertEqual(len(self.get("/shop/texts?prefix=lamp&label=tables").json["texts"]), 1)

    def test_2_people_and_jobs(self):
        rows = [{"text": "oak table", "label": "wood", "weight": 9}, {"text": "blue lamp", "label": "lamps", "weight": 4}]
        self.publish(rows)
        self.assertIn(("blue lamp", "lamps", 4, "job"), self.rows())
        self.assertIn(("oak table", "tables", 1, "manual"), self.rows())  # what people said stays
        self.assertEqual(len(self.rows()), 5)
        put = self.put("shop", '{"text": "blue lamp", "label": "moods"}', "?format=jsonl")
        self.assertEqual(put.json["changes"], {"added": 1, "changed": 0, "unchanged": 0, "deleted": 1})
        self.publish(rows)
        self.assertEqual([r for r in self.rows() if r[0] == "blue lamp"], [("blue lamp", "moods", 1, "manual")])

    def test_3_export_and_replace(self):
        text = self.get("/shop/export").body.decode()
        self.assertEqual(text.splitlines()[:2], ["text,label,weight,source", "blue lamp,moods,1,manual"])
        lines = self.get("/shop/export?format=jsonl").body.decode().splitlines()
        self.assertEqual(json.loads(lines[1]), {"text": "lamp table", "label": "lamps", "weight": 2, "source": "manual"})
        self.assertEqual(self.put("copy", text).json["texts"], 5)
        self.assertEqual(self.put("copy", "\n".join(lines[:2]), "?format=jsonl&replace=true").json["changes"],
                         {"added": 0, "changed": 0, "unchanged": 2, "deleted": 3})
        self.assertEqual(self.put("copy", CSV, **{"If-Match": '"1"'}).status, 412)
        version = self.get("/copy").headers["etag"]
        self.assertEqual(self.put("copy", CSV, **{"If-Match": version}).status, 200)
        self.assertEqual([s["name"] for s in self.get("").json["labelled_texts"]], ["copy", "shop"])

    def test_4_delete(self):
        self.assertEqual(self.daemon.request("DELETE", "/v1/labelled-texts/copy/texts?text=lamp+table&label=lamps").status, 204)
        self.assertEqual([r[1] for r in self.rows("copy") if r[0] == "lamp table"], ["tables"])
        self.assertEqual(self.daemon.request("DELETE", "/v1/labelled-texts/copy/texts?text=none").status, 404)
        self.assertEqual(self.daemon.request("DELETE", "/v1/labelled-texts/copy").status, 204)
        self.assertEqual((self.get("/copy").status, self.get("/copy/texts").status, self.get("/copy/export").status), (404, 404, 404))
        actions = [r[0] for r in self.daemon.sql("select action from revisions where subject = 'labelled-texts:copy' order by id")]
        self.assertEqual((actions[0], actions[-1], set(actions[1:-1])), ("create", "delete", {"change"}))

    def test_5_what_is_wrong_is_named(self):
        refused = self.put("bad", "text,label\nlamp\n,x\n")
        self.assertEqual((refused.status, [e["line"] for e in refused.json["errors"]]), (400, [2, 3]))
        self.assertEqual(self.put("Bad", CSV).status, 400)
        self.assertEqual(self.put("bad", CSV, "?format=xml").status, 400)
        self.assertEqual(self.put("bad", CSV, "?dry_run=true").json, {"rows": 4})
        self.assertEqual(self.get("/bad").status, 404)
        self.assertEqual(self.get("/shop/texts?page_token=x").status, 400)
        self.assertEqual(self.daemon.request("POST", "/v1/labelled-texts/bad/import", CSV.encode(), key="client").status, 403)
        self.assertEqual(self.daemon.get("/v1/labelled-texts", key="client").status, 403)

    def test_6_many_that_jobs_labelled(self):
        """In a nested loop this is beyond the statement's time: what a job has put there has no statistics yet."""
        n = 40000
        self.put("many", "text,label\nx,y\n")
        self.daemon.sql("insert into labelled_texts select 'many', 'text ' || i, 'job', 1, 'job' from generate_series(1, %d) i" % n)
        put = self.put("many", "text,label\n" + "".join("text %d,person\n" % i for i in range(1, n + 1)))
        self.assertEqual((put.status, put.json.get("changes")), (200, {"added": n, "changed": 0, "unchanged": 0, "deleted": n}), put)


if __name__ == "__main__":
    unittest.main()
