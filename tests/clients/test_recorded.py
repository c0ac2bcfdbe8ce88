#!/usr/bin/python3
"""What real clients put on the wire, sent again byte for byte (the gzip of RudderStack's is made anew, and ubi.js, which has no keys, gets one):
each event is in PostgreSQL once, and each client gets the answer that it takes for success."""
import gzip
import hashlib
import http.client
import json
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import SHARED_DATA, DaemonTest, parse_reply, wait_for  # noqa: E402

RECORDED = os.path.join(SHARED_DATA, "client-requests.ndjson")
PATHS = ("/v1/batch", "/ubi_queries", "/ubi_events", "/1/events")
KEYS = ("wk_test", "wk_rs", "KEY")  # that the recorded clients were set up with
Q = "43b15df305339e827f0ac0bdc5ebcaa7"
# type, unit, user, session, query_id, query, doc, position, value
ROWS = """
identify anon-1 u1 - - - - - -
request anon-1 u1 - q-1 laptop - - -
click anon-1 - - q-1 laptop B01 3 -
page anon-1 - - - - - - -
click anon-1 u1 - - - B01 3 -
identify anon-1 - - - - - - -
request CLIENT-1 - - q-1 laptop - - -
click CLIENT-1 - SESSION-1 q-1 laptop B01 - -
search CLIENT-1 - SESSION-1 q-1 laptop - - -
brand_filter CLIENT-1 - SESSION-1 q-1 laptop - - -
click user-1 - - {q} - B01 3 -
impression user-1 - - - - B01 - -
impression user-1 - - - - B02 - -
click user-1 - - - - - - -
cart user-1 - - {q} - B01 - 19.9
purchase user-1 - - {q} - B01 - 19.9
click user-1 - - {q} - B02 1 -
impression user-1 - - - - B03 - -
""".format(q=Q)


def requests():
    with open(RECORDED, encoding="utf-8") as f:
        for recorded in map(json.loads, f):
            if recorded["url"].split("?")[0] in PATHS:
                yield recorded


def bytes_of(recorded):
    """The request as it was on the wire; the lengths show that the body is."""
    headers, body = dict(recorded["headers"]), json.dumps(recorded["body"], separators=(",", ":"), ensure_ascii=False).encode()
    if headers.get("content-encoding") == "gzip":
        body = gzip.compress(body)
        headers["content-length"] = str(len(body))
    elif len(body) != recorded["bytes"]:
        raise AssertionError("%d bytes were recorded, not %d: %s" % (recorded["bytes"], len(body), body))
    if recorded["url"].startswith("/ubi_"):
        headers["x-api-key"] = "wk_test"
    lines = ["POST %s HTTP/1.1" % recorded["url"], "host: localhost"] + ["%s: %s" % header for header in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@unittest.skipUnless(os.path.exists(RECORDED), "the recorded requests are not here: " + RECORDED)
class Recorded(DaemonTest):
    @classmethod
    def prepare(cls, d):
        for key in KEYS:
            digest = hashlib.blake2b(key.encode(), digest_size=32).hexdigest()
            d.sql("insert into api_keys (id, label, scope, hash) values (gen_random_uuid(), '%s', 'client', decode('%s', 'hex'))" % (key, digest))
        d.sql("update config_version set version = version + 1; select pg_notify('config', version::text) from config_version")
        wait_for(lambda: d.post("/v1/assign", {"unit": "u"}, key="KEY").status == 200, "the keys")
        cls.answers = [(r, cls.send(d, bytes_of(r))) for r in requests()]
        d.wait_loaded()

    @staticmethod
    def send(d, data):
        with socket.create_connection((d.host, d.port), timeout=d.patience) as s:
            s.sendall(data)
            reply = http.client.HTTPResponse(s, method="POST")
            reply.begin()
            return parse_reply(reply)

    def rows(self):
        fields = ("type", "unit", "user_id", "session", "query_id", "query", "doc", "position::text", "value::text")
        return sorted(self.daemon.sql("select %s from signals where unit <> 'plugin'" % ", ".join("coalesce(%s, '-')" % f for f in fields)))

    def test_each_client_gets_the_answer_that_it_wants(self):
        self.assertEqual(len(self.answers), 13)
        for recorded, reply in self.answers:
            self.assertEqual([reply.status, reply.headers["content-type"], reply.json["rejected"]], [200, "application/json", []], recorded["url"])
            body = recorded["body"]
            self.assertEqual(reply.json["accepted"], len(body if isinstance(body, list) else body.get("batch") or body["events"]))
            if recorded["url"].startswith("/1/"):
                self.assertEqual([reply.json["status"], reply.json["message"]], [200, "OK"])
            elif recorded["url"].startswith("/v1/"):
                self.assertIs(reply.json["success"], True)

    def test_each_event_is_there_once(self):
        self.assertEqual(self.rows(), sorted(line.split() for line in ROWS.strip().splitlines()))
        self.assertEqual(self.daemon.sql("select experiment, variant, unit from exposures where unit <> 'plugin' order by 1, 2"),
                         [["exp-1", "treatment", "CLIENT-1"], ["exp-1", "v1", "anon-1"]])

    def test_what_has_an_id_is_there_once_however_often_it_is_sent(self):
        before = self.rows()
        for recorded, _ in self.answers:
            if recorded["url"] == "/v1/batch":
                self.assertEqual(self.send(self.daemon, bytes_of(recorded)).status, 200)
        self.daemon.wait_loaded()
        self.assertEqual(self.rows(), before)

    def test_opensearch_plugin_has_an_address_and_nothing_else(self):
        """Not recorded: the members are those of the plugin's class, which it writes in camelCase, with no header that could hold a key."""
        body = [{"queryAttributes": {"experiment_id": "exp-1", "variant": "treatment"}, "timestamp": "2026-08-20T08:54:26.123+0000", "application": "Chorus",
                 "queryId": "q-9", "userQuery": "toner", "clientId": "plugin", "query": '{"size":10}',
                 "queryResponse": {"queryId": "q-9", "queryResponseId": "r-9", "queryResponseHitIds": ["B01", "B02"]}}]
        reply = self.daemon.post("/ubi_queries?key=KEY", body, key=None, headers={"Content-type": "application/json"})
        self.assertEqual([reply.status, reply.json], [200, {"accepted": 1, "rejected": []}])
        self.daemon.wait_loaded()
        rows = self.daemon.sql("select type, query_id, query, coalesce(value::text, '-'), at = '2026-08-20 08:54:26.123Z' from signals where unit = 'plugin' order by 1")
        self.assertEqual(rows, [["request", "q-9", "toner", "-", "t"], ["response", "q-9", "toner", "2", "t"]])

    maxDiff = None


if __name__ == "__main__":
    unittest.main()
