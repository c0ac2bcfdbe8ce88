"""The clock set back an hour while the daemon and its PostgreSQL run: signals, ids, lag and timers go on."""
import datetime
import email.utils
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from clock import SetClock, can_set  # noqa: E402
from daemon import Daemon, wait_for  # noqa: E402
from held import ROWS, Held  # noqa: E402
from ledger import Ledger  # noqa: E402

HOUR = 3600
LAG = "experimentd_loader_lag_seconds"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class SetBack(unittest.TestCase):
    def setUp(self):
        reason = can_set()
        if reason:
            self.skipTest(reason)
        self.clock = self.enterContext(SetClock())
        self.daemon = self.enterContext(Daemon(environment=self.clock.environment))

    def off(self):
        """By how many seconds the daemon's clock is off."""
        date = email.utils.parsedate_to_datetime(self.daemon.get("/healthz", key=None).headers["date"])
        return (date - now()).total_seconds()

    def set_back(self):
        self.clock.set(-HOUR)
        wait_for(lambda: abs(self.off() + HOUR) < 10, "the daemon to see the clock an hour back")
        wait_for(lambda: self.daemon.number("select count(*) where now() < '%s'" % (now() - datetime.timedelta(seconds=HOUR / 2))),
                 "PostgreSQL to see it")

    def send_without_ids(self):
        reply = self.daemon.post("/v1/signals", [{"type": "view", "unit": "u%d" % n, "doc": "s-%d" % n} for n in range(500)], key="client")
        self.assertEqual([reply.status, reply.json.get("accepted")], [200, 500], reply)

    def test_signals_and_ids(self):
        d = self.daemon
        self.assertLess(abs(self.off()), 10)
        with Ledger(d) as ledger:
            ledger.wait_acknowledged(5000)
            self.send_without_ids()
            self.set_back()
            ledger.wait_more(5000)
            self.send_without_ids()
            d.kill()
            d.start()
            ledger.wait_more(5000)
            ledger.stop()
        d.wait_loaded()
        self.assertEqual(d.sql("select count(*), count(distinct id) from signals where type = 'view'"), [["1000", "1000"]])
        late = d.number("select count(*) from signals where at < '%s'" % (now() - datetime.timedelta(seconds=HOUR / 2)))
        self.assertGreater(late, 5000, "the clock was not set back for these")
        d.sql("delete from signals where type = 'view'")
        ledger.compare(d)

    def test_lag_and_timers(self):
        d = self.daemon
        with Ledger(d, rate=1000) as ledger:
            ledger.wait_acknowledged(1000)
            with Held(d, ROWS) as held:
                held.wait_loader()
                before = wait_for(lambda: d.metric(LAG), "lag")
                self.set_back()
                wait_for(lambda: d.metric(LAG) > before + 1, "more lag")
            due = now() + datetime.timedelta(seconds=1 - HOUR)
            d.make_experiment("timed", start=False, schedule={"start_at": due.strftime("%Y-%m-%dT%H:%M:%SZ")})
            wait_for(lambda: d.get("/v1/experiments/timed").json["status"] == "running", "the schedule to start it")
            ledger.stop()
            ledger.compare(d)
            self.assertEqual(d.metric(LAG), 0)

    def test_lag_when_it_is_set_right_again(self):
        """Forward: what waits has not waited for an hour."""
        d = self.daemon
        self.set_back()
        with Ledger(d) as ledger:
            with Held(d, ROWS) as held:
                held.wait_loader()
                ledger.wait_more(50000)
                self.clock.set(0)
                wait_for(lambda: abs(self.off()) < 10, "the daemon to see the clock right")
                ledger.stop()
        lags = [d.metric(LAG)]
        while d.metric("experimentd_journal_backlog_bytes"):
            lags.append(d.metric(LAG))
        self.assertLess(max(lags), HOUR / 2)
        ledger.compare(d)


if __name__ == "__main__":
    unittest.main(verbosity=2)
