"""The ledger of acknowledged signals finds what is lost, doubled or never sent: rows are taken away and added behind its back."""
import unittest

from daemon import DaemonTest
from ledger import Ledger

COPY_OF = "insert into signals select id, at, received_at, bucket, type, unit, session, query_id, query, %s, position, value, params from signals where doc = 's-%d'"


class FindsFaults(DaemonTest):
    def finds(self, ledger, what):
        with self.assertRaisesRegex(AssertionError, what):
            ledger.compare(self.daemon)

    def test_lost_doubled_and_never_sent(self):
        d = self.daemon
        with Ledger(d, total=200) as ledger:
            ledger.join()
        ledger.compare(d)
        self.assertEqual([ledger.acknowledged, ledger.wrong], [200, []])
        d.sql(COPY_OF % ("doc", 7))
        self.finds(ledger, r"lost \[\], doubled \[7\], never sent \[\]")
        d.sql("delete from signals where doc = 's-7'")
        self.finds(ledger, r"lost \[7\], doubled \[\], never sent \[\]")
        d.sql(COPY_OF % ("'s-200'", 8))
        self.finds(ledger, r"lost \[7\], doubled \[\], never sent \['s-200'\]")

    def test_a_rejected_signal_is_not_acknowledged(self):
        with Ledger(self.daemon, total=20, make=lambda n: {"type": "click", "unit": "" if n == 3 else "u"}) as ledger:
            ledger.join()
        self.assertEqual(ledger.acknowledged, 19)
        self.assertRegex(ledger.wrong[0], "signal 3 rejected")


if __name__ == "__main__":
    unittest.main()
