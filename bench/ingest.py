#!/usr/bin/python3
"""Durable signals per second over HTTP, loader included, beside COPY of the same rows into a table of the same kind, in one run.

For each batch size: 64 connections post NDJSON batches; an answer means that the batch is on disk. "loaded" counts from the first
request until the last row is in PostgreSQL. Then the rows are copied out and in again by psql's \\copy, text and binary, into a table
with the same partitions. Everything shares the same cores. It prints figures and ratios and judges nothing.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from daemon import Daemon  # noqa: E402

LUA = """
local n = 0
request = function()
  local lines = {}
  for i = 1, %(batch)d do
    n = n + 1
    lines[i] = string.format('{"type":"click","unit":"user-%%d","session":"session-%%d","query_id":"q-%%d","query":"wireless keyboard","doc":"sku-%%d","position":%%d,"params":{"page":1,"device":"phone","list":"search"}}', n %% 500009, n %% 800011, n, n %% 20011, n %% 20 + 1)
  end
  return wrk.format("POST", "/v1/signals", nil, table.concat(lines, "\\n"))
end
"""

REFERENCE = """
drop table if exists reference;
create table reference (like signals including all) partition by range (at);
create table reference_day partition of reference default partition by range (bucket);
create table reference_0 partition of reference_day for values from (0) to (1024);
create table reference_1 partition of reference_day for values from (1024) to (2048);
create table reference_2 partition of reference_day for values from (2048) to (3072);
create table reference_3 partition of reference_day for values from (3072) to (4096);
"""


def psql(d, *commands):
    arguments = [a for c in commands for a in ("-c", c)]
    return subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-h", os.path.join(d.dir, "run"), "-U", "experimentd", "experimentd",
                           *arguments], capture_output=True, text=True, check=True).stdout.strip()


def counter(d, name):
    return float(re.search(r"^%s ([\d.e+]+)" % name, d.get("/metrics", key=None).body.decode(), re.M).group(1))


def post(d, directory, batch, seconds):
    script = os.path.join(directory, "batch.lua")
    with open(script, "w", encoding="utf-8") as f:
        f.write(LUA % {"batch": batch})
    before, syncs, start = int(psql(d, "select count(*) from signals")), counter(d, "experimentd_journal_syncs_total"), time.monotonic()
    out = subprocess.run(["wrk", "-t1", "-c64", "-d%ds" % seconds, "--latency", "-s", script, "-H",
                          "Authorization: Bearer " + d.keys["client"], "http://%s:%d" % (d.host, d.port)],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit("the server answered with errors:\n" + out)
    posted = time.monotonic() - start
    syncs = counter(d, "experimentd_journal_syncs_total") - syncs
    while counter(d, "experimentd_journal_backlog_bytes") > 0:
        time.sleep(0.05)
    loaded = time.monotonic() - start
    rows = int(psql(d, "select count(*) from signals")) - before
    p50, p99 = (re.search(r"^\s+%d%%\s+(\S+)" % p, out, re.M).group(1) for p in (50, 99))
    print("%8d %10d %14.0f %14.0f %10s %10s %8.0f" % (batch, rows, rows / posted, rows / loaded, p50, p99, syncs / posted))
    return rows / loaded


def copy(d, directory, form):
    path = os.path.join(directory, "rows")
    options = "(format %s)" % form
    psql(d, "\\copy (select * from signals limit 400000) to '%s' %s" % (path, options))
    psql(d, *[line for line in REFERENCE.strip().split("\n")])
    start = time.monotonic()
    psql(d, "\\copy reference from '%s' %s" % (path, options))
    spent = time.monotonic() - start
    return int(psql(d, "select count(*) from reference")) / spent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--batches", default="1,10,100,1000")
    args = parser.parse_args()
    for tool in ("wrk", "psql"):
        if not shutil.which(tool):
            raise SystemExit("bench ingest: %s is not installed (script/setup installs it)" % tool)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory, Daemon() as d:
        os.chmod(directory, 0o755)
        post(d, directory, 100, 1)
        print("durable signals over HTTP, 64 connections, %d cores shared with the client and PostgreSQL" % os.cpu_count())
        print("%8s %10s %14s %14s %10s %10s %8s" % ("batch", "rows", "durable/s", "loaded/s", "p50", "p99", "syncs/s"))
        rates = {int(b): post(d, directory, int(b), args.seconds) for b in args.batches.split(",")}
        text, binary = (max(copy(d, directory, form) for _ in range(3)) for form in ("text", "binary"))
        print("psql \\copy of the same rows into a table with the same partitions: text %.0f rows/s, binary %.0f rows/s" % (text, binary))
        for batch, rate in rates.items():
            print("ratio, batches of %4d loaded over \\copy: text %.2f, binary %.2f" % (batch, rate / text, rate / binary))


if __name__ == "__main__":
    main()
