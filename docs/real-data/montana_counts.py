#!/usr/bin/env python3
"""Five Crazy Egg exports, an arm each, as one table of counts: montana_counts.py FILE... > counts.csv

An export has a row for each element of the page; how many visits there were stands in a text beside the first rows.
"""
import csv
import re
import sys

print("variant,visits,clicks")
for path in sys.argv[1:]:
    arm = re.search(r"Version \d+ - (\w+)", path).group(1)
    with open(path, encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f))
    visits = next(m.group(1) for m in (re.search(r"(\d+) visits", r["Snapshot information"]) for r in rows) if m)
    clicks = next(r["No. clicks"] for r in rows if r["Name"] == arm.upper())
    print("%s,%s,%s" % (arm.lower(), visits, clicks))
