#!/usr/bin/env python3
"""xstat against the reference tables: test_tables.py [TABLE...]

Two sets: our own (tests/stats/vectors, made by SciPy, always there) and the project's (../shared/vectors/stats beside the source
tree, made with mpmath; skipped when absent). Every line of a table goes through one xstat process, every expected value is compared
by its own absolute tolerance. Prints per table: cases, values, failed, not offered, worst error as a share of its tolerance, and
the worst relative error among those with a tolerance that means something.
"""
import json
import math
import os
import subprocess
import sys

SOURCE_DIR = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_DIR = os.environ.get("BUILD_DIR") or os.path.join(SOURCE_DIR, "build-dev")
XSTAT = os.path.join(BUILD_DIR, "xstat")
OWN = os.path.join(SOURCE_DIR, "tests", "stats", "vectors")
SHARED = os.path.normpath(os.path.join(SOURCE_DIR, "..", "shared", "vectors", "stats"))
NAMED = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
SHOWN_MAX = 20
MEANINGFUL = 1e-7  # a wider tolerance is for values near 0, where an error relative to them says nothing


class Tally:
    """What one table's comparison found."""

    def __init__(self, name):
        self.name, self.cases, self.values, self.not_offered = name, 0, 0, 0
        self.worst_share, self.worst_relative = 0.0, 0.0
        self.failures = []

    def value(self, good, where, expected, got):
        self.values += 1
        if not good:
            self.failures.append("%s: expected %s, got %s" % (where, expected, got))

    def error(self, expected, tolerance, got):
        distance = abs(got - expected)
        if tolerance > 0:
            self.worst_share = max(self.worst_share, distance / tolerance)
        if 0 < tolerance < MEANINGFUL * abs(expected):
            self.worst_relative = max(self.worst_relative, distance / abs(expected))

    def line(self):
        return "%-16s cases %3d  values %4d  failed %d  not offered %d  worst error %.2g of its tolerance, %.2g relative" % (
            self.name, self.cases, self.values, len(self.failures), self.not_offered, self.worst_share, self.worst_relative)


def number(value):
    return NAMED.get(value, value) if isinstance(value, str) else value


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def compare_number(tally, where, expected, tolerance, got):
    expected, got = number(expected), number(got)
    if not is_number(got) or math.isnan(got):
        return tally.value(False, where, expected, got)
    if math.isinf(expected):
        return tally.value(got == expected, where, expected, got)
    tally.error(expected, tolerance, got)
    return tally.value(math.isfinite(got) and abs(got - expected) <= tolerance, where, "%r ± %g" % (expected, tolerance), got)


def compare_field(tally, where, expected, got):
    if expected is None:
        return tally.value(got is None, where, None, got)
    if isinstance(expected, (bool, str)):
        return tally.value(got == expected, where, expected, got)
    values, tolerances = expected["v"], expected["tol"]
    if not isinstance(values, list):
        return compare_number(tally, where, values, tolerances, got)
    if not isinstance(got, list) or len(got) != len(values):
        return tally.value(False, where, values, got)
    for i, (v, t, g) in enumerate(zip(values, tolerances, got)):
        compare_number(tally, "%s[%d]" % (where, i), v, t, g)
    return None


def compare_case(tally, case, got):
    tally.cases += 1
    if "expect_error" in case:
        return tally.value("error" in got, case["id"] + " (%s)" % case["note"], "a refusal: " + case["expect_error"], got)
    if "error" in got:
        return tally.value(False, case["id"], "an answer", got["error"])
    for field, expected in case["expect"].items():
        if field in got:
            compare_field(tally, "%s %s" % (case["id"], field), expected, got[field])
        elif expected is not None:
            tally.not_offered += 1
    return None


def answers(method, inputs):
    text = "".join(json.dumps(i) + "\n" for i in inputs)
    run = subprocess.run([XSTAT, method], input=text, capture_output=True, text=True)
    if run.returncode != 0 or run.stderr:
        sys.exit("xstat %s: exit status %d\n%s" % (method, run.returncode, run.stderr))
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    if len(lines) != len(inputs):
        sys.exit("xstat %s: %d answers to %d lines" % (method, len(lines), len(inputs)))
    return lines


def compare_table(path, method):
    with open(path, encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    tally = Tally(method)
    for case, got in zip(cases, answers(method, [c["input"] for c in cases])):
        compare_case(tally, case, got)
    return tally


def run_table(path, method):
    tally = compare_table(path, method)
    print(tally.line())
    for failure in tally.failures[:SHOWN_MAX]:
        print("    " + failure)
    return not tally.failures and not tally.not_offered and tally.values > 0


def main():
    methods = subprocess.run([XSTAT, "--list"], check=True, capture_output=True, text=True).stdout.split()
    good = True
    for folder in (OWN, SHARED):
        print("%s:" % os.path.relpath(folder, SOURCE_DIR))
        if not os.path.isdir(folder):
            print("skipped: %s is absent" % os.path.relpath(folder, SOURCE_DIR))
            good = good and folder != OWN
            continue
        for method in methods if len(sys.argv) < 2 else sys.argv[1:]:
            path = os.path.join(folder, method + ".json")
            if os.path.exists(path):
                good = run_table(path, method) and good
        unknown = {f[:-5] for f in os.listdir(folder) if f.endswith(".json")} - set(methods)
        if unknown:
            print("tables of no method: %s" % ", ".join(sorted(unknown)))
        good = good and not unknown
    bare = [m for m in methods if not any(os.path.exists(os.path.join(f, m + ".json")) for f in (OWN, SHARED))]
    if bare and os.path.isdir(SHARED):
        print("methods without a table: %s" % ", ".join(bare))
        good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
