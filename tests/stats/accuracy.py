#!/usr/bin/env python3
"""The accuracy report: accuracy.py [--write]

Runs test_tables.py and test_gbstats.py (BUILD_DIR) and prints what they found as tables of Markdown: method by method cases, refusals, values and
the worst error. With --write they go to docs/statistics-accuracy.md, between its two markers.
"""
import json
import os
import re
import subprocess
import sys

import test_tables as tables

PAGE = os.path.join(tables.SOURCE_DIR, "docs", "statistics-accuracy.md")
MARKERS = ("<!-- made by tests/stats/accuracy.py --write -->", "<!-- end -->")
GBSTATS = re.compile(r"^\.?([a-z ]+): (\d+) (cases|findings),? ?(.*)$", re.M)


def refusals(path):
    with open(path, encoding="utf-8") as f:
        return sum("expect_error" in c for c in json.load(f)["cases"])


def row(folder, method):
    path = os.path.join(folder, method + ".json")
    if not os.path.exists(path):
        return None
    t = tables.compare_table(path, method)
    relative = "%.1e" % t.worst_relative if t.worst_relative else "0"
    return (method, t.cases, refusals(path), t.values, len(t.failures) + t.not_offered, t.worst_share, relative)


def section(folder, methods):
    rows = [r for r in (row(folder, m) for m in methods) if r]
    lines = ["| method | cases | of them refusals | values | wrong or missing | worst error, of its tolerance | relative |", "|---|---|---|---|---|---|---|"]
    lines += ["| `%s` | %d | %d | %d | %d | %.1e | %s |" % r for r in rows]
    lines.append("| %d tables | %d | %d | %d | %d | | |" % (len(rows), *(sum(r[i] for r in rows) for i in range(1, 5))))
    return lines, sum(r[4] for r in rows)


def gbstats():
    run = subprocess.run([sys.executable, os.path.join(tables.SOURCE_DIR, "tests", "stats", "test_gbstats.py")], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit("test_gbstats.py failed:\n%s" % run.stderr[-2000:])
    lines = ["| section | cases | |", "|---|---|---|"]
    return lines + ["| %s | %s | %s |" % (m.group(1), m.group(2), m.group(4)) for m in GBSTATS.finditer(run.stdout)]


def main():
    methods = subprocess.run([tables.XSTAT, "--list"], check=True, capture_output=True, text=True).stdout.split()
    if not os.path.isdir(tables.SHARED):
        sys.exit("the reference tables are not here: %s" % tables.SHARED)
    shared, wrong_shared = section(tables.SHARED, methods)
    own, wrong_own = section(tables.OWN, methods)
    text = "\n".join(["## The project's tables", "", *shared, "", "## Tables of ours", "", *own, "", "## Beside gbstats 0.8.0", "", *gbstats()])
    print(text)
    if wrong_shared + wrong_own:
        sys.exit("some values are wrong or missing")
    if "--write" in sys.argv[1:]:
        with open(PAGE, encoding="utf-8") as f:
            head, rest = f.read().split(MARKERS[0])
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write("%s%s\n\n%s\n\n%s%s" % (head, MARKERS[0], text, MARKERS[1], rest.split(MARKERS[1])[1]))


if __name__ == "__main__":
    main()
