#!/usr/bin/env python3
"""Makes cron.json: what croniter (PyPI, 7.0.0; another author's reading of crontab(5)) and zoneinfo say, for test_cron.c.

    python3 -m venv venv && venv/bin/pip install croniter==7.0.0 && venv/bin/python tests/base/vectors/cron.py

In UTC croniter gives the next instants itself. In other zones croniter only says which wall times match, around a change
of clocks: such a time is the first instant at which the clock shows it, or, when it never does, the instant of the change.
"""
import datetime as dt
import json
import os
import random
import zoneinfo

from croniter import croniter

UTC = dt.timezone.utc
RANDOM = random.Random(20261127)
FIXED = ["* * * * *", "*/15 * * * *", "0 2 * * *", "30 2 29 2 *", "0 0 L * *", "0 0 L 2 *", "15,45 8-18/2 * * MON-FRI", "0 0 13 * FRI", "5/20 * * * *",
         "0 0 1 JAN,jul ?", "0 12 ? * 7", "0 0 * * 5L", "10 0 2 * * *", "*/7 * * * * *", "0 30 6,18 1,15 * *", "@daily", "@weekly", "@monthly",
         "@yearly", "@hourly", "0 0 */2 * MON", "0 0 31 * *", "59 23 31 12 *", "0 4 * * FRI-SUN", "0 0 1 * 0-6"]
CHANGES = [("Europe/Berlin", 2026, 3, 29), ("Europe/Berlin", 2026, 10, 25), ("America/New_York", 2026, 3, 8), ("America/New_York", 2026, 11, 1),
           ("Australia/Lord_Howe", 2026, 4, 5), ("Australia/Lord_Howe", 2026, 10, 4), ("America/Santiago", 2026, 9, 6), ("Africa/Casablanca", 2026, 2, 15),
           ("Asia/Kathmandu", 2026, 6, 1), ("Europe/Berlin", 2061, 3, 27), ("America/New_York", 2055, 11, 7), ("Pacific/Apia", 2026, 4, 5)]
LOCAL = ["*/15 * * * *", "30 2 * * *", "0 0 * * *", "0 1-3 * * *", "5 2,3 * * SUN", "20 */30 1,2 * * *", "45 0 * * *", "0 2 29 * *", "59 59 1 * * *"]


def theirs(expression):
    """croniter writes 5L as L5; it has the day of week from 0 to 7, too."""
    return " ".join(("L" + w[:-1]) if w.endswith("L") and w != "L" else w for w in expression.split(" "))


def options(expression):
    return {"second_at_beginning": len(expression.split(" ")) == 6}


def random_field(low, high):
    kind = RANDOM.randrange(6)
    a, b = sorted(RANDOM.sample(range(low, high + 1), 2))
    return ["*", "*", str(a), "%d-%d" % (a, b), "%d,%d" % (a, b), "*/%d" % RANDOM.randint(2, max(2, (high - low) // 2))][kind]


def random_expression():
    fields = [random_field(*r) for r in ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6))]
    return " ".join(([random_field(0, 59)] if RANDOM.random() < 0.3 else []) + fields)


def in_utc(expression, after, count=5):
    # implement_cron_bug: a day field that begins with * is not "restricted", as crontab(5) has it.
    c = croniter(theirs(expression), dt.datetime.fromtimestamp(after, UTC), implement_cron_bug=True, **options(expression))
    return [int(c.get_next(dt.datetime).timestamp()) for _ in range(count)]


def instant(wall, zone):
    """The first instant at which the zone's clock shows it, or that of the change that leaves it out."""
    at = wall.replace(tzinfo=zone, fold=0)
    if at.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall:
        return int(at.timestamp())
    low, high = (int(wall.replace(tzinfo=UTC).timestamp()) + side for side in (-93600, 93600))
    before = dt.datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if dt.datetime.fromtimestamp(middle, zone).utcoffset() == before else (low, middle)
    return high


def in_zone(expression, name, middle):
    """croniter without a zone lists the walls."""
    zone, walls = zoneinfo.ZoneInfo(name), []
    c = croniter(theirs(expression), middle - dt.timedelta(hours=6), **options(expression))
    while not walls or walls[-1] < middle + dt.timedelta(hours=27) and len(walls) < 400:
        walls.append(c.get_next(dt.datetime))
    return sorted({instant(w, zone) for w in walls})


def main():
    cases = []
    for expression in FIXED + [random_expression() for _ in range(400)]:
        after = RANDOM.randrange(1577836800, 2208988800)
        cases.append({"cron": expression, "zone": "UTC", "after": after, "next": in_utc(expression, after)})
    for name, *day in CHANGES:
        for expression in LOCAL:
            found = in_zone(expression, name, dt.datetime(*day))
            if len(found) > 1:
                cases.append({"cron": expression, "zone": name, "after": found[0], "next": found[1:]})
    with open(os.path.join(os.path.dirname(__file__), "cron.json"), "w", encoding="ascii") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
