"""kill -9 of the daemon at random moments under load, ROUNDS times (default 100): nothing acknowledged is lost or doubled.

SEED gives the moments of an earlier run again; it is printed. The daemon's PostgreSQL is not its own, so that a round is short and the
loader is caught in the middle of its transactions; test_kill.py kills a daemon together with its own.
"""
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon  # noqa: E402
from ledger import Ledger  # noqa: E402
from postgres import Postgres  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "100"))
SEED = int(os.environ.get("SEED", time.time_ns() % 1000000))
LONGEST = 0.4  # seconds under load before a kill
EARLY = 0.25  # share of kills that are followed by another one while the daemon is still starting


class KillRounds(unittest.TestCase):
    def test_kill_at_random_moments(self):
        moments = random.Random(SEED)
        print("%d rounds, SEED=%d" % (ROUNDS, SEED), flush=True)
        # Small segments, so that some kills hit the change from one to the next.
        with Postgres() as pg, Daemon("--journal-segment-bytes", "64k", postgres=pg) as d:
            with Ledger(d, connections=6) as ledger:
                for _ in range(ROUNDS):
                    time.sleep(moments.uniform(0, LONGEST))
                    d.kill()
                    if moments.random() < EARLY:
                        d.spawn()
                        time.sleep(moments.uniform(0, LONGEST))
                        d.kill()
                    d.start()
                ledger.wait_more(1000)
                ledger.stop()
            self.assertGreaterEqual(ledger.retries, ROUNDS, "not every kill hit a request")
            ledger.compare(d)


if __name__ == "__main__":
    unittest.main(verbosity=2)
