"""A daemon that is killed (SIGKILL) inside a step of a loop, and behind it: the next one goes on from there, and each step is there once. Of two daemons one
leads. PostgreSQL is not theirs."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import wait_for  # noqa: E402
from jobs import JobsDaemon  # noqa: E402
from looped import Looped  # noqa: E402
from postgres import Postgres  # noqa: E402

# Each is a boundary: what the leader has to write to get over it.
WRITES = {"create": ("experiments", "new.status = 'draft'"), "start": ("experiments", "new.status = 'running' and new.phase = 1"),
          "started": ("model_loop_steps", "new.step = 'started'"), "champion": ("model_aliases", "new.alias = 'champion'"),
          "conclude": ("experiments", "new.status = 'concluded'"), "promoted": ("model_loop_steps", "new.step = 'promoted'"),
          "take_next": ("model_aliases", "new.alias = 'challenger' and new.set_by = 'loop'"), "again": ("experiments", "new.phase = 2")}
STORY = ["on", "started", "promoted", "challenger", "started"]
WAITS = "select count(*) from pg_stat_activity where application_name = 'experimentd jobs' and wait_event_type = 'Lock' and xact_start is not null"


class Held:
    """The leader waits inside its transaction where it writes this."""

    def __init__(self, daemon, table, when):
        self.daemon, self.table = daemon, table
        daemon.sql("create function held() returns trigger language plpgsql as $$ begin if %s then perform pg_advisory_xact_lock(77); end if; return new; end $$; "
                   "create trigger held before insert or update on %s for each row execute function held()" % (when, table))
        self.session = daemon.sql_session()
        self.session.stdin.write("select pg_advisory_lock(77);\n")
        self.session.stdin.flush()
        self.session.stdout.readline()

    def wait(self):
        wait_for(lambda: self.daemon.number(WAITS) > 0, "the leader to be in the step")

    def release(self):
        self.session.communicate("select pg_advisory_unlock(77);\n")
        wait_for(lambda: self.daemon.number(WAITS) == 0, "what was held to end")
        self.daemon.sql("drop trigger held on %s; drop function held()" % self.table)


class Killed(unittest.TestCase):
    def setUp(self):
        self.postgres = self.enterContext(Postgres())
        self.daemon = self.enterContext(JobsDaemon(postgres=self.postgres))

    def die(self, held):
        held.wait()
        self.daemon.kill()
        held.release()
        self.daemon.start()

    def test_killed_inside_each_step(self):
        m = Looped(self.daemon, "ranker")
        m.loop()
        for boundary in ("create", "start", "started"):
            held = Held(self.daemon, *WRITES[boundary])
            if boundary == "create":
                m.point("challenger", 2)
            self.die(held)
        m.wait("started")
        m.point("next", 3)
        m.results(0.10, 0.10)
        for boundary in ("champion", "conclude", "promoted", "take_next", "again"):
            held = Held(self.daemon, *WRITES[boundary])
            if boundary == "champion":
                m.results(0.10, 0.15)
            self.die(held)
        m.wait("started", 2)
        self.assertEqual(m.names(), STORY)
        self.assertEqual(m.aliases(), {"champion": 2, "challenger": 3})
        m.runs(2)
        self.assertEqual(m.state()["experiment_phase"], 2)
        edits = [r["action"] for r in self.daemon.get("/v1/experiments/loop-ranker/revisions").json["revisions"]][::-1]
        self.assertEqual(edits, ["create", "start", "conclude", "new phase"])

    def test_killed_behind_each_step(self):
        m = Looped(self.daemon, "ranker")
        m.loop()
        m.point("challenger", 2)
        for step in ("started", "promoted", "challenger"):
            if step == "promoted":
                m.point("next", 3)
                m.results(0.10, 0.15)
            wait_for(lambda s=step: self.daemon.number("select count(*) from model_loop_steps where step = '%s'" % s) > 0, step)
            self.daemon.kill()
            self.daemon.start()
        m.wait("started", 2)
        self.assertEqual(m.names(), STORY)

    def test_of_two_daemons_one_leads(self):
        with JobsDaemon(postgres=self.postgres) as other:
            m = Looped(self.daemon, "ranker")
            m.loop()
            m.point("challenger", 2)
            m.wait("started")
            leader = self.daemon if self.daemon.leads() else other
            self.assertNotEqual(self.daemon.leads(), other.leads())
            leader.kill()
            m.daemon = other if leader is self.daemon else self.daemon
            wait_for(m.daemon.leads, "the other one to lead")
            m.point("next", 3)
            m.results(0.10, 0.15)
            m.wait("started", 2)
            self.assertEqual(m.names(), STORY)
            leader.start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
