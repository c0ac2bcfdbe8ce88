"""Deletion of a unit: gone from backlog, tables and files, nothing else is; the receipt; two daemons; kill -9."""
import datetime
import json
import os
import random
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402

KEY, UNITS = "erased", 60
TODAY = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)


def stamp(days_ago, seconds):
    return (TODAY - datetime.timedelta(days=days_ago) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def send(d, *signals):
    reply = d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in signals).encode(), key="client")
    if reply.status != 200 or reply.json["rejected"]:
        raise AssertionError(reply)


def fill(d):
    """Of each unit: rows of old days, which are sealed, and of yesterday; exposures; a login of some."""
    d.make_experiment(KEY, metrics=[{"metric": "ctr", "role": "primary"}], sticky=True)
    for u in range(UNITS):
        reply = d.post("/v1/assign", {"unit": "v-%d" % u})
        if reply.status != 200:
            raise AssertionError(reply)
    d.wait_rows("exposures", UNITS)
    d.wait_loaded()
    send(d, *[{"type": kind, "unit": "v-%d" % u, "query_id": "q-%d-%d" % (u, day), "query": "lamp", "doc": "d-1", "timestamp": stamp(day, 3600 + u)}
              for u in range(UNITS) for day in (20, 10, 1) for kind in ("request", "click")])
    send(d, *[{"type": "login", "unit": "v-%d" % u, "user": "user-%d" % u, "timestamp": stamp(1, 3000)} for u in range(0, UNITS, 3)])
    d.wait_loaded()
    d.sql("select ensure_partition('%s')" % stamp(20, 0)[:10])
    d.sql("update exposures set at = '%s' where unit like 'v-%%'" % stamp(20, 60))
    d.run("trainer", "run", "seal", "--data-dir", d.dir, "--archive-after-days", "5")


def erase(d, unit, **more):
    reply = d.request("DELETE", "/v1/units/" + urllib.parse.quote(unit, safe=""), **more)
    if reply.status != 202:
        raise AssertionError(reply)
    assert reply.headers["location"] == "/v1/units/deletions/" + reply.json["id"], reply
    return reply.headers["location"], reply.json


def receipt(d, where):
    reply = d.get(where)
    if reply.status != 200:
        raise AssertionError(reply)
    return reply.json


def wait_state(d, where, state="done"):
    return wait_for(lambda: (lambda r: r if r["state"] == state else None)(receipt(d, where)), "%s to be %s" % (where, state))


def files(d):
    root = os.path.join(d.dir, "archive")
    return sorted(os.path.join(t, f) for t in ("signals", "exposures") if os.path.isdir(os.path.join(root, t))
                  for f in os.listdir(os.path.join(root, t)))


def archived(d):
    """Rows of all files in the folder, whether they count or not."""
    done = d.run("experimentd", "archive", "export", *[os.path.join(d.dir, "archive", f) for f in files(d)])
    return [json.loads(line) for line in done.stdout.splitlines()]


def kept(d, unit):
    """Everything that is not of the unit, wherever it lies; and how much is of it."""
    rows = archived(d)
    mine = sum(r["unit"] == unit for r in rows) + sum(
        d.number("select count(*) from %s where %s = '%s'" % (t, c, unit))
        for t, c in (("signals", "unit"), ("exposures", "unit"), ("identities", "unit"), ("sticky_assignments", "value"), ("sessions", "unit")))
    others = sorted(json.dumps(r) for r in rows if r["unit"] != unit)
    for table, column in (("signals", "unit"), ("exposures", "unit"), ("identities", "unit"), ("sticky_assignments", "value"), ("sessions", "unit")):
        others += ["%s %s" % (table, r) for r in d.sql("select * from %s t where %s <> '%s' order by t::text" % (table, column, unit))]
    return others, mine


