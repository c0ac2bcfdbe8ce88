"""The job "clicks": what a plain sum finds, within 1e-9; day by day over a month with late arrivals, a deleted unit, marks and sealed days the same
bytes as a full run; the same with other numbers of workers and ranges, and when workers are killed."""
import collections
import datetime
import json
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest, program, wait_for  # noqa: E402
from month import Month  # noqa: E402

MONTH = Month(seed=7)
WEIGHTS = {"click": 1, "cart": 10, "purchase": 25}
ROWS = "select filters, query, rank, doc, weight, signals, counts, us(last_at) from query_doc_weights order by query, filters, rank"
EPOCH = datetime.date(1970, 1, 1)


def filters_text(params):
    value = json.loads(params).get("filters") if params else None
    return " $ ".join(sorted(value)) if isinstance(value, list) else value


class Plain:
    """The same from all rows of the table signals in plain Python. Days are numbers since 1970."""

    def __init__(self, daemon):
        marked = {r[0] for r in daemon.sql("select unit from marked_units where mark <> 0")}
        self.rows = [(r[0], r[1], json.loads(r[2]), r[3], int(r[4] or 0), int(r[5]), r[6], r[7]) for r in daemon.sql(
            "select type, unit, coalesce(to_json(query), 'null'), doc, position, us(at), query_id, params from signals order by random()") if r[1] not in marked]
        self.filters_of = {}
        for kind, _, _, _, _, at, query_id, params in sorted(self.rows, key=lambda r: (r[0] != "request", r[5])):
            if kind in ("request", "response") and filters_text(params) is not None:
                self.filters_of.setdefault(query_id, (at, filters_text(params)))

    def filters(self, at, query_id, params):
        """Its own, or those of its query, if that was on the same day or in the hour before."""
        own, (asked, text) = filters_text(params), self.filters_of.get(query_id, (0, ""))
        return own if own is not None else text if asked >= at // 86400000000 * 86400000000 - 3600000000 else ""

    def weights(self, as_of, weights=None, half_life=30.0, power=0.0, days=0, least=1, top=100, by_filters=False):
        """(filters, query, doc) → rank, weight, signals, counts, last."""
        weights, end = weights or WEIGHTS, (as_of + 1) * 86400000000
        found = collections.defaultdict(lambda: [0.0, 0, collections.Counter(), 0])
        for kind, _, query, doc, position, at, query_id, params in self.rows:
            if kind not in weights or not query or not query.strip() or not doc or at >= end or (days and at < end - days * 86400000000):
                continue
            row = found[self.filters(at, query_id, params) if by_filters else "", " ".join(query.lower().split()), doc]
            row[0] += weights[kind] * (min(position, 50) ** power if position else 1) * (2 ** ((at - end) / 86400000000 / half_life) if half_life else 1)
            row[1] += 1
            row[2][kind] += 1
            row[3] = max(row[3], at)
        groups = collections.defaultdict(list)
        for (filters, query, doc), row in found.items():
            if row[1] >= least:
                groups[filters, query].append((-row[0], doc, row))
        return {(*group, doc): (rank, *row) for group, docs in groups.items() for rank, (_, doc, row) in enumerate(sorted(docs, key=lambda d: d[:2]), 1)
                if not top or rank <= top}


