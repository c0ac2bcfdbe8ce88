"""Part (b) of stats.py: the page's numbers as rows of PostgreSQL, read by a daemon that answers with results."""
import os
import subprocess
import sys
import time

import machine

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from daemon import Daemon  # noqa: E402

KEY, RUN, REQUESTS = "page", "00000000-0000-4000-8000-000000000001", 200
FACT = {"of": "signals", "type": "click"}


def define(d, kinds, arms):
    for i, kind in enumerate(kinds):
        metric = {"key": "metric-%02d" % i, "name": "Metric %d" % i, "kind": kind, "numerator": FACT}
        if kind == "ratio":
            metric["denominator"] = {"of": "queries"}
        reply = d.post("/v1/metrics", metric)
        if reply.status != 201:
            raise SystemExit("bench stats: %r" % reply)
    d.make_experiment(KEY, variants=[{"key": "v%d" % a} for a in range(arms)], metrics=["metric-%02d" % i for i in range(len(kinds))])


def packed(c):
    """The covariate's moments: means with what their rounding left, then the upper triangle of the second moments."""
    return "" if c[0] == "ratio" else "{%s}" % ",".join("%.17g" % v for v in (c[2], 0, c[7], 0, c[3], c[9], c[8]))


def rows(cells, arms, days):
    for i, c in enumerate(cells):
        arm, day, metric = i % arms, i // arms % days, i // arms // days
        y = ["%.17g" % v for v in c[4:7]] if c[0] == "ratio" else [""] * 3
        yield ",".join([KEY, "metric-%02d" % metric, "v%d" % arm, "", "2026-10-%02d" % (day + 1), "%d" % c[1], "%.17g" % c[2], "%.17g" % c[3], *y,
                        '"%s"' % packed(c) if packed(c) else ""])


def fill(d, cells, arms, days):
    units = sum(c[1] for c in cells[(days - 1) * arms:days * arms])
    d.sql("insert into runs (id, job, params, engine, workers, state) values ('%s', 'metrics', '{}', 'local', 2, 'success');"
          "insert into moments_current (experiment, run, as_of, units, multiple_exposures) values ('%s', '%s', '2026-10-30', %d, 0)" % (
              RUN, KEY, RUN, units))
    copy = d._psql("-c", "copy moments (experiment, metric, variant, segment, day, n, mean_x, m2_x, mean_y, m2_y, cxy, pre) from stdin "
                   "(format csv, force_not_null (segment))")
    subprocess.run(copy, input="\n".join(rows(cells, arms, days)) + "\n", text=True, check=True)


def measure(d, path):
    connection, processes = d.connection(), [d.process.pid, d.postgres_pid()]
    postgres = lambda: sum(machine.threads_cpu(p) for p in machine.descendants(processes[1]))
    size = len(connection.request("GET", path).body)
    before, started, resident = (machine.threads_cpu(processes[0]), postgres()), time.perf_counter(), machine.resident_kb(processes[0])
    for _ in range(REQUESTS):
        reply = connection.request("GET", path)
        if reply.status != 200:
            raise SystemExit("bench stats: %r" % reply)
    wall = time.perf_counter() - started
    daemon, database = machine.threads_cpu(processes[0]) - before[0], postgres() - before[1]
    print("  %-12s %8.0f kB %9.2f ms of CPU, PostgreSQL %6.2f ms; %7.2f ms each, %6.0f a second; memory %.1f MB, %+.1f by the requests" % (
        path.rsplit("/", 1)[1], size / 1e3, 1e3 * daemon / REQUESTS, 1e3 * database / REQUESTS, 1e3 * wall / REQUESTS, REQUESTS / wall,
        machine.resident_kb(processes[0]) / 1e3, (machine.resident_kb(processes[0]) - resident) / 1e3))
    connection.close()


def run(cells, metrics, arms, days):
    with Daemon(threads=1) as d:
        define(d, [cells[m * arms * days][0] for m in range(metrics)], arms)
        fill(d, cells, arms, days)
        measure(d, "/v1/experiments/%s/results" % KEY)
        measure(d, "/v1/experiments/%s/timeseries" % KEY)
