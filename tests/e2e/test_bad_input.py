"""What a client gets for bad input: status and message of each, and a server that goes on. Prints the table."""
import gzip
import json
import os
import re
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon  # noqa: E402

LIMIT = 65536
GOOD = {"key": "x", "variants": [{"key": "a"}, {"key": "b"}]}
JSON = {"Content-Type": "application/json"}


def with_(**fields):
    return {**GOOD, **fields}


def weights(*values):
    return with_(variants=[{"key": "v%d" % i, "weight": w} for i, w in enumerate(values)])


# what, method, path, body, key, headers, status, what the message must name
CASES = [
    ("body is not JSON", "POST", "/v1/experiments", b"{key: x}", "admin", JSON, 400, "line 1|JSON"),
    ("body is empty", "POST", "/v1/experiments", b"", "admin", JSON, 400, "body|JSON|empty"),
    ("body is cut off", "POST", "/v1/assign", b'{"unit":"u"', "client", JSON, 400, "JSON|end"),
    ("JSON behind the JSON", "POST", "/v1/assign", b'{"unit":"u"} {"unit":"v"}', "client", JSON, 400, "."),
    ("a key twice", "POST", "/v1/experiments", b'{"key":"x","key":"y"}', "admin", JSON, 400, "key"),
    ("body is not UTF-8", "POST", "/v1/assign", b'{"unit":"\xff\xfe"}', "client", JSON, 400, "UTF-8"),
    ("nested too deep", "POST", "/v1/assign", b"[" * 20000, "client", JSON, 400, "."),
    ("field of the wrong type", "POST", "/v1/experiments", with_(name=7), "admin", {}, 400, '"?name"?'),
    ("list of the wrong type", "POST", "/v1/experiments", with_(variants="a,b"), "admin", {}, 400, "variants"),
    ("unknown field", "POST", "/v1/experiments", with_(wieght=1), "admin", {}, 400, "wieght"),
    ("unknown field of a variant", "POST", "/v1/experiments", with_(variants=[{"key": "a", "wieght": 1}, {"key": "b"}]), "admin", {},
     400, "wieght"),
    ("field missing", "POST", "/v1/experiments", {"key": "x"}, "admin", {}, 400, "variants"),
    ("key of bad form", "POST", "/v1/experiments", with_(key="No Spaces!"), "admin", {}, 400, "key"),
    ("weights that do not sum to 1", "POST", "/v1/experiments", weights(0.5, 0.4), "admin", {}, 400, "0\\.9"),
    ("negative weight", "POST", "/v1/experiments", weights(1.5, -0.5), "admin", {}, 400, "weight"),
    ("one variant", "POST", "/v1/experiments", weights(1), "admin", {}, 400, "variant"),
    ("same variant twice", "POST", "/v1/experiments", with_(variants=[{"key": "a"}, {"key": "a"}]), "admin", {}, 400, "a"),
    ("coverage over 1", "POST", "/v1/experiments", with_(coverage=1.5), "admin", {}, 400, "coverage"),
    ("unknown metric", "POST", "/v1/experiments", with_(metrics=["ctrr"]), "admin", {}, 400, "ctrr"),
    ("unknown origin", "POST", "/v1/experiments", with_(origin="guessed"), "admin", {}, 400, "origin"),
    ("unit missing", "POST", "/v1/assign", {"attributes": {}}, "client", {}, 400, "unit"),
    ("unit is a number", "POST", "/v1/assign", {"unit": 7}, "client", {}, 400, "unit"),
    ("signals: not JSON", "POST", "/v1/signals", b"hello", "client", JSON, 400, "."),
    ("bad percent escape", "GET", "/v1/assign/x?unit=%zz", None, "client", {}, 400, "unit|%|escape"),
    ("gzip that is none", "POST", "/v1/signals", b"not gzip", "client", {"Content-Encoding": "gzip"}, 400, "gzip"),
    ("unknown encoding", "POST", "/v1/signals", b"x", "client", {"Content-Encoding": "br"}, 415, "br.*Encoding|Encoding.*br"),
    ("body over the limit", "POST", "/v1/signals", b"x" * (LIMIT + 1), "client", JSON, 413, str(LIMIT)),
    ("gzip bomb", "POST", "/v1/signals", gzip.compress(b" " * (LIMIT * 100)), "client", {"Content-Encoding": "gzip"}, 413, str(LIMIT)),
    ("header over the limit", "GET", "/healthz", None, "client", {"X-Long": "x" * 20000}, 431, "header"),
    ("wrong key", "GET", "/v1/experiments", None, "not-a-key", {}, 401, "key"),
    ("no key", "GET", "/v1/experiments", None, None, {}, 401, "key"),
    ("wrong scope", "POST", "/v1/experiments", GOOD, "client", {}, 403, "admin"),
    ("no such route", "GET", "/v1/nothing", None, "admin", {}, 404, "."),
    ("no such experiment", "GET", "/v1/experiments/nothing/results", None, "admin", {}, 404, "nothing"),
    ("start of no experiment", "POST", "/v1/experiments/nothing/start", b"", "admin", {}, 404, "nothing"),
    ("wrong method", "PUT", "/v1/experiments", b"{}", "admin", {}, 405, "PUT|GET"),
    ("stop of a draft", "POST", "/v1/experiments/draft/stop", b"", "admin", {}, 409, "draft"),
]

