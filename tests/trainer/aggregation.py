"""What the tests of all aggregation jobs over a month have in common: day by day, with late arrivals, a deleted unit, marks and sealed days, a run leaves the
rows that a full run leaves; so it does with other numbers of workers and ranges, and when workers or a coordinator are killed.

A test is an Aggregation with `job`, `rows_of` (SQL) and `plain` (the same rows computed otherwise); its tests go on where the one before has stopped.
"""
import datetime
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest, program, wait_for  # noqa: E402
from held import Held  # noqa: E402
from month import Month  # noqa: E402

MONTH = Month(seed=11, visits=40, units=100)
LAST = MONTH.days - 1


class Aggregation(DaemonTest):
    job, params, rows_of, has_ranges = None, {}, None, True

    def plain(self, day):
        """The rows as of the end of this day, as rows_of gives them."""
        raise NotImplementedError

    # ---- running

    def given(self, day):
        """What runs are told as of the end of this day."""
        return {"as_of": str(MONTH.date(day)), **self.params}

    @staticmethod
    def arguments_of(params):
        return [x for name, value in params.items() for x in ("--param", "%s=%s" % (name, value))]

    def compute(self, day, workers=2, **more):
        """Days and ranges that were made, of all."""
        done = self.daemon.run("trainer", "run", self.job, "--data-dir", self.daemon.dir, "--workers", str(workers), *self.arguments_of({**self.given(day), **more}))
        same, all_of_them = re.search(r"(\d+) of (\d+) days and ranges of buckets are as they were", done.stderr).groups()
        made = self.daemon.number("select p.attempts - r.retries from runs r join run_passes p on p.run = r.id and p.pass = 0 order by r.started_at desc limit 1")
        self.assertEqual(made, int(all_of_them) - int(same))
        return made, int(all_of_them)

    def rows(self):
        return self.daemon.sql(self.rows_of)

    def same(self, a, b):
        self.assertEqual(a, b)

    def load(self, day):
        count = MONTH.send(self.daemon, day)
        self.daemon.wait_loaded()
        return count

    def mark(self, unit, mark):
        self.assertEqual(self.daemon.request("PUT", "/v1/marks/" + unit, {"mark": mark}).status, 200)

    def check_full(self, day):
        rows = self.rows()
        made, all_of_them = self.compute(day, full="true")
        self.assertEqual(made, all_of_them)
        self.assertTrue(rows)
        self.assertEqual(self.rows(), rows)

    def erase(self, unit):
        d = self.daemon
        where = d.request("DELETE", "/v1/units/" + unit).headers["location"]
        wait_for(lambda: d.get(where).json["state"] == "done", "the unit to be deleted")
        return d.get(where).json["removed"]

    # ---- what every job must do

    def test_1_what_is_found_otherwise(self):
        sent = sum(self.load(day) for day in range(5))
        self.compute(4)
        want, rows = self.plain(4), self.rows()
        self.assertGreater(len(rows), 50)
        self.assertEqual(len(rows), len(want))
        for row, wanted in zip(rows, want):
            self.same(row, wanted)
        print("%s: %d signals, %d rows" % (self.job, sent, len(rows)))

    def test_2_day_by_day_is_as_everything_at_once(self):
        d, shares = self.daemon, []
        for day in range(5, MONTH.days):
            self.load(day)
            if day == 12:
                self.erase("unit-0")
                self.assertFalse([r for r in self.rows() if "unit-0" in r])
            if day == 15:
                self.mark("unit-1", "hand")
            if day == 18:
                self.mark("unit-1", "none")
            if day == 20:
                d.run("trainer", "run", "seal", "--data-dir", d.dir, "--archive-after-days", str((datetime.date.today() - MONTH.date(10)).days))
                self.assertGreater(d.number("select count(*) from archives"), 0)
            if day % 2 == 0 and day not in (12, 15, 18, 20):
                continue  # two days at once
            made, all_of_them = self.compute(day)
            shares.append(made / all_of_them)
            if day in (12, 15, 18, 20):
                self.check_full(day)
        self.check_full(LAST)
        self.assertEqual(self.compute(LAST)[0], 0)
        self.assertLess(shares[-1], 0.3)  # two days of their own, perhaps a neighbour, those of late signals
        print("%s: %d rows of %d days; of days and ranges, the last refresh made %.0f %%" %
              (self.job, len(self.rows()), MONTH.days, 100 * shares[-1]))

    def test_3_workers_and_ranges_do_not_matter(self):
        rows = self.rows()
        for more in ({"workers": 1}, {"workers": 4}, *(({"ranges": 1}, {"ranges": 32, "workers": 4}) if self.has_ranges else ())):
            self.compute(LAST, full="true", **more)
            self.assertEqual(self.rows(), rows, more)
        self.compute(LAST)
        self.assertEqual(self.rows(), rows)

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
        for _ in range(3):
            run = subprocess.Popen([program("trainer"), "run", self.job, "--data-dir", self.daemon.dir, "--workers", "2", *self.arguments_of({**self.given(LAST), "full": "true"})],
                                   stderr=subprocess.PIPE, text=True)
            self.kill_workers(run)
            said = run.communicate()[1]
            self.assertEqual(run.returncode, 0, said)
            self.assertEqual(self.rows(), rows)
            retries += self.daemon.number("select retries from runs order by started_at desc limit 1")
        self.assertGreater(retries, 0)

    def test_4a_a_run_that_dies_is_taken_over(self):
        """Whatever it had made or staged: readers see the rows of before, and then the right ones. It cannot end before it is killed: the lock keeps it
        from moving its rows to their place."""
        self.compute(LAST)
        d, rows = self.daemon, self.rows()
        table = re.search(r" from (\S+)", self.rows_of)[1]
        for splits in (1, 3, 6):
            before = d.number("select count(*) from runs")
            with Held(d, "lock table %s in share mode" % table):
                run = subprocess.Popen([program("trainer"), "run", self.job, "--data-dir", d.dir, "--workers", "2", *self.arguments_of({**self.given(LAST), "full": "true"})],
                                       stderr=subprocess.DEVNULL, start_new_session=True)
                wait_for(lambda: d.number("select count(*) from runs") > before, "the run's row")
                last = d.sql("select id from runs order by queued_at desc limit 1")[0][0]
                wait_for(lambda: d.number("select coalesce(sum(done), 0) from run_passes where run = '%s'" % last) >= splits, "some splits")
                self.assertIsNone(run.poll())
                run.kill()
                run.wait()
            self.assertEqual(self.rows(), rows)
            # Its last transaction ends when PostgreSQL has seen that it is gone.
            wait_for(lambda: [last] in d.sql("select lose_runs(interval '0')"), "the run to be lost")
            d.run("trainer", "run", "--run", last, "--data-dir", d.dir, "--workers", "2")
            self.assertEqual(d.sql("select state, epoch > 1 from runs where id = '%s'" % last), [["success", "t"]])
            self.assertEqual(self.rows(), rows)
        self.assertEqual(d.number("select count(*) from pg_tables where schemaname = 'staging'"), 0)

    def test_5_a_unit_that_is_marked_is_in_no_row(self):
        rows = self.rows()
        self.assertFalse([r for r in rows if any(value.startswith("bot-") for value in r)])
        self.mark("unit-2", "hand")
        self.compute(LAST)
        self.assertNotEqual(self.rows(), rows)
        self.check_full(LAST)
        self.mark("unit-2", "none")
        self.compute(LAST)
        self.assertEqual(self.rows(), rows)

    def test_6_a_deleted_unit_is_gone_at_once(self):
        rows = self.rows()
        self.erase("unit-3")
        self.assertFalse([r for r in self.rows() if "unit-3" in r])
        self.compute(LAST)
        self.assertNotEqual(self.rows(), rows)
        self.check_full(LAST)
