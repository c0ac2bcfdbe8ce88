#!/usr/bin/python3
"""SDKs that collect events, unmodified from npm, against the daemon: each event is in PostgreSQL once, whatever was answered before.

The daemon stands behind a proxy that answers 429 and 503 when told to, as a daemon at its limits does: the SDKs' own retries do the rest.
"""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon  # noqa: E402
from run import check_node, fetch_packages  # noqa: E402
from shop import ROWS_OF_INSIGHTS, ROWS_OF_TRACKERS, Proxy, finish_sdk, rows, start_sdk  # noqa: E402


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
        self.proxy.close()
        self.daemon.stop()
        self.daemon.destroy()

    def send(self, client, refusals=(), key=None, code=0):
        self.proxy.refusals, self.proxy.seen = list(refusals), []
        status, said, error = finish_sdk(start_sdk(self.node, client, self.proxy.url, key or self.daemon.keys["client"]))
        self.assertEqual(status, code, error)
        print("%s, refused with %s: answers %s, the SDK says %s" % (
            client, list(refusals), [a.status for a in self.proxy.seen], [s for s in said if s["what"] == "error"] or "nothing"))
        self.daemon.wait_loaded()
        return said

    def check_shop(self):
        """What EVENTS of send.js become, at their own times."""
        self.assertEqual(rows(self.daemon), ROWS_OF_TRACKERS)
        self.assertEqual(self.daemon.sql("select experiment, variant, unit from exposures"), [["ranker", "ltr", "anon-1"]])
        self.assertEqual(self.daemon.number("select count(*) from signals where params::text like '%someone@%'"), 0)
        self.assertEqual(self.daemon.number("select count(*) from signals where at between '2026-11-20 11:59:00' and '2026-11-20 12:01:00'"), 11)

    def check_rejects(self):
        """One bad event of ten; RudderStack sends its first event alone."""
        answers = [json.loads(a.body) for a in self.proxy.seen if a.status == 200 and a.path == "/v1/batch"]
        rejected = [r["error"] for a in answers for r in a["rejected"]]
        self.assertEqual([all(a["success"] for a in answers), sum(a["accepted"] for a in answers), len(rejected)], [True, 9, 1])
        self.assertIn('"doc" has 600 bytes', rejected[0])

    def test_segment(self):
        self.send("segment")
        self.check_rejects()
        self.check_shop()

    def test_segment_sends_again_after_429_and_503(self):
        self.send("segment", [429, 503])
        self.assertEqual([a.status for a in self.proxy.seen][:3], [429, 503, 200])
        self.check_rejects()
        self.check_shop()

    def test_rudderstack(self):
        self.send("rudderstack")
        self.check_rejects()
        self.check_shop()

    def test_rudderstack_sends_again_after_429_and_503(self):
        self.send("rudderstack", [429, 503])
        self.assertEqual([a.status for a in self.proxy.seen][:3], [429, 503, 200])
        self.check_rejects()
        self.check_shop()

    maxDiff = None

    def test_a_key_that_is_not_known(self):
        self.send("segment", key="nobody")
        self.assertEqual({a.status for a in self.proxy.seen}, {401})
        self.assertEqual(rows(self.daemon), [])

    def test_search_insights(self):
        said = self.send("insights")
        self.assertEqual([s["status"] for s in said if s["what"] == "answer"], [200] * 5)
        self.assertIn('"doc" has 600 bytes', json.loads(self.proxy.seen[-1].body)["rejected"][0]["error"])
        self.assertEqual(sorted(rows(self.daemon)), sorted(ROWS_OF_INSIGHTS))


if __name__ == "__main__":
    unittest.main()
