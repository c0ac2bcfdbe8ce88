"""What the signals of one key must look like: schemas read, every fault of one named, events of every format checked, other keys left alone."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

SCHEMA = {"others": "refuse", "types": {
    "click": {"required": ["query_id", "doc", "position"]},
    "rating": {"required": ["value", "params.source"],
               "params": {"source": "string", "stars": "number", "verified": "boolean", "tags": "array", "extra": "object", "note": "any"},
               "other_params": "refuse"},
    "free": {}}}


class SchemaApi(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.key = d.run("experimentd", "key", "create", "--scope", "client", "--label", "shop app", "--database-url", d.database_url()).stdout.strip()
        cls.ids = {k["label"]: k["id"] for k in d.get("/v1/keys").json["keys"]}
        reply = d.request("PUT", cls.path(), SCHEMA)
        assert reply.status == 204, reply

    @classmethod
    def path(cls):
        return "/v1/keys/%s/schema" % cls.ids["shop app"]

    def errors(self, body, path="/v1/signals"):
        reply = self.daemon.post(path, body, key=self.key)
        self.assertEqual(reply.status, 200, reply)
        return [(r["index"], r["error"]) for r in reply.json["rejected"]]

    def test_signals_that_are_like_it_are_taken(self):
        good = [{"type": "click", "unit": "u", "query_id": "q", "doc": "d", "position": 1},
                {"type": "rating", "unit": "u", "value": 4, "params": {"source": "app", "stars": 4.5, "verified": True, "tags": [], "extra": {}, "note": 7}},
                {"type": "rating", "unit": "u", "value": 4, "params": {"source": "app", "stars": None}},
                {"type": "free", "unit": "u", "params": {"what": "ever"}}]
        self.assertEqual(self.errors(good), [])

    def test_each_fault_is_named(self):
        rating = {"type": "rating", "unit": "u", "value": 4, "params": {"source": "app"}}
        bad = [({"type": "click", "unit": "u", "query_id": "q", "doc": "d"}, 'field "position" is missing: this key\'s schema wants it of "click"'),
               ({**rating, "params": {}}, 'field "params.source" is missing: this key\'s schema wants it of "rating"'),
               ({"type": "rating", "unit": "u", "value": 4}, 'field "params.source" is missing: this key\'s schema wants it of "rating"'),
               ({"type": "rating", "unit": "u", "params": {"source": "app"}}, 'field "value" is missing: this key\'s schema wants it of "rating"'),
               ({**rating, "params": {"source": 1}}, 'field "params.source" must be of type string in this key\'s schema'),
               ({**rating, "params": {"source": "a", "stars": "5"}}, 'field "params.stars" must be of type number in this key\'s schema'),
               ({**rating, "params": {"source": "a", "colour": "red"}}, 'field "params.colour" is not in this key\'s schema of "rating"'),
               ({**rating, "params": {"source": "a", "source ": 1}}, 'field "params.source " is not in this key\'s schema of "rating"'),
               ({"type": "wishlist", "unit": "u"}, 'field "type" is "wishlist", which is not in this key\'s schema')]
        self.assertEqual(self.errors([b for b, _ in bad]), [(i, e) for i, (_, e) in enumerate(bad)])
        self.assertEqual(self.daemon.post("/v1/signals", bad[0][0], key=self.key).status, 400)  # alone: the status says it

    def test_other_formats_are_checked_as_what_they_become(self):
        segment = {"batch": [{"type": "track", "event": "Product Clicked", "anonymousId": "a", "properties": {"product_id": "1", "position": 1, "query_id": "q"}},
                             {"type": "track", "event": "Product Clicked", "anonymousId": "a", "properties": {"product_id": "1"}},
                             {"type": "page", "anonymousId": "a"}]}
        self.assertEqual([i for i, _ in self.errors(segment, "/v1/batch")], [1, 2])
        ubi = [{"action_name": "click", "client_id": "c", "query_id": "q", "event_attributes": {"object": {"object_id": "1"}, "position": {"ordinal": 1}}},
               {"action_name": "click", "client_id": "c"}]
        self.assertEqual(self.errors(ubi, "/ubi_events"), [(1, 'field "query_id" is missing: this key\'s schema wants it of "click"')])

    def test_other_keys_may_send_anything(self):
        reply = self.daemon.post("/v1/signals", {"type": "wishlist", "unit": "u"}, key="client")
        self.assertEqual(reply.status, 200, reply)

    def test_the_list_shows_it_and_never_a_key(self):
        reply = self.daemon.get("/v1/keys")
        self.assertEqual({k["label"]: k["schema"] for k in reply.json["keys"]}, {"admin.key": None, "client.key": None, "shop app": SCHEMA})
        self.assertNotIn(b"xd_", reply.body)
        self.call("get", "/v1/keys", status=403, key="client")

    def test_taken_back(self):
        other = "/v1/keys/%s/schema" % self.ids["client.key"]
        self.daemon.request("PUT", other, {"types": {}, "others": "refuse"})
        self.assertEqual(self.daemon.post("/v1/signals", {"type": "click", "unit": "u"}, key="client").status, 400)
        self.assertEqual(self.daemon.request("DELETE", other).status, 204)
        self.assertEqual(self.daemon.post("/v1/signals", {"type": "click", "unit": "u"}, key="client").status, 200)
        self.assertEqual(self.daemon.sql("select before is null, after is null from revisions where subject = 'key:%s' order by id"
                                         % self.ids["client.key"]), [["t", "f"], ["f", "t"]])

    def test_schemas_that_are_none(self):
        for body, words in [(b"{", "not valid JSON"), ({}, 'schema: field "types" is missing'),
                            ({"types": [], }, 'schema: field "types" is a list, not an object'),
                            ({"types": {"a": 1}}, "types.a"), ({"types": {}, "others": "no"}, 'field "others" is "no", not take or refuse'),
                            ({"types": {"a": {"required": ["unitt"]}}}, 'schema: types.a: field "required" names "unitt", none of'),
                            ({"types": {"a": {"required": [1]}}}, 'field "required" holds what is no string'),
                            ({"types": {"a": {"params": {"b": "text"}}}}, 'field "params" gives "b" a type that is none of any'),
                            ({"types": {"a": {"fields": []}}}, 'unknown field "fields"'),
                            ({"types": {"a%d" % i: {} for i in range(201)}}, "more than 200 types"),
                            ({"types": {"a": {"params": {"p%d" % i: "any" for i in range(101)}}}}, "more than 100 params"),
                            ({"types": {"a" * 70000: {}}}, "more than 65536 bytes")]:
            detail = self.call("put", self.path(), body, 400)["detail"]
            self.assertIn(words, detail)
        self.assertIn("no key has the id", self.call("put", "/v1/keys/none/schema", SCHEMA, 404)["detail"])


if __name__ == "__main__":
    unittest.main()
