"""Dictionaries over HTTP: made, read, given other words, deleted; who may, and what is refused."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402


class Dictionaries(DaemonTest):
    def put(self, name, text, query="", **headers):
        return self.daemon.request("PUT", "/v1/dictionaries/%s%s" % (name, query), text.encode(), headers=headers)

    def words(self, name):
        return self.daemon.get("/v1/dictionaries/%s/words" % name).body.decode()

    def test_1_a_life(self):
        made = self.put("shop", "Lamp 12\ntable lamp 3\ndesk\n")
        self.assertEqual((made.status, made.headers["etag"]), (201, '"1"'))
        self.assertEqual({k: made.json[k] for k in ("name", "words", "total", "version", "updated_by")},
                         {"name": "shop", "words": 3, "total": 16, "version": 1, "updated_by": "admin.key"})
        self.assertEqual(self.words("shop"), "desk 1\nlamp 12\ntable lamp 3\n")
        same = self.put("shop", "desk\ntable lamp 3\nlamp 12\n")
        self.assertEqual((same.status, same.json["version"]), (200, 1))  # the same words in another order
        self.assertEqual(self.put("shop", "lamp 1", **{"If-Match": '"7"'}).status, 412)
        changed = self.put("shop", "lamp 1", **{"If-Match": '"1"'})
        self.assertEqual((changed.status, changed.json["version"], changed.json["words"]), (200, 2, 1))
        self.assertEqual([d["name"] for d in self.daemon.get("/v1/dictionaries").json["dictionaries"]], ["shop"])
        self.assertEqual(self.daemon.request("DELETE", "/v1/dictionaries/shop", headers={"If-Match": '"1"'}).status, 412)
        self.assertEqual(self.daemon.request("DELETE", "/v1/dictionaries/shop").status, 204)
        for gone in (self.daemon.get("/v1/dictionaries/shop"), self.daemon.request("DELETE", "/v1/dictionaries/shop")):
            self.assertEqual((gone.status, gone.json["detail"]), (404, 'there is no dictionary "shop"'))
        self.assertEqual([r[0] for r in self.daemon.sql("select action from revisions where subject = 'dictionary:shop' order by id")],
                         ["create", "replace", "delete"])

    def test_2_what_is_wrong_is_named(self):
        refused = self.put("bad", "lamp 1\nlamp many\n\ndesk 0\n")
        self.assertEqual(refused.status, 400)
        self.assertEqual([e["line"] for e in refused.json["errors"]], [2, 4])
        self.assertEqual(refused.json["detail"], '2 of the lines are wrong; line 2: "many" is no count: a whole number from 1 to 1000000000000')
        self.assertEqual(self.put("bad", "").json["detail"], "the dictionary has no word")
        self.assertEqual(self.put("Bad", "lamp").status, 400)
        self.assertEqual(self.put("bad", "lamp", **{"If-Match": "1"}).status, 400)
        self.assertEqual(self.put("bad", "lamp 2\ndesk", "?dry_run=true").json, {"words": 2, "total": 3, "bytes": 14})
        self.assertEqual(self.daemon.get("/v1/dictionaries/bad").status, 404)

    def test_3_a_client_may_not(self):
        self.assertEqual(self.daemon.request("PUT", "/v1/dictionaries/shop", b"lamp", key="client").status, 403)
        self.assertEqual(self.daemon.get("/v1/dictionaries", key="client").status, 403)


if __name__ == "__main__":
    unittest.main()
