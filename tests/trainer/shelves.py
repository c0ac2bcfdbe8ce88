"""A small shop whose units like one of three shelves, over six days: for tests of recommenders.

Each unit had some items of its shelf and few of others; what it had on the last day is for evaluation. Everything follows from the seed.
"""
import datetime
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402

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


MASK = (1 << 64) - 1


def mixed(v):
    """The finaliser of splitmix64."""
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9 & MASK
    v = (v ^ (v >> 27)) * 0x94d049bb133111eb & MASK
    return v ^ (v >> 31)


def random_at(seed, i):
    """trainer/jobs/factor_side.h"""
    return (mixed(((seed << 32) ^ i) * 0x9e3779b97f4a7c15 & MASK) >> 11) / 9007199254740992.0


class Trained(DaemonTest):
    """Tests of the job `job` on the shop, trained with `params` unless a test says otherwise."""
    job, params = None, {}

    @classmethod
    def prepare(cls, d):
        cls.rows, cls.later = send(d)

    def train(self, workers=2, check=True, **more):
        given = [x for name, value in {**self.params, **more}.items() for x in ("--param", "%s=%s" % (name, value))]
        return self.daemon.run("trainer", "run", self.job, "--data-dir", self.daemon.dir, "--workers", str(workers), *given, check=check)

    def digest(self):
        return self.daemon.sql("select artifact from model_versions where model = '%s' order by version desc limit 1" % self.job)[0][0]

    def refused(self, words, **more):
        done = self.train(check=False, **more)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(words, done.stderr)

    def kept(self):
        """What the matrix keeps: items of two units, then units of two items."""
        units = {}
        for had in self.rows.values():
            for item in had:
                units[item] = units.get(item, 0) + 1
        rows = {u: {i: w for i, w in had.items() if units[i] >= 2} for u, had in self.rows.items()}
        return {u: had for u, had in rows.items() if len(had) >= 2}

    def ranked(self, found, scores, tolerance=2e-3):
        """Entries are the best of the scores, up to what float32 can tell apart."""
        best = sorted(scores.items(), key=lambda s: (-s[1], s[0]))[:len(found)]
        for (name, values), (_, wanted) in zip(found, best):
            value = next(iter(values.values()))
            self.assertLess(abs(value - scores[name]), tolerance, name)
            self.assertLess(abs(value - wanted), tolerance, name)
