"""Jobs in tests: a daemon that starts runs, with a job that needs no data ("golden") and can be slow or fail.

    with JobsDaemon() as d:
        d.make_job("a", triggers=[…])
        run = d.start_run("a")
        d.wait_run(run, "success")
"""
import os
import re
import signal

from daemon import Daemon, wait_for

SMALL = {"rows": 2000, "splits": 2, "passes": 1}
# About half a minute, when nobody ends it: long enough to do something in the middle of it.
SLOW = {"rows": 2000, "splits": 24, "passes": 6, "fault": "slow", "slow_ms": 10000}
FAILS = {**SMALL, "fault": "poison", "fault_split": 0}
ENDED = ("success", "failed", "cancelled", "timeout", "lost", "skipped")


class JobsDaemon(Daemon):
    def __init__(self, *arguments, predefined=False, **more):
        super().__init__(*arguments, jobs=True, **more)
        self.predefined = predefined

    def start(self):
        super().start()
        if not self.predefined:
            wait_for(lambda: self.number("select count(*) from jobs where predefined") > 0, "the nightly set", self.patience)
            self.sql("update jobs set enabled = false where predefined")
        return self

    def destroy(self):
        """Also what a failed test leaves behind: coordinators outlive their daemon."""
        for pid in coordinators():
            try:
                with open("/proc/%d/environ" % pid, "rb") as f:
                    if b"EXPERIMENTD_DATA_DIR=" + self.dir.encode() + b"\0" in f.read():
                        os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        super().destroy()

    def leads(self):
        return self.metric("experimentd_jobs_leader") == 1

    def make_job(self, job, params=None, **fields):
        reply = self.post("/v1/jobs", {"id": job, "type": "golden", "params": SMALL if params is None else params, "triggers": [], **fields})
        assert reply.status == 201, reply
        return reply.json

    def start_run(self, job):
        reply = self.post("/v1/jobs/%s/runs" % job)
        assert reply.status == 202, reply
        return reply.json["id"]

    def run_of(self, run):
        return self.get("/v1/runs/" + run).json

    def wait_run(self, run, *states):
        """The run, once it is in one of these states; one that ends otherwise fails the test. What is lost may be taken up again."""
        def look():
            reply = self.get("/v1/runs/" + run)
            if reply.status == 503:  # the database is away
                return None
            found = reply.json
            assert found["state"] in states or found["state"] not in ENDED or found["state"] == "lost", found
            return found if found["state"] in states else None
        return wait_for(look, "run %s to be %s" % (run, " or ".join(states)), self.patience)

    def runs(self, job):
        """Oldest first."""
        return self.get("/v1/jobs/%s/runs?page_size=500" % job).json["runs"][::-1]

    def wait_runs(self, job, count, *states):
        return wait_for(lambda: (lambda r: r if len(r) >= count and all(x["state"] in (states or ENDED) for x in r) else None)(self.runs(job)),
                        "%d runs of %s" % (count, job), self.patience)

    def pid_of(self, run):
        """Of its coordinator, once it has one and is in the middle of its work."""
        wait_for(lambda: self.run_of(run)["state"] == "running" and self.run_of(run)["progress"] >= 0 and self.run_of(run)["passes"], "run %s to work" % run)
        return self.number("select pid from runs where id = '%s'" % run)


def coordinators(run=""):
    """Pids of processes that coordinate this run, or any."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if b"--run" in words and re.search(run.encode(), b" ".join(words)):
            found.append(int(pid))
    return found
