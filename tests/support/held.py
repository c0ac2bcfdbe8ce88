"""Holds the loader up in its transaction by a lock that a session of ours has.

    with Held(d, ROWS) as held:
        held.wait_loader()      # it is in its transaction and waits
        ...
"""
from daemon import wait_for

# Before its first row is in PostgreSQL; and when all are, but the position is not.
ROWS = "lock table signals in access exclusive mode"
POSITION = "lock table journal_position in exclusive mode"
WAITS = ("select count(*) from pg_stat_activity where application_name = 'experimentd loader' and wait_event_type = 'Lock' "
         "and xact_start is not null")


class Held:
    def __init__(self, daemon, lock):
        self.daemon, self.lock = daemon, lock

    def __enter__(self):
        self.psql = self.daemon.sql_session()
        self.psql.stdin.write("begin; %s; select 'held';\n" % self.lock)
        self.psql.stdin.flush()
        if self.psql.stdout.readline() != "held\n":
            raise RuntimeError("no lock: " + self.lock)
        return self

    def __exit__(self, *_):
        self.release()

    def wait_loader(self):
        wait_for(lambda: self.daemon.number(WAITS) > 0, "the loader to wait for the lock")

    def release(self):
        """Harmless when PostgreSQL has ended, and a second time."""
        if self.psql.poll() is None:
            self.psql.communicate("rollback;\n")
