"""The daemon under valgrind: a request of each kind, then SIGTERM: no error, no leak, exit 0."""
import gzip
import json
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import BUILD_DIR, Daemon  # noqa: E402

VALGRIND = ["valgrind", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect,possible",
            "--show-leak-kinds=definite,indirect,possible", "--num-callers=30", "--fair-sched=try", "--child-silent-after-fork=yes"]


def sanitized():
    with open(os.path.join(BUILD_DIR, "CMakeCache.txt"), encoding="utf-8") as f:
        return "WITH_ASAN:BOOL=ON" in f.read()


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
class Valgrind(unittest.TestCase):
    @unittest.skipIf(sanitized(), "valgrind does not run a program built with ASan; this test belongs to the release build")
    def test_a_request_of_each_kind_and_a_clean_exit(self):
        with Daemon(wrapper=VALGRIND, patience=600) as d:
            d.make_experiment("x", name="X", hypothesis="h")
            d.make_experiment("y", start=False)
            self.requests(d)
            d.wait_loaded()
            self.raw(d)
            pid = d.process.pid
            d.stop()
            log = d.log()
            ours = [line for line in log.splitlines() if line.startswith("==%d==" % pid)]
            print("\n".join(line for line in ours if "ERROR SUMMARY" in line or "lost:" in line or "no leaks" in line))
            self.assertIn("ERROR SUMMARY: 0 errors", "\n".join(ours))

    def requests(self, d):
        signal = {"type": "click", "unit": "u", "id": "1", "position": 2, "value": 1.5, "params": {"a": [1, {"b": None}]}}
        ubi = {"action_name": "click", "query_id": "q", "client_id": "u", "timestamp": "2026-01-02T03:04:05.678Z",
               "event_attributes": {"object": {"object_id": "d"}, "position": {"ordinal": 3}}}
        for method, path, body, key, headers, status in (
                ("GET", "/healthz", None, None, {}, 200), ("GET", "/readyz", None, None, {}, 200),
                ("GET", "/version", None, None, {}, 200), ("GET", "/metrics", None, None, {}, 200),
                ("GET", "/openapi.json", None, None, {}, 200), ("HEAD", "/healthz", None, None, {}, 200),
                ("GET", "/", None, None, {}, None), ("GET", "/nothing", None, None, {}, None),
                ("POST", "/v1/assign", {"unit": "u"}, "client", {}, 200),
                ("POST", "/v1/assign", [{"unit": "u"}, {"unit": "v", "attributes": {"a": 1}}], "client", {}, 200),
                ("GET", "/v1/assign/x?unit=u%20v", None, "client", {}, 200), ("GET", "/v1/assign/none?unit=u", None, "client", {}, None),
                ("POST", "/v1/signals", signal, "client", {}, 200), ("POST", "/v1/signals", [signal, {"type": 1}], "client", {}, 200),
                ("POST", "/v1/signals", (json.dumps(signal) + "\n").encode() * 3, "client", {}, 200),
                ("POST", "/v1/signals", gzip.compress(json.dumps(signal).encode()), "client", {"Content-Encoding": "gzip"}, 200),
                ("POST", "/ubi_events", [ubi], "client", {}, 200),
                ("POST", "/ubi_queries", [{"query_id": "q", "user_query": "lamp", "client_id": "u"}], "client", {}, 200),
                ("GET", "/v1/experiments", None, "admin", {}, 200), ("GET", "/v1/experiments/x", None, "admin", {}, 200),
                ("GET", "/v1/experiments/x/results", None, "admin", {}, 200),
                ("GET", "/v1/experiments/x/timeseries", None, "admin", {}, 200),
                ("POST", "/v1/experiments/x/stop", b"", "admin", {}, 200), ("DELETE", "/v1/experiments/y", None, "admin", {}, None),
                ("POST", "/v1/experiments", b"{", "admin", {}, 400), ("POST", "/v1/experiments", {"key": 1}, "admin", {}, 400),
                ("GET", "/v1/experiments", None, "wrong", {}, 401), ("PUT", "/v1/experiments", b"", "admin", {}, 405)):
            reply = d.request(method, path, body, key, headers)
            with self.subTest(method=method, path=path):
                if status is not None:
                    self.assertEqual(reply.status, status, reply)
                self.assertLess(reply.status, 500, reply)

    def raw(self, d):
        chunked = (b"POST /v1/assign HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                   b"5\r\n{\"uni\r\n7\r\nt\":\"u\"}\r\n0\r\n\r\n" % d.keys["client"].encode())
        self.assertTrue(d.raw(chunked, 60).startswith(b"HTTP/1.1 200 "))
        pipelined = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        self.assertEqual(d.raw(pipelined, 60).count(b"HTTP/1.1 200 "), 4)
        self.assertTrue(d.raw(b"nonsense\r\n\r\n", 60).startswith(b"HTTP/1.1 400 "))
        d.raw(b"POST /v1/signals HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", 1)  # leaves in the middle of its body


if __name__ == "__main__":
    unittest.main(verbosity=2)
