"""A PostgreSQL of a test's own that nobody brings back: to be killed, restarted and cut off. A daemon takes it by Daemon(postgres=…).

    with Postgres() as pg, Daemon(postgres=pg) as d:
        pg.kill(); pg.start()

Run by root, it runs as the user postgres.
"""
import os
import shutil
import signal
import subprocess
import tempfile

from daemon import wait_for

USER, DATABASE = "postgres", "experimentd"


def bin_dir():
    return subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()


class Postgres:
    def __init__(self, address=None, wrapper=(), role=USER):
        """address: of a TCP listener besides the Unix socket. wrapper: a command that runs it, such as `ip netns exec`. role: whom url() names; another
        than the superuser is made, and owns the database."""
        self.role = role
        self.root = tempfile.mkdtemp(prefix="experimentd-pg-", dir=os.environ.get("TMPDIR", "/var/tmp"))
        self.dir, self.log_path = os.path.join(self.root, "pg"), os.path.join(self.root, "pg.log")
        self.address, self.wrapper, self.bin = address, list(wrapper), bin_dir()
        self.process = None
        if os.getuid() == 0:
            shutil.chown(self.root, USER)

    def __enter__(self):
        try:
            self._run("initdb", "-D", self.dir, "--auth=trust", "--username", USER, "--encoding=UTF8", "--locale=C.UTF-8")
            if self.address:
                with open(os.path.join(self.dir, "pg_hba.conf"), "a", encoding="ascii") as f:
                    f.write("host all all samenet trust\nhost all all 0.0.0.0/0 trust\n")
            self.start()
            if self.role != USER:
                self.sql("create role %s login" % self.role, database="postgres")
            self.sql("create database %s owner %s" % (DATABASE, self.role), database="postgres")
            return self
        except BaseException:
            self.destroy()
            raise

    def __exit__(self, kind, value, trace):
        self.destroy()

    def _as_user(self, command):
        return ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", *command] if os.getuid() == 0 else command

    def _run(self, name, *arguments):
        done = subprocess.run(self._as_user([os.path.join(self.bin, name), *arguments]), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError("%s: %s%s" % (name, done.stdout, done.stderr))

    # ---- life

    def start(self):
        command = [os.path.join(self.bin, "postgres"), "-D", self.dir, "-k", self.root, "-c", "listen_addresses=" + (self.address or ""),
                   "-c", "max_connections=50", "-c", "timezone=UTC"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, *self._as_user(command)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for(self.answers, "PostgreSQL to answer")

    def stop(self, number=signal.SIGINT):
        """SIGINT: fast; SIGQUIT: immediate, as after a crash."""
        self.process.send_signal(number)
        self.process.wait(120)
        self.process = None

    def kill(self):
        """kill -9 of the postmaster; its children end by themselves."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart_immediate(self):
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", self.dir)
        self.process.wait(120)
        self.start()

    def destroy(self):
        if self.process:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.root, ignore_errors=True)

    def answers(self):
        if self.process.poll() is not None:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                raise RuntimeError("PostgreSQL ended:\n" + f.read()[-2000:])
        done = subprocess.run(self.psql("-c", "select 1", database="postgres"), capture_output=True, check=False)
        return done.returncode == 0

    # ---- use, by the Unix socket

    def psql(self, *arguments, database=DATABASE):
        return ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", self.root, "-U", USER, "-d", database, *arguments]

    def sql(self, text, database=DATABASE):
        subprocess.run(self.psql("-c", text, database=database), capture_output=True, text=True, check=True)

    def url(self):
        return "host=%s user=%s dbname=%s" % (self.address or self.root, self.role, DATABASE)
