#!/usr/bin/python3
"""Chromium as a client: search-insights unmodified in a page, and pages that send our own signals, UBI and exposures by navigator.sendBeacon,
at once and when they are left. The pages are another site's; a beacon has no headers, so the client key stands in the address."""
import json
import os
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon, DaemonTest  # noqa: E402
from run import check_node, fetch_packages, skip  # noqa: E402
from shop import ROWS_OF_PAGE, Q, rows  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SECONDS = 120


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def visit(node, d, page, key="client", site_port=0):
    """Chromium opens the page and leaves it; what it was answered."""
    url = "http://%s:%d" % (d.host, d.port)
    done = subprocess.run([node, os.path.join(HERE, "beacons.js"), page, url, d.keys.get(key, key)], capture_output=True, text=True,
                          timeout=SECONDS, check=False, env={**os.environ, "SITE_PORT": str(site_port)})
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    for line in said:
        print("%s: %s" % (page, line))
    d.wait_loaded()
    return said


def answers(said):
    return sorted((s["method"], s["path"], s["kind"], s["type"], s["status"]) for s in said if s["what"] == "answer" and s["method"] == "POST")


class Beacons(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.node = check_node()
        d.make_experiment("ranker")

    def test_search_insights_sends_beacons(self):
        said = visit(self.node, self.daemon, "insights")
        self.assertEqual(set(answers(said)), {("POST", "/1/events", "ping", "text/plain;charset=UTF-8", 200)})
        self.daemon.wait_rows("signals", len(ROWS_OF_PAGE), "unit = 'user-1'")
        self.assertEqual(sorted(rows(self.daemon, "user-1")), sorted(ROWS_OF_PAGE))

    def test_instantsearch_sends_what_is_seen_and_clicked(self):
        visit(self.node, self.daemon, "instantsearch")
        want = [["click", "user-4", Q, "", "B02", "2", "-1"], ["impression", "user-4", "", "", "B01", "0", "-1"], ["impression", "user-4", "", "", "B02", "0", "-1"]]
        self.daemon.wait_rows("signals", len(want), "unit = 'user-4'")
        self.assertEqual(sorted(rows(self.daemon, "user-4")), want)

    def test_native_signals_exposures_and_ubi_by_beacon(self):
        said = visit(self.node, self.daemon, "native")
        self.assertEqual({(kind, type, status) for _, _, kind, type, status in answers(said)}, {("ping", "text/plain;charset=UTF-8", 200)})
        want = [["click", "q-1", "B01", "1", "-1"], ["click", "q-2", "", "0", "-1"], ["dwell", "", "", "0", "7"],
                ["impression", "q-1", "B01", "1", "-1"], ["page_left", "", "", "0", "-1"]]
        self.daemon.wait_rows("signals", len(want), "unit = 'user-2'")
        self.assertEqual(sorted([r[0], r[2], *r[4:]] for r in rows(self.daemon, "user-2")), want)
        self.assertEqual(self.daemon.sql("select experiment, variant from exposures where unit = 'user-2'"), [["ranker", "a"]])

    def test_fetch_with_a_header_and_with_the_key_in_the_address(self):
        said = visit(self.node, self.daemon, "fetched")
        texts = [s["text"] for s in said if s["what"] == "console"]
        self.assertEqual([json.loads(t) for t in texts if t.startswith("{")], [{"accepted": 1, "rejected": []}] * 2)
        self.assertTrue(any("must not be the wildcard" in t for t in texts), texts)  # the Blob
        self.assertEqual(len(rows(self.daemon, "user-3")), 1)

    def test_a_key_that_may_do_more_is_refused_in_an_address(self):
        said = visit(self.node, self.daemon, "fetched", key="admin")
        texts = [s["text"] for s in said if s["what"] == "console"]
        self.assertTrue(any("this key has scope admin" in t for t in texts), texts)


class Origins(unittest.TestCase):
    def test_only_pages_of_the_list_may_send(self):
        node, port = check_node(), free_port()
        with Daemon("--cors-origins", "http://127.0.0.1:%d" % port) as d:
            visit(node, d, "insights", site_port=port)
            self.assertEqual(d.wait_rows("signals", len(ROWS_OF_PAGE)), len(ROWS_OF_PAGE))
            said = visit(node, d, "native")
            self.assertEqual({status for *_, status in answers(said)}, {403})
            visit(node, d, "insights")
            self.assertEqual(d.number("select count(*) from signals"), len(ROWS_OF_PAGE))


if __name__ == "__main__":
    if not os.path.exists(CHROMIUM):
        skip("no Chromium at %s (apt-get install chromium)" % CHROMIUM)
    fetch_packages("clients", "instantsearch.js")
    fetch_packages("browser", "playwright-core")
    unittest.main()
