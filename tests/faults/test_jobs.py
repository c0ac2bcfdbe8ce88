"""Jobs when what runs them dies: the leader, the coordinator, both, PostgreSQL; a daemon that takes its PostgreSQL along. Each run ends once."""
import datetime
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import wait_for  # noqa: E402
from jobs import SMALL, JobsDaemon, coordinators  # noqa: E402
from postgres import Postgres  # noqa: E402
from receiver import Receiver  # noqa: E402

# A run of some 15 seconds with two workers: long enough to be in the middle of it, and it ends by itself.
LONG = {**SMALL, "rows": 4000, "splits": 8, "parts": 1, "passes": 4, "fault": "slow", "slow_ms": 700}
SOON = ("--jobs-lost-after", "6")


class Faults(unittest.TestCase):
    def ended_once(self, d, run, resumes, followers=1):
        """It succeeded, was followed as often as it should be, published what an undisturbed run of the same does, and left nobody behind."""
        ended = d.wait_run(run, "success")
        self.assertEqual((ended["resumes"], ended["attempt"]), (resumes, 1), ended)
        self.assertEqual(len(d.wait_runs("behind", followers, "success")), followers)
        self.assertEqual(ended["result"]["digest"], self.undisturbed(d))
        wait_for(lambda: not coordinators(run), "its coordinators to be gone")
        self.assertEqual(d.number("select count(*) from runs where trigger_run = '%s'" % run), followers)

    def undisturbed(self, d):
        d.make_job("undisturbed", {k: v for k, v in LONG.items() if k not in ("fault", "slow_ms")})
        return d.wait_run(d.start_run("undisturbed"), "success")["result"]["digest"]

    def begin(self, d, **fields):
        d.make_job("long", LONG, **fields)
        d.make_job("behind", triggers=[{"type": "job", "job": "long", "on": ["success", "failed"]}])
        run = d.start_run("long")
        return run, d.pid_of(run)

    def test_a_second_daemon_succeeds_the_leader_and_the_run_goes_on(self):
        with Postgres() as postgres, JobsDaemon(postgres=postgres) as first, JobsDaemon(postgres=postgres, predefined=True) as second:
            self.assertEqual((first.leads(), second.leads()), (True, False))
            run, pid = self.begin(first)
            first.kill()
            wait_for(second.leads, "the second daemon to lead")
            self.assertEqual(coordinators(run), [pid], "the coordinator outlives its daemon")
            self.ended_once(second, run, 0)
            first.start()
            self.assertFalse(first.leads())

    def test_the_lead_goes_to_and_fro_and_each_instant_is_one_run(self):
        with Postgres() as postgres, JobsDaemon(postgres=postgres) as first, JobsDaemon(postgres=postgres, predefined=True) as second:
            first.predefined = True
            first.make_job("ticks", triggers=[{"type": "cron", "value": "*/2 * * * * *"}], concurrency="queue", catch_up="all")
            leader, other = first, second
            for _ in range(4):
                queued = len(other.runs("ticks"))
                wait_for(lambda: len(other.runs("ticks")) >= queued + 3, "three more instants")
                leader.kill()
                wait_for(other.leads, "the other daemon to lead")
                leader.start()
                leader, other = other, leader
            self.assertEqual(leader.request("PUT", "/v1/jobs/ticks/schedule", {"enabled": False}).status, 200)
            runs = leader.wait_runs("ticks", 12, "success")
            due = [datetime.datetime.fromisoformat(r["due_at"]) for r in runs]
            self.assertEqual({(b - a).total_seconds() for a, b in zip(due, due[1:])}, {2.0}, "none left out, none twice")
            self.assertEqual({r["attempt"] for r in runs}, {1})

    def test_daemon_and_coordinator_killed_the_run_is_taken_up_and_ends_once(self):
        with Postgres() as postgres, JobsDaemon(*SOON, postgres=postgres) as first, JobsDaemon(*SOON, postgres=postgres, predefined=True) as second:
            run, pid = self.begin(first)
            first.kill()
            os.kill(pid, signal.SIGKILL)
            wait_for(second.leads, "the second daemon to lead")
            wait_for(lambda: second.run_of(run)["resumes"] == 1, "the run to be taken up")
            self.ended_once(second, run, 1)

    def test_a_killed_coordinator_is_noticed_by_its_daemon(self):
        with JobsDaemon() as d:
            run, pid = self.begin(d)
            os.kill(pid, signal.SIGKILL)
            self.ended_once(d, run, 1)

    def test_a_run_that_is_lost_too_often_stays_lost_and_that_is_told(self):
        with Receiver(path="/") as receiver, JobsDaemon("--jobs-max-resumes", "1") as d:
            run, pid = self.begin(d, notify={"url": receiver.url, "on": ["lost"]})
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: d.run_of(run)["resumes"] == 1 and d.run_of(run)["state"] == "running", "the run to be taken up")
            os.kill(d.number("select pid from runs where id = '%s'" % run), signal.SIGKILL)
            message = receiver.wait(1)[0]
            self.assertEqual((message["event"], message["id"]), ("run.lost", run))
            self.assertEqual(d.run_of(run)["state"], "lost")
            self.assertEqual(d.wait_runs("behind", 1, "success")[0]["trigger_run"], run)

    def test_a_daemon_that_takes_its_postgresql_along_hands_its_runs_back(self):
        with JobsDaemon() as d:
            run, _ = self.begin(d)
            d.predefined = True
            d.stop()
            self.assertEqual(coordinators(run), [], "nobody works on while PostgreSQL is away")
            d.start()
            self.ended_once(d, run, 0)

    def test_a_killed_daemon_with_its_postgresql_is_waited_for(self):
        """kill -9: PostgreSQL goes down with it, and the coordinator waits for it to come back."""
        with JobsDaemon(*SOON) as d:
            run, pid = self.begin(d)
            d.predefined = True
            d.kill()
            wait_for(lambda: not d.postgres_pid(), "PostgreSQL to end")
            self.assertEqual(coordinators(run), [pid])
            d.start()
            ended = d.wait_run(run, "success")
            self.ended_once(d, run, ended["resumes"])

    def test_postgresql_restarted_in_mid_run(self):
        with Postgres() as postgres, JobsDaemon(*SOON, postgres=postgres) as d:
            run, _ = self.begin(d)
            postgres.restart_immediate()
            wait_for(lambda: d.get("/readyz", key=None).status == 200 and d.leads(), "the daemon to lead again")
            ended = d.wait_run(run, "success")
            self.ended_once(d, run, ended["resumes"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
