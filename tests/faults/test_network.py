"""The network to PostgreSQL cut half-open, so that no reset arrives: loader, workers and control come back without help, and PostgreSQL
does not keep what a lost daemon had locked."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402
from held import POSITION, Held  # noqa: E402
from ledger import Ledger  # noqa: E402
from network import CutNetwork, can_cut  # noqa: E402
from postgres import Postgres  # noqa: E402

LOADERS = "select count(*) from pg_stat_activity where application_name = 'experimentd loader'"
NOTICED = ("loader_waits", "db_away", "database_lost")  # loader, a worker, control


class HalfOpen(unittest.TestCase):
    def setUp(self):
        reason = can_cut()
        if reason:
            self.skipTest(reason)
        self.net = self.enterContext(CutNetwork())
        self.pg = self.enterContext(Postgres(address=self.net.address, wrapper=self.net.wrapper))
        self.daemon = self.enterContext(Daemon(postgres=self.pg))

    def wait_noticed(self, *events):
        wait_for(lambda: all(e in self.daemon.log() for e in events), "%s in the log" % ", ".join(events))

    def database_answers(self):
        return self.daemon.get("/v1/experiments").status == 200

    def test_cut_under_load(self):
        d = self.daemon
        with Ledger(d, rate=5000) as ledger:
            ledger.wait_acknowledged(5000)
            self.net.cut()
            self.wait_noticed(*NOTICED)
            ledger.wait_more(1000)
            self.assertEqual(ledger.retries, 0, "clients must not feel it")
            self.net.mend()
            wait_for(self.database_answers, "the workers' connections")
            ledger.wait_more(1000)
            ledger.stop()
        ledger.compare(d)

    def test_cut_while_nothing_is_sent(self):
        d = self.daemon
        with Ledger(d, total=100) as ledger:
            ledger.join()
        d.wait_loaded()
        self.net.cut()
        self.wait_noticed("db_away", "database_lost")
        self.net.mend()
        with Ledger(d, total=100) as again:
            again.join()
        d.wait_loaded()
        wait_for(self.database_answers, "the workers' connections")
        self.assertEqual(d.number("select count(*) from signals"), 100)

    def test_cut_in_the_transaction_of_the_loader(self):
        d = self.daemon
        with Ledger(d, rate=5000) as ledger:
            ledger.wait_acknowledged(1000)
            with Held(d, POSITION) as held:
                held.wait_loader()
                self.net.cut()
            # It has its answer on the way, and a lock that every loader wants; nobody tells it that its client is gone.
            wait_for(lambda: d.number(LOADERS) == 0, "PostgreSQL to end the session of a client that it cannot reach")
            self.wait_noticed("loader_waits")
            self.net.mend()
            ledger.wait_more(1000)
            ledger.stop()
        ledger.compare(d)


if __name__ == "__main__":
    unittest.main(verbosity=2)
