"""The catalogue of documents over HTTP."""
import concurrent.futures
import json
import os
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402


def ndjson(*documents):
    return "".join(json.dumps(d) + "\n" for d in documents).encode()


class Items(DaemonTest):
    def setUp(self):
        self.daemon.sql("delete from items; update items_state set version = 0, documents = 0, upserted = 0, deleted = 0")

    def put(self, body, query=""):
        reply = self.daemon.post("/v1/items" + query, body)
        self.assertEqual(reply.status, 200, reply)
        return reply.json

    def one(self, name):
        return self.daemon.get("/v1/items/" + urllib.parse.quote(name, safe="")).json

    def test_bulk_in_and_out(self):
        d = self.daemon
        lamp = {"id": "a/ä 1", "title": "Büro lamp", "price": 29.9, "tags": ["x", 1], "size": {"w": 3}}
        self.assertEqual(self.put(ndjson(lamp, {"id": 7, "title": "desk"})), {"created": 2, "changed": 0, "unchanged": 0, "refused": 0, "rejected": []})
        self.assertEqual({**self.one("a/ä 1")["fields"], "id": "a/ä 1"}, lamp)
        self.assertEqual(self.one("7")["fields"], {"title": "desk"})
        got = self.put([{"id": "7", "price": 5}, lamp])
        self.assertEqual((got["created"], got["changed"], got["unchanged"]), (0, 1, 1))
        self.assertEqual(self.one("7")["fields"], {"price": 5})  # a document takes the place of the one before
        listed = d.get("/v1/items").json
        self.assertEqual([i["id"] for i in listed["items"]], ["7", "a/ä 1"])
        self.assertEqual((listed["documents"], listed["upserted"], listed["deleted"], listed["version"]), (2, 3, 0, 2))
        self.assertEqual(self.put(lamp)["unchanged"], 1)
        self.assertEqual(d.get("/v1/items").json["version"], 2)
        self.assertEqual(d.post("/v1/items/delete", ["7", {"id": "nobody"}]).json, {"deleted": 1, "unknown": 1, "refused": 0, "rejected": []})
        self.assertEqual(d.get("/v1/items/7").status, 404)
        self.assertEqual(d.get("/v1/items").json["documents"], d.number("select count(*) from items"))
        self.assertEqual(d.metric("experimentd_items_deleted_total") >= 1, True)

    def test_one_at_a_time(self):
        d = self.daemon
        self.assertEqual(d.request("PUT", "/v1/items/x%2Fy", {"title": "one"}).status, 201)
        self.assertEqual(d.request("PUT", "/v1/items/x%2Fy", {"id": "x/y", "title": "two", "price": 1}).status, 200)
        self.assertEqual(d.request("PUT", "/v1/items/x%2Fy?merge=true", {"price": None, "stock": 3}).json, {"created": False})
        self.assertEqual(self.one("x/y")["fields"], {"title": "two", "stock": 3})
        self.assertEqual(d.request("DELETE", "/v1/items/x%2Fy").status, 204)
        gone = d.request("DELETE", "/v1/items/x%2Fy")
        self.assertEqual((gone.status, gone.json["detail"]), (404, 'document "x/y" is not in the catalogue'))

    def test_merging(self):
        self.put([{"id": "a", "title": "lamp", "price": 1, "deep": {"n": None}}])
        got = self.put(ndjson({"id": "a", "price": 2}, {"id": "b", "price": 9, "none": None}, {"id": "a", "stock": 4}, {"id": "a", "title": None}), "?merge=true")
        self.assertEqual((got["created"], got["changed"]), (1, 1))
        self.assertEqual(self.one("a")["fields"], {"price": 2, "deep": {"n": None}, "stock": 4})
        self.assertEqual(self.one("b")["fields"], {"price": 9})

    def test_what_is_wrong_is_told_by_line(self):
        d = self.daemon
        body = b'{"id": "ok1"}\n\n{"title": "no id"}\n{"id": "x", \n[1]\n{"id": "ok2", "t": "\\u0000"}\n{"id": "ok2"}\n'
        got = self.put(body)
        self.assertEqual((got["created"], got["refused"]), (2, 4))
        self.assertEqual([(r["line"], r["index"]) for r in got["rejected"]], [(3, 1), (4, 2), (5, 3), (6, 4)])
        self.assertEqual(got["rejected"][0]["error"], 'field "id" is missing')
        alone = d.post("/v1/items", {"title": "x"})
        self.assertEqual((alone.status, alone.json["detail"]), (400, 'field "id" is missing'))
        for path, body, words in (("/v1/items", b"", "body: empty"), ("/v1/items?merge=perhaps", {"id": "a"}, 'query parameter "merge"')):
            reply = d.post(path, body)
            self.assertEqual(reply.status, 400, reply)
            self.assertIn(words, reply.json["detail"])
        self.assertEqual(d.post("/v1/items/delete", [1.5]).json["refused"], 1)
        self.assertIn("not from 1 to 1000", d.get("/v1/items?limit=0").json["detail"])
        self.assertEqual(d.post("/v1/items", [{"id": i} for i in range(10001)]).status, 413)

    def test_scopes(self):
        d = self.daemon
        for method, path, body in (("POST", "/v1/items", {"id": "a"}), ("PUT", "/v1/items/a", {}), ("DELETE", "/v1/items/a", None), ("GET", "/v1/items", None)):
            self.assertEqual(d.request(method, path, body, key="client").status, 403, path)

    def test_pages(self):
        self.put([{"id": "d%03d" % i, "n": i} for i in range(25)] + [{"id": "e"}])
        seen, token = [], ""
        while token is not None:
            page = self.daemon.get("/v1/items?prefix=d&limit=10&page_token=%s" % token).json
            seen += [i["id"] for i in page["items"]]
            token = page["next_page_token"]
        self.assertEqual(seen, ["d%03d" % i for i in range(25)])

    def test_edits_at_the_same_time(self):
        """Each merges a field of its own into the same documents: none is lost, and the count is right."""
        def edit(n):
            return self.put([{"id": "d%d" % i, "f%d" % n: n} for i in range(50)], "?merge=true")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            got = list(pool.map(edit, range(8)))
        self.assertEqual((sum(g["created"] for g in got), sum(g["changed"] for g in got)), (50, 350))
        self.assertEqual(self.one("d7")["fields"], {"f%d" % n: n for n in range(8)})
        self.assertEqual(self.daemon.get("/v1/items").json["documents"], 50)


if __name__ == "__main__":
    unittest.main()
