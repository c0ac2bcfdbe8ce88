"""The jobs' service by a real daemon and real coordinators: chains, retries, messages, cancel, timeout, limits, the predefined set."""
import datetime
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import wait_for  # noqa: E402
from jobs import FAILS, SLOW, JobsDaemon, coordinators  # noqa: E402
from receiver import Receiver  # noqa: E402

SECRET = b"correct horse battery staple"


def after(job, *on):
    return [{"type": "job", "job": job, "on": list(on)}]


class Service(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.secret = "/var/tmp/experimentd-test-secret-%d" % os.getpid()
        with open(cls.secret, "wb") as f:
            f.write(SECRET + b"\n")
        cls.addClassCleanup(os.unlink, cls.secret)
        cls.daemon = JobsDaemon("--webhook-secret-file", cls.secret, "--jobs-max-running", "4")
        cls.addClassCleanup(cls.daemon.destroy)
        cls.daemon.start()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def test_a_run_that_is_asked_for_succeeds_and_its_log_stays(self):
        d = self.daemon
        d.make_job("asked")
        run = d.wait_run(d.start_run("asked"), "success")
        self.assertEqual((run["trigger"], run["attempt"], run["resumes"], run["progress"], run["triggered_by"]), ("api", 1, 0, 1, "admin.key"))
        self.assertEqual((run["rows_in"], len(run["result"]["digest"])), (2000, 64))
        self.assertTrue(run["passes"] and all(p["done"] == p["splits"] for p in run["passes"]), run["passes"])
        job = d.get("/v1/jobs/asked").json
        self.assertEqual((job["last_run"]["id"], job["last_run"]["state"], job["running"]), (run["id"], "success", 0))
        self.assertGreater(d.metric("experimentd_job_last_success_timestamp_seconds"), 1.7e9)

    def test_due_instants_become_runs(self):
        d = self.daemon
        d.make_job("ticks", triggers=[{"type": "cron", "value": "*/2 * * * * *"}], concurrency="queue")
        runs = d.wait_runs("ticks", 3, "success", "running", "queued")
        d.request("PUT", "/v1/jobs/ticks/schedule", {"enabled": False})
        due = [datetime.datetime.fromisoformat(r["due_at"]) for r in runs]
        self.assertEqual({r["trigger"] for r in runs}, {"schedule"})
        self.assertEqual({t.second % 2 for t in due}, {0})
        self.assertEqual({(b - a).total_seconds() for a, b in zip(due, due[1:])}, {2.0}, "none left out, none twice")

    def test_jobs_after_others_run_on_the_ends_they_name(self):
        d = self.daemon
        d.make_job("first")
        d.make_job("broken", FAILS)
        d.make_job("on-success", triggers=after("first", "success"))
        d.make_job("then", triggers=after("on-success", "success", "failed"))
        d.make_job("on-failure", triggers=after("first", "failed") + after("broken", "failed"))
        d.make_job("never", triggers=after("broken", "success", "cancelled"))
        d.make_job("disabled", triggers=after("first", "success"), enabled=False)
        first, broken = d.start_run("first"), d.start_run("broken")
        second = d.wait_runs("on-success", 1, "success")[0]
        self.assertEqual((second["trigger"], second["trigger_run"], second["trigger_job"]), ("job", first, "first"))
        self.assertEqual(d.wait_runs("then", 1, "success")[0]["trigger_run"], second["id"])
        self.assertEqual([r["trigger_run"] for r in d.wait_runs("on-failure", 1, "success")], [broken])
        self.assertEqual([r["id"] for r in d.get("/v1/runs?triggered_by=" + first).json["runs"]], [second["id"]])
        self.assertEqual((d.runs("never"), d.runs("disabled")), ([], []))

    def test_a_failed_run_is_retried_and_told_once_when_it_is_over(self):
        d = self.daemon
        with Receiver(refuse=1, path="/hook") as receiver:
            d.make_job("flaky", FAILS, max_retries=1, retry_after_seconds=1, notify={"url": receiver.url, "on": ["failed", "lost"]})
            d.make_job("behind", triggers=after("flaky", "failed"))
            first = d.start_run("flaky")
            runs = d.wait_runs("flaky", 2, "failed")
            message = receiver.wait(1)[0]
            behind = d.wait_runs("behind", 1, "success")
        self.assertEqual([(r["attempt"], r["trigger"], r["trigger_run"]) for r in runs], [(1, "api", None), (2, "retry", first)])
        waited = datetime.datetime.fromisoformat(runs[1]["started_at"]) - datetime.datetime.fromisoformat(runs[0]["finished_at"])
        self.assertGreaterEqual(waited.total_seconds(), 1)
        self.assertIn("clicked is 7", runs[1]["error"])
        self.assertEqual([r["trigger_run"] for r in behind], [runs[1]["id"]], "only what ends it is followed")
        self.assertEqual((message["event"], message["id"], message["job"]), ("run.failed", runs[1]["id"], {"id": "flaky", "name": "flaky", "type": "golden"}))
        self.assertEqual((message["run"]["attempt"], message["run"]["error"]), (2, runs[1]["error"]))
        self.assertEqual((len(receiver.messages), receiver.refused), (1, 1))
        self.assertTrue(receiver.is_signed(0, SECRET))
        self.assertFalse(receiver.is_signed(0, b"another secret, as long"))
        wait_for(lambda: d.sql("select notify_attempts, notified_at is not null from runs where id = '%s'" % runs[1]["id"]) == [["2", "t"]], "it to be noted")

    def test_what_runs_is_cancelled_and_that_is_told(self):
        d = self.daemon
        with Receiver(path="/") as receiver:
            d.make_job("long", SLOW, max_retries=3, notify={"url": receiver.url, "on": ["cancelled"]})
            run = d.start_run("long")
            pid = d.pid_of(run)
            with open("/proc/%d/cmdline" % pid, "rb") as f:
                self.assertEqual(f.read().split(b"\0")[1:4], [b"run", b"--run", run.encode()], "nothing else, and no secret, on its command line")
            self.assertEqual(d.post("/v1/jobs/long/runs/%s/cancel" % run).status, 202)
            ended = d.wait_run(run, "cancelled")
            self.assertEqual(ended["note"], "cancelled by admin.key")
            self.assertEqual(receiver.wait(1)[0]["event"], "run.cancelled")
        wait_for(lambda: not coordinators(run), "its coordinator to be gone")
        self.assertEqual(len(d.runs("long")), 1, "what was cancelled is not retried")
        again = d.post("/v1/jobs/long/runs/%s/retry" % run)
        self.assertEqual((again.status, again.json["trigger"], again.json["attempt"], again.json["trigger_run"]), (202, "retry", 2, run))
        self.assertEqual(d.post("/v1/jobs/long/runs/%s/retry" % run).status, 409)
        d.post("/v1/runs/%s/cancel" % again.json["id"])
        d.wait_run(again.json["id"], "cancelled")

    def test_a_run_that_takes_too_long_times_out(self):
        d = self.daemon
        d.make_job("slow", SLOW, timeout_seconds=1)
        run = d.start_run("slow")
        ended = d.wait_run(run, "timeout")
        self.assertEqual(ended["timeout_seconds"], 1)
        wait_for(lambda: not coordinators(run), "its coordinator to be gone")

    def test_the_log_is_followed_while_it_runs(self):
        d = self.daemon
        d.make_job("followed", FAILS)
        run = d.start_run("followed")
        c = d.connection()
        c.http.request("GET", "/v1/jobs/followed/runs/%s/log" % run, headers={"Authorization": "Bearer " + d.keys["admin"], "Accept": "text/event-stream"})
        text = c.http.getresponse().read().decode()
        self.assertTrue(text.rstrip().split("\n\n")[-1].startswith("event: end\ndata: "), text[-300:])
        self.assertEqual(json.loads(text.rstrip().rsplit("data: ", 1)[1])["state"], "failed")
        self.assertIn("event: line", text)

    def test_the_predefined_set_is_there_and_can_be_changed_not_deleted(self):
        d = self.daemon
        jobs = {j["id"]: j for j in d.get("/v1/jobs").json["jobs"] if j["predefined"]}
        self.assertEqual(jobs["seal"]["triggers"], [{"type": "cron", "value": "0 2 * * *", "enabled": True}])
        self.assertEqual(jobs["metrics"]["triggers"][0]["value"], "*/15 * * * *")
        chain, at = [], "bandit"
        while jobs[at]["triggers"][0]["type"] == "job":
            chain.append(at)
            at = jobs[at]["triggers"][0]["job"]
        self.assertEqual((at, chain[0], chain[1]), ("seal", "bandit", "metrics-nightly"))
        reply = d.request("DELETE", "/v1/jobs/seal")
        self.assertEqual((reply.status, reply.json["detail"]), (409, 'job "seal" is predefined: it can be changed and disabled, not deleted'))
        put = d.request("PUT", "/v1/jobs/seal", {**jobs["seal"], "name": "My seal", "timezone": "Europe/Berlin"})
        self.assertEqual((put.status, put.json["predefined"], put.json["name"]), (200, True, "My seal"))

    def test_counters(self):
        d = self.daemon
        d.make_job("counted")
        d.wait_run(d.start_run("counted"), "success")
        line = 'experimentd_job_runs_total{job="counted",type="golden",state="success"} 1'
        wait_for(lambda: line in d.get("/metrics", key=None).body.decode(), line)
        text = d.get("/metrics", key=None).body.decode()
        self.assertIn('experimentd_job_run_duration_seconds_count{job="counted",type="golden"} 1', text)
        self.assertIn("experimentd_jobs_leader 1", text)


class Alone(unittest.TestCase):
    def test_a_second_run_is_left_out_or_waits(self):
        with JobsDaemon("--jobs-max-running", "4", "--jobs-max-running-types", "golden=3") as d:
            self.second_run(d)

    def second_run(self, d):
        d.make_job("skips", SLOW)
        d.make_job("queues", SLOW, concurrency="queue")
        d.make_job("source")
        for job in ("skips", "queues"):
            d.pid_of(d.start_run(job))
        refused = d.post("/v1/jobs/skips/runs")
        self.assertEqual(refused.status, 409)
        self.assertIn("is under way", refused.json["detail"])
        waiting = d.start_run("queues")
        d.request("PUT", "/v1/jobs/skips/schedule", {"triggers": after("source", "success")})
        d.wait_run(d.start_run("source"), "success")
        left_out = wait_for(lambda: (lambda r: r[1] if len(r) == 2 else None)(d.runs("skips")), "the second run")
        self.assertEqual((left_out["state"], left_out["trigger"], left_out["note"]), ("skipped", "job", "run %s is under way" % d.runs("skips")[0]["id"]))
        self.assertEqual(d.run_of(waiting)["state"], "queued")
        for job in ("skips", "queues"):
            d.post("/v1/runs/%s/cancel" % d.runs(job)[0]["id"])
        d.pid_of(waiting)
        d.post("/v1/runs/%s/cancel" % waiting)
        d.wait_run(waiting, "cancelled")

    def test_a_run_with_too_little_data_is_left_out_and_holds_nothing_back(self):
        with JobsDaemon() as d:
            self.assertEqual(d.post("/v1/jobs", {"id": "young", "type": "popular", "triggers": []}).status, 201)
            d.make_job("next", triggers=after("young", "success"))
            run = d.wait_run(d.start_run("young"), "skipped")
            self.assertRegex(run["note"], "^too little data: 0 units .* are needed$")
            self.assertIsNone(run["error"])
            d.wait_runs("next", 1, "success")

    def test_a_trainer_that_is_not_there_fails_the_run_and_says_so(self):
        with JobsDaemon("--jobs-trainer", "/nonexistent/trainer") as d:
            d.make_job("a")
            self.assertIn('cannot start "/nonexistent/trainer"', d.wait_run(d.start_run("a"), "failed")["error"])

    def test_a_daemon_with_jobs_off_queues_nothing_and_starts_nothing(self):
        with JobsDaemon() as leader:
            leader.make_job("a")
            leader.stop()
            leader.command = [w.replace("--jobs-enabled=true", "--jobs-enabled=false") for w in leader.command]
            leader.predefined = True
            leader.start()
            run = leader.start_run("a")
            self.assertNotIn("experimentd_jobs_leader", leader.get("/metrics", key=None).body.decode())
            self.assertEqual(leader.run_of(run)["state"], "queued")
            leader.stop()
            leader.command = [w.replace("--jobs-enabled=false", "--jobs-enabled=true") for w in leader.command]
            leader.start()
            leader.wait_run(run, "success")

    def test_missed_runs_are_caught_up_with_as_the_job_says(self):
        with JobsDaemon() as d:
            for catch_up in ("skip", "once", "all"):
                d.make_job(catch_up, triggers=[{"type": "cron", "value": "0 * * * *"}], catch_up=catch_up, enabled=False)
            d.stop()
            d.command = [w.replace("--jobs-enabled=true", "--jobs-enabled=false") for w in d.command]
            d.start()
            d.sql("update jobs set enabled = true, scheduled_to = date_trunc('hour', now()) - interval '3 hours' where not predefined")
            d.stop()
            d.command = [w.replace("--jobs-enabled=false", "--jobs-enabled=true") for w in d.command]
            d.start()
            wait_for(lambda: all(d.runs(j) for j in ("skip", "once", "all")), "what was missed to be looked at")
            all_runs = d.wait_runs("all", 3, "success")
            self.assertEqual(len({r["due_at"] for r in all_runs}), 3)
            for job, states in (("skip", ["skipped"]), ("once", ["success"])):
                with self.subTest(job):
                    self.assertEqual([r["state"] for r in d.wait_runs(job, 1)][:1], states, d.runs(job))
            self.assertRegex(d.runs("skip")[0]["note"], "^[23] missed, not caught up with$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
