"""A daemon of its own for a test: data directory, keys, requests, raw bytes, SQL, kill and restart.

    with Daemon() as d:
        reply = d.post("/v1/experiments", {"key": "x", ...})
        assert reply.status == 201, reply
        d.kill(); d.start()
        rows = d.sql("select count(*) from signals")

The programs are those of BUILD_DIR (default: build/). Standard error goes to DIR/daemon.log; a sanitizer's finding in it fails
the test when the daemon is stopped, and so does an exit status other than 0.

Tests that share one daemon are a DaemonTest.
"""
import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

SOURCE_DIR = os.environ.get("SOURCE_DIR", os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD_DIR = os.environ.get("BUILD_DIR", os.path.join(SOURCE_DIR, "build"))
SHARED_DATA = os.path.join(SOURCE_DIR, "..", "shared", "data")
FINDING = re.compile(r"Sanitizer|runtime error:|ERROR SUMMARY: [1-9]")
PATIENCE = 120  # seconds until a wait is given up; only ever reached when something is broken


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %s" % (self.status, self.body[:600].decode(errors="replace"))


def wait_for(condition, what, seconds=PATIENCE):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError("waited %d s for %s" % (seconds, what))
        time.sleep(0.02)


def program(name):
    return os.path.join(BUILD_DIR, name)


def parse_reply(response):
    return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


class Connection:
    """A keep-alive connection with one key."""

    def __init__(self, host, port, key=None, timeout=60):
        self.http = http.client.HTTPConnection(host, port, timeout=timeout)
        self.key = key

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if self.key and "Authorization" not in headers:
            headers["Authorization"] = "Bearer " + self.key
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        self.http.request(method, path, body, headers)
        return parse_reply(self.http.getresponse())

    def close(self):
        self.http.close()


class Daemon:
    def __init__(self, *arguments, threads=2, wrapper=(), environment=None, patience=PATIENCE, postgres=None, jobs=False):
        """postgres: one that is not the daemon's own (postgres.py). jobs: it starts runs by itself, as installations do."""
        self.patience, self.postgres = patience, postgres
        self.root = tempfile.mkdtemp(prefix="experimentd-test-", dir=os.environ.get("TMPDIR", "/var/tmp"))
        os.chmod(self.root, 0o755)  # PostgreSQL's user, when we are root, has to get to DIR/pg
        self.dir = os.path.join(self.root, "data")
        self.log_path = os.path.join(self.root, "daemon.log")
        self.command = [*wrapper, program("experimentd"), "serve", "--data-dir", self.dir, "--listen", "127.0.0.1:0",
                        "--threads", str(threads), "--jobs-enabled=%s" % str(jobs).lower(), *arguments]
        if postgres:
            self.command += ["--database-url", postgres.url()]
        self.environment = {**os.environ, **(environment or {})}
        self.process = self.host = self.port = None
        self.keys = {}

    def use_journal_of(self, directory):
        """Before the first start: the journal lies elsewhere, on a file system of its own."""
        os.makedirs(self.dir)
        os.symlink(directory, os.path.join(self.dir, "journal"))

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.destroy()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if kind is not None:
                print("--- end of the daemon's log\n" + self.log()[-4000:])
            elif self.process:
                self.stop()
        finally:
            self.destroy()

    # ---- life

    def spawn(self):
        """Starts it and does not wait."""
        address = os.path.join(self.dir, "listen.addr")
        if os.path.exists(address):
            os.unlink(address)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=self.environment)

    def start(self):
        self.spawn()
        wait_for(lambda: self._answered(os.path.join(self.dir, "listen.addr")), "the daemon to be ready", self.patience)
        for scope in ("admin", "client"):
            with open(os.path.join(self.dir, scope + ".key"), encoding="ascii") as f:
                self.keys[scope] = f.read().strip()
        return self

    def _answered(self, address):
        if self.process.poll() is not None:
            raise RuntimeError("the daemon exited with %d:\n%s" % (self.process.returncode, self.log()[-4000:]))
        if not os.path.exists(address):
            return False
        with open(address, encoding="ascii") as f:
            text = f.read().strip()
        if ":" not in text:
            return False
        self.host, self.port = text.rsplit(":", 1)[0], int(text.rsplit(":", 1)[1])
        try:
            return self.get("/readyz", key=None).status == 200
        except OSError:
            return False

    def stop(self, expect=0):
        """SIGTERM, waits, and checks how it went."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(self.patience)
        self.process = None
        log = self.log()
        if code != expect or FINDING.search(log):
            raise AssertionError("the daemon exited with %d, its log ends:\n%s" % (code, log[-6000:]))

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def destroy(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        if not os.environ.get("KEEP_TEST_DATA"):
            wait_for(lambda: not self.postgres_pid(), "PostgreSQL to end", 30)
            shutil.rmtree(self.root, ignore_errors=True)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    # ---- requests

    def connection(self, key="admin", timeout=60):
        return Connection(self.host, self.port, self.keys.get(key, key), timeout)

    def request(self, method, path, body=None, key="admin", headers=None):
        connection = self.connection(key)
        try:
            return connection.request(method, path, body, {"Connection": "close", **(headers or {})})
        finally:
            connection.close()

    def get(self, path, key="admin", headers=None):
        return self.request("GET", path, None, key, headers)

    def post(self, path, body=None, key="admin", headers=None):
        return self.request("POST", path, b"" if body is None else body, key, headers)

    def raw(self, data, timeout=20):
        """Sends bytes as they are; what came back until the daemon closed, or fell silent."""
        with socket.create_connection((self.host, self.port), timeout=timeout) as s:
            s.sendall(data)
            received = b""
            try:
                while True:
                    piece = s.recv(65536)
                    if not piece:
                        return received
                    received += piece
            except (socket.timeout, ConnectionResetError):
                return received

    def make_experiment(self, key, start=True, **fields):
        """The experiment as the API gives it, once this server has it."""
        body = {"key": key, "variants": [{"key": "a"}, {"key": "b"}], **fields}
        made = self._edited("creating", key, self.post("/v1/experiments", body), 201, "draft")
        return self._edited("starting", key, self.post("/v1/experiments/%s/start" % key), 200, "running") if start else made

    def _edited(self, what, key, reply, status, becomes):
        """A busy server says 202, saved, before it has loaded the edit."""
        if reply.status == 202:
            def loaded():
                got = self.get("/v1/experiments/" + key)
                return got.status == 200 and got.json["status"] == becomes and got
            return wait_for(loaded, "%s %s, which is saved, to be loaded" % (what, key), self.patience).json
        if reply.status != status:
            raise AssertionError("%s %s: %r" % (what, key, reply))
        return reply.json

    # ---- what lies behind

    def _psql(self, *arguments):
        """psql over the cluster's own socket."""
        if self.postgres:
            return self.postgres.psql(*arguments)
        owner = pwd.getpwuid(os.stat(os.path.join(self.dir, "pg")).st_uid).pw_name
        return ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", os.path.join(self.dir, "run"),
                "-U", owner, "-d", "experimentd", *arguments]

    def database_url(self):
        """For a second daemon on this one's database."""
        owner = pwd.getpwuid(os.stat(os.path.join(self.dir, "pg")).st_uid).pw_name
        return "host=%s user=%s dbname=experimentd" % (os.path.join(self.dir, "run"), owner)

    def sql_session(self):
        """A session that stays open, for locks: write statements to its stdin, read rows from its stdout."""
        return subprocess.Popen(self._psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def sql(self, text):
        """Rows as lists of text."""
        done = subprocess.run(self._psql("-c", text), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError("psql: %s" % done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def number(self, text):
        return int(self.sql(text)[0][0])

    def lines(self, text):
        """Of a "copy … to stdout", one by one: for more rows than should be in memory."""
        with subprocess.Popen(self._psql("-c", text), stdout=subprocess.PIPE, text=True) as psql:
            for line in psql.stdout:
                yield line.rstrip("\n")
        if psql.returncode != 0:
            raise RuntimeError("psql ended with %d" % psql.returncode)

    def metric(self, name):
        """Of a name without labels that has rows with labels: their sum."""
        found = re.findall(r"^%s(?:\{.*\})? (\S+)$" % re.escape(name), self.get("/metrics", key=None).body.decode(), re.M)
        if not found:
            raise AssertionError("no metric %s" % name)
        return sum(map(float, found))

    def resident_mb(self, which="VmRSS"):
        """Memory of the daemon itself, without its PostgreSQL; VmHWM: the most that it had."""
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as f:
            return int(re.search(which + r":\s+(\d+)", f.read()).group(1)) // 1024

    def wait_loaded(self):
        """Until everything that was taken in, exposures too, is in PostgreSQL."""
        wait_for(lambda: self.metric("experimentd_journal_backlog_bytes") == 0, "the journal to be loaded", self.patience)

    def wait_rows(self, table, count, where="true"):
        """Until the loader has brought so many rows (or more) to the table; the number that is there."""
        query = "select count(*) from %s where %s" % (table, where)
        return wait_for(lambda: (lambda n: n if n >= count else 0)(self.number(query)),
                        "%d rows in %s" % (count, table), self.patience)

    def postgres_pid(self):
        try:
            with open(os.path.join(self.dir, "pg", "postmaster.pid"), encoding="utf-8") as f:
                pid = int(f.readline())
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return None

    def run(self, name, *arguments, check=True, **options):
        """experimentd or trainer as a command; its stdout and stderr as text."""
        done = subprocess.run([program(name), *arguments], capture_output=True, text=True, timeout=self.patience * 5, check=False,
                              **options)
        if check and done.returncode != 0 or FINDING.search(done.stderr):
            raise AssertionError("%s %s exited with %d\n%s%s" % (name, " ".join(arguments), done.returncode, done.stdout,
                                                                 done.stderr))
        return done

    def trainer(self, *arguments, **options):
        return self.run("trainer", "run", "metrics", "--data-dir", self.dir, *arguments, **options)

    def results(self, experiment):
        reply = self.get("/v1/experiments/%s/results" % experiment)
        if reply.status != 200:
            raise AssertionError("results of %s: %r" % (experiment, reply))
        return reply.json


class DaemonTest(unittest.TestCase):
    """One daemon for all tests of the class; what they need of it is made in prepare()."""
    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(*cls.arguments)
        cls.addClassCleanup(cls.daemon.destroy)
        cls.daemon.start()
        cls.prepare(cls.daemon)

    @classmethod
    def prepare(cls, d):
        pass

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def call(self, method, path, body=None, status=200, **more):
        """The JSON of the answer, which has to have this status."""
        reply = self.daemon.request(method.upper(), path, body, **more)
        self.assertEqual(reply.status, status, (path, body, reply))
        return reply.json


def variant_of(results, metric, variant):
    """The row of one variant of one metric in a results document."""
    for m in results["metrics"]:
        if m["metric"] == metric:
            for v in m["variants"]:
                if v["variant"] == variant:
                    return v
    raise AssertionError("no %s of variant %s in %s" % (metric, variant, json.dumps(results)[:2000]))
