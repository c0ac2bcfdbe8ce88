"""The jobs "seal" and "retention": old days lie in files, and nobody notices: same rows, same moments, same results; late rows; kill -9."""
import datetime
import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, program, wait_for  # noqa: E402

KEY, UNITS, DAYS = "old", 120, 3
TODAY = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
FIRST = TODAY - datetime.timedelta(days=40)
MOMENTS = "select metric, variant, day, n, mean_x, m2_x, mean_y, m2_y, cxy from moments order by 1, 2, 3, 4, 5, 6, 7"
COLUMNS = "id, at, received_at, bucket, type, unit, session, query_id, query, doc, position, value, params, user_id"


def stamp(day, seconds):
    return (FIRST + datetime.timedelta(days=day, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def signals(day):
    """Requests, responses, clicks (some behind midnight), impressions and a purchase with params, of each unit on one day."""
    for u in range(UNITS):
        unit, at = "ü%03d" % u, 86400 - 900 + u * 5 if u % 10 == 0 else 3600 + u * 60
        query = "q-%d-%d" % (day, u)
        common = {"unit": unit, "query_id": query}
        yield {**common, "type": "request", "timestamp": stamp(day, at), "query": "lamp “%d”" % u, "value": u % 3}
        yield {**common, "type": "impression", "timestamp": stamp(day, at + 1), "doc": "d1", "position": 1}
        if u % 3:
            yield {**common, "type": "click", "timestamp": stamp(day, at + 2 + u % 7 * 150), "doc": "d%d" % u, "position": 1 + u % 5}
        if u % 7 == 0:
            yield {**common, "type": "purchase", "timestamp": stamp(day, at + 9), "value": u / 7, "params": {"sku": ["a", u], "n": None}}


def send(d, rows):
    body = "".join(json.dumps(s) + "\n" for s in rows).encode()
    reply = d.post("/v1/signals", body, key="client")
    if reply.status != 200 or reply.json["rejected"]:
        raise AssertionError(reply)


def fill(d):
    d.make_experiment(KEY, metrics=[{"metric": "ctr", "role": "primary"}])
    connection = d.connection()
    for u in range(UNITS):
        reply = connection.request("POST", "/v1/assign", {"unit": "ü%03d" % u, "timestamp": stamp(0, 60),
                                                            "attributes": {"device": ["phone", "tablet"][u % 2]} if u % 3 else {}})
        if reply.status != 200:
            raise AssertionError(reply)
    connection.close()
    for day in range(DAYS):
        send(d, signals(day))
    d.wait_rows("exposures", UNITS)
    d.wait_loaded()
    # exposures are recorded at their receipt: bring them back to the first day
    d.sql("select ensure_partition('%s')" % FIRST.date())
    d.sql("update exposures set at = '%s'" % stamp(0, 60))


def job(d, name, *arguments, **options):
    return d.run("trainer", "run", name, "--data-dir", d.dir, *arguments, **options)


def seal(d, **options):
    return job(d, "seal", "--archive-after-days", "2", **options)


def files(d):
    root = os.path.join(d.dir, "archive")
    return sorted(os.path.join(t, f) for t in ("signals", "exposures") if os.path.isdir(os.path.join(root, t))
                  for f in os.listdir(os.path.join(root, t)))


def manifest(d):
    return sorted(r[0] for r in d.sql("select path from archives"))


def archived(d, table):
    """Every row of the files, as export gives it: objects."""
    rows = []
    for path in manifest(d):
        if path.startswith(table + "/"):
            done = d.run("experimentd", "archive", "export", os.path.join(d.dir, "archive", path))
            rows += [json.loads(line) for line in done.stdout.splitlines()]
    return rows


def stored(d, table):
    """The rows of the table in the same form."""
    return [json.loads(r[0]) for r in d.sql("select row_to_json(s) from %s s" % table)]


def plain(rows):
    """In one order and one spelling of instants."""
    for r in rows:
        for k in ("at", "received_at"):
            if k in r:
                r[k] = datetime.datetime.fromisoformat(r[k].replace("Z", "+00:00")).timestamp()
    return sorted(json.dumps(r, sort_keys=True) for r in rows)


class Seal(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.destroy)
        self.daemon.start()

    def finish(self):
        self.daemon.stop()

    def test_results_and_rows_are_the_same_before_and_after(self):
        d = self.daemon
        fill(d)
        d.trainer("--workers", "2")
        before, results = d.sql(MOMENTS), d.results(KEY)
        rows = {t: plain(stored(d, t)) for t in ("signals", "exposures")}
        said = seal(d).stderr
        self.assertRegex(said, r"seal day=%s files=8 rows=\d+ bytes=\d+" % FIRST.date())
        self.assertEqual(d.number("select count(*) from signals"), 0)
        self.assertEqual(d.number("select count(*) from exposures"), 0)
        self.assertEqual(files(d), manifest(d))
        for t in ("signals", "exposures"):
            self.assertEqual(plain(archived(d, t)), rows[t])
            self.assertEqual(d.number("select sum(rows) from archives where of_table = '%s'" % t), len(rows[t]))
        d.trainer("--workers", "2")
        self.assertEqual(d.sql(MOMENTS), before)
        after = d.results(KEY)
        for name in ("metrics", "verdict", "srm", "units"):
            self.assertEqual(after[name], results[name])
        d.sql("delete from moments; delete from moments_current")
        d.trainer("--workers", "1", "--param", "experiment=" + KEY)  # found by its files alone
        self.assertEqual(d.sql(MOMENTS), before)
        self.assertEqual(seal(d).stderr.count("seal day="), 0)  # nothing is left to do
        self.checksums_are_the_files(d)
        self.finish()

    def checksums_are_the_files(self, d):
        for path, size in d.sql("select path, bytes from archives"):
            self.assertEqual(os.path.getsize(os.path.join(d.dir, "archive", path)), int(size))
            done = d.run("experimentd", "archive", "check", os.path.join(d.dir, "archive", path))
            self.assertIn("whole", done.stdout)

    def test_what_comes_late_is_loaded_counted_and_sealed_again(self):
        d = self.daemon
        fill(d)
        seal(d)
        known = d.number("select sum(rows) from archives where of_table = 'signals'")
        late = [{"type": "click", "unit": "ü001", "query_id": "q-0-1", "timestamp": stamp(0, 3700), "position": 1}]
        send(d, late)  # the loader of this daemon believes that the day has partitions
        d.wait_loaded()
        self.assertEqual(d.number("select count(*) from signals"), 1)
        self.assertFalse(os.path.exists(os.path.join(d.dir, "journal", "rejects.ndjson")))
        d.trainer()
        clicks = d.sql("select round(sum(n * mean_x)) from moments where metric = 'clicks_per_unit' and day = (select max(day) from moments)")
        said = seal(d).stderr
        self.assertIn("files=1 rows=1 ", said)
        self.assertEqual(d.number("select sum(rows) from archives where of_table = 'signals'"), known + 1)
        self.assertEqual(d.number("select max(n) from (select count(*) as n from archives where of_table = 'signals' group by day, bucket_lo) x"), 2)
        d.trainer()
        self.assertEqual(d.sql("select round(sum(n * mean_x)) from moments where metric = 'clicks_per_unit' "
                               "and day = (select max(day) from moments)"), clicks)
        self.finish()

    def test_what_loaders_could_not_do_is_done_before(self):
        """A repeat, and the text of a click's query, which is of the day before."""
        d = self.daemon
        send(d, [{"type": "request", "unit": "a", "query_id": "q", "query": "lamp", "timestamp": stamp(0, 86390)}])
        send(d, [{"type": "click", "unit": "a", "query_id": "q", "timestamp": stamp(1, 5)}])
        d.wait_loaded()
        d.sql("update signals set query = null where type = 'click'")
        d.sql("insert into signals select * from signals where type = 'click'")
        said = seal(d).stderr
        self.assertIn("repeats_dropped=1 query_texts_filled=1", said)
        self.assertEqual([(r["type"], r["query"]) for r in archived(d, "signals")], [("request", "lamp"), ("click", "lamp")])
        self.finish()

    def test_days_are_found_whatever_the_planner_asks_first(self):
        """It asked every relation for the day in its name, once the catalogs had grown: seal_days: invalid value "st_1" for "YYYY"."""
        d = self.daemon
        send(d, [{"type": "request", "unit": "a", "query_id": "q", "query": "lamp", "timestamp": stamp(0, 100)}])
        d.wait_loaded()
        hashes = {**os.environ, "PGOPTIONS": "-c enable_nestloop=off -c enable_mergejoin=off"}
        self.assertIn("seal day=%s" % FIRST.date(), seal(d, env=hashes).stderr)
        self.finish()

    def test_killed_at_any_moment_no_row_is_lost_or_there_twice(self):
        d = self.daemon
        fill(d)
        rows = {t: plain(stored(d, t)) for t in ("signals", "exposures")}
        chance, kills, orphans = random.Random(4), 0, 0
        for _ in range(15):
            run = subprocess.Popen([program("trainer"), "run", "seal", "--data-dir", d.dir, "--archive-after-days", "2"],
                                   stderr=subprocess.PIPE, text=True)
            time.sleep(chance.random() * 0.3)
            run.send_signal(signal.SIGKILL)
            run.communicate()
            wait_for(lambda: d.number("select count(*) from pg_stat_activity where application_name = 'trainer seal'") == 0,
                     "PostgreSQL to see that it is gone")
            kills += run.returncode == -signal.SIGKILL
            orphans += len(files(d)) > len(manifest(d))
            for t in ("signals", "exposures"):
                self.assertEqual(plain(stored(d, t) + archived(d, t)), rows[t])
            if d.number("select count(*) from signals") == 0:
                break
        print("killed %d times, %d of them with files that nobody names" % (kills, orphans))
        self.assertGreater(kills, 0)
        seal(d)
        self.assertEqual(files(d), manifest(d))
        self.assertEqual(d.number("select count(*) from signals"), 0)
        for t in ("signals", "exposures"):
            self.assertEqual(plain(archived(d, t)), rows[t])
        self.finish()

    def test_sealing_waits_for_a_pass_that_reads(self):
        """A pass that began before holds the readers' lock; the rows stay until it has ended."""
        d = self.daemon
        fill(d)
        reader = d.sql_session()
        reader.stdin.write("select pg_advisory_lock_shared(hashtext('experimentd archive readers'));\n")
        reader.stdin.flush()
        reader.stdout.readline()
        run = subprocess.Popen([program("trainer"), "run", "seal", "--data-dir", d.dir, "--archive-after-days", "2"],
                               stderr=subprocess.PIPE, text=True)
        wait_for(lambda: d.number("select count(*) from pg_locks where locktype = 'advisory' and not granted"), "the job to wait")
        self.assertGreater(d.number("select count(*) from signals"), 0)
        reader.communicate("\\q\n")
        said = run.communicate()[1]
        self.assertEqual(run.returncode, 0, said)
        self.assertEqual(d.number("select count(*) from signals"), 0)
        self.finish()

    def test_sealing_lets_others_load_while_somebody_uses_the_tables(self):
        d = self.daemon
        fill(d)
        user = d.sql_session()
        user.stdin.write("begin; select count(*) from signals;\n")
        user.stdin.flush()
        user.stdout.readline()
        run = subprocess.Popen([program("trainer"), "run", "seal", "--data-dir", d.dir, "--archive-after-days", "2"],
                               stderr=subprocess.PIPE, text=True)
        wait_for(lambda: d.number("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and not granted"), "the job to wait")
        send(d, [{"type": "click", "unit": "now"}])
        d.wait_loaded()  # behind the job, which gives way
        user.communicate("commit;\n")
        said = run.communicate()[1]
        self.assertEqual(run.returncode, 0, said)
        self.assertEqual(d.sql("select unit from signals"), [["now"]])
        self.finish()

    def test_the_archive_of_another_database_is_not_touched(self):
        d = self.daemon
        folder = os.path.join(d.dir, "archive")
        os.makedirs(os.path.join(folder, "signals"))
        with open(os.path.join(folder, "id"), "w", encoding="ascii") as f:
            f.write("00000000-0000-0000-0000-000000000000")
        with open(os.path.join(folder, "signals", "x.arc"), "w", encoding="ascii") as f:
            f.write("of others")
        done = seal(d, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("holds the archive of another database", done.stderr)
        self.assertTrue(os.path.exists(os.path.join(folder, "signals", "x.arc")))
        # one that was killed while it marked the folder as its own has not yet: it said "another database" of half an id
        os.rename(os.path.join(folder, "id"), os.path.join(folder, "id.new"))
        os.truncate(os.path.join(folder, "id.new"), 7)
        seal(d)
        with open(os.path.join(folder, "id"), encoding="ascii") as f:
            self.assertEqual([[f.read()]], d.sql("select id from archive_store"))
        self.assertFalse(os.path.exists(os.path.join(folder, "id.new")))
        self.finish()

    def test_a_damaged_file_is_named(self):
        d = self.daemon
        fill(d)
        seal(d)
        path = os.path.join(d.dir, "archive", manifest(d)[-1])
        with open(path, "r+b") as f:
            f.seek(40)
            byte = f.read(1)
            f.seek(40)
            f.write(bytes([byte[0] ^ 1]))
        done = d.run("experimentd", "archive", "check", path, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'archive "%s": column "\w+", block 0: it does not have its checksum' % path)
        done = d.trainer(check=False)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertIn("it does not have its checksum", done.stderr)
        self.finish()

    def test_retention_by_type_from_tables_and_files(self):
        d = self.daemon
        fill(d)
        send(d, [{"type": t, "unit": "new", "timestamp": TODAY.strftime("%Y-%m-%dT00:00:00Z")} for t in ("impression", "click")])
        send(d, [{"type": t, "unit": "mid", "timestamp": (TODAY - datetime.timedelta(days=10)).strftime("%Y-%m-%dT01:00:00Z")}
                 for t in ("impression", "click", "purchase")])
        d.wait_loaded()
        job(d, "seal", "--archive-after-days", "20")
        kinds = "select type, count(*) from signals group by 1 order by 1"
        total = len(archived(d, "signals"))
        said = job(d, "retention", "--retention-signals", "impression=5, click=60").stderr
        self.assertEqual(d.sql(kinds), [["click", "2"], ["impression", "1"], ["purchase", "1"]])
        left = archived(d, "signals")
        self.assertEqual(sorted({r["type"] for r in left}), ["click", "purchase", "request"])
        self.assertIn("retention: 1 rows deleted from partitions, %d from %d archive files" % (UNITS * DAYS, 4 * DAYS), said)
        self.assertEqual(len(left), total - UNITS * DAYS)
        self.assertEqual(files(d), manifest(d))  # what was replaced is gone
        job(d, "retention", "--retention-signals", "default=5,purchase=30,click=60")
        self.assertEqual(sorted({r["type"] for r in archived(d, "signals")}), ["click"])
        self.assertEqual(d.sql(kinds), [["click", "2"], ["impression", "1"], ["purchase", "1"]])
        job(d, "retention", "--retention-signals", "default=5")
        self.assertEqual(archived(d, "signals"), [])
        self.assertEqual([f for f in files(d) if f.startswith("signals")], [])
        self.assertEqual(d.sql(kinds), [["click", "1"], ["impression", "1"]])
        for wrong in ("impression", "impression=0", "=5", "a=b"):
            done = job(d, "retention", "--retention-signals", wrong, check=False)
            self.assertIn('setting "retention.signals"', done.stderr)
            self.assertEqual(done.returncode, 65, done.stderr)
        self.finish()


if __name__ == "__main__":
    unittest.main(verbosity=2)
