"""Faults of passes, made for real, under the job "golden": whatever dies, what comes out is the same, or nothing does; and nothing is left behind."""
import contextlib
import glob
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import wait_for  # noqa: E402
from golden import Golden  # noqa: E402
from small_disk import SmallDisk, can_mount  # noqa: E402

SLOW = {"fault": "slow", "slow_ms": 60}  # a split of the pass "stats" has four blocks, of "docs" sixteen


def setUpModule():
    EngineTest.golden = Golden().__enter__()


def tearDownModule():
    EngineTest.golden.__exit__()


class EngineTest(unittest.TestCase):
    def expect_right(self, run):
        self.assertEqual(run.end(), 0, run.stderr)
        self.assertEqual(run.digest, self.golden.digest)
        self.assertEqual(self.golden.published(), self.golden.docs)
        self.assertEqual(self.golden.leftovers(run), {})

    def expect_failed(self, run, status, state, text):
        """It says why; and readers see what there was before."""
        self.assertEqual(run.end(), status, run.stderr)
        last = self.golden.last_run()
        self.assertEqual(last["state"], state)
        self.assertRegex(last["error"], text)
        self.assertEqual(self.golden.published(), self.golden.docs)
        self.assertEqual({k: v for k, v in self.golden.leftovers(run).items() if k not in ("staging", "ledger")}, {})

    def hit_worker(self, number, *arguments):
        with self.golden.start("--workers", "2", *arguments, **SLOW) as run:
            run.wait_pass("stats")
            pid = run.wait_worker()
            os.kill(pid, number)
            wait_for(lambda: "split_retried" in run.stderr, "the split to be tried again")
            self.expect_right(run)
            self.assertEqual(int(self.golden.last_run()["retries"]), 1)
            return run.stderr


class Workers(EngineTest):
    def test_any_number_of_them_computes_the_same(self):
        for workers in ("1", "2", "4"):
            with self.golden.start("--workers", workers) as run:
                self.expect_right(run)
        with self.golden.start("--workers", "2", seed=2) as run:
            self.assertEqual(run.end(), 0, run.stderr)
            self.assertNotEqual(run.digest, self.golden.digest)
        with self.golden.start("--workers", "2") as run:
            self.expect_right(run)

    def test_one_is_killed(self):
        self.assertIn("ended by signal 9", self.hit_worker(signal.SIGKILL))

    def test_one_crashes(self):
        self.assertIn("ended by signal 11", self.hit_worker(signal.SIGSEGV))

    def test_one_stands_still(self):
        self.assertIn("it said nothing for 5 s", self.hit_worker(signal.SIGSTOP, "--stall", "5"))

    def test_all_are_killed_again_and_again(self):
        with self.golden.start("--workers", "2", "--max-attempts", "20", **SLOW) as run:
            run.wait_pass("stats")
            for count in range(5):
                wait_for(lambda n=count: self.kill_all(run) and run.stderr.count("split_retried") > n, "splits to be tried again")
            self.expect_right(run)

    @staticmethod
    def kill_all(run):
        for pid in run.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return True

    def test_a_kernel_that_hangs_is_given_up(self):
        with self.golden.start("--workers", "2", "--stall", "1", "--max-attempts", "2", fault="hang", fault_split=5) as run:
            self.expect_failed(run, 1, "failed", 'pass "stats", split 5, attempt 2: .*it said nothing for 1 s')

    def test_a_pass_that_takes_too_long_is_given_up(self):
        with self.golden.start("--workers", "2", "--deadline", "2", fault="hang") as run:
            self.expect_failed(run, 1, "failed", 'pass "stats" took longer than its 2 s: .* of 16 splits were done')

    def test_bad_data_is_tried_once(self):
        with self.golden.start("--workers", "2", fault="poison", fault_split=5) as run:
            self.expect_failed(run, 65, "failed", 'pass "stats", split 5, attempt 1: row 1876: clicked is 7, neither 0 nor 1')
        self.assertNotIn("split_retried", run.stderr)


    def test_what_they_write_to_standard_error_is_in_the_log(self):
        with self.golden.start("--workers", "2", environment={"LD_DEBUG": "statistics"}) as run:  # the loader writes a dozen lines
            self.expect_right(run)
        lines = self.golden.query("select source from run_log where line like '%%runtime linker statistics%%' and run = '%s'" % self.golden.last_run()["id"])
        for worker in ("worker 0", "worker 1"):
            self.assertIn([worker], lines)


class Memory(EngineTest):
    def test_a_split_that_needs_more_gets_twice_of_it_once(self):
        with self.golden.start("--workers", "2", fault="hog", hog_mb=90, memory_mb=64) as run:
            self.expect_right(run)
        self.assertIn("the split needs more than its 64 MiB of memory (memory_mb) (exit code 71)", run.stderr)
        self.assertEqual(self.golden.attempts()["stats"], 17)

    def test_one_that_needs_still_more_is_given_up(self):
        with self.golden.start("--workers", "2", fault="hog", hog_mb=200, memory_mb=64) as run:
            self.expect_failed(run, 1, "failed", 'pass "stats", split 3, attempt 2: the split needs more than its 128 MiB of memory')


