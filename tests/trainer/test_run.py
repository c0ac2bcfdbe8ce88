"""The life of a run: made by a shell or taken from the queue, its row and log, cancelled, timed out, fenced, its coordinator killed, its PostgreSQL gone.

A lock on the table of marks, which only workers read, holds a run in mid-pass for as long as a test wants.
"""
import datetime
import json
import os
import signal
import subprocess
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest, program, wait_for  # noqa: E402
from held import Held  # noqa: E402

KEY, UNITS = "ranker", 40
MARKS = "lock table marked_units in access exclusive mode"
SIGNALS = "lock table signals in access exclusive mode"
PUBLISHED = "select experiment, metric, variant, segment, day, n, mean_x, m2_x from moments order by 1, 2, 3, 4, 5"


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
            return [int(p) for p in f.read().split()]
    except FileNotFoundError:
        return []


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Base(DaemonTest):
    @classmethod
    def prepare(cls, d):
        now = datetime.datetime.now(datetime.timezone.utc)
        day = now.replace(hour=1, minute=0, second=0, microsecond=0) - datetime.timedelta(days=2)
        d.make_experiment(KEY, metrics=[{"metric": "ctr", "role": "primary"}])
        exposures, signals = [], []
        for i in range(UNITS):
            unit, at = "u-%d" % i, (day + datetime.timedelta(minutes=i)).isoformat()
            exposures.append({"unit": unit, "experiment": KEY, "variant": i % 2, "timestamp": at})
            signals.append({"type": "request", "unit": unit, "query_id": "q-%d" % i, "query": "lamp", "value": 3, "timestamp": at})
            if i % 3 == 0:
                signals.append({"type": "click", "unit": unit, "query_id": "q-%d" % i, "doc": "d", "position": 1, "timestamp": at})
        for path, elements in (("/v1/exposures", exposures), ("/v1/signals", signals)):
            reply = d.post(path, "".join(json.dumps(e) + "\n" for e in elements).encode())
            if reply.status != 200 or reply.json["rejected"]:
                raise AssertionError(reply)
        d.wait_loaded()
        d.sql("insert into jobs (id, type, name, params) values ('nightly', 'metrics', 'Metrics of all experiments', '{\"ranges\": 4, \"full\": true}')")
        d.trainer("--param", "ranges=4")
        cls.want = d.sql(PUBLISHED)

    def setUp(self):
        self.processes = []

    def tearDown(self):
        for p in self.processes:
            if p.poll() is None:
                p.send_signal(signal.SIGCONT)
                p.kill()
            p.communicate()

    def spawn(self, *arguments):
        p = subprocess.Popen([program("trainer"), "run", *arguments, "--data-dir", self.daemon.dir, "--workers", "2", "--stall", "600"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(p)
        return p

    def full(self, *arguments):
        return self.spawn("metrics", "--param", "ranges=4", "--param", "full=true", *arguments)

    def trainer(self, *arguments, **options):
        return self.daemon.run("trainer", *arguments, "--data-dir", self.daemon.dir, **options)

    def queue(self, **columns):
        run = str(uuid.uuid4())
        given = "".join(", %s => %s" % (k, v) for k, v in columns.items())
        self.assertEqual(self.daemon.sql("select queue_run('%s', 'nightly', 'manual'%s)" % (run, given)), [[run]])
        return run

    def of(self, run, columns):
        return self.daemon.sql("select %s from runs where id = '%s'" % (columns, run))[0]

    def latest(self):
        return self.daemon.sql("select id from runs order by queued_at desc, id desc limit 1")[0][0]

    def in_mid_pass(self, p):
        """The run of this process, once its workers wait for the lock; and the workers."""
        wait_for(lambda: p.poll() is not None or self.daemon.number(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%%marked_units%%' "
            "and application_name like 'trainer%%'") > 0, "a worker to wait for the lock")
        self.assertIsNone(p.poll(), "it ended early")
        run = wait_for(lambda: self.daemon.sql("select id from runs where pid = %d and state = 'running' and pass = 'units'" % p.pid), "the first beat in the pass")[0][0]
        return run, children(p.pid)

    def gone(self, workers):
        wait_for(lambda: not any(is_alive(w) for w in workers), "the workers to end")

    def log_of(self, run):
        return "\n".join(r[0] for r in self.daemon.sql("select line from run_log where run = '%s' order by seq" % run))


class Row(Base):
    def test_wrong_parameters_are_refused_by_name_before_anything_is_written(self):
        before = self.daemon.number("select count(*) from runs")
        for given, words in ((("--param", "exeriment=x"), 'job "metrics" has no parameter "exeriment" (did you mean "experiment"?)'),
                             (("--param", "ranges=3"), 'parameter "ranges" is 3, not a power of two from 1 to 1024'),
                             (("--param", "full=perhaps"), 'parameter "full" is "perhaps", not true or false'),
                             (("--engine", "tractor"), 'engine "tractor" is not offered')):
            done = self.trainer("run", "metrics", *given, check=False)
            self.assertEqual(done.returncode, 64, done.stderr)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.daemon.number("select count(*) from runs"), before)

    def test_a_run_of_the_shell_has_a_row_a_result_and_a_log(self):
        p = self.full()
        _, said = p.communicate()
        self.assertEqual(p.returncode, 0, said)
        run = self.latest()
        self.assertEqual(self.of(run, "state, trigger, epoch, attempt, progress, job, params->>'ranges', pid, pass is null, log_lines > 0"),
                         ["success", "shell", "1", "1", "1", "metrics", "4", str(p.pid), "t", "t"])
        result = json.loads(self.of(run, "result")[0])
        self.assertEqual((result["experiments"], result["rows"], result["kept"]), (1, len(self.want) + self.daemon.number("select count(*) from exposure_counts"), 0))
        passes = self.daemon.sql("select pass, name, splits, done, seconds is not null from run_passes where run = '%s' order by pass" % run)
        self.assertEqual([(r[0], r[1]) for r in passes], [("0", "days"), ("1", "units")])
        self.assertTrue(all(r[2] == r[3] and r[4] == "t" for r in passes), passes)
        self.assertEqual(self.daemon.number("select max(seq) - count(*) from run_log where run = '%s'" % run), 0)
        self.assertEqual(self.number_said(run), self.daemon.number("select count(*) from run_log where run = '%s'" % run))
        self.assertIn("metrics: ", self.log_of(run))

    def number_said(self, run):
        return int(self.of(run, "log_lines")[0])

    def test_what_workers_write_is_in_the_log(self):
        """The dynamic linker speaks from every process, when it is told to."""
        p = subprocess.Popen([program("trainer"), "run", "metrics", "--param", "ranges=1", "--data-dir", self.daemon.dir, "--workers", "1"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "LD_DEBUG": "versions"})
        self.processes.append(p)
        _, said = p.communicate()
        self.assertEqual(p.returncode, 0, said[-1000:])
        kept = self.daemon.sql("select count(*), count(*) filter (where line like '%%checking for version%%') from run_log where run = '%s' and source = 'worker 0'" % self.latest())
        self.assertGreater(int(kept[0][1]), 0, kept)

    def test_runs_log_and_cancel_are_commands(self):
        run = self.queue()
        listed = self.trainer("runs").stdout
        self.assertRegex(listed, run + r"  nightly +queued ")
        self.assertEqual(self.trainer("cancel", run).stdout, "cancelled\n")
        self.assertEqual(self.of(run, "state, finished_at is not null"), ["cancelled", "t"])
        self.assertIn("has ended", self.trainer("cancel", run, check=False).stderr)
        self.trainer("run", "--run", run, check=False)
        taken = self.queue()
        self.trainer("run", "--run", taken)
        self.assertRegex(self.trainer("log", taken).stdout, r"run +metrics: \d+ rows in")
        unknown = self.trainer("log", str(uuid.uuid4()), check=False)
        self.assertEqual((unknown.returncode, "is not known" in unknown.stderr), (1, True))
        self.assertEqual(self.trainer("log", "x", check=False).returncode, 64)

    def test_jobs_are_shown_as_schemas(self):
        types = {t["name"]: t for t in json.loads(subprocess.run([program("trainer"), "jobs", "--json"], check=True, capture_output=True).stdout)}
        self.assertEqual(types["metrics"]["params"]["properties"]["ranges"]["default"], 16)
        listed = subprocess.run([program("trainer"), "jobs"], check=True, capture_output=True, text=True).stdout
        for name in types:
            self.assertIn("\n" + name + " ", "\n" + listed)
            unknown = self.trainer("run", name, "--param", "no_such_parameter=1", check=False)
            self.assertEqual((unknown.returncode, 'has no parameter "no_such_parameter"' in unknown.stderr), (64, True), name)

    def test_old_logs_and_runs_are_deleted(self):
        self.full().communicate()
        new, published = self.latest(), self.daemon.sql("select run from moments_current")[0][0]
        old, older = self.queue(state="'skipped'"), self.queue(state="'skipped'")
        for run, days in ((old, 31), (older, 401)):
            self.daemon.sql("insert into run_log values ('%s', 1, now(), 'run', 'x'); update runs set finished_at = now() - interval '%d days' where id = '%s'" % (run, days, run))
        self.daemon.sql("update runs set finished_at = now() - interval '500 days' where id = '%s'" % published)
        done = self.trainer("run", "retention")
        self.assertIn("retention: 1 runs and ", done.stderr)
        left = [r[0] for r in self.daemon.sql("select id from runs")]
        self.assertEqual((new in left, old in left, older in left, published in left), (True, True, False, True))
        self.assertEqual(self.daemon.number("select count(*) from run_log where run = '%s'" % old), 0)
        self.assertEqual(json.loads(self.of(self.latest(), "result")[0])["runs"], 1)


class Taken(Base):
    def test_a_queued_run_is_taken_once(self):
        run = self.queue()
        done = self.trainer("run", "--run", run)
        self.assertEqual(self.of(run, "state, epoch, trigger, job_id, started_at is not null"), ["success", "2", "manual", "nightly", "t"], done.stderr)
        again = self.trainer("run", "--run", run, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is success; only one that is queued or lost can be taken", again.stderr)
        self.assertEqual(self.of(run, "state, epoch"), ["success", "2"])

    def test_what_cannot_be_taken_is_said(self):
        for run, status, words in ((str(uuid.uuid4()), 64, "is not known"), ("mine", 64, '"mine" is not the id of a run')):
            done = self.trainer("run", "--run", run, check=False)
            self.assertEqual((done.returncode, words in done.stderr), (status, True), done.stderr)
        done = self.trainer("run", "metrics", "--run", str(uuid.uuid4()), check=False)
        self.assertEqual((done.returncode, "give no others" in done.stderr), (64, True), done.stderr)

    def test_a_run_whose_parameters_do_not_fit_fails_with_the_reason(self):
        run = self.queue(params="'{\"ranges\": 5}'")
        done = self.trainer("run", "--run", run, check=False)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertEqual(self.of(run, "state, error"), ["failed", 'parameter "ranges" is 5, not a power of two from 1 to 1024'])

    def test_a_run_whose_coordinator_was_killed_is_taken_over(self):
        run = self.queue()
        with Held(self.daemon, MARKS):
            p = self.spawn("--run", run)
            self.assertEqual(self.in_mid_pass(p)[0], run)
            workers = children(p.pid)
            refused = self.trainer("run", "--run", run, check=False)
            self.assertIn("is run by process %d on" % p.pid, refused.stderr)
            p.kill()
            p.wait()
            self.gone(workers)
            self.assertEqual(self.daemon.number("select count(*) from lose_runs('0 seconds')"), 1)
            self.assertEqual(self.of(run, "state, epoch"), ["lost", "3"])
        self.daemon.sql("delete from moments")
        self.trainer("run", "--run", run)
        self.assertEqual(self.of(run, "state, epoch, error is null"), ["success", "4", "t"])
        self.assertEqual(self.daemon.sql(PUBLISHED), self.want)

    def test_a_run_that_publishes_is_not_lost_and_nobody_waits_for_it(self):
        """Its row is locked as long as it publishes, so its heartbeat is old; other runs are lost meanwhile."""
        publishing, silent = self.queue(), self.queue()
        self.daemon.sql("update runs set state = 'running', heartbeat_at = now() - interval '1 hour' where id in ('%s', '%s')" % (publishing, silent))
        with Held(self.daemon, "do $$ begin perform from runs where id = '%s' for update; end $$" % publishing):
            self.assertEqual(self.daemon.sql("set lock_timeout = '2s'; select lose_runs('1 minute')"), [[silent]])
        self.daemon.sql("update runs set state = 'cancelled' where id = '%s'" % publishing)

    def test_what_a_killed_coordinator_had_made_is_used_again(self):
        """Stopped before its last pass: what lies in the spool is not made again, and the digest is that of a run which nothing has happened to."""
        self.daemon.sql("insert into jobs (id, type, name, params) values ('golden', 'golden', 'Golden', '{\"rows\": 20000, \"passes\": 2}')")
        runs = [str(uuid.uuid4()) for _ in range(2)]
        for run in runs:
            self.daemon.sql("select queue_run('%s', 'golden', 'manual')" % run)
        self.trainer("run", "--run", runs[0])
        with Held(self.daemon, "lock table golden_docs in access exclusive mode"):
            p = self.spawn("--run", runs[1])
            wait_for(lambda: p.poll() is not None or self.daemon.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%staging_open%' and application_name = 'trainer engine'"),
                     "the last pass to be opened")
            self.assertIsNone(p.poll())
            p.kill()
            p.wait()
        made = self.daemon.sql("select name, attempts > 0 from run_passes where run = '%s' and name <> 'docs' order by pass" % runs[1])
        self.assertTrue(len(made) > 3 and all(r[1] == "t" for r in made), made)
        self.daemon.sql("select lose_runs('0 seconds')")
        self.trainer("run", "--run", runs[1])
        again = self.daemon.sql("select name, attempts from run_passes where run = '%s' order by pass" % runs[1])
        # The data set of "rows" was dropped when nothing needed it any more, so its pass is run again.
        self.assertEqual([r[0] for r in again if r[1] == "0"], ["stats", "counts", "gradient 1", "gradient 2"], again)
        first, second = (json.loads(self.of(run, "result")[0]) for run in runs)
        self.assertEqual(first, second)

    def test_two_coordinators_and_only_the_later_one_publishes(self):
        run = self.queue()
        with Held(self.daemon, MARKS):
            first = self.spawn("--run", run)
            self.in_mid_pass(first)
            first.send_signal(signal.SIGSTOP)  # as good as dead, for all that others see
            self.daemon.sql("update runs set heartbeat_at = now() - interval '5 minutes' where id = '%s'; delete from moments" % run)
            second = self.spawn("--run", run)
            self.in_mid_pass(second)
        first.send_signal(signal.SIGCONT)
        said = [p.communicate()[1] for p in (first, second)]
        self.assertEqual((first.returncode, second.returncode), (1, 0), said)
        self.assertRegex(said[0], "another coordinator (has this run )?now")
        self.assertEqual(self.of(run, "state, epoch, pid, error is null"), ["success", "3", str(second.pid), "t"])
        self.assertEqual(self.daemon.sql(PUBLISHED), self.want)

    def test_a_holder_hands_its_run_over(self):
        run = self.queue()
        self.daemon.sql("update runs set state = 'running', epoch = 7, heartbeat_at = now() where id = '%s'" % run)
        self.assertEqual(self.trainer("run", "--run", run, "--epoch", "6", check=False).returncode, 1)
        self.trainer("run", "--run", run, "--epoch", "7")
        self.assertEqual(self.of(run, "state, epoch"), ["success", "8"])


class Ended(Base):
    def ends(self, p, run, workers, status, state, words):
        _, said = p.communicate()
        self.assertEqual(p.returncode, status, said)
        self.assertEqual(self.of(run, "state, finished_at is not null"), [state, "t"])
        self.assertIn(words, self.of(run, "error")[0])
        self.gone(workers)
        self.assertEqual(self.daemon.sql(PUBLISHED), self.want)

    def spool(self):
        return os.listdir(os.path.join(self.daemon.dir, "spool"))

    def test_cancelled_by_the_row(self):
        with Held(self.daemon, MARKS):
            p = self.full()
            run, workers = self.in_mid_pass(p)
            self.assertEqual(self.trainer("cancel", run).stdout, "asked to end\n")
            self.ends(p, run, workers, 130, "cancelled", "cancelled")
        self.assertEqual(self.spool(), [])
        self.assertIn("trainer: cancelled", self.log_of(run))

    def test_cancelled_by_a_signal(self):
        with Held(self.daemon, MARKS):
            p = self.full()
            run, workers = self.in_mid_pass(p)
            p.send_signal(signal.SIGTERM)
            self.ends(p, run, workers, 130, "cancelled", "cancelled")

    def test_ended_at_its_timeout(self):
        with Held(self.daemon, MARKS):
            p = self.full("--timeout", "8")
            run, workers = self.in_mid_pass(p)
            self.ends(p, run, workers, 1, "timeout", "it ran longer than its timeout")

    def test_cancelled_inside_a_long_statement(self):
        """The coordinator itself waits for a lock: its heartbeat closes the row and ends the process."""
        with Held(self.daemon, SIGNALS):
            p = self.spawn("retention", "--retention-signals", "default=1")
            wait_for(lambda: self.daemon.number("select count(*) from pg_stat_activity where application_name = 'trainer retention' and wait_event_type = 'Lock'"),
                     "the deletion to wait")
            run = self.latest()
            p.send_signal(signal.SIGTERM)
            p.send_signal(signal.SIGTERM)
            self.daemon.sql("select cancel_run('%s')" % run)
            self.ends(p, run, [], 130, "cancelled", "cancelled")
        self.assertEqual(self.spool(), [run])
        self.trainer("run", "bandit")
        self.assertEqual(self.spool(), [])  # swept by the next one

    def test_a_job_that_fails_says_why(self):
        done = self.trainer("run", "metrics", "--param", "experiment=none", check=False)
        self.assertEqual(done.returncode, 65)
        run = self.latest()
        self.assertEqual(self.of(run, "state, error"), ["failed", 'experiment "none" is not known or has no exposure yet'])
        self.assertIn('experiment "none" is not known', self.log_of(run))


class Postgres(Base):
    def test_a_postgresql_that_is_killed_is_waited_for(self):
        with Held(self.daemon, MARKS):
            p = self.full()
            run, _ = self.in_mid_pass(p)
            pid = self.daemon.postgres_pid()
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: self.daemon.postgres_pid() not in (None, pid), "PostgreSQL to be started again")
        _, said = p.communicate()
        self.assertEqual(p.returncode, 0, said)
        self.assertEqual(self.of(run, "state, epoch, attempt"), ["success", "1", "1"])
        self.assertIn("the database was away", self.log_of(run))
        self.assertIn("warn  split_retried pass=units", self.log_of(run))
        self.assertEqual(self.daemon.number("select count(*) from run_passes where run = '%s'" % run), 2)
        self.assertEqual(self.daemon.sql(PUBLISHED), self.want)

    def test_patience_has_an_end(self):
        with Held(self.daemon, MARKS):
            p = self.full("--database-patience", "1", "--max-attempts", "1")
            self.in_mid_pass(p)
            self.daemon.process.send_signal(signal.SIGSTOP)  # so that it does not bring PostgreSQL back
            os.kill(self.daemon.postgres_pid(), signal.SIGKILL)
            _, said = p.communicate()
        self.daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual(p.returncode, 1, said)
        self.assertIn("PostgreSQL did not come back", said)
        self.daemon.kill()
        self.daemon.start()


if __name__ == "__main__":
    unittest.main()
