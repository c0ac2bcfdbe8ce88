"""A refresh of the job "metrics" reads only days that changed, and leaves every table as a full run does, to the last bit."""
import datetime
import json
import os
import random
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest, program, wait_for  # noqa: E402

DAYS, UNITS = 6, 60
FIRST = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) - datetime.timedelta(days=DAYS + 1)
# What a run publishes, without what names the run. PostgreSQL writes a float so that it reads back as the same bits.
PUBLISHED = ("select * from moments order by 1, 2, 3, 4, 5", "select * from exposure_counts order by 1, 2, 3, 4",
             "select experiment, as_of, units, multiple_exposures, marked_units from moments_current order by 1")


PURCHASE = {"of": "signals", "type": "purchase"}
# Of every way in which a metric looks at days: before the exposure, behind midnight, into windows, at all units at once.
METRICS = [{"key": "spent", "kind": "mean", "numerator": {**PURCHASE, "sum": "value"}, "cap": {"percentile": 0.9}, "covariate_days": 3},
           {"key": "bought", "kind": "proportion", "numerator": PURCHASE, "covariate_days": 2},
           {"key": "click_and_buy", "kind": "funnel", "steps": [{"of": "signals", "type": "click"}, PURCHASE], "window": {"from_hours": 0, "to_hours": 60}},
           {"key": "came_back", "kind": "retention", "numerator": {"of": "queries", "that": "all"}, "window": {"from_hours": 24, "to_hours": 72}},
           {"key": "price", "kind": "quantile", "quantile": 0.9, "numerator": {**PURCHASE, "sum": "value"}}]
BUILTIN = ("clicks_per_query", "mrr", "time_to_first_click", "zero_result_rate")
SESSIONS = {"key": "visits", "kind": "mean", "numerator": {"of": "sessions", "that": "all"}}


