"""Sticky assignments from outside, on two daemons with one database: weights change, people log in, PostgreSQL goes away; who has a variant
keeps it."""
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402

N = 80


def weights(a):
    return [{"key": "a", "weight": a}, {"key": "b", "weight": 1 - a}]


class StickyApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemons = []
        cls.first = Daemon()
        cls.daemons.append(cls.first)
        cls.first.start()
        cls.second = Daemon("--database-url", cls.first.database_url())
        cls.daemons.insert(0, cls.second)
        cls.second.start()

    @classmethod
    def tearDownClass(cls):
        try:
            for d in cls.daemons:
                d.stop()
        finally:
            for d in cls.daemons:
                d.destroy()

    def make(self, key, **fields):
        self.first.make_experiment(key, variants=weights(0.5), **{"sticky": True, **fields})
        self.wait_config()

    def new_phase(self, key, a):
        reply = self.first.post("/v1/experiments/%s/phases" % key, {"variants": weights(a)})
        self.assertEqual(reply.status, 200, reply)
        self.wait_config()

    def wait_config(self):
        version = self.first.number("select version from config_version")
        for d in self.daemons:
            wait_for(lambda d=d: d.metric("experimentd_config_version") >= version, "the configuration to arrive")

    def ask(self, daemon, key, units, attributes=lambda u: {}):
        body = [{"unit": u, "experiments": [key], "attributes": attributes(u)} for u in units]
        reply = daemon.post("/v1/assign", body, key="client")
        self.assertEqual(reply.status, 200, reply)
        return [one["assignments"][0]["variant"] for one in reply.json]

    def test_a_change_of_weights_moves_nobody(self):
        units = ["u-%d" % i for i in range(N)]
        self.make("weights")
        before = self.ask(self.first, "weights", units)
        self.assertEqual(set(before), {"a", "b"})
        self.new_phase("weights", 0.02)
        for d in self.daemons + self.daemons:
            self.assertEqual(self.ask(d, "weights", units), before)
            one = d.get("/v1/assign/weights?unit=u-0", key="client").json["assignments"][0]
            self.assertEqual((one["variant"], one["reason"]), (before[0], "sticky"))
        fresh = self.ask(self.second, "weights", ["new-%d" % i for i in range(N)])
        self.assertGreater(fresh.count("b"), N * 0.8, "the new weights count for who is new")

    def test_without_sticky_the_change_moves_some(self):
        units = ["u-%d" % i for i in range(N)]
        self.make("loose", sticky=False)
        before = self.ask(self.first, "loose", units)
        self.new_phase("loose", 0.02)
        self.assertNotEqual(self.ask(self.first, "loose", units), before)
        self.assertEqual(self.first.number("select count(*) from sticky_assignments where experiment like 'loose%'"), 0)

    def test_who_logs_in_keeps_the_variant(self):
        self.make("login", hash_attribute="user", fallback_attribute="device")
        names = range(N)
        device = self.ask(self.first, "login", ["d-%d" % i for i in names], lambda u: {"device": u})
        both = self.ask(self.second, "login", ["d-%d" % i for i in names], lambda u: {"device": u, "user": "p" + u})
        user = self.ask(self.first, "login", ["d-%d" % i for i in names], lambda u: {"user": "p" + u})
        self.assertEqual(device, both)
        self.assertEqual(device, user)
        self.assertEqual(set(device), {"a", "b"})
        self.make("stranger", hash_attribute="user", seed="login")
        hashed = self.ask(self.first, "stranger", ["d-%d" % i for i in names], lambda u: {"user": "p" + u})
        self.assertNotEqual(hashed, user, "by their own hash some would have moved: the test would tell nothing")

    def test_only_what_is_asked_for_is_assigned(self):
        self.make("asked")
        self.make("not-asked")
        self.ask(self.first, "asked", ["only"])
        rows = self.first.sql("select experiment from sticky_assignments where value = 'only'")
        self.assertEqual([r[0].split("__")[0] for r in rows], ["asked"])


class Away(unittest.TestCase):
    def test_without_the_table_units_are_hashed_and_nothing_is_stored(self):
        with Daemon(threads=1) as d:
            d.make_experiment("away", variants=weights(0.5), sticky=True)
            known = d.get("/v1/assign/away?unit=known", key="client").json["assignments"][0]
            d.sql("alter table sticky_assignments rename to gone")
            for unit in ("known", "new", "new"):
                one = d.get("/v1/assign/away?unit=" + unit, key="client").json["assignments"][0]
                self.assertIn(one["variant"], ("a", "b"))
                self.assertTrue(unit != "known" or one["variant"] == known["variant"])
            self.assertGreaterEqual(d.metric("experimentd_sticky_unavailable_total"), 2)
            d.sql("alter table gone rename to sticky_assignments")
            self.assertEqual(d.number("select count(*) from sticky_assignments where value = 'new'"), 0)
            d.get("/v1/assign/away?unit=new", key="client")
            self.assertEqual(d.number("select count(*) from sticky_assignments where value = 'new'"), 1)

    def test_with_postgresql_killed_units_are_answered(self):
        with Daemon(threads=1) as d:
            d.make_experiment("killed", variants=weights(0.5), sticky=True)
            units = ["u-%d" % i for i in range(N)]
            body = [{"unit": u, "experiments": ["killed"]} for u in units]
            before = d.post("/v1/assign", body, key="client").json
            self.assertEqual(d.number("select count(*) from sticky_assignments"), N)
            os.kill(d.postgres_pid(), signal.SIGKILL)
            after = d.post("/v1/assign", body + [{"unit": "late", "experiments": ["killed"]}], key="client")
            self.assertEqual(after.status, 200, after)
            self.assertEqual([a["assignments"][0]["variant"] for a in after.json[:N]], [a["assignments"][0]["variant"] for a in before])
            self.assertIn(after.json[N]["assignments"][0]["variant"], ("a", "b"))


if __name__ == "__main__":
    unittest.main()
