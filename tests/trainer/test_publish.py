"""Rows that splits publish: exactly once, by the run's present coordinator, whole or not at all (migrations/0015_engine.sql, trainer/engine/put.c)."""
import json
import os
import random
import signal
import struct
import subprocess
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import program, wait_for  # noqa: E402
from postgres import Postgres  # noqa: E402
from worker import DOCS, GOLDEN, Worker  # noqa: E402

COLUMNS = "doc, clicks, weight"
PASS, SPLITS = 3, 4


def counts(seed):
    """An input of "golden.docs": one chunk of golden_count."""
    draw = random.Random(seed)
    return [b"".join(struct.pack("<IIQd", doc, 10, draw.randrange(10), draw.random()) for doc in range(DOCS))]


class PublishTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pg = Postgres().__enter__()
        subprocess.run([program("experimentd"), "migrate", "--database-url", cls.pg.url()], check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        cls.pg.destroy()

    def setUp(self):
        self.run_id = str(uuid.uuid4())
        self.pg.sql("insert into runs (id, job, params, engine, workers, state) values ('%s', 'golden', '{}', 'local', 1, 'running')" % self.run_id)
        self.staging = self.open_staging()

    def query(self, text):
        done = subprocess.run(self.pg.psql("-c", text), capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def open_staging(self, epoch=1, keys=None):
        keys = keys or ["%032x" % split for split in range(SPLITS)]
        return self.query("select staging_open('golden_docs', '%s', %d, %d, array[%s]::bytea[])" % (
            self.run_id, epoch, PASS, ",".join("'\\x%s'" % key for key in keys)))[0][0]

    def publish(self, worker, split, data, attempt=1, epoch=1, **more):
        """What the worker answers, and its exit status when that is an ERROR."""
        worker.task(split, "golden.docs@1", [data], attempt=attempt, spool=None, database_url=self.pg.url(), publish={
            "staging": self.staging, "columns": COLUMNS, "run": self.run_id, "epoch": epoch, "pass": PASS, "key": "%032x" % split}, **more)
        said, _, _ = worker.answer()
        return said if said.startswith(b"{") else (said.decode(), worker.process.wait(60))

    def rows(self):
        return int(self.query("select count(*) from " + self.staging)[0][0])

    def ledger(self):
        return self.query("select split, attempt, rows from run_splits where run = '%s' order by split" % self.run_id)

    def test_of_two_attempts_one_counts(self):
        with Worker() as a, Worker() as b:
            self.publish(a, 0, counts(0))
            self.publish(b, 1, counts(1), attempt=2)
            self.assertEqual(json.loads(self.publish(b, 0, counts(0), attempt=2))["rows"], DOCS)
        self.assertEqual(self.ledger(), [["0", "1", str(DOCS)], ["1", "2", str(DOCS)]])
        self.assertEqual(self.rows(), 2 * DOCS)

    def test_attempts_that_race(self):
        workers = [Worker().__enter__() for _ in range(4)]
        data = counts(5)
        for attempt, w in enumerate(workers):
            w.task(2, "golden.docs@1", [data], attempt=attempt + 1, spool=None, database_url=self.pg.url(), publish={
                "staging": self.staging, "columns": COLUMNS, "run": self.run_id, "epoch": 1, "pass": PASS, "key": "%032x" % 2})
        for w in workers:
            self.assertEqual(json.loads(w.answer()[0])["rows"], DOCS)
            w.__exit__()
        self.assertEqual(len(self.ledger()), 1)
        self.assertEqual(self.rows(), DOCS)

    def test_other_rows_of_the_same_split_are_a_bug(self):
        with Worker() as a, Worker() as b:
            self.publish(a, 0, counts(0))
            text, status = self.publish(b, 0, counts(1), attempt=2)
        self.assertRegex(text, "not deterministic")
        self.assertEqual(status, 70)
        self.assertEqual(self.rows(), DOCS)

    def test_a_split_without_rows_is_in_the_ledger(self):
        with Worker() as w:
            self.publish(w, 3, [])
        self.assertEqual(self.ledger(), [["3", "1", "0"]])
        self.assertEqual(self.rows(), 0)

    def test_workers_of_a_coordinator_that_was_overtaken_publish_nothing(self):
        self.pg.sql("update runs set epoch = 2 where id = '%s'" % self.run_id)
        with Worker() as w:
            text, status = self.publish(w, 0, counts(0), epoch=1)
        self.assertRegex(text, "belongs to another coordinator now")
        self.assertEqual(status, 75)
        self.assertEqual((self.rows(), self.ledger()), (0, []))
        with Worker() as w:
            self.publish(w, 0, counts(0), epoch=2)
        self.assertEqual(self.rows(), DOCS)
        self.assertEqual(self.open_staging(epoch=1), "", "the old coordinator opens nothing")

    def test_a_worker_that_is_killed_leaves_no_row(self):
        slow = json.dumps({**json.loads(GOLDEN), "docs": 1 << 20})
        data = [struct.pack("<IIQd", doc, 1, 1, 1) for doc in range(0, 200000, 1)]
        data = [b"".join(data[i:i + 2000]) for i in range(0, len(data), 2000)]
        with subprocess.Popen(self.pg.psql("-c", "begin", "-c", "lock table run_splits in access exclusive mode", "-c", "select pg_sleep(600)")) as lock:
            wait_for(lambda: self.query("select 1 from pg_locks where relation = 'run_splits'::regclass and mode = 'AccessExclusiveLock' and granted"), "the lock")
            w = Worker().__enter__()
            w.task(1, "golden.docs@1", [data], params=slow, spool=None, database_url=self.pg.url(), publish={
                "staging": self.staging, "columns": COLUMNS, "run": self.run_id, "epoch": 1, "pass": PASS, "key": "%032x" % 1})
            wait_for(lambda: self.query("select 1 from pg_locks where relation = 'run_splits'::regclass and not granted"), "the rows to be there")
            w.process.send_signal(signal.SIGKILL)
            w.__exit__()
            lock.kill()
        self.query("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()")
        wait_for(lambda: not self.query("select 1 from pg_stat_activity where application_name = 'trainer worker'"), "the worker's transaction to end")
        self.assertEqual((self.rows(), self.ledger()), (0, []))

    # ---- staging tables

    def test_what_was_made_of_the_same_stays_what_was_made_of_other_goes(self):
        with Worker() as w:
            self.publish(w, 0, counts(0))
        self.assertEqual(self.open_staging(), self.staging)
        self.assertEqual(self.rows(), DOCS)
        self.assertEqual(self.open_staging(keys=["ff" * 16] * SPLITS), self.staging)
        self.assertEqual((self.rows(), self.ledger()), (0, []))

    def test_rows_are_taken_whole(self):
        with Worker() as w:
            for split in range(2):
                self.publish(w, split, counts(split)[0:1])
        self.pg.sql("delete from golden_docs")
        with self.assertRaises(subprocess.CalledProcessError):  # each document twice: the primary key refuses them, all of them
            self.query("select staging_take('golden_docs', '%s', '%s', %d)" % (COLUMNS, self.run_id, PASS))
        self.assertEqual(self.query("select count(*) from golden_docs"), [["0"]])
        self.query("delete from %s a using %s b where a.doc = b.doc and a.ctid < b.ctid" % (self.staging, self.staging))
        self.assertEqual(self.query("select staging_take('golden_docs', '%s', '%s', %d)" % (COLUMNS, self.run_id, PASS)), [[str(DOCS)]])
        self.assertEqual(self.query("select count(*) from golden_docs"), [[str(DOCS)]])
        self.assertEqual(self.query("select to_regclass('%s')" % self.staging), [[""]])
        self.assertEqual(self.ledger(), [])

    def test_tables_of_dead_runs_are_swept(self):
        def there():
            return self.query("select to_regclass('%s')" % self.staging)[0][0] != ""
        self.query("select staging_sweep()")
        self.assertTrue(there(), "the run is under way")
        self.pg.sql("update runs set state = 'lost', finished_at = now() where id = '%s'" % self.run_id)
        self.query("select staging_sweep()")
        self.assertTrue(there(), "it may be taken over")
        self.query("select staging_sweep(interval '0')")
        self.assertFalse(there())
        self.pg.sql("update runs set state = 'running' where id = '%s'" % self.run_id)
        self.open_staging()
        self.pg.sql("update runs set state = 'failed' where id = '%s'" % self.run_id)
        self.query("select staging_sweep()")
        self.assertFalse(there())


if __name__ == "__main__":
    unittest.main(verbosity=2)
