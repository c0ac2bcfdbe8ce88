"""No room for signals: the journal's disk is full, or journal.max_bytes is reached. Clients get 503 with Retry-After, what was acknowledged
is kept, and it goes on without help when there is room again."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402
from held import POSITION, ROWS, Held  # noqa: E402
from ledger import Ledger  # noqa: E402
from postgres import Postgres  # noqa: E402
from small_disk import SmallDisk, can_mount  # noqa: E402

SEGMENT, LIMIT = ("--journal-segment-bytes", "128k"), 512 << 10


class Full(unittest.TestCase):
    def wait_refused(self, ledger, times=20):
        """The ledger itself finds a 503 without Retry-After."""
        wanted = ledger.refused + times
        wait_for(lambda: ledger.refused >= wanted, "clients to be refused")

    def refusal(self, d):
        """One that were taken after all would be a repeat of the ledger's first, and left out."""
        return wait_for(lambda: (lambda reply: reply if reply.status == 503 else None)(
            d.post("/v1/signals", {"type": "click", "unit": "u", "id": "s-0"}, key="client")), "a refusal")


class Disk(Full):
    def setUp(self):
        reason = can_mount()
        if reason:
            self.skipTest(reason)
        self.pg = self.enterContext(Postgres())
        self.disk = self.enterContext(SmallDisk(2))
        self.daemon = Daemon(*SEGMENT, postgres=self.pg)
        self.daemon.use_journal_of(self.disk.dir)
        self.enterContext(self.daemon)

    def check_journal(self):
        said = self.daemon.run("experimentd", "journal", "check", os.path.join(self.daemon.dir, "journal")).stdout
        self.assertIn("damaged places: 0\n", said)

    def test_filled_by_others_and_freed(self):
        d = self.daemon
        with Ledger(d) as ledger:
            for kill in (False, True):
                ledger.wait_more(5000)
                self.disk.fill()
                self.wait_refused(ledger)
                self.assertIn("No space left on device", self.refusal(d).json["detail"])
                self.check_journal()
                if kill:
                    d.kill()
                    d.start()
                    self.wait_refused(ledger)
                self.disk.free()
                ledger.wait_more(5000)
            ledger.stop()
        ledger.compare(d)

    def test_filled_by_what_waits(self):
        d = self.daemon
        with Ledger(d) as ledger:
            ledger.wait_more(1000)
            with Held(d, ROWS) as held:
                held.wait_loader()
                self.wait_refused(ledger)
                d.kill()
                d.start()
                self.wait_refused(ledger)
                self.check_journal()
            ledger.wait_more(50000)
            ledger.stop()
        ledger.compare(d)


class Limit(Full):
    def test_reached_while_postgresql_is_away(self):
        with Postgres() as pg, Daemon(*SEGMENT, "--journal-max-bytes", str(LIMIT), postgres=pg) as d, Ledger(d) as ledger:
            ledger.wait_more(1000)
            pg.stop()
            self.wait_refused(ledger)
            self.assertIn("the journal holds %d bytes" % LIMIT, self.refusal(d).json["detail"])
            self.assertGreater(d.metric("experimentd_journal_backlog_bytes"), LIMIT)
            self.assertLess(d.metric("experimentd_journal_backlog_bytes"), 2 * LIMIT)
            pg.start()
            ledger.wait_more(50000)
            ledger.stop()
            ledger.compare(d)

    def test_what_is_loaded_does_not_count_after_a_restart(self):
        """Before the loader has asked for its position: a lock keeps it from that."""
        with Daemon(*SEGMENT, "--journal-max-bytes", str(LIMIT), postgres=self.enterContext(Postgres())) as d:
            with Ledger(d, total=20000) as ledger:
                ledger.join()
            d.wait_loaded()
            d.stop()
            with Held(d, POSITION) as held:
                d.start()
                held.wait_loader()
                with Ledger(d, total=1000) as again:  # the same ids: repeats
                    wait_for(lambda: again.refused or not again.sending(), "answers")
                    refused = again.refused
                    held.release()
                    again.join()
                self.assertEqual(refused, 0)
            ledger.compare(d)


if __name__ == "__main__":
    unittest.main(verbosity=2)
