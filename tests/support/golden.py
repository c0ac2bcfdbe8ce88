"""The job "golden" of an engine under attack: a database of its own, runs of the trainer, their worker processes.

    with Golden() as golden:
        run = golden.start("--workers", "2", fault="slow", slow_ms=50)
        os.kill(run.wait_worker(), signal.SIGKILL)
        assert run.end() == 0 and run.digest == golden.digest
        golden.check_clean(run)
"""
import os
import re
import subprocess
import tempfile

from daemon import FINDING, program, wait_for
from postgres import Postgres

ROWS = 60000


def children_of(pid):
    """Process ids of children that are no zombies."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as f:
                    state, parent = f.read().rsplit(")", 1)[1].split()[:2]
            except OSError:
                continue
            if int(parent) == pid and state != "Z":
                found.append(int(name))
    return sorted(found)


def is_there(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Run:
    def __init__(self, golden, arguments, environment=None):
        self.golden, self.said = golden, None
        self.out, self.err = (tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") for _ in range(2))
        self.process = subprocess.Popen([program("trainer"), "run", *arguments], stdout=self.out, stderr=self.err, stdin=subprocess.DEVNULL,
                                        env={**os.environ, **(environment or {})})
        self.seen = set()  # all its workers so far

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.said = tuple(self._text(file) for file in (self.out, self.err))
        self.out.close()
        self.err.close()

    def workers(self):
        found = children_of(self.process.pid)
        self.seen.update(found)
        return found

    def wait_pass(self, name):
        """Until it is in this pass, of which splits are slow."""
        query = "select 1 from run_passes p join runs r on r.id = p.run where r.state = 'running' and p.name = '%s' and p.seconds is null" % name

        def there():
            if self.process.poll() is not None:
                raise AssertionError("the run has ended: " + self.stderr)
            return self.golden.query(query)
        wait_for(there, "pass " + name)

    def wait_worker(self):
        """One of its workers. With a slow pass it has something to do."""
        return wait_for(self.workers, "a worker")[0]

    @staticmethod
    def _text(file):
        file.seek(0)
        return file.read()

    @property
    def stdout(self):
        return self.said[0] if self.said else self._text(self.out)

    @property
    def stderr(self):
        return self.said[1] if self.said else self._text(self.err)

    def end(self):
        """Waits for it; its exit status."""
        status = self.process.wait(300)
        if FINDING.search(self.stderr):
            raise AssertionError(self.stderr)
        return status

    @property
    def digest(self):
        found = re.search(r'"digest":"([0-9a-f]{64})"', self.stdout)
        return found.group(1) if found else None


class Golden:
    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="experimentd-golden-", dir=os.environ.get("TMPDIR", "/var/tmp"))
        self.spool = os.path.join(self.root, "spool")
        self.pg = Postgres().__enter__()
        subprocess.run([program("experimentd"), "migrate", "--database-url", self.pg.url()], check=True, capture_output=True)
        with self.start("--workers", "1") as run:
            assert run.end() == 0, run.stderr
            self.digest = run.digest
        self.docs = self.published()
        return self

    def __exit__(self, *_):
        self.pg.destroy()
        subprocess.run(["rm", "-rf", self.root], check=True)

    def start(self, *arguments, environment=None, **params):
        given = []
        for key, value in {"rows": ROWS, **params}.items():
            given += ["--param", "%s=%s" % (key, value)]
        if "--spool-dir" not in arguments:
            arguments = ("--spool-dir", self.spool, *arguments)
        return Run(self, ["golden", "--database-url", self.pg.url(), *arguments, *given], environment)

    def take_over(self, run_id, *arguments):
        """Another coordinator of the run, once the first one's heart has not beaten for two seconds."""
        wait_for(lambda: self.query("select 1 from runs where id = '%s' and heartbeat_at < now() - interval '2 seconds'" % run_id), "the heart to stop")
        return Run(self, ["--run", run_id, "--lost-after", "2", "--database-url", self.pg.url(), "--spool-dir", self.spool, *arguments])

    def query(self, text):
        """Lines of columns."""
        done = subprocess.run(self.pg.psql("-c", text), capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def last_run(self):
        names = ("id", "state", "epoch", "retries", "error", "rows_in")
        return dict(zip(names, self.query("select %s from runs order by queued_at desc limit 1" % ", ".join(names))[0]))

    def attempts(self):
        """Of the last run, by pass."""
        return {name: int(n) for name, n in self.query("select name, attempts from run_passes where run = '%s'" % self.last_run()["id"])}

    def published(self):
        return self.query("select doc, clicks, weight from golden_docs order by doc")

    def leftovers(self, run):
        """What a run that has ended may not leave behind; it is the one that began last."""
        uuid = self.last_run()["id"]
        found = {"workers": [pid for pid in run.seen if is_there(pid)], "spool": os.path.exists(os.path.join(self.spool, uuid)),
                 "staging": self.query("select tablename from pg_tables where schemaname = 'staging' and tablename ~ '%s'" % uuid.replace("-", "")),
                 "ledger": self.query("select pass, split from run_splits where run = '%s'" % uuid)}
        return {k: v for k, v in found.items() if v}
