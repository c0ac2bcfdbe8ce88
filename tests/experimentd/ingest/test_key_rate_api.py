"""ingest.key_rate: a client key that sends too much is answered with 429, in every format and by every worker, and nothing of it is taken."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, wait_for  # noqa: E402

RATE = 20
CLICK = {"type": "click", "unit": "u"}
FORMATS = {"/v1/signals": CLICK, "/v1/exposures": {"unit": "u", "experiment": "ranker", "variant": "a"},
           "/ubi_events": {"action_name": "click", "client_id": "u"}, "/ubi_queries": {"user_query": "x", "client_id": "u"},
           "/log/ingest": [{"action_name": "click", "client_id": "u"}], "/v1/batch": {"batch": [{"type": "page", "userId": "u"}]},
           "/v1/track": {"event": "Product Clicked", "userId": "u"}, "/1/events": {"events": [{"eventType": "view", "userToken": "u"}]}}


class KeyRate(DaemonTest):
    arguments = ("--ingest-key-rate", str(RATE))

    @classmethod
    def prepare(cls, d):
        d.make_experiment("ranker")
        for name in ("slow", "other", "again"):
            done = d.run("experimentd", "key", "create", "--scope", "client", "--label", name, "--database-url", d.database_url())
            d.keys[name] = re.search(r"xd_client_\w+", done.stdout).group(0)
            wait_for(lambda: d.post("/v1/assign", {"unit": "u"}, key=name).status == 200, "the key")

    def count(self):
        self.daemon.wait_loaded()
        return self.daemon.number("select (select count(*) from signals) + (select count(*) from exposures where unit = 'u')")

    def refused(self):
        return self.daemon.metric("experimentd_ingest_key_rate_refused_total")

    def test_beyond_the_rate_nothing_is_taken(self):
        d = self.daemon
        self.call("post", "/v1/signals", [CLICK] * RATE * 100, key="client")  # what a batch is beyond the bucket is waited for
        before, refused = self.count(), self.refused()
        for path, body in FORMATS.items():
            for _ in range(4):  # connections of their own: they come to all workers
                reply = d.post(path, body, key="client")
                self.assertEqual([reply.status, reply.headers["content-type"]], [429, "application/problem+json"], (path, reply))
                self.assertEqual([reply.json["status"], reply.json["title"]], [429, "Too Many Requests"])
                self.assertIn("more than 20 events a second (ingest.key_rate)", reply.json["detail"])
                self.assertTrue(1 <= int(reply.headers["retry-after"]) <= 99, reply.headers)
        self.assertEqual(self.count(), before)
        self.assertEqual(self.refused() - refused, 4 * len(FORMATS))
        shown = [r for r in self.call("get", "/v1/signals/live?wait=0&rejects=only")["records"] if r["reject"]["reason"] == "too_fast"]
        self.assertEqual({r["route"] for r in shown}, set(FORMATS))
        self.assertTrue(all(r["reject"]["index"] is None and "ingest.key_rate" in r["reject"]["error"] for r in shown), shown)

    def test_another_key_goes_on_and_so_do_assignments(self):
        self.call("post", "/v1/signals", [CLICK] * RATE * 100, key="slow")
        self.call("post", "/v1/signals", CLICK, status=429, key="slow")
        self.call("post", "/v1/assign", {"unit": "u2"}, key="slow")
        self.call("post", "/v1/signals", CLICK, key="other")
        for _ in range(3):  # of a server, which has a key of scope admin
            self.call("post", "/v1/signals", [CLICK] * RATE * 2, key="admin")

    def test_after_a_while_it_is_taken_again(self):
        d = self.daemon
        self.call("post", "/v1/signals", [CLICK] * RATE * 2, key="again")
        before, answers = self.count(), []
        wait_for(lambda: answers.append(d.post("/v1/signals", [CLICK, {"type": "click"}], key="again")) or answers[-1].status == 200, "a 200")
        self.assertEqual({a.status for a in answers[:-1]}, {429})
        self.assertEqual([answers[-1].json["accepted"], len(answers[-1].json["rejected"])], [1, 1])
        self.assertEqual(self.count(), before + 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