class Cancel(EngineTest):
    def test_a_run_is_cancelled_in_each_kind_of_pass(self):
        for name in ("stats", "docs"):
            with self.golden.start("--workers", "2", **SLOW) as run:
                run.wait_pass(name)
                run.wait_worker()
                run.process.terminate()
                self.expect_failed(run, 130, "cancelled", "cancelled")

    def test_a_worker_that_does_not_hear_of_it_is_killed(self):
        with self.golden.start("--workers", "2", **SLOW) as run:
            run.wait_pass("stats")
            os.kill(run.wait_worker(), signal.SIGSTOP)
            run.process.terminate()
            self.expect_failed(run, 130, "cancelled", "cancelled")


class Coordinator(EngineTest):
    def test_workers_die_with_it(self):
        for name in ("stats", "docs"):
            with self.golden.start("--workers", "2", **SLOW) as run:
                run.wait_pass(name)
                run.wait_worker()
                run.process.kill()
                run.process.wait()
                wait_for(lambda r=run: "workers" not in self.golden.leftovers(r), "the workers to end")
                self.assertEqual(self.golden.published(), self.golden.docs)

    def take_over(self, name, hit):
        """hit(run) once it is in this pass; then another coordinator ends it."""
        with self.golden.start("--workers", "2", **SLOW) as run:
            run.wait_pass(name)
            run.wait_worker()
            hit(run)
            uuid = self.golden.last_run()["id"]
            with self.golden.take_over(uuid, "--workers", "2") as other:
                self.expect_right(other)
                self.assertEqual(self.golden.last_run()["id"], uuid)
                self.assertEqual(int(self.golden.last_run()["epoch"]), 2)
            yield run

    def killed(self, name, number):
        def hit(run):
            made = os.path.join(self.golden.spool, self.golden.last_run()["id"], "p%d.*.r" % number)
            wait_for(lambda: len(glob.glob(made)) >= 2, "two splits")
            run.process.kill()
            run.process.wait()
        for _ in self.take_over(name, hit):
            return self.golden.attempts()

    def test_killed_in_its_second_pass_another_one_makes_the_rest(self):
        attempts = self.killed("stats", 1)
        self.assertEqual(attempts["rows"], 0, "what was made before is used")
        self.assertLessEqual(attempts["stats"], 14)

    def test_killed_while_rows_are_published_another_one_publishes_the_rest(self):
        attempts = self.killed("docs", 8)
        self.assertEqual((attempts["stats"], attempts["counts"], attempts["gradient 5"]), (0, 0, 0))
        self.assertLessEqual(attempts["docs"], 6)

    def test_one_that_stood_still_finds_that_another_one_has_the_run(self):
        for name in ("stats", "docs"):
            for run in self.take_over(name, lambda r: os.kill(r.process.pid, signal.SIGSTOP)):
                os.kill(run.process.pid, signal.SIGCONT)
                self.assertNotEqual(run.end(), 0)
                self.assertIsNone(run.digest)
                self.assertEqual(self.golden.last_run()["state"], "success")
                self.assertEqual(self.golden.published(), self.golden.docs)
                self.assertEqual(self.golden.leftovers(run), {})

    def test_what_another_one_took_over_is_not_published(self):
        with self.golden.start("--workers", "2", **SLOW) as run:
            run.wait_pass("docs")
            run.wait_worker()
            self.golden.pg.sql("update runs set epoch = epoch + 1 where state = 'running'")
            self.assertNotEqual(run.end(), 0)
            self.assertEqual(self.golden.last_run()["state"], "running", "it is the other one's to end")
            self.assertEqual(self.golden.published(), self.golden.docs)
            self.golden.pg.sql("update runs set state = 'failed' where state = 'running'")


class Database(EngineTest):
    def test_restarted_in_mid_run(self):
        for name in ("stats", "docs"):
            with self.golden.start("--workers", "2", **SLOW) as run:
                run.wait_pass(name)
                run.wait_worker()
                self.golden.pg.restart_immediate()
                self.expect_right(run)


@unittest.skipIf(can_mount(), can_mount())
class Disk(EngineTest):
    def test_full_of_the_spool(self):
        with SmallDisk(3) as disk:  # the rows have 4.3 MB
            with self.golden.start("--workers", "2", "--spool-dir", disk.dir) as run:
                self.expect_failed(run, 1, "failed", 'pass "rows".*No space left on device')
            self.assertEqual(os.listdir(disk.dir), [])
        with SmallDisk(16) as disk, self.golden.start("--workers", "2", "--spool-dir", disk.dir) as run:
            self.expect_right(run)
            self.assertEqual(os.listdir(disk.dir), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
