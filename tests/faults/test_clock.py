"""The clock set back an hour while the daemon and its PostgreSQL run: signals, ids, lag and timers go on.

libfaketime (Debian package faketime) stands between the programs and the clock, and reads from a file by how much it is off; the
monotonic clock, which nobody can set, it leaves alone.
"""
import datetime
import email.utils
import glob
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402
from held import ROWS, Held  # noqa: E402
from ledger import Ledger  # noqa: E402

LIBRARY = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
HOUR = 3600
LAG = "experimentd_loader_lag_seconds"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class SetBack(unittest.TestCase):
    def setUp(self):
        if not LIBRARY:
            self.skipTest("libfaketime is not installed (package faketime)")
        # As shared memory, which PostgreSQL's user could not open, libfaketime would keep the time it started with.
        file = self.enterContext(tempfile.NamedTemporaryFile("w", prefix="experimentd-clock-"))
        os.chmod(file.name, 0o644)
        self.clock = file.name
        self.set_clock(0)
        self.daemon = self.enterContext(Daemon(environment={
            "LD_PRELOAD": LIBRARY[0], "FAKETIME_TIMESTAMP_FILE": file.name, "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}))

    def set_clock(self, seconds):
        with open(self.clock, "w", encoding="ascii") as f:
            f.write("%+d\n" % seconds)

    def off(self):
        """By how many seconds the daemon's clock is off."""
        date = email.utils.parsedate_to_datetime(self.daemon.get("/healthz", key=None).headers["date"])
        return (date - now()).total_seconds()

    def set_back(self):
        self.set_clock(-HOUR)
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
