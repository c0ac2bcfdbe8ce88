#!/usr/bin/python3
"""Durable signals over HTTP beside what PostgreSQL does alone, on the same table and the same cores, in one run.

An answer means that the batch is on disk; "loaded" counts until its last row is in PostgreSQL. (a) 64 connections, batches of several
sizes, beside psql's \\copy. (b) one signal a request beside 64 sessions of single INSERTs. (c) the time of a durable answer beside one
fdatasync. It prints figures and ratios and judges nothing.
"""
import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time

import ingest_common as common
import machine
from daemon import Daemon

ROW = "%6s %4s %9s %9s %9s %9s %8s %11s %8s"


def batches(d, client, directory, options):
    print("(a) 64 connections, %d cores shared with the client and PostgreSQL; CPU in microseconds a signal" % os.cpu_count())
    print(ROW % ("batch", "ids", "durable/s", "loaded/s", "p50 us", "p99 us", "syncs/s", "daemon CPU", "PG CPU"))
    rows = {}
    for batch, ids in [(b, i) for b in map(int, options.batches.split(",")) for i in (False, True)]:
        r = rows[batch, ids] = client.post(batch, options.seconds, ids)
        print(ROW % (batch, "yes" if ids else "no", "%.0f" % r["durable"], "%.0f" % r["loaded"], "%.0f" % r["p50"], "%.0f" % r["p99"],
                     "%.0f" % r["syncs"], "%.2f" % r["cpu"], "%.2f" % r["postgres"]))
    best = {}
    for form in ("text", "binary"):
        path = common.copy_file(d, directory, form)
        best[form] = common.COPIED / min(common.copy_seconds(d, path, form) for _ in range(3))
    print("  psql \\copy into the same table: text %.0f rows/s, binary %.0f rows/s" % (best["text"], best["binary"]))
    for (batch, ids), r in rows.items():
        print("  loaded over \\copy, batches of %4d%s: text %.2f, binary %.2f" % (batch, ", ids" if ids else "     ", r["loaded"] / best["text"],
                                                                               r["loaded"] / best["binary"]))


def inserts(d, directory, seconds):
    path = os.path.join(directory, "insert.sql")
    with open(path, "w", encoding="utf-8") as f:
        f.write(common.INSERT)
    out = subprocess.run([common.pgbench(), "-n", "-M", "prepared", "-c", "64", "-j", "2", "-T", str(seconds), "-f", path, d.database_url()],
                         capture_output=True, text=True, check=True).stdout
    return float(re.search(r"tps = ([\d.]+)", out).group(1))


def singles(d, client, directory, options):
    print("(b) one signal at a time, 64 connections: requests answered when durable / INSERTs committed, a second")
    if not common.pgbench():
        print("  left out: pgbench is not installed")
        return
    ratios = []
    for _ in range(options.rounds):
        ours, theirs = client.post(1, options.seconds)["durable"], inserts(d, directory, options.seconds)
        ratios.append(ours / theirs)
        print("  %8.0f / %7.0f" % (ours, theirs))
    print("  median of the ratios %.2f" % statistics.median(ratios))


def sync_micros(directory, count=500):
    """What it costs to make 300 bytes durable by hand, in a file that has its space."""
    path, times = os.path.join(directory, "sync"), []
    fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    os.pwrite(fd, bytes(count * 300), 0)
    os.fsync(fd)
    for i in range(count):
        start = time.perf_counter()
        os.pwrite(fd, b"x" * 300, i * 300)
        os.fdatasync(fd)
        times.append((time.perf_counter() - start) * 1e6)
    os.close(fd)
    return statistics.median(times)


def latency(client, directory, options):
    print("(c) microseconds, medians: a durable answer on 1 and on 64 connections / write and fdatasync of as many bytes")
    ratios = []
    for _ in range(options.rounds):
        one, many, sync = client.post(1, options.seconds, connections=1)["p50"], client.post(1, options.seconds)["p50"], sync_micros(directory)
        ratios.append((one / sync, many / sync))
        print("  %8.0f %8.0f / %6.0f" % (one, many, sync))
    print("  medians of the ratios: %.2f on 1 connection, %.2f on 64" % tuple(map(statistics.median, zip(*ratios))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", default="1,10,100,1000")
    options = parser.parse_args()
    machine.need("wrk", "psql")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory, Daemon() as d:
        os.chmod(directory, 0o755)
        client = common.Client(d, directory)
        client.post(100, 1)
        batches(d, client, directory, options)
        singles(d, client, directory, options)
        latency(client, directory, options)


if __name__ == "__main__":
    main()
