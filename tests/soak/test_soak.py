"""Signals at half of what this machine can take, with random faults, for SOAK_SECONDS (default an hour); then a report.

In rounds of at most ROUND seconds: at the end of each, what was acknowledged is compared with what is in PostgreSQL, and the tables are
emptied, so that an hour needs no more room than a round. SEED gives the faults of an earlier run again.
"""
import collections
import contextlib
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from faults import Place, possible  # noqa: E402
from ledger import Ledger  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS", "3600"))
SEED = int(os.environ.get("SEED", time.time_ns() % 1000000))
ROUND, MEASURE, DISK_MB = 240, 10, 1024
CALM = (2, 12)  # seconds between two faults


class Watch(threading.Thread):
    """Memory of the daemon, lag and backlog, once a second while it answers."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_watched, self.began = daemon, time.monotonic()
        self.samples = []  # (seconds, MB of memory, seconds of lag, MB that wait)
        self.kind, self.lag_max = "none", collections.Counter()
        self.over = threading.Event()

    def run(self):
        d = self.daemon_watched
        while not self.over.wait(1):
            try:
                sample = (time.monotonic() - self.began, d.resident_mb(), d.metric("experimentd_loader_lag_seconds"),
                          d.metric("experimentd_journal_backlog_bytes") / 1e6)
            except (OSError, AttributeError):
                continue  # killed, or not yet back
            self.samples.append(sample)
            self.lag_max[self.kind] = max(self.lag_max[self.kind], sample[2])


class Soak(unittest.TestCase):
    def capacity(self, place):
        """Signals a second that are taken and loaded, by as many clients, without faults."""
        began = time.monotonic()
        with Ledger(place.daemon, name="measure") as ledger:
            time.sleep(MEASURE)
        place.daemon.wait_loaded()
        took = time.monotonic() - began
        ledger.compare(place.daemon)
        return ledger.acknowledged / took

    def round(self, place, number, rate, end):
        with Ledger(place.daemon, rate=rate, name="round%d" % number, patience=900) as ledger:
            while time.monotonic() < end:
                place.wait(*CALM)
                fault = place.random.choice(self.faults)
                self.counts[fault.make.__name__] += 1
                self.watch.kind = fault.make.__name__
                fault.make(place)
            ledger.stop()
        ledger.compare(place.daemon)
        for name in ("acknowledged", "retries", "refused"):
            self.totals[name] += getattr(ledger, name)
        self.totals["sent"] += len(ledger.state)
        self.totals["loaded"] += place.daemon.number("select count(*) from signals")
        place.daemon.sql("truncate signals")

    def report(self, rate):
        print("\nsoak: %.0f s, SEED=%d, %.0f signals/s asked for" % (time.monotonic() - self.watch.began, SEED, rate))
        print("sent %(sent)d, acknowledged %(acknowledged)d, loaded %(loaded)d; requests sent again %(retries)d, of them after 503 %(refused)d"
              % self.totals)
        print("%-40s %5s %12s" % ("fault", "times", "lag max (s)"))
        for name in sorted(self.counts):
            print("%-40s %5d %12.1f" % (name, self.counts[name], self.watch.lag_max[name]))
        print("%8s %12s %10s %12s" % ("second", "memory (MB)", "lag (s)", "waits (MB)"))
        samples = self.watch.samples
        for at, memory, lag, waits in samples[::max(1, len(samples) // 20)]:
            print("%8.0f %12d %10.1f %12.1f" % (at, memory, lag, waits))
        if samples:
            print("maximum: memory %d MB, lag %.1f s, waiting %.1f MB" % tuple(max(s[i] for s in samples) for i in (1, 2, 3)), flush=True)

    def test_half_capacity_and_random_faults(self):
        self.counts, self.totals = collections.Counter(), collections.Counter(sent=0, acknowledged=0, loaded=0, retries=0, refused=0)
        with contextlib.ExitStack() as stack:
            place = Place(stack, SEED, DISK_MB)
            self.faults = possible(place)
            rate = self.capacity(place) / 2
            place.daemon.sql("truncate signals")
            self.watch = Watch(place.daemon)
            self.watch.start()
            try:
                end = self.watch.began + SECONDS
                number = 0
                while time.monotonic() < end:
                    number += 1
                    self.round(place, number, rate, min(end, time.monotonic() + ROUND))
            finally:
                self.watch.over.set()
                self.watch.join()
                self.report(rate)


if __name__ == "__main__":
    unittest.main(verbosity=2)
