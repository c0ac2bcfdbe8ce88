#!/usr/bin/python3
"""Batches of 100, loader included, in steady state past several checkpoints, beside psql's \\copy into the same table; in turn.

Checkpoints come every 30 seconds, on both sides, so that what they cost (whole pages in the write-ahead log) is paid. It judges nothing.
"""
import argparse
import os
import statistics
import tempfile
import time

import ingest_common as common
import machine
from daemon import Daemon

CHECKPOINTS = "select checkpoints_timed + checkpoints_req from pg_stat_bgwriter"


def settle(d):
    """Each side begins with an empty table and nothing to write."""
    common.psql(d, "truncate signals", "checkpoint")
    return int(common.psql(d, CHECKPOINTS))


def http(d, client, seconds, ids):
    before = settle(d)
    row = client.post(100, seconds, ids)
    return row["loaded"], int(common.psql(d, CHECKPOINTS)) - before, "%.1f MB behind at the end" % (row["behind"] / 1e6)


def copies(d, path, form, seconds):
    before, start, rows = settle(d), time.monotonic(), 0
    while time.monotonic() - start < seconds:
        common.copy_seconds(d, path, form)
        rows += common.COPIED
    return rows / (time.monotonic() - start), int(common.psql(d, CHECKPOINTS)) - before, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    machine.need("wrk", "psql")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory, Daemon() as d:
        os.chmod(directory, 0o755)
        client = common.Client(d, directory)
        for command in ("alter system set checkpoint_timeout = '30s'", "alter system set max_wal_size = '4GB'", "select pg_reload_conf()"):
            common.psql(d, command)
        client.post(100, 3)
        files = {form: common.copy_file(d, directory, form) for form in ("text", "binary")}
        sides = {"batches of 100": lambda: http(d, client, options.seconds, False),
                 "batches of 100, with ids": lambda: http(d, client, options.seconds, True),
                 "\\copy text": lambda: copies(d, files["text"], "text", options.seconds),
                 "\\copy binary": lambda: copies(d, files["binary"], "binary", options.seconds)}
        rates = {name: [] for name in sides}
        print("%-26s %10s %12s" % ("%d s each" % options.seconds, "rows/s", "checkpoints"))
        for _ in range(options.rounds):
            for name, run in sides.items():
                rate, checkpoints, note = run()
                rates[name].append(rate)
                print("%-26s %10.0f %12d  %s" % (name, rate, checkpoints, note), flush=True)
        for ours in list(sides)[:2]:
            print("  %s over \\copy, medians of the ratios: text %.2f, binary %.2f" % (ours, *(
                statistics.median(a / b for a, b in zip(rates[ours], rates["\\copy " + form])) for form in ("text", "binary"))))


if __name__ == "__main__":
    main()
