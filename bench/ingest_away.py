#!/usr/bin/python3
"""PostgreSQL is away while signals come at full load, one a request: memory of the daemon, then how fast the backlog is drained.

One daemon holds the PostgreSQL, the other takes the signals; the first is stopped, and started again. It judges nothing.
"""
import argparse
import os
import tempfile
import threading
import time

import ingest_common as common
import machine
from daemon import Daemon


class Watch(threading.Thread):
    """Samples the resident memory of a process."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.samples, self.done = pid, [], threading.Event()

    def run(self):
        while not self.done.wait(1):
            self.samples.append(machine.resident_kb(self.pid))


def drain(d):
    """Seconds until nothing waits, from the first row that comes in on."""
    before = d.metric("experimentd_journal_loaded_bytes")
    while d.metric("experimentd_journal_loaded_bytes") == before:
        time.sleep(0.05)
    start = time.monotonic()
    while d.metric("experimentd_journal_backlog_bytes") > 0:
        time.sleep(0.05)
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="how long PostgreSQL is away (default 60)")
    options = parser.parse_args()
    machine.need("wrk", "psql")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory, Daemon() as host:
        os.chmod(directory, 0o755)
        with Daemon("--database-url", host.database_url()) as d:
            client = common.Client(d, directory)
            client.post(1, 3)
            before = machine.resident_kb(d.process.pid)
            host.stop()
            watch, taken, start = Watch(d.process.pid), d.metric("experimentd_signals_total"), time.monotonic()
            watch.start()
            machine.wrk("http://%s:%d" % (d.host, d.port), client.script, options.seconds, [1, 0, 0],
                        headers=["Authorization: Bearer " + d.keys["client"]])
            came = time.monotonic() - start
            watch.done.set()
            taken, backlog = d.metric("experimentd_signals_total") - taken, d.metric("experimentd_journal_backlog_bytes")
            print("PostgreSQL away for %.0f s: %.0f signals taken, %.0f a second, %.0f MB of journal" % (came, taken, taken / came, backlog / 1e6))
            print("  memory of the daemon: %.1f MB before, most %.1f MB, last %.1f MB" % (before / 1e3, max(watch.samples) / 1e3, watch.samples[-1] / 1e3))
            host.start()
            spent = drain(d)
            print("  drained in %.1f s, %.0f signals a second: %.2f times as fast as they came" % (spent, taken / spent, came / spent))


if __name__ == "__main__":
    main()
