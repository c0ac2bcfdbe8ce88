"""The faults of the soak, each made for real and ended again; FAULTS says what each needs. One at a time, at random."""
import random
import subprocess
import sys
import time
from collections import namedtuple

from clock import SetClock, can_set
from daemon import Daemon, program
from held import POSITION, ROWS, Held
from network import CutNetwork, can_cut
from postgres import Postgres
from small_disk import SmallDisk, can_mount


class Place:
    """A daemon, its PostgreSQL and what lies between and under them; what this machine does not allow is None."""

    def __init__(self, stack, seed, disk_mb):
        self.random = random.Random(seed)
        self.missing = {"network": can_cut(), "disk": can_mount(), "clock": can_set()}
        self.net = None if self.missing["network"] else stack.enter_context(CutNetwork())
        self.disk = None if self.missing["disk"] else stack.enter_context(SmallDisk(disk_mb))
        self.clock = None if self.missing["clock"] else stack.enter_context(SetClock())
        self.pg = stack.enter_context(Postgres(self.net.address, self.net.wrapper) if self.net else Postgres())
        self.daemon = Daemon("--journal-segment-bytes", "4m", "--journal-max-bytes", "%dm" % (disk_mb * 3 // 4), postgres=self.pg,
                             environment=self.clock.environment if self.clock else None, patience=600)
        if self.disk:
            self.daemon.use_journal_of(self.disk.dir)
        stack.enter_context(self.daemon)

    def wait(self, shortest, longest):
        time.sleep(self.random.uniform(shortest, longest))

    def can(self, fault):
        return fault.needs is None or self.missing[fault.needs] is None


def kill(p):
    p.daemon.kill()
    p.daemon.start()


def kill_while_starting(p):
    p.daemon.kill()
    p.daemon.spawn()
    p.wait(0, 0.3)
    kill(p)


def restart(p):
    p.daemon.stop()
    p.wait(0, 5)
    p.daemon.start()


def drain(p):
    """The daemon dies; its journal is drained before it comes back."""
    p.daemon.kill()
    done = subprocess.run([program("experimentd"), "journal", "drain", p.daemon.dir + "/journal", "--database-url", p.pg.url()],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError("drain exited with %d: %s" % (done.returncode, done.stderr[-2000:]))
    p.daemon.start()


def postgresql_killed(p):
    p.pg.kill()
    p.wait(1, 30)
    p.pg.start()


def postgresql_restarted_in_transaction(p):
    with Held(p.daemon, p.random.choice([ROWS, POSITION])) as held:
        held.wait_loader()
        p.pg.restart_immediate()


def tables_locked(p):
    with Held(p.daemon, ROWS):
        p.wait(1, 20)


def network_cut(p):
    p.net.cut()
    p.wait(1, 45)
    p.net.mend()


def disk_full(p):
    p.disk.fill()
    p.wait(1, 10)
    p.disk.free()


def clock_set(p):
    p.clock.set(p.random.choice([-3600, -60, 0, 60]))
    p.wait(2, 4)


Fault = namedtuple("Fault", "make needs")
FAULTS = [Fault(make, needs) for make, needs in (
    (kill, None), (kill_while_starting, None), (restart, None), (drain, None), (postgresql_killed, None),
    (postgresql_restarted_in_transaction, None), (tables_locked, None), (network_cut, "network"), (disk_full, "disk"), (clock_set, "clock"))]


def possible(place):
    for kind, reason in place.missing.items():
        if reason:
            print("no fault of %s: %s" % (kind, reason), file=sys.stderr)
    return [f for f in FAULTS if place.can(f)]
