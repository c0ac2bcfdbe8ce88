"""docs/embed.c, built against the installed library: it loads the payload, refreshes it by ETag, evaluates, reports exposures."""
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import unittest

from prefix import SOURCE_DIR, Prefix, run

sys.path.insert(0, os.path.join(SOURCE_DIR, "tests", "support"))
from daemon import Daemon  # noqa: E402

KEY = "client-key"


def payload(variations):
    rule = {"key": "ranker-q4", "seed": "ranker-q4", "hashVersion": 2, "variations": variations, "meta": [{"key": "control"}, {"key": "ltr \"é\""}]}
    return json.dumps({"status": 200, "features": {"ranker": {"defaultValue": "bm25", "rules": [rule]}, "limit": {"defaultValue": 10}}}).encode()


class Server(http.server.ThreadingHTTPServer):
    """What of the daemon's interface the program uses; `body` is the payload, None: out of order."""

    def __init__(self, body):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.statuses, self.reports = body, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        body = self.server.body
        if self.path != "/api/features/" + KEY or body is None:
            self.server.statuses.append(503)
            return self.answer(503)
        tag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        same = self.headers.get("If-None-Match") == tag
        self.server.statuses.append(304 if same else 200)
        return self.answer(304 if same else 200, b"" if same else body, [("ETag", tag)])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.reports.append((self.path, self.headers["Authorization"], json.loads(body)))
        self.answer(200, b'{"accepted":1,"rejected":[]}')

    def log_message(self, *_):
        pass


class Embedding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prefix = cls.enterClassContext(Prefix())
        cls.program = os.path.join(cls.prefix.work, "embed")
        if subprocess.run(["pkg-config", "--exists", "libcurl"], check=False).returncode != 0:
            raise unittest.SkipTest("libcurl's development files are not installed")
        run("cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", os.path.join(SOURCE_DIR, "docs", "embed.c"), "-o", cls.program,
            *cls.prefix.pkg_config("--cflags", "--libs", "libassign", "libcurl"))

    def start(self, url, key=KEY):
        """The program, refreshing before every unit, so that no test waits for a time."""
        env = {**os.environ, "LD_LIBRARY_PATH": self.prefix.lib}
        p = subprocess.Popen(["stdbuf", "-oL", self.program, url, key, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        self.addCleanup(p.kill)
        return p

    def ask(self, p, unit, features=2):
        """The unit's features: {key: (value, source)}."""
        p.stdin.write(unit + "\n")
        p.stdin.flush()
        lines = [p.stdout.readline().rstrip("\n").split(" ") for _ in range(features)]
        self.assertEqual({line[0] for line in lines}, {unit})
        return {line[1]: (json.loads(" ".join(line[2:-1])), line[-1]) for line in lines}

    def finish(self, p):
        rest, errors = p.communicate(timeout=60)
        self.assertEqual((p.returncode, rest), (0, ""))
        return errors

    def test_refreshes_by_etag_and_swaps_the_snapshot(self):
        server = Server(payload(["bm25", "ltr"]))
        p = self.start("http://127.0.0.1:%d" % server.server_port)
        self.assertEqual(self.ask(p, "user-1"), {"ranker": ("ltr", "experiment"), "limit": (10, "defaultValue")})
        self.assertEqual(self.ask(p, "user-2")["ranker"], ("bm25", "experiment"))
        server.body = payload(["old", {"new": [1, "é"]}])
        self.assertEqual(self.ask(p, "user-1")["ranker"], ({"new": [1, "é"]}, "experiment"))
        self.assertEqual(self.ask(p, "user-2")["ranker"], ("old", "experiment"))
        self.assertEqual(self.finish(p), "")
        self.assertEqual(server.statuses, [200, 304, 200, 304])
        path, authorization, reports = server.reports[0]
        self.assertEqual((path, authorization, len(server.reports)), ("/v1/exposures", "Bearer " + KEY, 1))
        both = [{"unit": "user-1", "experiment": "ranker-q4", "variant": "ltr \"é\""}, {"unit": "user-2", "experiment": "ranker-q4", "variant": "control"}]
        self.assertEqual(reports, both + both)

    def test_goes_on_with_what_it_has_when_the_server_does_not(self):
        server = Server(payload(["bm25", "ltr"]))
        p = self.start("http://127.0.0.1:%d" % server.server_port)
        before = self.ask(p, "user-1")
        for broken in (None, b"{", b"[]", b""):
            server.body = broken
            self.assertEqual(self.ask(p, "user-1"), before)
        self.assertEqual(self.finish(p).count("no new payload"), 4)

    def test_with_the_daemon(self):
        with Daemon() as d:
            key = d.keys["client"]
            if d.get("/api/features/" + key, key=None).status == 404:
                self.skipTest("the daemon does not offer /api/features yet: only the stand-in was used")
            d.make_experiment("ranker", variants=[{"key": "bm25", "value": {"r": 1}}, {"key": "ltr", "value": {"r": 2}}])
            p = self.start("http://%s:%d" % (d.host, d.port), key)
            units = ["user-%d" % i for i in range(20)]
            answers = {u: self.ask(p, u, 1)["ranker"] for u in units}
            self.assertEqual(self.finish(p), "")
            for unit, (value, _) in answers.items():
                self.assertEqual(d.get("/v1/assign/ranker?unit=" + unit).json["assignments"][0]["value"], value)
            d.wait_rows("exposures", len(units))


if __name__ == "__main__":
    unittest.main(verbosity=2)
