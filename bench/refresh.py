#!/usr/bin/env python3
"""Rows read and seconds of the job "metrics": everything, and a refresh after 1 % more signals in the evening of the last day; at 1, 5 and 30 days.

Days are filled by \\copy with a search shop's signals; the 1 % come over HTTP, as a client sends them. After each refresh everything is computed
again, and what both published is compared: a refresh that is fast and wrong would be none.
"""
import argparse
import datetime
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from daemon import Daemon  # noqa: E402

COLUMNS = "id, at, received_at, bucket, type, unit, query_id, query, position, value"
PUBLISHED = ("select * from moments order by 1, 2, 3, 4, 5", "select * from exposure_counts order by 1, 2, 3, 4",
             "select experiment, as_of, units, multiple_exposures, marked_units from moments_current")
MASK = (1 << 64) - 1


def bucket_of(unit):
    """base/hash.h"""
    h = 0xCBF29CE484222325
    for byte in unit.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    h = ((h ^ h >> 33) * 0xFF51AFD7ED558CCD) & MASK
    h = ((h ^ h >> 33) * 0xC4CEB9FE1A85EC53) & MASK
    return (h ^ h >> 33) & 4095


class Shop:
    def __init__(self, days, units, signals):
        self.days, self.units, self.per_day, self.random = days, units, signals, random.Random(1)
        today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        self.first, self.queries = today - datetime.timedelta(days=days), 0
        self.buckets = [bucket_of("user-%d" % u) for u in range(units)]

    def stamp(self, day, seconds):
        return (self.first + datetime.timedelta(days=day, seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S.%f+00")

    def signals(self, count, from_s=0):
        """So many of a day, from an instant on: requests with their results, and clicks. unit, type, seconds, query id, position, value."""
        while count > 0:
            self.queries += 1
            r, query = self.random.random, "q-%d" % self.queries
            unit, at = int(self.units * r()), from_s + (86000 - from_s) * r()
            yield unit, "request", at, query, None, int(20 * r())
            count -= 1
            while count > 0 and r() < 0.45:
                yield unit, "click", at + 300 * r(), query, 1 + int(10 * r()), None
                count -= 1

    def copy(self, d, table, columns, rows):
        psql = subprocess.Popen(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", d.database_url(), "-c", "copy %s (%s) from stdin" % (table, columns)],
                                stdin=subprocess.PIPE, text=True)
        psql.stdin.writelines("\t".join("\\N" if v is None else str(v) for v in row) + "\n" for row in rows)
        psql.stdin.close()
        if psql.wait():
            raise SystemExit("bench refresh: copy failed")

    def fill(self, d):
        number = 0
        for day in range(self.days):
            d.sql("select ensure_partition('%s')" % self.stamp(day, 0)[:10])

            def rows(day=day):
                nonlocal number
                for unit, kind, at, query, position, value in self.signals(self.per_day):
                    number += 1
                    when = self.stamp(day, at)
                    yield ("%08x-0000-7000-8000-%012x" % (day, number), when, when, self.buckets[unit], kind, "user-%d" % unit, query,
                           "lamp" if kind == "request" else None, position, value)

            self.copy(d, "signals", COLUMNS, rows())
            newcomers = range(day * self.units // self.days, (day + 1) * self.units // self.days)
            self.copy(d, "exposures", "at, bucket, experiment, variant, unit, dims",
                      ((self.stamp(day, 30 * self.random.random()), self.buckets[u], "ranker", "ab"[u % 2], "user-%d" % u,
                        json.dumps({"device": ("phone", "desktop", "tablet")[u % 3]})) for u in newcomers))
        d.sql("vacuum analyze signals, exposures")

    def post_one_percent(self, d):
        elements = [{"unit": "user-%d" % unit, "type": kind, "timestamp": self.stamp(self.days - 1, at).replace(" ", "T").replace("+00", "Z"),
                     "query_id": query, **({"position": position} if position else {}), **({} if value is None else {"value": value})}
                    for unit, kind, at, query, position, value in self.signals(self.days * self.per_day // 100, 72000)]
        for i in range(0, len(elements), 5000):
            reply = d.post("/v1/signals", "\n".join(map(json.dumps, elements[i:i + 5000])).encode())
            if reply.status != 200 or reply.json["rejected"]:
                raise SystemExit("bench refresh: %r" % reply)
        d.wait_loaded()


def run(d, *arguments):
    """Rows read; seconds of the whole run, and of its passes."""
    start = time.monotonic()
    d.trainer("--workers", "2", *arguments)
    seconds = time.monotonic() - start
    rows, first, rest = d.sql("select r.rows_in, sum(p.seconds) filter (where p.pass = 0), sum(p.seconds) filter (where p.pass > 0) from runs r "
                              "join run_passes p on p.run = r.id group by r.id order by r.started_at desc limit 1")[0]
    return int(rows), seconds, float(first), float(rest)


def measure(days, units, signals):
    with Daemon() as d:
        shop = Shop(days, units, signals)
        metrics = [{"metric": m, "role": r} for m, r in (("ctr", "primary"), ("clicks_per_query", "secondary"), ("mrr", "secondary"),
                                                         ("time_to_first_click", "secondary"), ("zero_result_rate", "guardrail"))]
        d.make_experiment("ranker", metrics=metrics)
        shop.fill(d)
        run(d)
        shop.post_one_percent(d)
        refresh = run(d)
        published = [d.sql(q) for q in PUBLISHED]
        full = run(d, "--param", "full=true")
        if published != [d.sql(q) for q in PUBLISHED]:
            raise SystemExit("bench refresh: a refresh published something else than a full run")
        idle = run(d)
        for name, (rows, seconds, first, rest) in (("everything", full), ("1 % more", refresh), ("nothing new", idle)):
            print("%4d  %-12s %10d rows %7.2f s   first pass %7.2f s   rest %6.2f s   %s" %
                  (days, name, rows, seconds, first, rest, "" if name == "everything" else "%.1f %% of the rows, %.1f %% of the time" %
                   (100 * rows / full[0], 100 * seconds / full[1])), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", default="1,5,30")
    parser.add_argument("--units", type=int, default=20000)
    parser.add_argument("--signals", type=int, default=100000, help="a day")
    options = parser.parse_args()
    print("%d units, %d signals a day; load %s" % (options.units, options.signals, " ".join(open("/proc/loadavg", encoding="ascii").read().split()[:3])))
    for days in map(int, options.days.split(",")):
        measure(days, options.units, options.signals)


if __name__ == "__main__":
    main()
