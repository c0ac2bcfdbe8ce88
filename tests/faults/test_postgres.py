"""PostgreSQL killed and away for a minute, and restarted in the middle of the loader's transaction: the daemon goes on by itself."""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402
from held import POSITION, ROWS, Held  # noqa: E402
from ledger import Ledger  # noqa: E402
from postgres import Postgres  # noqa: E402

AWAY = float(os.environ.get("AWAY", "60"))  # seconds


class Away(unittest.TestCase):
    def test_killed_and_away_under_load(self):
        with Postgres() as pg, Daemon(postgres=pg) as d, Ledger(d) as ledger:
            ledger.wait_acknowledged(10000)
            pg.kill()
            began, at = time.monotonic(), ledger.acknowledged
            memory = [d.resident_mb()]
            while time.monotonic() - began < AWAY:
                time.sleep(AWAY / 6)
                memory.append(d.resident_mb())
            self.assertEqual(ledger.retries, 0, "PostgreSQL away must not be felt by clients")
            print("PostgreSQL away for %.0f s: %d signals acknowledged, %d MB wait; MB of memory: %s" % (
                AWAY, ledger.acknowledged - at, d.metric("experimentd_journal_backlog_bytes") / 1e6, memory), flush=True)
            pg.start()
            ledger.stop()
            ledger.compare(d)


class InMidTransaction(unittest.TestCase):
    def restart(self, lock):
        with Postgres() as pg, Daemon(postgres=pg) as d, Ledger(d) as ledger:
            ledger.wait_acknowledged(1000)
            with Held(d, lock) as held:
                held.wait_loader()
                ledger.wait_more(1000)
                pg.restart_immediate()
            wait_for(lambda: "loader_waits" in d.log(), "the loader to notice")
            ledger.wait_more(1000)
            ledger.stop()
            ledger.compare(d)

    def test_restarted_before_the_rows(self):
        self.restart(ROWS)

    def test_restarted_between_the_rows_and_the_position(self):
        self.restart(POSITION)


if __name__ == "__main__":
    unittest.main(verbosity=2)
