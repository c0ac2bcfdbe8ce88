#!/usr/bin/python3
"""A result page of 20 metrics, 5 variants and 30 days: 2400 comparisons with the values of 3000 arms.

(a) the statistics alone: stats/ beside gbstats 0.8.0 on the same numbers, one core, rounds in turn; answers are compared first. gbstats both in
its best case (statistics and settings are there already) and by the entry that GrowthBook calls. One look at the end, looks at any time, and CUPED.
(b) the daemon: the same page and its time series over HTTP, from rows in PostgreSQL to JSON.

Prints CPU and ratios. It judges nothing.
"""
import argparse
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

import stats_http

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD_DIR = os.environ.get("BUILD_DIR") or os.path.join(HERE, "..", "build")
METRICS, ARMS, DAYS = 20, 5, 30
KINDS = ["proportion"] * 6 + ["mean"] * 8 + ["ratio"] * 6
METHODS = {"fixed": "one look, Welch's t", "sequential": "confidence sequence", "cuped": "CUPED"}


def cell(kind, n, arm, draw):
    """Moments of an arm: values near what n units have."""
    lift = 1 + 0.01 * arm
    if kind == "proportion":
        sum_x = round(n * 0.3 * lift * (1 + 0.01 * draw.gauss(0, 1)))
        mean_x = sum_x / n
        var_x = mean_x * (1 - mean_x)
    else:
        mean_x, var_x = 5 * lift * (1 + 0.01 * draw.gauss(0, 1)), 40 * lift
    mean_y, var_y = 8 * (1 + 0.005 * draw.gauss(0, 1)), 30
    mean_z, var_z = 4 * (1 + 0.005 * draw.gauss(0, 1)), 25
    cov = lambda v, rho: rho * math.sqrt(var_x * v)
    return (kind, n, mean_x, var_x * n, mean_y, var_y * n, cov(var_y, 0.6) * n, mean_z, var_z * n, cov(var_z, 0.7) * n)


def page_cells():
    """By metric, day and arm; cumulative, so later days have more units."""
    draw = random.Random(5)
    return [cell(kind, (day + 1) * 1000 + draw.randrange(100), arm, draw) for kind in KINDS for day in range(DAYS) for arm in range(ARMS)]


class Side:
    def __init__(self, name, command):
        self.name = name
        pin = ["taskset", "-c", "0"] if shutil.which("taskset") else []
        self.process = subprocess.Popen([*pin, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command, lines=1):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answers = [self.process.stdout.readline() for _ in range(lines)]
        if not answers[-1]:
            raise SystemExit("bench stats: %s ended" % self.name)
        return [[float(v) for v in a.split()] for a in answers]

    def page(self, method, seconds):
        """CPU milliseconds a page, and allocations."""
        spent, pages, allocations = self.ask("%s %g" % (method, seconds))[0]
        return spent / pages / 1e6, allocations / pages

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(ours, theirs, method):
    """The most that the answers differ, as a share of the interval's half width; and of p, where it is a number for both."""
    count = METRICS * DAYS * (ARMS - 1)
    off, width, p = 0, 0, 0
    for a, b in zip(ours.ask("answers " + method, count), theirs.ask("answers " + method, count)):
        half, other = (a[2] - a[1]) / 2, (b[2] - b[1]) / 2
        off, width = max(off, abs(a[0] - b[0]) / half), max(width, abs(other / half - 1))
        if a[3] > 1e-6:
            p = max(p, abs(b[3] / a[3] - 1))
    print("  %-22s same numbers in: differences apart by %.1g of an interval, widths by %.2g, p by %.2g" % (METHODS[method], off, width, p))


def alone(options, path):
    ours = Side("stats_page", [os.path.join(BUILD_DIR, "bench", "stats_page"), path])
    theirs = Side("gbstats", [options.gbstats, os.path.join(HERE, "stats_gbstats.py"), path])
    for method in METHODS:
        compare(ours, theirs, method)
    print("  milliseconds of CPU a page (%d comparisons), medians of %d rounds in turn" % (METRICS * DAYS * (ARMS - 1), options.rounds))
    print("  %-22s %10s %12s %14s %22s" % ("", "stats/", "allocations", "gbstats tests", "gbstats whole call"))
    for method, words in METHODS.items():
        rounds = [(ours.page(method, options.seconds), theirs.page(method, options.seconds), theirs.page(method + "-whole", options.seconds))
                  for _ in range(options.rounds)]
        mine, tests, whole = (statistics.median(r[k][0] for r in rounds) for k in range(3))
        print("  %-22s %10.3f %12.0f %8.0f (%4.0f x) %14.0f (%5.0f x)   %.0f results a second, gbstats %.2f and %.2f" % (
            words, mine, rounds[0][0][1], tests, statistics.median(r[1][0] / r[0][0] for r in rounds), whole,
            statistics.median(r[2][0] / r[0][0] for r in rounds), 1e3 / mine, 1e3 / tests, 1e3 / whole))
    ours.close()
    theirs.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gbstats", help="a Python that has gbstats")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    options = parser.parse_args()
    cells = page_cells()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        path = os.path.join(directory, "cells.txt")
        with open(path, "w", encoding="ascii") as f:
            f.writelines("%s %s\n" % (c[0], " ".join("%.17g" % v for v in c[1:])) for c in cells)
        if options.gbstats and subprocess.run([options.gbstats, "-c", "import gbstats"], capture_output=True, check=False).returncode == 0:
            print("(a) the statistics alone, beside gbstats on one core")
            alone(options, path)
        else:
            print("(a) is left out: gbstats cannot be installed here")
    print("(b) the daemon's pages over HTTP, from rows in PostgreSQL to JSON; one connection, %d requests of each" % stats_http.REQUESTS)
    stats_http.run(cells, METRICS, ARMS, DAYS)


if __name__ == "__main__":
    sys.exit(main())
