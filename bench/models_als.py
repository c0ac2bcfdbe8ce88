#!/usr/bin/env python3
"""Seconds of an iteration of implicit ALS, rank 64: the job `als` on the engine beside the library implicit, with as many threads, on the same matrix.

    models_als.py [--size 1m|20m|all] [--workers 2] [--iterations 8]

The matrix, of the size of MovieLens, is made once; the job gets it as signals in a database, implicit as a sparse matrix. Both start at random factors,
so the loss behind the same number of iterations is compared, computed alike. CPU of the job: of coordinator and workers, of a run with many iterations
less one with two. Without numpy, scipy and implicit (models.sh installs them) this part is left out.
"""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "support"))
from daemon import BUILD_DIR, SOURCE_DIR, Daemon  # noqa: E402
from engine_data import bucket_of  # noqa: E402

SIZES = {"1m": (6040, 3706, 1000209), "20m": (138493, 26744, 20000263)}
ALPHA, LAMBDA, FACTORS, FEW = 10, 1, 64, 2
IMPLICIT = os.path.join(BUILD_DIR, "bench", "implicit", "bin", "python3")
DAY = (datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=2)).isoformat()
FILL = """
set work_mem = '256MB'; select ensure_partition('{day}');
insert into signals (id, at, received_at, bucket, type, unit, doc)
select gen_random_uuid(), '{day}'::timestamptz + interval '12 hours', now(), bucket, 'click', unit, 'item-' || i from bench_cells join bench_units using (u);
drop table bench_cells, bench_units
"""


def implicit(*arguments):
    here = os.path.join(SOURCE_DIR, "bench", "models_als_implicit.py")
    return subprocess.run([IMPLICIT, here, *map(str, arguments)], check=True, capture_output=True, text=True,
                          env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}).stdout


def copy_in(d, table, columns, lines, options=""):
    d.sql("create unlogged table %s (%s)" % (table, columns))
    with subprocess.Popen(d._psql("-c", "copy %s from stdin %s" % (table, options)), stdin=subprocess.PIPE) as psql:
        for piece in lines:
            psql.stdin.write(piece)
    if psql.returncode:
        raise SystemExit("bench models: copy failed")


def pieces(path):
    with open(path, "rb") as f:
        while piece := f.read(1 << 20):
            yield piece


def fill(d, path, units):
    copy_in(d, "bench_cells", "u int, i int", pieces(path), "(format binary)")
    copy_in(d, "bench_units", "u int, unit text, bucket smallint", (b"%d\tunit-%d\t%d\n" % (u, u, bucket_of("unit-%d" % u)) for u in range(units)))
    d.sql(FILL.format(day=DAY))


def job(d, workers, solver, iterations):
    """Seconds of each iteration, the loss behind them, CPU of the run, the largest process in MB."""
    params = {"as_of": DAY, "days": 1, "holdout_days": 0, "weights": "click=1", "min_item_units": 1, "min_unit_items": 1, "max_unit_items": 10000,
              "factors": FACTORS, "alpha": ALPHA, "lambda": LAMBDA, "iterations": iterations, "solver": solver, "num_items": 10, "num_users": 0, "gate": "none"}
    given = [x for name, value in params.items() for x in ("--param", "%s=%s" % (name, value))]
    with tempfile.TemporaryFile("w+") as said:
        p = subprocess.Popen([os.path.join(BUILD_DIR, "trainer"), "run", "als", "--data-dir", d.dir, "--workers", str(workers), *given], stderr=said, stdout=said)
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if p.returncode:
        raise SystemExit("bench models: " + text)
    seconds = [float(s) for s in re.findall(r"loss [\d.]+, ([\d.]+) s", text)]
    return seconds, float(re.findall(r"loss ([\d.]+)", text)[-1]), used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def compare(d, path, workers, solver, iterations):
    few = job(d, workers, solver, FEW)
    ours = job(d, workers, solver, iterations)
    theirs = json.loads(implicit("train", path, workers, iterations, ALPHA, LAMBDA, solver, FACTORS))
    a, b = statistics.median(ours[0]), statistics.median(theirs["seconds"])
    cpu, their_cpu = (ours[2] - few[2]) / (iterations - FEW), statistics.median(theirs["cpu"])
    print("  %-9s als      %8.3f s %8.3f s CPU   loss %.5f   largest process %d MB" % (solver, a, cpu, ours[1], ours[3]))
    print("  %-9s implicit %8.3f s %8.3f s CPU   loss %.5f   process %d MB" % ("", b, their_cpu, theirs["loss"], theirs["peak_mb"]))
    print("  %-9s ratio    %8.2f   %8.2f        %+.2f %% of loss" % ("", a / b, cpu / their_cpu, 100 * (ours[1] / theirs["loss"] - 1)), flush=True)


def size(name, workers, iterations):
    units, items, cells = SIZES[name]
    print("%s: %d units, %d items, %d cells; %d iterations, %d workers or threads, medians of an iteration" % (name, units, items, cells, iterations, workers), flush=True)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, Daemon() as d:
        path = os.path.join(folder, "cells")
        implicit("make", path, units, items, cells)
        fill(d, path, units)
        job(d, workers, "cg", FEW)  # keeps the day: the runs that are compared do not read it
        for solver in ("cg", "cholesky"):
            compare(d, path, workers, solver, iterations)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--size", choices=[*SIZES, "all"], default="1m")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=8)
    given = parser.parse_args()
    for units, items, cells in SIZES.values() if given.size == "all" else [SIZES[given.size]]:
        subprocess.run([os.path.join(BUILD_DIR, "bench", "models_als"), str(units), str(items), str(cells)], check=True)
    if not os.path.exists(IMPLICIT):
        print("implicit is not installed: that part is left out")
        return
    for name in SIZES if given.size == "all" else [given.size]:
        size(name, given.workers, given.iterations)


if __name__ == "__main__":
    main()
