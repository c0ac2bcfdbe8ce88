"""The nightly set through a week of a clock that the test sets (libfaketime), with real runs of all its jobs: each due instant once, the chain in its order,
a night that no daemon saw, and a clock that is set back."""
import datetime
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from clock import SetClock, can_set  # noqa: E402
from daemon import wait_for  # noqa: E402
from jobs import JobsDaemon  # noqa: E402

UTC = datetime.timezone.utc
NIGHTS = 7
MODELS = "catalogue"  # the first of those that train models, which nights with signals are for: tests/e2e/test_model_nights.py


class Week(unittest.TestCase):
    def setUp(self):
        reason = can_set()
        if reason:
            self.skipTest(reason)
        self.clock = self.enterContext(SetClock())
        self.first = (datetime.datetime.now(UTC) + datetime.timedelta(days=1)).replace(hour=2, minute=0, second=0, microsecond=0)
        # The day before has no two o'clock to come, whatever the hour at which the test runs.
        self.clock.set(round((self.first - datetime.timedelta(hours=12) - datetime.datetime.now(UTC)).total_seconds()))
        self.daemon = self.enterContext(JobsDaemon(environment=self.clock.environment, predefined=True))
        wait_for(self.daemon.leads, "the daemon to lead")
        self.jobs = {j["id"]: j for j in self.daemon.get("/v1/jobs").json["jobs"]}

    def set_clock(self, at):
        """Only while nothing runs: heartbeats are of the same clock."""
        self.clock.set(round((at - datetime.datetime.now(UTC)).total_seconds()))
        wait_for(lambda: abs(self.daemon.number("select extract(epoch from now() - '%s')::bigint" % at.isoformat())) < 600, "PostgreSQL to see %s" % at)

    def idle(self):
        return self.daemon.number("select count(*) from runs where state in ('queued', 'running', 'publishing') or settled_at is null") == 0

    def night(self, at, count):
        self.set_clock(at + datetime.timedelta(seconds=2))
        wait_for(lambda: len([r for r in self.daemon.runs("seal") if r["state"] == "success"]) == count, "night %d" % count, 300)
        wait_for(lambda: self.daemon.runs(self.last)[-1:] and len(self.daemon.runs(self.last)) == count and self.idle(), "the night's last job", 300)

    def chain(self):
        """Predefined jobs that come after another, each behind the one it waits for."""
        after = {j["id"]: [t["job"] for t in j["triggers"] if t["type"] == "job"] for j in self.jobs.values() if j["id"] != MODELS}
        order = ["seal"]
        for before in order:
            order += [j for j in after if after[j][:1] == [before]]
        return order, {j: a[0] for j, a in after.items() if a}

    def test_a_week_of_nights(self):
        d = self.daemon
        d.sql("update jobs set enabled = false where id = '%s'" % MODELS)
        order, after = self.chain()
        self.last = "bandit"
        self.assertIn(self.last, order)
        d.make_experiment("shop", metrics=["ctr"])
        for n in range(NIGHTS):
            if n == 3:  # this night no daemon is there; the next one, an hour late, catches up
                d.stop()
                self.clock.set(round((self.first + datetime.timedelta(days=n, hours=1) - datetime.datetime.now(UTC)).total_seconds()))
                d.start()
                wait_for(lambda: len(d.runs(self.last)) == n + 1 and self.idle(), "what was missed to be done", 300)
            else:
                self.night(self.first + datetime.timedelta(days=n), n + 1)
        self.check_nights(d.runs("seal"))
        self.check_chain(order, after)
        self.check_quarters([r for r in d.runs("metrics") if r["trigger"] == "schedule"])
        seals = len(d.runs("seal"))
        self.set_clock(self.first + datetime.timedelta(days=NIGHTS - 2))  # set back over a night that was
        wait_for(lambda: d.metric("experimentd_jobs_leader") == 1 and self.idle(), "the daemon to look")
        self.set_clock(self.first + datetime.timedelta(days=NIGHTS - 1, hours=12))
        wait_for(self.idle, "the daemon to look again")
        self.assertEqual(len(d.runs("seal")), seals, "no night twice")

    def check_nights(self, seals):
        self.assertEqual([r["due_at"] for r in seals], [(self.first + datetime.timedelta(days=n)).strftime("%Y-%m-%dT02:00:00Z") for n in range(NIGHTS)])
        self.assertEqual({r["state"] for r in seals}, {"success"})
        self.assertEqual([r["note"] for r in seals], [None] * 3 + ["caught up with: 1 missed, run once"] + [None] * 3)

    def check_chain(self, order, after):
        for job in order[1:]:
            runs = self.daemon.runs(job)
            self.assertEqual([r["state"] for r in runs], ["success"] * NIGHTS, (job, [r["error"] for r in runs]))
            before = {r["id"]: r for r in self.daemon.runs(after[job])}
            self.assertEqual({r["trigger_run"] for r in runs}, set(before), "%s runs once behind each run of %s" % (job, after[job]))
            for r in runs:
                self.assertGreaterEqual(r["started_at"], before[r["trigger_run"]]["finished_at"])

    def check_quarters(self, runs):
        due = [r["due_at"] for r in runs]
        self.assertEqual(len(due), len(set(due)))
        self.assertTrue(all(datetime.datetime.fromisoformat(t).minute % 15 == 0 for t in due), due)
        self.assertGreaterEqual(len([r for r in runs if r["state"] == "success"]), NIGHTS)
        self.assertTrue(any("missed" in (r["note"] or "") for r in runs), "days went by between two looks")


if __name__ == "__main__":
    unittest.main(verbosity=2)
