"""The job "sessions": what a plain count finds, whatever the workers, in partitions and in archive files, again and again; marked units left out; and all
that aggregation.py asks."""
import collections
import datetime
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402

from aggregation import Aggregation  # noqa: E402

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
            done = self.compute("--workers", workers, "--param", "full=true")
            self.assertEqual(self.rows(), self.want)
            self.assertIn("sessions: %d of %d days and ranges of buckets" % (len(self.want), DAYS * 4), done.stderr)
        self.assertIn("sessions: 0 of 0 days and ranges of buckets", self.compute().stderr)
        self.assertEqual(self.rows(), self.want)
        print("%d signals of %d units: %d sessions" % (len(self.signals), UNITS, len(self.want)))

    def test_2_a_day_anew_changes_nothing(self):
        self.daemon.sql("delete from sessions where day = '2026-10-06'")
        self.compute(first=0, last=0)
        self.assertNotEqual(self.rows(), self.want)
        self.compute("--param", "full=true", first=1, last=1)
        self.assertEqual(self.rows(), self.want)

    def test_3_from_archive_files(self):
        self.daemon.run("trainer", "run", "seal", "--data-dir", self.daemon.dir, "--archive-after-days", "1")
        self.assertEqual(self.daemon.number("select count(*) from signals where at < '2026-10-08'"), 0)
        self.assertIn("sessions: %d of %d days" % (len(self.want), DAYS * 4), self.compute().stderr)  # files in place of partitions are another source
        self.assertEqual(self.rows(), self.want)

    def test_4_from_behind_to_is_refused(self):
        done = self.daemon.run("trainer", "run", "sessions", "--data-dir", self.daemon.dir, "--param", "to=2026-10-07", "--param", "from=2026-10-09", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("parameter \"from\" is a day behind \"to\"", done.stderr)

    def test_5_another_gap(self):
        self.compute("--param", "gap_minutes=1")
        self.assertGreater(self.daemon.number("select count(*) from sessions"), len(self.want))
        self.compute()
        self.assertEqual(self.rows(), self.want)

    def test_6_days_without_signals_have_no_sessions(self):
        self.daemon.sql("delete from archives where day = '2026-10-06'")
        self.daemon.sql("insert into sessions select '2026-01-01', bucket, unit, session, started_at, ended_at, signals, queries, clicks, carts, purchases, revenue, "
                        "first_query, last_query from sessions limit 5")
        self.daemon.run("trainer", "run", "sessions", "--data-dir", self.daemon.dir)
        self.assertEqual(list(self.daemon.lines("select distinct day from sessions order by 1")), ["2026-10-05", "2026-10-07"])


TEXT = "'<' || translate(coalesce(%s, ''), E'\\t', ' ') || '>'"


class Month(Aggregation):
    job = "sessions"
    rows_of = "select %s from sessions order by unit, started_at" % COLUMNS.replace("coalesce(first_query, '')", TEXT % "first_query").replace(
        "coalesce(last_query, '')", TEXT % "last_query")  # texts may have tabs and spaces at their ends

    def given(self, day):
        return {"ranges": 4}

    def plain(self, day):
        marked = {r[0] for r in self.daemon.sql("select unit from marked_units where mark <> 0")}
        rows = self.daemon.sql("select type, unit, to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00'), session, %s, value from signals order by at" % (TEXT % "query"))
        signals = [{"type": r[0], "unit": r[1], "timestamp": r[2], **({"session": r[3]} if r[3] else {}), **({"query": r[4]} if r[0] == "request" else {}),
                    **({"value": float(r[5])} if r[5] and r[0] == "purchase" else {})} for r in rows if r[1] not in marked]
        return sorted(([*r[:11], r[11] or "<>", r[12] or "<>"] for r in found_by_hand(signals)), key=lambda r: (r[1], int(r[3])))

    def same(self, row, wanted):
        self.assertEqual(row[:10] + row[11:], wanted[:10] + wanted[11:])
        self.assertLess(abs(float(row[10]) - float(wanted[10])), 1e-6)


del Aggregation  # a base is no test

if __name__ == "__main__":
    unittest.main()
