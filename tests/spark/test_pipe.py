"""The engine behind pipes with a driver of a screen in place of Spark: the same digest and rows as the local engine, whatever the order in which
splits are run and chunks come; what a driver says of failures; a driver that dies."""
import json
import os
import random
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import SOURCE_DIR, Daemon, DaemonTest, program  # noqa: E402
from month import Month  # noqa: E402
from postgres import Postgres  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE_DIR, "trainer", "spark"))
import frames  # noqa: E402
import task  # noqa: E402

PASS, SPLIT, START, BLOB, DROP, FETCH, CANCEL, END_RUN = range(32, 40)
ENGINE, RESULT, DONE, PROGRESS, CHUNK, FETCHED, ENDED = range(48, 55)
SMALL = ["rows=40000", "splits=6", "parts=3", "passes=2"]


class PlainDriver:
    """Runs what it is given, one split after the other, in an order of its own."""

    def __init__(self, command, seed=1, goes_at=None, dies_at=None):
        self.rng, self.goes_at, self.dies_at = random.Random(seed), goes_at, dies_at
        self.passes, self.blobs, self.blob, self.runs = {}, {}, b"", 0
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def send(self, kind, a, b, crc, payload):
        self.child.stdin.write(frames.head(kind, a, b, len(payload), crc) + payload)
        self.child.stdin.flush()

    def send_json(self, kind, a, b, value):
        self.child.stdin.write(frames.frame(kind, a, b, json.dumps(value).encode()))
        self.child.stdin.flush()

    def start(self, number):
        p = self.passes[number]
        if self.dies_at == p["name"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.goes_at == p["name"]:
            raise BrokenPipeError
        context = task.Context(p["params"], 30.0, {name: lambda name=name: self.blobs[name] for name in p["blobs"]}, [program("trainer"), "worker"])
        source = self.passes.get(p["input_pass"])
        self.rng.shuffle(p["splits"])
        for entry in p["splits"]:
            wanted = {(one["split"], one["part"]): i for i, one in enumerate(entry["task"]["inputs"]) if "data" in one}
            records = [(wanted[r[:2]], *r[1:]) for r in (source["chunks"] if source else ()) if r[:2] in wanted]
            self.rng.shuffle(records)
            self.runs += 1
            try:
                out = list(task.run_split(context, [], entry, self.runs, 0, iter(records)))
            except task.Failure as failure:
                return {"state": "failed", **task.words_of(str(failure))}
            p["chunks"] += [r for r in out if r[0] not in ("done", "failed")]
            kind, split, what, *rest = out[-1]
            if kind == "failed":
                return {"state": "final", "split": split, "code": what, "attempt": rest[0], "text": rest[1]}
            for crc, piece in rest[0]:
                self.send(RESULT, split, number, frames.moved(crc, len(piece), (task.RESULT, split, 0), (RESULT, split, number)), piece)
            self.child.stdin.write(frames.frame(DONE, split, number, what))
            self.send_json(PROGRESS, number, 0, {"done": 1, "rows": 0, "active": 0, "failed": 0})
        return {"state": "done"}

    def fetch(self, number, split):
        for of, part, seq, crc, payload in self.passes[number]["chunks"]:
            if of == split:
                self.send(CHUNK, part, seq, frames.moved(crc, len(payload), (task.EMIT, part, seq), (CHUNK, part, seq)), payload)
        self.send_json(FETCHED, number, split, {"text": ""})

    def run(self):
        """The coordinator's exit status, and what it said."""
        self.send_json(ENGINE, 0, 0, {"app_id": "plain-1", "ui_url": "", "slots": 1, "version": "1"})
        try:
            for kind, a, b, _, payload in iter(lambda: frames.read_frame(self.child.stdout) or (END_RUN, 0, 0, 0, b""), None):
                if kind == END_RUN:
                    break
                if kind == PASS:
                    self.passes[a] = {**json.loads(payload), "splits": [], "chunks": []}
                elif kind == SPLIT:
                    document = json.loads(payload)
                    self.passes[b]["params"] = document.pop("params")
                    self.passes[b]["splits"].append({"split": a, "task": document})
                elif kind == START:
                    self.send_json(ENDED, a, 0, {**self.start(a), "failed_tasks": 0})
                elif kind == BLOB:
                    self.blob += payload
                    if not b:
                        name, _, data = self.blob.partition(b"\0")
                        self.blobs[name.decode()], self.blob = data, b""
                elif kind == FETCH:
                    self.fetch(a, b)
        except BrokenPipeError:
            pass
        _, said = self.child.communicate()  # closes its stdin first
        return self.child.returncode, said.decode()


class Pipe(DaemonTest):
    def command(self, job, params, *more):
        return [program("trainer"), "run", job, "--data-dir", self.daemon.dir, *(x for p in params for x in ("--param", p)), *more]

    def local(self, job, params):
        self.daemon.run("trainer", *self.command(job, params, "--workers", "2")[1:])
        return self.last("result->>'digest'")

    def last(self, what):
        return self.daemon.sql("select %s from runs order by queued_at desc limit 1" % what)[0][0]

    def docs(self):
        return self.daemon.sql("select * from golden_docs order by doc")

    def test_the_same_whatever_the_order(self):
        want, rows = self.local("golden", SMALL), self.docs()
        for seed in (1, 2):
            status, said = PlainDriver(self.command("golden", SMALL, "--engine", "pipe"), seed).run()
            self.assertEqual(status, 0, said)
            self.assertEqual((self.last("result->>'digest'"), self.last("app_id")), (want, "plain-1"))
            self.assertEqual(self.docs(), rows)

    def test_data_sets_that_a_job_keeps_are_fetched(self):
        month = Month(seed=3, days=2, visits=30)
        for day in range(month.days):
            month.send(self.daemon, day)
        self.daemon.wait_loaded()
        found, params = [], ["as_of=%s" % month.date(1), "ranges=2"]
        for engine in (["--workers", "2"], ["--engine", "pipe"]):
            if engine[1] == "pipe":
                status, said = PlainDriver(self.command("clicks", [*params, "full=true"], *engine)).run()
                self.assertEqual(status, 0, said)
            else:
                self.local("clicks", [*params, "full=true"])
            found.append(self.daemon.sql("select * from query_doc_weights order by query, filters, rank"))
        self.assertTrue(found[0])
        self.assertEqual(found[0], found[1])
        self.local("clicks", params)  # what was fetched is as good as what was made here
        self.assertEqual(self.last("rows_in"), "0")
        self.assertEqual(self.daemon.sql("select * from query_doc_weights order by query, filters, rank"), found[0])

    def test_bad_data_is_named(self):
        status, said = PlainDriver(self.command("golden", [*SMALL, "fault=poison"], "--engine", "pipe")).run()
        self.assertNotEqual(status, 0)
        self.assertRegex(said, "pass \"stats\", split 3, attempt 1: ")
        self.assertEqual(self.last("state"), "failed")

    def test_a_driver_that_goes_ends_the_run(self):
        rows = self.docs()
        status, said = PlainDriver(self.command("golden", SMALL, "--engine", "pipe"), goes_at="counts").run()
        self.assertNotEqual(status, 0)
        self.assertIn("the driver has gone", said)
        self.assertEqual(self.docs(), rows)

    def test_without_a_driver_it_says_what_it_is_for(self):
        done = self.daemon.run("trainer", *self.command("golden", SMALL, "--engine", "pipe")[1:], check=False, stdin=subprocess.DEVNULL)
        self.assertIn("engine \"pipe\" is for a driver", done.stderr)


class Launch(unittest.TestCase):
    """`trainer run --engine spark` with a program of ours in place of spark-submit."""

    @classmethod
    def setUpClass(cls):
        address = "127.9.%d.%d" % divmod(os.getpid() % 65000, 256)
        cls.postgres = cls.enterClassContext(Postgres(address=address))
        cls.daemon = cls.enterClassContext(Daemon(postgres=cls.postgres))
        cls.root = os.path.join(cls.daemon.root, "trainer")
        os.makedirs(cls.root)

    def submit(self, script, run=None):
        path = os.path.join(self.root, "submit")
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + script + "\n")
        os.chmod(path, 0o755)
        environment = {**os.environ, "EXPERIMENTD_DATABASE_URL": self.postgres.url(), "UNWANTED": "hunter2"}
        done = self.daemon.run("trainer", "run", *(["--run", run] if run else ["golden", *(x for p in SMALL for x in ("--param", p))]), "--data-dir", self.root, "--engine", "spark",
                               "--spark-master", "spark://nowhere:7077", "--spark-submit", path, check=False, env=environment)
        self.row = dict(zip(("id", "state", "error", "epoch", "app_id", "digest"), self.daemon.sql(
            "select id, state, error, epoch, app_id, result->>'digest' from runs order by queued_at desc limit 1")[0]))
        return done

    def as_driver(self, *more):
        """A spark-submit that runs the driver of this file."""
        return 'exec /usr/bin/python3 "%s" --as-submit %s "$@"' % (os.path.abspath(__file__), " ".join(more))

    def test_the_coordinator_takes_the_run_and_no_secret_is_in_sight(self):
        done = self.submit('env >"%s/env"; echo "$@" >"%s/arguments"\n' % (self.root, self.root) + self.as_driver())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.row["state"], self.row["epoch"], self.row["app_id"]), ("success", "2", "plain-1"))
        with open(os.path.join(self.root, "env"), encoding="utf-8") as f:
            environment = f.read()
        self.assertNotIn("UNWANTED", environment)
        self.assertIn("EXPERIMENTD_DATABASE_URL=", environment)
        with open(os.path.join(self.root, "arguments"), encoding="utf-8") as f:
            arguments = f.read()
        self.assertNotIn("dbname=", arguments)
        self.assertIn("spark.task.maxFailures=4", arguments)

    def test_what_never_began_has_failed_and_says_why(self):
        done = self.submit("echo 'Exception: no cluster there' >&2; exit 1")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.row["state"], "failed")
        self.assertIn("spark-submit ended before the coordinator began: Exception: no cluster there", self.row["error"])

    def test_a_driver_that_dies_leaves_a_run_that_is_taken_over(self):
        self.submit(self.as_driver())
        want, rows = self.row["digest"], self.daemon.sql("select * from golden_docs order by doc")
        done = self.submit(self.as_driver("--dies-at", "counts"))
        self.assertEqual((done.returncode, self.row["state"]), (1, "lost"), done.stderr)
        self.assertEqual(self.daemon.sql("select * from golden_docs order by doc"), rows)
        done = self.submit(self.as_driver(), run=self.row["id"])
        self.assertEqual((done.returncode, self.row["state"], self.row["digest"]), (0, "success", want), done.stderr)


def as_submit(arguments):
    """What spark-submit does with driver.py."""
    dies_at = arguments[1] if arguments[0] == "--dies-at" else None
    rest = arguments[arguments.index("--trainer"):]
    status, said = PlainDriver([rest[1], *rest[rest.index("--") + 1:]], dies_at=dies_at).run()
    sys.stderr.write(said)
    sys.exit(status)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-submit"]:
        as_submit(sys.argv[2:])
    unittest.main()
