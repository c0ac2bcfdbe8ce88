"""Who is who: what an anonymous visitor did, and what the user did after a login, is one unit's; experiments count it so."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, variant_of  # noqa: E402


class IdentityApi(DaemonTest):
    @classmethod
    def prepare(cls, d):
        d.make_experiment("login", metrics=[{"metric": "ctr", "role": "primary"}])

    def send(self, *signals):
        reply = self.daemon.post("/v1/signals", list(signals), key="client")
        self.assertEqual([reply.status, reply.json["rejected"]], [200, []], reply)
        self.daemon.wait_loaded()

    def units(self, where):
        return [r[0] for r in self.daemon.sql("select unit from signals where %s order by at" % where)]

    def test_a_user_is_the_unit_that_logged_in_first(self):
        self.send({"type": "click", "user": "u1"})  # before anything links it: its own unit
        self.send({"type": "login", "unit": "cookie-1", "user": "u1"})
        self.send({"type": "login", "unit": "cookie-2", "user": "u1"})  # a second device stays its own unit
        self.send({"type": "purchase", "user": "u1", "value": 3}, {"type": "click", "unit": "cookie-2", "user": "u1"})
        self.assertEqual(self.units("user_id = 'u1' and type = 'click'"), ["u1", "cookie-2"])
        self.assertEqual(self.units("user_id = 'u1' and type = 'purchase'"), ["cookie-1"])
        self.assertEqual(self.daemon.sql("select user_id, unit from identities where user_id = 'u1'"), [["u1", "cookie-1"]])

    def test_names_that_need_quoting(self):
        user = 'u"\\,{}\n ä'
        self.send({"type": "login", "unit": "c'\"\\", "user": user}, {"type": "purchase", "user": user})
        self.assertEqual(self.daemon.sql("select unit from signals where type = 'purchase' and user_id like 'u\"%'"), [["c'\"\\"]])

    def test_one_of_unit_and_user_is_needed(self):
        reply = self.daemon.post("/v1/signals", {"type": "click"}, key="client")
        self.assertEqual(reply.status, 400)
        self.assertIn('field \\"unit\\" is missing', reply.body.decode())

    def test_segment_links_by_identify_and_by_alias(self):
        batch = [{"type": "identify", "anonymousId": "a-1", "userId": "s-1"}, {"type": "alias", "previousId": "a-2", "userId": "s-2"},
                 {"type": "track", "event": "Order Completed", "userId": "s-1", "properties": {"revenue": 5}},
                 {"type": "track", "event": "Order Completed", "userId": "s-2", "properties": {"revenue": 6}},
                 {"type": "track", "event": "Experiment Viewed", "userId": "s-1", "properties": {"experiment_id": "other", "variation_id": "a"}}]
        reply = self.daemon.post("/v1/batch", {"batch": batch}, key="client")
        self.assertEqual(reply.json["rejected"], [], reply)
        self.daemon.wait_loaded()
        self.assertEqual(self.daemon.sql("select user_id, unit from signals where type = 'purchase' and user_id like 's-%' order by 1"),
                         [["s-1", "a-1"], ["s-2", "a-2"]])
        self.assertEqual(self.daemon.sql("select unit from exposures where experiment = 'other'"), [["a-1"]])

    def test_insights_and_ubi_link_too(self):
        events = [{"eventType": "click", "userToken": "t-1", "authenticatedUserToken": "i-1", "objectIDs": ["1"]},
                  {"eventType": "conversion", "eventSubtype": "purchase", "authenticatedUserToken": "i-1", "objectIDs": ["1"]}]
        self.assertEqual(self.daemon.post("/1/events", {"events": events}, key="client").json["rejected"], [])
        ubi = [{"action_name": "click", "client_id": "c-1", "user_id": "i-2"}, {"action_name": "purchase", "user_id": "i-2"}]
        self.assertEqual(self.daemon.post("/ubi_events", ubi, key="client").json["rejected"], [])
        self.daemon.wait_loaded()
        self.assertEqual(self.daemon.sql("select user_id, unit from signals where type = 'purchase' and user_id like 'i-%' order by 1"),
                         [["i-1", "t-1"], ["i-2", "c-1"]])

    def test_what_a_server_reports_by_user_counts_for_the_variant_of_the_cookie(self):
        n = 60
        for i in range(n):
            self.daemon.get("/v1/assign/login?unit=w-%d" % i, key="client")
        self.daemon.wait_rows("exposures", n, "experiment = 'login'")
        self.send(*[{"type": "login", "unit": "w-%d" % i, "user": "wu-%d" % i} for i in range(n)])
        self.send(*[{"type": kind, "user": "wu-%d" % i, "query_id": "wq-%d" % i, **({"position": 1} if kind == "click" else {"query": "x"})}
                    for i in range(n) for kind in ("request", "click")])
        self.daemon.trainer()
        results = self.daemon.results("login")
        counted = sum(variant_of(results, "ctr", v)["n"] for v in ("a", "b"))
        print(json.dumps([variant_of(results, "ctr", v) for v in ("a", "b")])[:300])
        self.assertEqual(counted, n)
        self.assertEqual(self.daemon.number("select count(distinct unit) from signals where unit like 'w-%' and type = 'click'"), n)


if __name__ == "__main__":
    unittest.main()
