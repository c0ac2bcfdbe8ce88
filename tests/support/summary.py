#!/usr/bin/env python3
"""Counts test cases in CTest's JUnit files: summary.py DIR LABEL...

CTest counts programs; a program holds many cases. Each runner's own closing line is read (Criterion, unittest, node:test); a
program without one counts as one case. Prints the skipped cases with their reasons, the failed programs, and a table.
Exits 1 when a program failed or a label that was asked for has no result file.
"""
import os
import re
import sys
import xml.etree.ElementTree as ET
from collections import namedtuple

Count = namedtuple("Count", "programs passed failed skipped seconds")

CRITERION = re.compile(r"Synthesis: Tested: .*?(\d+).*?\| Passing: .*?(\d+).*?\| Failing: .*?(\d+).*?\| Crashing: .*?(\d+)")
UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ", re.M)
UNITTEST_END = re.compile(r"^(?:OK|FAILED)(?: \((.*)\))?$", re.M)
UNITTEST_SKIP = re.compile(r"^(.*?) \.\.\. skipped ['\"](.*)['\"]$", re.M)
NODE = {name: re.compile(r"^(?:#|ℹ) %s (\d+)" % name, re.M) for name in ("pass", "fail", "skipped")}
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def cases(output):
    """(passed, failed, skipped, reasons) as the runner says, or None when no runner's closing line is there."""
    found = CRITERION.search(output)
    if found:
        tested, passing, failing, crashing = map(int, found.groups())
        return passing, failing + crashing, tested - passing - failing - crashing, []
    ran = [int(n) for n in UNITTEST_RAN.findall(output)]
    if ran:
        marks = {"failures": 0, "errors": 0, "skipped": 0}
        for end in UNITTEST_END.findall(output):
            for name, n in re.findall(r"(\w+)=(\d+)", end):
                marks[name] = marks.get(name, 0) + int(n)
        failed = marks["failures"] + marks["errors"]
        reasons = ["%s: %s" % pair for pair in UNITTEST_SKIP.findall(output)]
        return sum(ran) - failed - marks["skipped"], failed, marks["skipped"], reasons
    node = {name: pattern.search(output) for name, pattern in NODE.items()}
    if node["pass"] and node["fail"]:
        number = {name: int(m.group(1)) if m else 0 for name, m in node.items()}
        return number["pass"], number["fail"], number["skipped"], []
    return None


def read_testcase(case):
    """((passed, failed, skipped), name, broken, reasons) of one program."""
    name = case.get("name")
    output = ANSI.sub("", case.findtext("system-out") or "")
    broken = case.get("status") not in ("run", "notrun", "disabled") or case.find("failure") is not None
    if case.get("status") in ("notrun", "disabled") or case.find("skipped") is not None:
        return (0, 0, 1), name, False, ["%s: not run" % name]
    counted = cases(output)
    if counted is None:
        return (0, 1, 0) if broken else (1, 0, 0), name, broken, []
    passed, failed, skipped, reasons = counted
    if broken and failed == 0:
        failed = 1  # the program failed although its cases passed: a sanitizer's finding, a time-out
    return (passed, failed, skipped), name, broken, ["%s: %s" % (name, r) for r in reasons]


def read_label(path):
    total, broken, reasons, seconds, programs = [0, 0, 0], [], [], 0.0, 0
    for case in ET.parse(path).getroot().iter("testcase"):
        counts, name, bad, why = read_testcase(case)
        total = [a + b for a, b in zip(total, counts)]
        programs += 1
        seconds += float(case.get("time") or 0)
        reasons += why
        if bad:
            broken.append(name)
    return Count(programs, *total, seconds), broken, reasons


def main(directory, labels):
    rows, broken, reasons = [], [], []
    for label in labels:
        path = os.path.join(directory, label + ".xml")
        if not os.path.exists(path):
            broken.append("%s: ctest wrote no result" % label)
            rows.append((label, Count(0, 0, 1, 0, 0.0)))
            continue
        count, bad, why = read_label(path)
        rows.append((label, count))
        broken += ["%s: %s" % (label, name) for name in bad]
        reasons += ["%s: %s" % (label, reason) for reason in why]
    for title, lines in (("skipped", reasons), ("failed", broken)):
        for line in lines:
            print("%s: %s" % (title, line))
    print("\n%-8s %9s %7s %7s %8s %8s" % ("label", "programs", "passed", "failed", "skipped", "seconds"))
    for label, c in rows:
        print("%-8s %9d %7d %7d %8d %8.1f" % (label, *c))
    passed, failed, skipped = (sum(getattr(c, f) for _, c in rows) for f in ("passed", "failed", "skipped"))
    print("\n%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
