"""What happens to experiments by the clock, by real daemons: scheduled start and stop, ramps, guardrails, two daemons, lateness, failures."""
import datetime
import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import Daemon, DaemonTest, wait_for  # noqa: E402

AB = [{"key": "a"}, {"key": "b"}]
GUARDED = [{"metric": "ctr", "role": "primary"}, {"metric": "zero_result_rate", "role": "guardrail"}]
CTR = [{"metric": "ctr", "role": "primary"}]
SECOND = 1 / 3600  # as hold_hours


def after(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Schedule(DaemonTest):
    def make(self, key, start=False, **fields):
        return self.daemon.make_experiment(key, start=start, **fields)

    def get(self, key, daemon=None):
        reply = (daemon or self.daemon).get("/v1/experiments/" + key)
        self.assertEqual(reply.status, 200, reply)
        return reply.json

    def wait(self, key, what, condition, daemon=None):
        return wait_for(lambda: (lambda e: e if condition(e) else None)(self.get(key, daemon)), "%s to be %s" % (key, what))

    def wait_status(self, key, status, daemon=None):
        return self.wait(key, status, lambda e: e["status"] == status, daemon)

    def revisions(self, key):
        """Oldest first: (action, actor)."""
        listed = self.daemon.get("/v1/experiments/%s/revisions" % key).json["revisions"]
        return [(r["action"], r["actor"]) for r in reversed(listed)]

    def edits(self, kind, name="edits", daemon=None):
        return (daemon or self.daemon).metric('experimentd_schedule_%s_total{kind="%s"}' % (name, kind))

    def test_a_draft_starts_and_stops_at_its_instants(self):
        started, stopped = self.edits("start"), self.edits("stop")
        stop_at = after(4)
        self.make("timed", schedule={"start_at": after(1), "stop_at": stop_at})
        self.assertEqual(self.get("timed")["status"], "draft")
        self.wait_status("timed", "running")
        done = self.wait_status("timed", "stopped")
        self.assertTrue(done["stop_reason"].startswith('schedule: "stop_at" (%s' % stop_at[:19]), done["stop_reason"])
        self.assertGreaterEqual(done["stopped_at"], stop_at)
        self.assertEqual(self.revisions("timed"), [("create", "admin.key"), ("start", "schedule"), ("stop", "schedule")])
        self.assertEqual((self.edits("start"), self.edits("stop")), (started + 1, stopped + 1))

    def test_a_ramp_goes_up_by_itself_and_stays_at_its_last_step(self):
        self.make("ramped", start=True, metrics=CTR, ramp={"steps": [{"coverage": 0.1, "hold_hours": SECOND}, {"coverage": 0.5, "hold_hours": SECOND},
                                                        {"coverage": 1}]})
        units = ["unit-%d" % i for i in range(500)]
        inside = self.assigned("ramped", units)
        done = self.wait("ramped", "at its last step", lambda e: e["ramp_step"] == 2)
        self.assertEqual((done["coverage_now"], done["status"]), (1, "running"))
        self.assertEqual(self.revisions("ramped"),
                         [("create", "admin.key"), ("start", "admin.key"), ("ramp", "ramp"), ("ramp", "ramp")])
        everybody = self.assigned("ramped", units)
        self.assertEqual(len(everybody), 500)
        self.assertTrue(inside.items() <= everybody.items())  # nobody moves

    def assigned(self, key, units, daemon=None):
        """unit → variant of those that are in."""
        reply = (daemon or self.daemon).post("/v1/assign", [{"unit": u, "experiments": [key]} for u in units], key="client")
        self.assertEqual(reply.status, 200, reply)
        return {u: a["assignments"][0]["variant"] for u, a in zip(units, reply.json) if a["assignments"][0]["variant"]}

    def test_a_start_that_fails_says_why_and_is_made_when_it_can_be(self):
        self.assertEqual(self.daemon.post("/v1/layers", {"key": "full"}).status, 201)
        self.make("has-it", start=True, layer="full")
        self.make("wants-it", layer="full", layer_share=0.5, schedule={"start_at": after(0)})
        held = self.wait("wants-it", "held back", lambda e: "held_back" in e)
        self.assertEqual(held["status"], "draft")
        self.assertIn('layer "full" has 0 of its traffic free, 0.5 is asked for', held["held_back"])
        failures = self.edits("start", "failed")
        self.assertGreater(failures, 0)
        wait_for(lambda: self.edits("start", "failed") > failures, "another attempt")
        self.assertEqual(self.revisions("wants-it"), [("create", "admin.key"), ("hold", "schedule")])
        self.assertEqual(self.daemon.log().count("schedule_failed experiment=wants-it"), 1)
        self.assertEqual(self.daemon.post("/v1/experiments/has-it/stop").status, 200)
        self.assertNotIn("held_back", self.wait_status("wants-it", "running"))

    def test_an_experiment_whose_whole_time_was_missed_is_not_started(self):
        self.make("missed", schedule={"start_at": after(-20), "stop_at": after(-10)})
        held = self.wait("missed", "held back", lambda e: "held_back" in e)
        self.assertIn('field "schedule": "stop_at" is in the past', held["held_back"])
        # a change is tried at once, and what held it back is no longer told
        changed = self.daemon.request("PATCH", "/v1/experiments/missed", {"schedule": {"stop_at": None}})
        self.assertNotIn("held_back", changed.json)
        self.wait_status("missed", "running")

    def test_a_database_that_refuses_is_asked_again(self):
        self.make("locked", schedule={"start_at": after(1)})
        failures = self.edits("start", "failed")
        session = self.daemon.sql_session()
        try:
            session.stdin.write("begin; select version from config_version for update;\n")
            session.stdin.flush()
            session.stdout.readline()
            wait_for(lambda: self.edits("start", "failed") >= failures + 2, "two attempts to fail")
            self.assertEqual(self.get("locked")["status"], "draft")
        finally:
            session.stdin.close()
            session.wait()
            session.stdout.close()
        self.wait_status("locked", "running")
        self.assertEqual(self.revisions("locked"), [("create", "admin.key"), ("start", "schedule")])
        lines = re.findall("schedule_failed experiment=locked .*", self.daemon.log())
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("lock timeout", lines[0])

    def test_two_daemons_make_each_edit_once(self):
        with Daemon("--database-url", self.daemon.database_url()) as other:
            before = self.edits("start") + self.edits("ramp")
            at = after(3)
            keys = ["both-%d" % i for i in range(8)]
            for key in keys:
                self.make(key, metrics=CTR, schedule={"start_at": at}, ramp={"steps": [{"coverage": 0.5, "hold_hours": SECOND}, {"coverage": 1}]})
            for key in keys:
                for daemon in (self.daemon, other):
                    self.wait(key, "at its last step", lambda e: e.get("ramp_step") == 1, daemon)
                self.assertEqual(self.revisions(key), [("create", "admin.key"), ("start", "schedule"), ("ramp", "ramp")])
            mine = self.edits("start") + self.edits("ramp") - before
            theirs = self.edits("start", daemon=other) + self.edits("ramp", daemon=other)
            print("edits made by the two daemons: %d and %d" % (mine, theirs))
            self.assertEqual(mine + theirs, 2 * len(keys))
            self.assertEqual(self.edits("start", "failed", other), 0)

    def test_what_was_missed_while_down_is_made_late(self):
        for delay in (4, 15, 60):  # the first is long enough unless the machine is very slow
            key = "late-%d" % delay
            self.make(key, schedule={"start_at": after(delay)})
            due = time.time() + delay
            self.daemon.stop()
            missed = "schedule_done experiment=" + key not in self.daemon.log()
            time.sleep(max(0, due - time.time()) + 0.5)
            self.daemon.start()
            self.wait_status(key, "running")
            if missed:
                line = re.search(r"schedule_done experiment=%s action=start late_seconds=([0-9.]+)" % key, self.daemon.log())
                self.assertGreater(float(line.group(1)), 0.4)
                return
        self.fail("the daemon did not stop within a minute")

    # ---- guardrails

    def visit(self, key, variants, bad):
        """One query of each unit; it finds nothing for most units of the bad variant (all alike would have no variance to test with)."""
        self.daemon.wait_rows("exposures", len(variants), "experiment = '%s'" % key)
        lines = [{"type": "request", "unit": u, "query_id": "%s-%s-%d" % (key, u, time.monotonic_ns()), "query": "lamp",
                  "value": 0 if v == bad and i % 5 else 10} for i, (u, v) in enumerate(variants.items())]
        reply = self.daemon.post("/v1/signals", lines, key="client")
        self.assertEqual((reply.status, reply.json["rejected"]), (200, []))

    def compute(self):
        self.daemon.wait_loaded()
        self.daemon.trainer("--workers", "1")

    def test_guardrails_hold_a_ramp_and_stop_an_experiment_unless_it_says_not_to(self):
        """The one that is to go on is worse from the start: it was looked at whenever the other one was."""
        steps = [{"coverage": 0.9, "hold_hours": SECOND}, {"coverage": 1}]
        self.make("guarded", start=True, metrics=GUARDED, ramp={"steps": steps})
        self.make("unguarded", start=True, metrics=GUARDED, ramp={"guardrail_stop": False, "steps": steps})
        held = self.wait("guarded", "held back", lambda e: "held_back" in e)
        self.assertEqual((held["ramp_step"], held["held_back"]), (0, "no metrics have been computed since this step of the ramp began"))
        variants = self.assigned("guarded", ["unit-%d" % i for i in range(400)])
        self.visit("guarded", variants, bad=None)
        self.visit("unguarded", self.assigned("unguarded", ["other-%d" % i for i in range(400)]), bad="b")
        self.compute()
        for key in ("guarded", "unguarded"):
            self.assertNotIn("held_back", self.wait(key, "at its last step", lambda e: e["ramp_step"] == 1))
        self.visit("guarded", variants, bad="b")
        self.compute()
        done = self.wait_status("guarded", "stopped")
        print(done["stop_reason"])
        self.assertTrue(done["stop_reason"].startswith('guardrail "zero_result_rate" of "b" is worse than of "a": '), done)
        self.assertIn("below 0.001 (the level for repeated looks)", done["stop_reason"])
        self.assertEqual(self.revisions("guarded"), [("create", "admin.key"), ("start", "admin.key"), ("hold", "schedule"),
                                                     ("ramp", "ramp"), ("stop", "guardrail")])
        self.assertEqual(self.edits("guardrail"), 1)
        self.assertEqual(self.get("unguarded")["status"], "running")


if __name__ == "__main__":
    unittest.main(verbosity=2)