def stamp(day, seconds):
    return (FIRST + datetime.timedelta(days=day, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def contents_of(path):
    with open(path, "rb") as f:
        return f.read()


class Site:
    """Random visits, the same for the same seed."""

    def __init__(self, daemon, seed):
        self.daemon, self.random, self.visits = daemon, random.Random(seed), 0

    def post(self, path, elements):
        self.random.shuffle(elements)
        reply = self.daemon.post(path, "".join(json.dumps(e) + "\n" for e in elements).encode())
        if reply.status != 200 or reply.json["rejected"]:
            raise AssertionError(reply)

    def unit(self):
        return "u-%d" % self.random.randrange(UNITS)

    def expose(self, experiment, day, count):
        self.post("/v1/exposures", [{"unit": unit, "experiment": experiment, "variant": int(unit[2:]) % 2, "timestamp": stamp(day, self.random.uniform(0, 80000)),
                                     "attributes": {"device": self.random.choice(["phone", "tablet", "tv"])}}
                                    for unit in (self.unit() for _ in range(count))])

    def visit(self, day, count, from_s=0, to_s=86000):
        """Queries with their results, clicks, purchases; a number of clicks lies behind midnight when the query is late."""
        signals = []
        for _ in range(count):
            self.visits += 1
            r, unit, at, query = self.random, self.unit(), self.random.uniform(from_s, to_s), "q-%d" % self.visits
            common = {"unit": unit, "query_id": query}
            signals.append({**common, "type": "request", "query": "lamp %d" % r.randrange(9), "value": r.randrange(3), "timestamp": stamp(day, at)})
            for _ in range(r.randrange(3)):
                signals.append({**common, "type": "click", "doc": "d", "position": 1 + r.randrange(9), "timestamp": stamp(day, at + r.uniform(1, 1500))})
            if r.random() < 0.2:
                signals.append({**common, "type": "purchase", "value": round(r.uniform(1, 90), 2), "timestamp": stamp(day, at + r.uniform(100, 1700))})
        self.post("/v1/signals", signals)


class Base(DaemonTest):
    """The tests of a class go on where the one before has stopped: a full run keeps what the next refresh takes."""
    metrics = METRICS

    @classmethod
    def prepare(cls, d):
        cls.site = Site(d, 20261127)
        for metric in cls.metrics:
            reply = d.post("/v1/metrics", {"name": metric["key"], **metric})
            if reply.status != 201:
                raise AssertionError(reply)
        metrics = [{"metric": "ctr", "role": "primary"}] + [{"metric": m, "role": "secondary"} for m in (*BUILTIN, *(m["key"] for m in cls.metrics))]
        for key in ("ranker", "layout"):
            d.make_experiment(key, metrics=metrics)
        for day in range(DAYS):
            for key in ("ranker", "layout"):
                cls.site.expose(key, day, 12)
            cls.site.visit(day, 60)
        d.wait_loaded()
        d.trainer("--workers", "2")

    # ---- running, and what was read

    def run_metrics(self, *arguments):
        """Rows that were read, and data sets that were made."""
        d = self.daemon
        d.wait_loaded()
        d.trainer("--workers", "2", *arguments)
        run = d.sql("select r.rows_in, p.attempts from runs r join run_passes p on p.run = r.id and p.pass = 0 order by r.started_at desc limit 1")[0]
        return int(run[0]), int(run[1])

    def published(self):
        return [self.daemon.sql(query) for query in PUBLISHED]

    def check(self, *arguments):
        """A refresh, then everything again: the same. What the refresh read, and what the full run did."""
        read, made = self.run_metrics(*arguments)
        refreshed = self.published()
        everything, all_made = self.run_metrics("--param", "full=true", *arguments)  # which keeps that
        self.assertTrue(refreshed[0])
        for a, b in zip(refreshed, self.published()):
            self.assertEqual(a, b)
        self.assertGreaterEqual(everything, read)
        self.assertEqual(all_made % 4, 0)
        return read, made, everything, all_made

    def kept_files(self):
        folder = os.path.join(self.daemon.dir, "archive", "kept")
        return {name: os.path.join(folder, name) for name in os.listdir(folder)}


class Refresh(Base):
    def test_a_day_that_is_as_it_was_is_not_read(self):
        self.assertEqual(self.run_metrics(), (0, 0))
        self.site.visit(DAYS - 1, 5, 40000)
        read, made, everything, _ = self.check()
        self.assertLess(read, everything / 3)
        self.assertLessEqual(made, 3 * 4)

    def test_late_events_and_clicks_behind_midnight(self):
        self.site.visit(2, 3, 40000, 50000)
        read, made, everything, _ = self.check()
        self.assertGreater(read, 0)
        self.assertLess(read, everything)
        self.site.visit(3, 8, 85900, 86390)  # with clicks on day 4
        self.check()
        self.site.expose("layout", 1, 4)
        self.check()

    def test_random_appends_in_random_order(self):
        for _ in range(3):
            for _ in range(self.site.random.randrange(1, 4)):
                day = self.site.random.randrange(DAYS + 1)
                if self.site.random.random() < 0.5:
                    self.site.expose(self.site.random.choice(["ranker", "layout"]), day, self.site.random.randrange(1, 6))
                else:
                    self.site.visit(day, self.site.random.randrange(1, 9))
                self.run_metrics()  # what a refresh keeps is what the next one takes
            self.check()

    def test_marks_are_set_and_taken_back(self):
        before = self.published()
        unit = self.daemon.sql("select unit from exposures where experiment = 'ranker' order by at limit 1")[0][0]
        self.assertEqual(self.daemon.request("PUT", "/v1/marks/" + unit, {"mark": "hand"}).status, 200)
        self.assertEqual(self.check()[0], 0)
        self.assertNotEqual(self.published(), before)
        self.assertEqual(self.daemon.request("PUT", "/v1/marks/" + unit, {"mark": "none"}).status, 200)
        self.assertEqual(self.check()[0], 0)
        self.assertEqual(self.published(), before)

    def test_a_deleted_unit_takes_along_what_is_kept(self):
        d = self.daemon
        unit = d.sql("select unit from exposures where experiment = 'ranker' order by at limit 1")[0][0]
        bucket = d.number("select bucket from exposures where unit = '%s' limit 1" % unit)
        self.assertTrue(any(unit.encode() in contents for contents in map(contents_of, self.kept_files().values())))
        where = d.request("DELETE", "/v1/units/" + unit).headers["location"]
        wait_for(lambda: d.get(where).json["state"] == "done", "the unit to be deleted")
        for name, path in self.kept_files().items():
            lo, hi = (int(n) for n in name.split("_")[1].split(".")[0].split("-"))
            self.assertFalse(lo <= bucket <= hi, name)
            self.assertNotIn(struct.pack("<I", len(unit)) + unit.encode(), contents_of(path))  # as a record has it
        read, made, everything, all_made = self.check()
        self.assertLess(made, all_made)
        self.assertNotIn(unit, str(self.published()))

    def test_another_program_computes_anew(self):
        self.daemon.make_experiment("later")
        self.assertEqual(self.run_metrics(), (0, 0))  # nobody has seen it yet
        self.site.expose("later", DAYS - 1, 5)
        for arguments in ((), ("--param", "experiment=ranker")):  # the second is a program of its own
            refresh_and_all = self.check(*arguments)
            self.assertEqual(refresh_and_all[:2], refresh_and_all[2:])
        self.assertEqual(self.run_metrics()[0], 0)  # which leaves the other one's alone

    def test_another_definition_computes_anew(self):
        # the API refuses that while an experiment has it; an operator may know better
        self.daemon.sql("update metrics set spec = jsonb_set(spec::jsonb, '{numerator,type}', '\"click\"')::json where key = 'bought'")
        before = self.published()
        _, made, _, all_made = self.check()
        self.assertEqual(made, all_made)
        self.assertNotEqual(self.published(), before)

    def start_run(self):
        return subprocess.Popen([program("trainer"), "run", "metrics", "--data-dir", self.daemon.dir, "--workers", "2"], stderr=subprocess.PIPE, text=True)

    def test_killed_runs_and_two_at_once_leave_nothing_wrong(self):
        for day in range(4):
            self.site.visit(day, 4)
            self.daemon.wait_loaded()
            run = self.start_run()
            time.sleep(self.site.random.uniform(0.05, 0.6))
            run.kill()
            run.communicate()
        self.check()
        self.site.visit(1, 4)
        self.daemon.wait_loaded()
        for run in [self.start_run(), self.start_run()]:
            said = run.communicate()[1]
            self.assertEqual(run.returncode, 0, said)
        self.assertEqual(self.run_metrics()[0], 0)
        self.check()

    def test_damage_costs_time_only(self):
        for name, path in sorted(self.kept_files().items())[:3]:
            with open(path, "r+b") as f:
                f.seek(9)
                f.write(b"\xff\xff\xff")
        self.check()
        for path in self.kept_files().values():
            os.truncate(path, os.path.getsize(path) // 2)
        self.assertGreater(self.check()[0], 0)
        self.assertEqual(self.run_metrics()[0], 0)


class Hands(Base):
    """What operators do to whole days."""

    def test_days_in_archive_files(self):
        d = self.daemon
        d.run("trainer", "run", "seal", "--data-dir", d.dir, "--archive-after-days", str(DAYS - 3))
        self.assertGreater(d.number("select count(*) from archives"), 0)
        self.check()
        self.assertEqual(self.run_metrics()[0], 0)
        self.site.visit(0, 3, 40000)  # late, for a sealed day
        self.assertGreater(self.check()[0], 0)
        d.run("trainer", "run", "retention", "--data-dir", d.dir, "--retention-signals", "request=%d" % (DAYS - 1))
        self.check()

    def test_hands_of_operators_are_noticed(self):
        d, all_made = self.daemon, set()
        for statement in ("insert into signals (id, at, received_at, bucket, type, unit) select gen_random_uuid(), at, at, bucket, 'click', unit from exposures",
                          "update signals set value = 0 where type = 'request' and unit = 'u-7'", "delete from signals where unit = 'u-8'",
                          "update exposures set at = at + interval '1 day' where unit = 'u-9'", "truncate signals"):
            d.sql(statement)
            all_made.add(self.check()[3])
        self.assertEqual(len(all_made), 1)


class Sessions(Base):
    """A session goes on behind midnight: a day depends on its neighbours."""
    metrics = [SESSIONS]

    def test_a_change_is_seen_from_the_days_beside(self):
        self.site.visit(3, 4, 82000, 86399)
        read, made, everything, _ = self.check()
        self.assertTrue(0 < read < everything and made <= 3 * 4, (read, made, everything))
        self.site.visit(2, 3, 0, 600)
        self.site.expose("ranker", 4, 2)
        self.check()
        self.assertEqual(self.run_metrics(), (0, 0))

    def test_a_select_is_asked_each_time(self):
        d = self.daemon
        d.wait_loaded()
        d.sql("create table orders (unit text, at timestamptz, value float8); insert into orders select unit, at, 1 from signals; "
              "grant select on orders to public")
        spec = {"key": "orders", "name": "orders", "kind": "mean", "numerator": {"of": "sql", "select": "select unit, at, value from orders"}}
        reply = d.post("/v1/metrics", spec)
        self.assertEqual(reply.status, 201, reply)
        d.make_experiment("sql", metrics=[{"metric": "orders", "role": "primary"}])
        self.site.expose("sql", 0, 30)
        self.run_metrics()
        before = self.published()
        d.sql("update orders set value = 2")
        self.assertGreater(self.run_metrics()[0], 0)
        self.assertNotEqual(self.published(), before)


if __name__ == "__main__":
    unittest.main()
