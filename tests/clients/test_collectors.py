#!/usr/bin/python3
"""SDKs that collect events, unmodified from npm, against the daemon: each event is in PostgreSQL once, whatever was answered before.

The daemon stands behind a proxy that answers 429 and 503 when told to, as a daemon at its limits does: the SDKs' own retries do the rest.
"""
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon  # noqa: E402
from run import check_node, fetch_packages  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 120


class Proxy(http.server.ThreadingHTTPServer):
    """Forwards to the daemon, unless `refusals` holds a status to answer with. Notes what was sent and answered."""

    def __init__(self, daemon):
        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon, self.refusals, self.seen = daemon, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server_address[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy = self.server
        if proxy.refusals:
            status, headers, answer = proxy.refusals.pop(0), {"Retry-After": "1"}, b"{}"
        else:
            up = http.client.HTTPConnection(proxy.daemon.host, proxy.daemon.port, timeout=SECONDS)
            up.request("POST", self.path, body, {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")})
            reply = up.getresponse()
            status, headers, answer = reply.status, {"Content-Type": reply.getheader("Content-Type", "")}, reply.read()
            up.close()
        proxy.seen.append((self.path.split("?")[0], status, answer))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Collectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = check_node()
        fetch_packages()

    def setUp(self):
        self.daemon = Daemon()
        self.daemon.start()
        self.proxy = Proxy(self.daemon)

    def tearDown(self):
        self.proxy.shutdown()
        self.proxy.server_close()
        self.daemon.stop()
        self.daemon.destroy()

    def send(self, client, refusals=(), key=None, code=0):
        self.proxy.refusals, self.proxy.seen = list(refusals), []
        done = subprocess.run([self.node, os.path.join(HERE, "send.js"), client, self.proxy.url, key or self.daemon.keys["client"]],
                              capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        print("%s, refused with %s: answers %s, the SDK says %s" % (
            client, list(refusals), [s for _, s, _ in self.proxy.seen], [s for s in said if s["what"] == "error"] or "nothing"))
        self.daemon.wait_loaded()
        return said

    def signals(self):
        return self.daemon.sql("select type, unit, coalesce(query_id, ''), coalesce(query, ''), coalesce(doc, ''), coalesce(position, 0), "
                               "coalesce(value, -1), at from signals order by at, type, doc")

    def check_shop(self, time):
        """What EVENTS of send.js become; `time`: the timestamps are the events' own."""
        rows = [r[:7] for r in self.signals()]
        want = [["request", "anon-1", "q-1", "laptop", "", "0", "-1"], ["response", "anon-1", "q-1", "laptop", "", "0", "2"],
                ["impression", "anon-1", "q-1", "laptop", "B01", "1", "-1"], ["impression", "anon-1", "q-1", "laptop", "B02", "2", "-1"],
                ["click", "anon-1", "q-1", "laptop", "B02", "2", "-1"], ["cart", "anon-1", "q-1", "laptop", "B02", "0", "21"],
                ["purchase", "anon-1", "", "", "B02", "0", "21"], ["purchase", "anon-1", "", "", "B03", "0", "5"],
                ["wish_list_shared", "anon-1", "", "", "", "0", "3"], ["identify", "anon-1", "", "", "", "0", "-1"],
                ["page", "anon-1", "", "", "", "0", "-1"]]
        self.assertEqual(rows, want)
        self.assertEqual(self.daemon.sql("select experiment, variant, unit from exposures"), [["ranker", "ltr", "anon-1"]])
        self.assertEqual(self.daemon.number("select count(*) from signals where params::text like '%someone@%'"), 0)
        if time:
            self.assertEqual(self.daemon.number("select count(*) from signals where at between '2026-11-20 11:59:00' and '2026-11-20 12:01:00'"), 11)

    def check_rejects(self):
        """One bad event of ten; RudderStack sends its first event alone."""
        answers = [json.loads(answer) for path, status, answer in self.proxy.seen if status == 200 and path == "/v1/batch"]
        rejected = [r["error"] for a in answers for r in a["rejected"]]
        self.assertEqual([all(a["success"] for a in answers), sum(a["accepted"] for a in answers), len(rejected)], [True, 9, 1])
        self.assertIn('"doc" has 600 bytes', rejected[0])

    def test_segment(self):
        self.send("segment")
        self.check_rejects()
        self.check_shop(True)

    def test_segment_sends_again_after_429_and_503(self):
        self.send("segment", [429, 503])
        self.assertEqual([s for _, s, _ in self.proxy.seen][:3], [429, 503, 200])
        self.check_rejects()
        self.check_shop(True)

    def test_rudderstack(self):
        self.send("rudderstack")
        self.check_rejects()
        self.check_shop(True)

    def test_rudderstack_sends_again_after_429_and_503(self):
        self.send("rudderstack", [429, 503])
        self.assertEqual([s for _, s, _ in self.proxy.seen][:3], [429, 503, 200])
        self.check_rejects()
        self.check_shop(True)

    maxDiff = None

    def test_a_key_that_is_not_known(self):
        self.send("segment", key="nobody")
        self.assertEqual({s for _, s, _ in self.proxy.seen}, {401})
        self.assertEqual(self.signals(), [])

    def test_search_insights(self):
        said = self.send("insights")
        self.assertEqual([s["status"] for s in said if s["what"] == "answer"], [200] * 4)
        q = "43b15df305339e827f0ac0bdc5ebcaa7"
        self.assertEqual(sorted(r[:7] for r in self.signals()), sorted([
            ["impression", "user-1", "", "", "B01", "0", "-1"], ["impression", "user-1", "", "", "B02", "0", "-1"],
            ["click", "user-1", q, "", "B02", "2", "-1"], ["cart", "user-1", q, "", "B02", "0", "21"],
            ["purchase", "user-1", "", "", "B02", "0", "21"], ["purchase", "user-1", "", "", "B03", "0", "5"]]))


if __name__ == "__main__":
    unittest.main()
