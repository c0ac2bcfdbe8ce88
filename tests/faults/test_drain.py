"""`experimentd journal drain`: the journal of a daemon that is gone is loaded from another place, exactly once whatever happens to it, and
once more nothing when the daemon comes back."""
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import FINDING, Daemon, program  # noqa: E402
from ledger import Ledger  # noqa: E402
from postgres import Postgres  # noqa: E402

BACKLOG, KILLS = 60000, 10
FAILED, USAGE, DATAERR, NOINPUT, TEMPFAIL = 1, 64, 65, 66, 75


class Drain(unittest.TestCase):
    def setUp(self):
        self.pg = self.enterContext(Postgres())
        self.daemon = self.enterContext(Daemon("--journal-segment-bytes", "256k", postgres=self.pg))
        self.journal = os.path.join(self.daemon.dir, "journal")

    def die_with_a_backlog(self):
        """Killed while PostgreSQL is away; which is back then. What was sent and acknowledged."""
        with Ledger(self.daemon) as ledger:
            ledger.wait_acknowledged(1000)
            self.pg.stop()
            ledger.wait_more(BACKLOG)
            self.daemon.kill()
            ledger.abandon()
        self.pg.start()
        return ledger

    def copy(self, name):
        target = os.path.join(self.daemon.root, name)
        shutil.copytree(self.journal, target)
        return target

    def command(self, directory, *arguments):
        return [program("experimentd"), "journal", "drain", directory, "--database-url", self.pg.url(), *arguments]

    def drain(self, directory, *arguments, status=0):
        done = subprocess.run(self.command(directory, *arguments), capture_output=True, text=True, timeout=300, check=False)
        self.assertIsNone(FINDING.search(done.stderr), done.stderr)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        print((done.stdout + done.stderr).strip().split("\n")[-1], flush=True)
        return done.stdout + done.stderr

    def test_a_copy_then_the_original_then_the_daemon_again(self):
        d, ledger = self.daemon, self.die_with_a_backlog()
        stored = d.number("select count(*) from signals")
        self.assertLess(stored, ledger.acknowledged - BACKLOG // 2, "no backlog to drain")
        self.drain(self.copy("copy"))
        ledger.compare_now(d)
        self.assertIn(": 0 rows, 0 repeats", self.drain(self.journal))
        d.start()
        with Ledger(d, total=len(ledger.state) + 500) as again:  # the first numbers are repeats
            again.join()
        again.compare(d)

    def test_killed_at_random_moments_and_run_again(self):
        ledger, seed = self.die_with_a_backlog(), time.time_ns() % 1000000
        print("SEED=%d" % seed)
        moments, cut_short = random.Random(seed), 0
        for kill in range(KILLS):
            process = subprocess.Popen(self.command(self.journal), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(moments.uniform(0, 0.4))
            process.send_signal(signal.SIGKILL if kill % 3 else signal.SIGTERM)
            said = process.communicate(timeout=120)[1]
            self.assertIn(process.returncode, (0, -signal.SIGKILL, -signal.SIGTERM, FAILED), said)
            cut_short += process.returncode != 0
        print("%d of %d ended before all was loaded" % (cut_short, KILLS))
        self.drain(self.journal)
        self.assertGreater(cut_short, 0)
        ledger.compare_now(self.daemon)

    def test_two_copies_at_once(self):
        ledger = self.die_with_a_backlog()
        both = [subprocess.Popen(self.command(self.copy(name)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for name in "ab"]
        for process in both:
            said = process.communicate(timeout=300)[0]
            self.assertEqual(process.returncode, 0, said)
        ledger.compare_now(self.daemon)

    def test_refused_while_the_daemon_runs(self):
        said = self.drain(self.journal, status=TEMPFAIL)
        self.assertIn('journal "%s" is in use by process %d' % (self.journal, self.daemon.process.pid), said)
        second = subprocess.run(self.daemon.command, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("is in use by process %d" % self.daemon.process.pid, second.stderr)

    def test_a_database_that_does_not_know_the_journal(self):
        ledger = self.die_with_a_backlog()
        copy = self.copy("copy")
        with Postgres() as strange:
            with Daemon(postgres=strange) as other:
                own, self.pg = self.pg, strange
                self.assertIn("has never heard of the journal", self.drain(copy, status=USAGE))
                self.assertEqual(other.number("select count(*) from signals"), 0)
                self.drain(copy, "--any-database")
                self.assertGreater(other.number("select count(*) from signals"), BACKLOG // 2)
                self.pg = own
        self.drain(self.journal)
        ledger.compare_now(self.daemon)

    def test_damage_is_told(self):
        self.die_with_a_backlog()
        segments = sorted(f for f in os.listdir(self.journal) if f.endswith(".seg"))
        with open(os.path.join(self.journal, segments[-2]), "r+b") as f:
            f.seek(5000)
            byte = f.read(1)[0]
            f.seek(5000)
            f.write(bytes([byte ^ 0x10]))
        said = self.drain(self.journal, status=DATAERR)
        self.assertIn("segment=" + segments[-2][:16], said)
        self.assertIn(" 1 damaged places", said)

    def test_used_wrongly(self):
        self.assertIn("holds no journal", self.drain(self.daemon.root, status=NOINPUT))
        self.assertIn("give the directory", self.drain(self.journal, "another", status=USAGE))
        self.daemon.stop()
        self.pg.stop()
        self.assertIn("cannot connect to PostgreSQL", self.drain(self.journal, status=FAILED))


if __name__ == "__main__":
    unittest.main(verbosity=2)
