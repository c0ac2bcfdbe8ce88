"""A small shop whose units like one of three shelves, over six days: for tests of recommenders.

Each unit had some items of its shelf and few of others; what it had on the last day is for evaluation. Everything follows from the seed.
"""
import datetime
import json
import random

FIRST, DAYS = datetime.date(2026, 10, 1), 6
LAST = FIRST + datetime.timedelta(days=DAYS - 1)
WEIGHTS = {"click": 1, "cart": 10}
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1)"


def signals(seed=5, units=60, items=24):
    """Of each day, in no order."""
    rng = random.Random(seed)
    for unit in range(units):
        shelf = unit % 3
        for day in range(DAYS):
            for _ in range(rng.choice((1, 2, 3))):
                item = 3 * int(items / 3 * rng.random() ** 1.5) + (shelf if rng.random() < 0.85 else rng.randrange(3))
                at = datetime.datetime.combine(FIRST, datetime.time(), datetime.timezone.utc) + datetime.timedelta(days=day, seconds=rng.randrange(86400))
                yield {"type": "cart" if rng.random() < 0.1 else "click", "unit": "unit-%d" % unit, "doc": "item-%02d" % item, "timestamp": at.isoformat()}


def send(daemon, seed=5, **sizes):
    """To a daemon; a bot with them that had everything. Returns what the units had in the training days and in the later one: {unit: {item: weight}}."""
    all_of_them, trained, later = list(signals(seed, **sizes)), {}, {}
    for s in all_of_them:
        had = later if s["timestamp"] >= LAST.isoformat() else trained
        row = had.setdefault(s["unit"], {})
        row[s["doc"]] = row.get(s["doc"], 0) + WEIGHTS[s["type"]]
    random.Random(seed).shuffle(all_of_them)
    bots = [{**s, "unit": "bot"} for s in all_of_them[::5]]
    for batch, headers in ((all_of_them, None), (bots, {"User-Agent": BOT})):
        reply = daemon.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in batch).encode(), key="client", headers=headers)
        if reply.status != 200 or reply.json["rejected"]:
            raise AssertionError(reply)
    daemon.wait_loaded()
    return trained, later