class Clicks(DaemonTest):
    """The tests go on where the one before has stopped."""

    def command(self, day, *more):
        return ["run", "clicks", "--data-dir", self.daemon.dir, "--workers", "2", "--param", "as_of=%s" % MONTH.date(day), *more]

    def compute(self, day, *more):
        """Days and ranges that were made, of all."""
        done = self.daemon.run("trainer", *self.command(day, *more))
        made, all_of_them = self.daemon.sql("select p.attempts - r.retries, p.splits from runs r join run_passes p on p.run = r.id and p.pass = 0 "
                                            "order by r.started_at desc limit 1")[0]
        return int(made), int(all_of_them), done

    def rows(self):
        return self.daemon.sql(ROWS)

    def check_full(self, day, *more):
        """The rows are those that a full run makes."""
        rows = self.rows()
        made, all_of_them, _ = self.compute(day, "--param", "full=true", *more)
        self.assertEqual(made, all_of_them)
        self.assertTrue(rows)
        self.assertEqual(self.rows(), rows)

    def check_plain(self, day, params=(), **rules):
        self.compute(day, *(x for p in params for x in ("--param", p)))
        want = Plain(self.daemon).weights((MONTH.date(day) - EPOCH).days, **rules)
        rows, worst = self.rows(), 0.0
        self.assertEqual({(r[0], r[1], r[3]) for r in rows}, set(want))
        for filters, query, rank, doc, weight, signals, counts, last in rows:
            wanted = want[filters, query, doc]
            self.assertEqual((int(rank), int(signals), json.loads(counts), int(last)), (wanted[0], *wanted[2:]), (filters, query, doc))
            worst = max(worst, abs(float(weight) - wanted[1]) / wanted[1])
        self.assertLess(worst, 1e-9)
        return len(rows), worst

    def load(self, day):
        count = MONTH.send(self.daemon, day)
        self.daemon.wait_loaded()
        return count

    def erase(self, unit):
        where = self.daemon.request("DELETE", "/v1/units/" + unit).headers["location"]
        wait_for(lambda: self.daemon.get(where).json["state"] == "done", "the unit to be deleted")

    def test_1_what_a_plain_sum_finds(self):
        sent = sum(self.load(day) for day in range(6))
        for params, rules in [((), {}), (("half_life_days=2.5", "weights=purchase=3,click=0.001", "top=0"), {"half_life": 2.5, "weights": {"click": 0.001, "purchase": 3}, "top": 0}),
                              (("half_life_days=0", "days=3", "min_signals=2"), {"half_life": 0, "days": 3, "least": 2}),
                              (("position_power=0.7", "top=2"), {"power": 0.7, "top": 2}), (("filters=filters",), {"by_filters": True})]:
            print("%-70s %d rows, off by at most %.1e" % (" ".join(params), *self.check_plain(5, params, **rules)))
        self.assertGreater(self.daemon.number("select count(distinct filters) from query_doc_weights"), 3)
        self.assertEqual(self.daemon.sql("select run = (select id from runs order by started_at desc limit 1), as_of, rows = (select count(*) from query_doc_weights), "
                                         "params->>'filters' from query_doc_weights_current"), [["t", str(MONTH.date(5)), "t", "filters"]])
        print("%d signals in 6 days" % sent)

    def test_2_day_by_day_is_as_everything_at_once(self):
        d, shares = self.daemon, []
        for day in range(6, MONTH.days):
            self.load(day)
            if day == 14:
                self.erase("unit-0")
                self.assertEqual(d.number("select count(*) from signals where unit = 'unit-0'"), 0)
            if day == 18:
                self.assertEqual(d.request("PUT", "/v1/marks/unit-1", {"mark": "hand"}).status, 200)
            if day == 22:
                d.run("trainer", "run", "seal", "--data-dir", d.dir, "--archive-after-days", str((datetime.date.today() - MONTH.date(12)).days))
                self.assertGreater(d.number("select count(*) from archives"), 0)
            made, all_of_them, _ = self.compute(day)
            shares.append(made / all_of_them)
            if day in (14, 18, 22):
                self.check_full(day)
        self.check_full(MONTH.days - 1)
        self.assertEqual(self.compute(MONTH.days - 1)[0], 0)
        self.assertLess(sorted(shares)[len(shares) // 2], 0.25)  # a day of its own, and those of late signals

    def test_3_workers_and_ranges_do_not_matter(self):
        last = MONTH.days - 1
        rows = self.rows()
        for more in (("--workers", "1"), ("--workers", "4"), ("--param", "ranges=1"), ("--param", "ranges=64", "--workers", "4")):
            self.compute(last, "--param", "full=true", *more)
            self.assertEqual(self.rows(), rows, more)

    def kill_workers(self, run):
        """Each as soon as it is seen, three in all."""
        killed = set()
        while len(killed) < 3 and run.poll() is None:
            with open("/proc/%d/task/%d/children" % (run.pid, run.pid), encoding="ascii") as f:
                for pid in set(f.read().split()) - killed:
                    os.kill(int(pid), signal.SIGKILL)
                    killed.add(pid)

    def test_4_killed_workers_do_not_matter(self):
        rows, retries = self.rows(), 0
        for _ in range(5):
            run = subprocess.Popen([program("trainer"), *self.command(MONTH.days - 1, "--param", "full=true")], stderr=subprocess.PIPE, text=True)
            self.kill_workers(run)
            said = run.communicate()[1]
            self.assertEqual(run.returncode, 0, said)
            self.assertEqual(self.rows(), rows)
            retries += self.daemon.number("select retries from runs order by started_at desc limit 1")
        self.assertGreater(retries, 0)

    def test_5_marks_are_set_and_taken_back_without_reading_a_day(self):
        d, last, rows = self.daemon, MONTH.days - 1, self.rows()
        for mark, same in (("none", False), ("hand", True)):
            self.assertEqual(d.request("PUT", "/v1/marks/unit-1", {"mark": mark}).status, 200)
            self.assertEqual(self.compute(last)[0], 0)
            self.assertEqual(self.rows() == rows, same)
        self.assertFalse(any(b"bot-" in json.dumps(r).encode() for r in rows))

    def test_6_damage_costs_time_only(self):
        folder, rows = os.path.join(self.daemon.dir, "archive", "kept"), self.rows()
        for name in sorted(os.listdir(folder), key=lambda n: -os.path.getsize(os.path.join(folder, n)))[:3]:
            with open(os.path.join(folder, name), "r+b") as f:
                f.seek(40)
                f.write(b"\xff\xff\xff")
        self.compute(MONTH.days - 1)
        self.assertEqual(self.rows(), rows)

    def test_7_a_run_that_dies_leaves_its_days_to_the_next(self):
        folder, rows, last = os.path.join(self.daemon.dir, "archive", "kept"), self.rows(), MONTH.days - 1
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        run = subprocess.Popen([program("trainer"), *self.command(last)], stderr=subprocess.PIPE, text=True)
        wait_for(lambda: len(os.listdir(folder)) >= 5 or run.poll() is not None, "some days to be kept")
        run.kill()
        run.communicate()
        self.assertNotEqual(run.returncode, 0)
        made, all_of_them, _ = self.compute(last)
        self.assertLess(made, all_of_them)
        self.assertEqual(self.rows(), rows)

    def test_8_two_runs_at_once(self):
        rows, last = self.rows(), MONTH.days - 1
        for run in [subprocess.Popen([program("trainer"), *self.command(last)], stderr=subprocess.PIPE, text=True) for _ in range(3)]:
            said = run.communicate()[1]
            self.assertEqual(run.returncode, 0, said)
        self.assertEqual(self.rows(), rows)

    def test_9_parameters_are_checked(self):
        for given, words in [("as_of=yesterday", "not a day such as"), ("weights=click", "weights=click: must be like click=1"), ("weights=click=1,click=2", "names a type twice"),
                             ("weights=it's=1", "must be like"), ("half_life_days=0.1", "must be 0, for no decay, or at least 0.25"), ("position_power=2", "not a number from 0 to 1"),
                             ("top=-1", "not a whole number"), ("filters=a b", "must be the name of a field"), ("ranges=3", "not a power of two")]:
            done = self.daemon.run("trainer", "run", "clicks", "--data-dir", self.daemon.dir, "--param", given, check=False)
            self.assertNotEqual(done.returncode, 0, given)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
