"""The job "sessions": what a plain count finds, whatever the workers, in partitions and in archive files, again and again; marked units left out."""
import collections
import datetime
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402

FIRST = datetime.datetime(2026, 10, 5, tzinfo=datetime.timezone.utc)
DAYS, UNITS, GAP = 3, 40, 30 * 60
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1)"
COLUMNS = ("day, unit, coalesce(session, ''), us(started_at), us(ended_at), signals, queries, clicks, carts, purchases, revenue, "
           "coalesce(first_query, ''), coalesce(last_query, '')")


def make_signals():
    rng = random.Random(5)
    for n in range(UNITS * 60):
        at = FIRST + datetime.timedelta(seconds=rng.randrange(DAYS * 86400), microseconds=n)
        kind = rng.choice(["request", "request", "click", "cart", "purchase", "impression"])
        yield {"type": kind, "unit": "unit-%d" % rng.randrange(UNITS), "timestamp": at.isoformat(),
               **({"session": rng.choice("ab")} if rng.random() < 0.3 else {}),
               **({"query": rng.choice(["lamp", "desk", "chair"])} if kind == "request" else {}),
               **({"value": rng.randrange(100)} if kind == "purchase" and rng.random() < 0.8 else {})}


def micros(at):
    return (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)


def found_by_hand(signals):
    """Rows as COLUMNS gives them, found the simple way."""
    units = collections.defaultdict(list)
    for s in signals:
        units[s["unit"]].append((datetime.datetime.fromisoformat(s["timestamp"]), s))
    for unit, events in units.items():
        events.sort(key=lambda e: e[0])
        runs = []
        for at, s in events:
            last = runs[-1][-1] if runs else None
            other_id = last and "session" in last[1] and "session" in s and last[1]["session"] != s["session"]
            if not last or (at - last[0]).total_seconds() > GAP or other_id:
                runs.append([])
            runs[-1].append((at, s))
        for run in runs:
            kinds = collections.Counter(s["type"] for _, s in run)
            queries = [s["query"] for _, s in run if s["type"] == "request"]
            yield [str(run[0][0].date()), unit, next((s["session"] for _, s in run if "session" in s), ""), str(micros(run[0][0])),
                   str(micros(run[-1][0])), str(len(run)), *(str(kinds[k]) for k in ("request", "click", "cart", "purchase")),
                   str(sum(s.get("value", 0) for _, s in run if s["type"] == "purchase")), queries[0] if queries else "",
                   queries[-1] if queries else ""]


class Sessions(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.signals = list(make_signals())
        for start in range(0, len(cls.signals), 500):
            reply = d.post("/v1/signals", cls.signals[start:start + 500], key="client")
            assert reply.status == 200 and not reply.json["rejected"], reply
        d.post("/v1/signals", {"type": "click", "unit": "crawler", "timestamp": FIRST.isoformat()}, key="client", headers={"User-Agent": BOT})
        d.wait_loaded()
        cls.want = sorted(found_by_hand(cls.signals))

    def compute(self, *more, first=0, last=DAYS - 1, **options):
        days = [(FIRST + datetime.timedelta(days=n)).date().isoformat() for n in (first, last)]
        return self.daemon.run("trainer", "run", "sessions", "--data-dir", self.daemon.dir, "--param", "from=" + days[0], "--param", "to=" + days[1],
                               *more, **options)

    def rows(self):
        return sorted(self.daemon.sql("select %s from sessions" % COLUMNS))

    def test_1_what_a_plain_count_finds_on_one_worker_and_on_four(self):
        for workers in ("1", "4"):
            done = self.compute("--workers", workers)
            self.assertEqual(self.rows(), self.want)
        self.assertIn("sessions: %d that began from 2026-10-05 to 2026-10-07" % len(self.want), done.stderr)
        print("%d signals of %d units: %d sessions" % (len(self.signals), UNITS, len(self.want)))

    def test_2_a_day_anew_changes_nothing(self):
        self.daemon.sql("delete from sessions where day = '2026-10-06'")
        self.compute(first=1, last=1)
        self.assertEqual(self.rows(), self.want)

    def test_3_from_archive_files(self):
        self.daemon.run("trainer", "run", "seal", "--data-dir", self.daemon.dir, "--archive-after-days", "1")
        self.assertEqual(self.daemon.number("select count(*) from signals where at < '2026-10-08'"), 0)
        self.daemon.sql("delete from sessions")
        self.compute()
        self.assertEqual(self.rows(), self.want)

    def test_4_parameters_are_checked(self):
        for given, words in [("from=2026-13-01", 'parameter "from" is "2026-13-01", not a day'), ("from=tomorrow", 'parameter "from" is "tomorrow", not a day'),
                             ("from=2026-10-09", "-1 days, not 1 to"), ("gap_minutes=0", 'parameter "gap_minutes" is 0, not a whole number from 1 to 720')]:
            done = self.daemon.run("trainer", "run", "sessions", "--data-dir", self.daemon.dir, "--param", "to=2026-10-07", "--param", given, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)

    def test_5_another_gap(self):
        self.compute("--param", "gap_minutes=1")
        self.assertGreater(self.daemon.number("select count(*) from sessions"), len(self.want))
        self.compute()
        self.assertEqual(self.rows(), self.want)


if __name__ == "__main__":
    unittest.main()
