"""Alarms of running experiments, by real daemons and a real receiver: kept, told once, cleared, tried again, told by one of two daemons."""
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402
from receiver import Receiver  # noqa: E402


def publish(d, key, units_b, days=4):
    """An aggregation in which b lost units on the second day."""
    d.sql("delete from exposure_counts where experiment = '%s'" % key)
    for variant, lost in (("a", 0), ("b", 1000 - units_b)):
        for day in range(days):
            d.sql("insert into exposure_counts values ('%s', '%s', '', (now() at time zone 'UTC')::date - %d, %d, 0)"
                  % (key, variant, day, 1000 - (lost if day == 2 else 0)))
    d.sql("insert into runs (id, job, params, engine, workers, state) values ('00000000-0000-4000-8000-000000000001', 'metrics', '{}', 'local', 1, 'success') "
          "on conflict do nothing")
    d.sql("insert into moments_current (experiment, run, as_of, units, multiple_exposures, published_at) values ('%s', "
          "'00000000-0000-4000-8000-000000000001', now(), 8000, 0, clock_timestamp()) on conflict (experiment) do update set published_at = clock_timestamp()" % key)


class Alarms(unittest.TestCase):
    def alarms(self, d, key):
        return d.get("/v1/experiments/" + key).json.get("alarms")

    def test_an_alarm_comes_and_goes_and_each_is_told_once(self):
        with Receiver(refuse=1) as receiver, Daemon("--alarm-webhook", receiver.url) as d:
            d.make_experiment("banner", name="Banner <b>", metrics=["ctr"])
            publish(d, "banner", 700)
            message = receiver.wait(1)[0]  # the first try was refused
            self.assertEqual(receiver.refused, 1)
            self.assertEqual(receiver.messages[0][:2], ("/alarms?team=search", "application/json"))
            self.assertEqual((message["experiment"], message["name"], message["before"]), ("banner", "Banner <b>", []))
            raised = [a["check"] for a in message["alarms"]]
            self.assertIn("srm_days", raised)
            found = {f["check"]: f for f in d.get("/v1/experiments/banner/health").json["findings"]}
            for alarm in message["alarms"]:
                self.assertEqual((alarm["text"], alarm["todo"]), (found[alarm["check"]]["text"], found[alarm["check"]]["todo"]))
            self.assertEqual(self.alarms(d, "banner"), ",".join(raised))
            publish(d, "banner", 710)  # as bad as before: nothing new
            publish(d, "banner", 1000)
            cleared = receiver.wait(2)[1]
            self.assertEqual((cleared["alarms"], cleared["before"]), ([], raised))
            self.assertIsNone(self.alarms(d, "banner"))
            listed = d.get("/v1/experiments/banner/revisions").json["revisions"]
            self.assertEqual([(r["action"], r["actor"]) for r in listed[:2]], [("alarm", "health")] * 2)
            self.assertEqual(len(receiver.messages), 2)

    def test_of_two_daemons_one_tells(self):
        with Receiver() as receiver, Daemon("--alarm-webhook", receiver.url) as d:
            with Daemon("--alarm-webhook", receiver.url, "--database-url", d.database_url()):
                for i in range(4):
                    d.make_experiment("both-%d" % i, metrics=["ctr"])
                    publish(d, "both-%d" % i, 700)
                for i in range(4):
                    wait_for(lambda key="both-%d" % i: self.alarms(d, key), "the alarm of both-%d" % i)
                self.assertEqual(sorted(m["experiment"] for m in receiver.wait(4)), ["both-%d" % i for i in range(4)])

    def test_a_new_phase_begins_without_alarms_and_nobody_needs_a_webhook(self):
        with Daemon() as d:
            d.make_experiment("phased", metrics=["ctr"])
            publish(d, "phased", 700)
            wait_for(lambda: self.alarms(d, "phased"), "the alarm")
            d.sql("delete from exposure_counts")
            self.assertEqual(d.post("/v1/experiments/phased/phases", {"coverage": 0.5}).status, 200)
            self.assertIsNone(self.alarms(d, "phased"))
            self.assertIn("alarm experiment=phased", d.log())

    def test_an_address_that_is_none_is_refused_at_the_start(self):
        with self.assertRaisesRegex(RuntimeError, 'setting "alarm.webhook": "https://example.org/" is no http:// address'):
            Daemon("--alarm-webhook", "https://example.org/").__enter__()


if __name__ == "__main__":
    unittest.main(verbosity=2)