# what, bytes, status line that the answer starts with
RAW = [
    ("no HTTP at all", b"hello\r\n\r\n", 400),
    ("version 3", b"GET /healthz HTTP/3.0\r\n\r\n", 400),
    ("two lengths", b"POST /v1/assign HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400),
    ("length and chunked", b"POST /v1/assign HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("negative length", b"POST /v1/assign HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400),
    ("bad chunk size", b"POST /v1/assign HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
]


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--http-body-bytes", str(LIMIT), "--http-header-timeout", "1", "--http-body-timeout", "1")
        cls.daemon.start()
        cls.daemon.make_experiment("draft", start=False)
        cls.table = []

    @classmethod
    def tearDownClass(cls):
        print("\n%-30s %-6s %s" % ("input", "status", "message"))
        for row in cls.table:
            print("%-30s %-6s %s" % row)
        try:
            cls.daemon.stop()
        finally:
            cls.daemon.destroy()

    def message(self, reply):
        self.assertEqual(reply.headers.get("content-type"), "application/problem+json", reply)
        problem = reply.json
        self.assertEqual(problem["status"], reply.status)
        return problem["detail"]

    def test_each_gets_its_status_and_a_message_that_names_the_fault(self):
        for what, method, path, body, key, headers, status, names in CASES:
            with self.subTest(what):
                reply = self.daemon.request(method, path, body, key, headers)
                self.table.append((what, reply.status, reply.body[:200].decode(errors="replace")))
                self.assertEqual(reply.status, status, reply)
                detail = self.message(reply)
                self.table[-1] = (what, reply.status, detail)
                self.assertRegex(detail, re.compile(names))
                if status == 405:
                    self.assertEqual(set(re.split(", *", reply.headers["allow"])) & {"GET", "POST"}, {"GET", "POST"})
                if status == 401:
                    self.assertIn("Bearer", reply.headers["www-authenticate"])

    def test_bytes_that_are_no_request_are_answered_and_the_connection_closed(self):
        for what, data, status in RAW:
            with self.subTest(what):
                answer = self.daemon.raw(data)
                self.table.append((what, answer[9:12].decode(), answer.split(b"\r\n\r\n", 1)[-1][:120].decode(errors="replace")))
                self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer[:300])

    def test_one_bad_signal_does_not_spoil_its_batch(self):
        lines = [{"type": "click", "unit": "u"}, {"type": "click"}, {"type": "click", "unit": "u", "position": 0},
                 {"type": "Not A Type", "unit": "u"}, {"type": "click", "unit": "u", "clicks": 1}, {"type": "click", "unit": "v"}]
        reply = self.daemon.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in lines).encode(), key="client")
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.json["accepted"], 2)
        rejected = {r["index"]: r["error"] for r in reply.json["rejected"]}
        for index, names in ((1, "unit"), (2, "position"), (3, "type"), (4, "clicks")):
            self.table.append(("signal %d of a batch" % index, 200, rejected.get(index, "accepted")))
            self.assertIn(names, rejected[index])
        self.assertEqual(set(rejected), {1, 2, 3, 4})

    def slow(self, first, dribble):
        """Sends a byte a quarter of a second; what the daemon says to it."""
        with socket.create_connection((self.daemon.host, self.daemon.port), timeout=30) as s:
            s.sendall(first)
            received = b""
            s.settimeout(0.25)
            for _ in range(120):
                try:
                    s.sendall(dribble)
                except OSError:
                    break
                try:
                    piece = s.recv(65536)
                    if not piece:
                        break
                    received += piece
                except socket.timeout:
                    pass
                except OSError:
                    break
        return received

    def test_a_slow_client_is_told_so_and_let_go(self):
        key = self.daemon.keys["client"].encode()
        for what, first in (("slow headers", b"GET /healthz HTTP/1.1\r\nX-Slow: "),
                            ("slow body", b"POST /v1/signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key +
                             b"\r\nContent-Length: 60000\r\n\r\n{")):
            with self.subTest(what):
                answer = self.slow(first, b"x")
                self.table.append((what, answer[9:12].decode(), answer.split(b"\r\n\r\n", 1)[-1][:120].decode(errors="replace")))
                self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer[:300])

    def test_zz_the_daemon_goes_on(self):
        self.assertEqual(self.daemon.get("/healthz", key=None).status, 200)
        self.assertEqual(self.daemon.post("/v1/assign", {"unit": "u"}, key="client").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