class Units(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.destroy)
        self.daemon.start()

    def test_a_unit_is_gone_everywhere_and_the_rest_stays(self):
        d = self.daemon
        fill(d)
        unit = "v-3"
        d.trainer()
        first_day = d.sql("select least((select min(day) from archives), (select min((at at time zone 'utc')::date) from signals))")[0][0]
        d.run("trainer", "run", "sessions", "--data-dir", d.dir, "--param", "from=" + first_day)
        sessions = d.number("select count(*) from sessions where unit = '%s'" % unit)
        self.assertGreater(sessions, 0)
        for job in (["preferences"], ["history"], ["sql", "--param", "table=visits", "--param", "select=select unit, count(*) as n from day_signals group by unit", "--param", "keys=unit"]):
            d.run("trainer", "run", job[0], "--data-dir", d.dir, *job[1:])
        liked, asked = (d.number("select count(*) from %s where unit = '%s'" % (table, unit)) for table in ("user_item_prefs", "user_query_history"))
        self.assertEqual((liked, asked, d.number("select count(*) from aggregations.visits where unit = '%s'" % unit)), (1, 1, 1))
        before, others = d.number("select units from moments_current"), kept(d, unit)[0]
        self.assertEqual(d.request("PUT", "/v1/marks/" + unit, {"mark": "hand"}).status, 200)
        where, first = erase(d, unit)
        self.assertEqual((first["state"], first["unit"], first["users"], first["finished_at"]), ("waiting", unit, ["user-3"], None))
        done = wait_state(d, where)
        self.assertEqual(done["removed"], {"signals": 3, "exposures": 0, "identities": 1, "sticky_assignments": 1, "marks": 1, "sessions": sessions, "preferences": liked,
                                           "history": asked, "aggregations": 1, "archived_signals": 4, "archived_exposures": 1, "archive_files": 3})
        self.assertEqual((done["unit"], done["error"]), (None, None))  # the receipt does not name whom it was about
        self.assertTrue(done["requested_at"] <= done["deleted_at"] <= done["finished_at"], done)
        self.assertEqual(done["requested_by"], d.sql("select requested_by from unit_deletions")[0][0])
        self.assertEqual(kept(d, unit), (others, 0))
        self.assertEqual([d.number("select count(*) from %s where unit = '%s'" % (t, unit)) for t in ("sessions", "user_item_prefs", "user_query_history", "aggregations.visits")], [0] * 4)
        self.assertEqual(d.number("select count(*) from revisions r where r::text like '%%%s%%'" % unit), 0)
        self.assertEqual(d.number("select count(*) from revisions where subject = 'mark:'"), 1)
        self.assertEqual(files(d), sorted(r[0] for r in d.sql("select path from archives")))
        d.trainer()
        self.assertEqual(d.number("select units from moments_current"), before - 1)
        self.assertEqual(d.get("/v1/units/deletions").json["deletions"], [done])
        send(d, {"type": "click", "unit": unit})  # what comes later is taken anew
        d.wait_loaded()
        self.assertEqual(d.number("select count(*) from signals where unit = '%s'" % unit), 1)
        again = wait_state(d, erase(d, unit)[0])["removed"]
        self.assertEqual((again["signals"], again["archive_files"]), (1, 0))
        d.stop()

    def test_who_may_and_what_is_refused(self):
        d = self.daemon
        self.assertEqual(d.request("DELETE", "/v1/units/x", key="client").status, 403)
        self.assertEqual(d.get("/v1/units/deletions", key="client").status, 403)
        for unknown in ("00000000-0000-7000-8000-000000000000", "nonsense"):
            reply = d.get("/v1/units/deletions/" + unknown)
            self.assertEqual((reply.status, reply.json["detail"]), (404, 'deletion "%s" is not known' % unknown))
        reply = d.request("DELETE", "/v1/units/" + "x" * 257)
        self.assertEqual((reply.status, reply.json["detail"]), (400, "the unit has 257 bytes, more than 256"))
        odd = "a/b'\\ \"ü%"
        send(d, {"type": "click", "unit": odd}, {"type": "click", "unit": "a"})
        self.assertEqual(wait_state(d, erase(d, odd)[0])["removed"]["signals"], 1)
        self.assertEqual(d.sql("select unit from signals"), [["a"]])
        d.stop()

    def test_what_waits_in_the_journals_of_two_daemons_goes_too(self):
        d = self.daemon
        with Daemon("--database-url", d.database_url()) as other:
            send(d, {"type": "click", "unit": "x"}, {"type": "click", "unit": "x", "timestamp": stamp(9, 0)})
            send(other, {"type": "click", "unit": "x"})
            d.wait_loaded()
            other.wait_loaded()
            d.run("trainer", "run", "seal", "--data-dir", d.dir, "--archive-after-days", "5")  # in the folder of one of them
            lock = d.sql_session()  # no loader gets a row in
            lock.stdin.write("begin; lock table signals in share mode;\nselect 'locked';\n")
            lock.stdin.flush()
            lock.stdout.readline()
            for daemon in (d, other):
                send(daemon, {"type": "click", "unit": "x"}, {"type": "click", "unit": "y"})
            where, _ = erase(d, "x")
            wait_for(lambda: d.number("select count(*) from unit_deletion_journals") == 2, "both daemons to name their positions")
            self.assertEqual(receipt(d, where)["state"], "waiting")
            lock.communicate("commit;\n")
            removed = wait_state(d, where)["removed"]
            self.assertEqual((removed["signals"], removed["archived_signals"]), (4, 1))
            self.assertEqual(files(d), [])
            d.wait_loaded()
            other.wait_loaded()
            self.assertEqual(d.sql("select unit, count(*) from signals group by 1"), [["y", "2"]])
            self.assertEqual(d.number("select count(*) from unit_deletion_journals"), 0)
        d.stop()

    def test_files_stay_while_a_pass_reads_them_and_a_killed_deletion_goes_on(self):
        d = self.daemon
        fill(d)
        others = kept(d, "v-5")[0]
        reader = d.sql_session()
        reader.stdin.write("select pg_advisory_lock_shared(hashtext('experimentd archive readers'));\n")
        reader.stdin.flush()
        reader.stdout.readline()
        old = files(d)
        where, _ = erase(d, "v-5")
        wait_state(d, where, "unlinking")
        self.assertEqual(d.number("select count(*) from signals where unit = 'v-5'"), 0)
        self.assertEqual([f for f in old if f not in files(d)], [])  # all are still there
        wait_for(lambda: receipt(d, where)["error"], "the receipt to say why it waits")
        d.kill()
        reader.communicate("\\q\n")
        d.start()
        self.assertIsNotNone(wait_state(d, where)["finished_at"])
        self.assertEqual(kept(d, "v-5"), (others, 0))
        d.stop()

    def test_killed_at_random_moments_every_deletion_ends(self):
        d = self.daemon
        fill(d)
        chance, wanted, kills = random.Random(7), ["v-%d" % u for u in range(0, 40, 2)], 0
        expected = [r for r in kept(d, "nobody")[0] if not any('"%s"' % u in r or "'%s'" % u in r for u in wanted)]
        asked = [erase(d, u)[0] for u in wanted]
        for _ in range(8):
            time.sleep(chance.random() * 0.6)
            if all(receipt(d, w)["state"] == "done" for w in asked):
                break
            d.kill()
            kills += 1
            d.start()
        for w in asked:
            wait_state(d, w)
        print("killed %d times" % kills)
        self.assertGreater(kills, 0)
        self.assertEqual(kept(d, "nobody")[0], expected)
        self.assertEqual(files(d), sorted(r[0] for r in d.sql("select path from archives")))
        sums = d.sql("select sum((removed->>'signals')::int), sum((removed->>'archived_signals')::int), "
                     "sum((removed->>'archived_exposures')::int) from unit_deletions")
        logins = sum(int(u[2:]) % 3 == 0 for u in wanted)
        self.assertEqual(sums, [[str(2 * len(wanted) + logins), str(4 * len(wanted)), str(len(wanted))]])
        d.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
