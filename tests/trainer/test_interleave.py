"""The job "interleave": a preference that was planted is found, none where there is none; by every method what the SQL of a plain count finds, whatever
the workers; clicks of others do not count, nor units that are marked."""
import datetime
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402

METHODS = {"draft": "team_draft", "optimal": "optimized", "balance": "balanced", "same": "team_draft", "multi": "multileave"}
UNITS, QUERIES = 60, 400
GOOD = ["g1", "g2", "g3"]
BAD = ["b1", "b2", "b3", "b4"]
RANKINGS = {"bm25": BAD + GOOD, "ltr": GOOD + BAD, "new": [d for pair in zip(BAD, GOOD) for d in pair]}

# A second way to the same counts, of a pair (a, b) of an experiment; docs/interleaving.md has the short form of it.
BY_SQL = """
with shown as (
    select s.unit, s.query_id, d.doc, d.n, s.params->'owners'->>(d.n::int - 1) as owner, (s.at at time zone 'UTC')::date as day,
           coalesce((s.params->'credit'->>(d.n::int - 1))::float8, 1) as credit,
           (s.params->'ranks'->(d.n::int - 1)->>0)::int as rank_b, (s.params->'ranks'->(d.n::int - 1)->>1)::int as rank_a
    from signals s, jsonb_array_elements_text(s.params->'docs') with ordinality as d(doc, n)
    where s.type = 'interleave' and s.params->>'experiment' = '{experiment}' and (s.at at time zone 'UTC')::date <= '{day}'
      and not exists (select from marked_units m where m.unit = s.unit and m.mark <> 0)
), clicked as (
    select unit, query_id, owner, credit, nullif(rank_a, 0) as rank_a, nullif(rank_b, 0) as rank_b,
           first_value(least(nullif(rank_a, 0), nullif(rank_b, 0))) over (partition by unit, query_id order by n desc) as k
    from shown where exists (select from signals c where c.type = 'click' and c.query_id = shown.query_id and c.unit = shown.unit
                             and c.doc = shown.doc)
), credit as (
    select unit, query_id, coalesce(sum(credit) filter (where case when k is null then owner = '{a}' else rank_a <= k end), 0)
                         - coalesce(sum(credit) filter (where case when k is null then owner = '{b}' else rank_b <= k end), 0) as d
    from clicked group by unit, query_id
), scores as (
    select q.unit, case when d > 1e-9 then 1 when d < -1e-9 then -1 else 0 end as score
    from (select distinct unit, query_id from shown) q left join credit using (unit, query_id)
), units as (select unit, avg(score)::float8 as mean, sum(score)::float8 as x, count(*)::float8 as y from scores group by unit)
select (select count(*) from scores where score = 1), (select count(*) from scores where score = -1), (select count(*) from scores where score = 0),
       count(*), avg(mean), var_pop(mean) * count(*), avg(x), var_pop(x) * count(*), avg(y), var_pop(y) * count(*), covar_pop(x, y) * count(*)
from units"""
COLUMNS = "wins_a, wins_b, ties, units, mean_unit, m2_unit, mean_x, m2_x, mean_y, m2_y, cxy"


class Interleave(DaemonTest):
    arguments = ("--marks-unit-signals-per-minute", "0")

    @classmethod
    def prepare(cls, d):
        rng = random.Random(11)
        for key, method in METHODS.items():
            names = ["bm25", "ltr", "new"][:3 if method == "multileave" else 2]
            d.make_experiment(key, kind="interleave", interleave={"method": method}, variants=[{"key": v} for v in names], seed="s-" + key)
            clicks = []
            for i in range(QUERIES):
                clicks += cls.one_query(d, rng, key, names, i)
            for start in range(0, len(clicks), 500):
                reply = d.post("/v1/signals", clicks[start:start + 500], key="client")
                assert reply.status == 200 and not reply.json["rejected"], reply
        d.wait_loaded()
        cls.spread_over_days(d)

    @staticmethod
    def one_query(d, rng, key, names, i):
        """Shows a list and gives its clicks: on good documents more often, or, of "same", on all alike."""
        unit, query = "unit-%d" % (rng.randrange(UNITS) ** 2 // UNITS), "%s-%d" % (key, i)
        body = {"unit": unit, "query_id": query, "experiment": key, "length": 5, "rankings": {n: RANKINGS[n] for n in names}}
        shown = d.post("/v1/interleave", body, key="client")
        assert shown.status == 200 and shown.json["interleaved"], shown
        for doc in shown.json["docs"]:
            if rng.random() < (0.35 if key == "same" else 0.5 if doc in GOOD else 0.1):
                for _ in range(rng.choice([1, 1, 2])):
                    yield {"type": "click", "unit": unit, "query_id": query, "doc": doc}
        if rng.random() < 0.1:  # somebody else's, and one without a document
            yield {"type": "click", "unit": "stranger", "query_id": query, "doc": "b1"}
            yield {"type": "click", "unit": unit, "query_id": query}

    @classmethod
    def spread_over_days(cls, d):
        """Lists of some queries were shown one and three days before; their clicks stay where they are: they count all the same."""
        now = datetime.datetime.now(datetime.timezone.utc)
        for n in (1, 3):  # there is a partition for those days, then
            d.post("/v1/signals", {"type": "view", "unit": "x", "timestamp": (now - datetime.timedelta(days=n)).isoformat()}, key="client")
        d.wait_loaded()
        for n, digits in ((1, "[123]"), (3, "[456]")):
            d.sql("update signals set at = at - interval '%d days' where type = 'interleave' and query_id ~ '%s$'" % (n, digits))

    def compute(self, *more, **options):
        return self.daemon.run("trainer", "run", "interleave", "--data-dir", self.daemon.dir, *more, **options)

    def rows(self):
        return self.daemon.sql("select experiment, a, b, day, %s from preferences order by 1, 2, 3, 4" % COLUMNS)

    def test_1_what_the_sql_finds_whatever_the_workers(self):
        found = []
        for more in (("--workers", "1"), ("--workers", "3"), ("--param", "ranges=1")):
            self.compute(*more)
            found.append(self.rows())
        self.assertEqual(found[0], found[1], "not a bit depends on the workers")
        self.assertEqual(len(found[0]), 3 * (4 + 3))
        for rows in found:
            for experiment, a, b, day, *have in rows:
                want = self.daemon.sql(BY_SQL.format(experiment=experiment, a=a, b=b, day=day))[0]
                self.assertEqual(have[:4], want[:4], (experiment, a, b, day))
                for x, y in zip(have[4:], want[4:]):
                    self.assertAlmostEqual(float(x), float(y), delta=1e-9 * (1 + abs(float(y))))

    def test_2_a_planted_preference_is_found(self):
        self.compute()
        last = {(r[0], r[1], r[2]): [int(n) for n in r[4:7]] for r in self.rows()}
        for pair in (("draft", "ltr", "bm25"), ("optimal", "ltr", "bm25"), ("balance", "ltr", "bm25"), ("multi", "ltr", "bm25")):
            wins_a, wins_b, ties = last[pair]
            self.assertGreater(wins_a, wins_b + 4 * (wins_a + wins_b) ** 0.5, pair)
            self.assertEqual(wins_a + wins_b + ties, QUERIES)
        wins_a, wins_b, _ = last["same", "ltr", "bm25"]
        self.assertLess(abs(wins_a - wins_b), 4 * (wins_a + wins_b) ** 0.5)
        print(last)

    def test_3_marked_units_do_not_count(self):
        busiest = self.daemon.sql("select unit, count(*) from signals where type = 'interleave' group by 1 order by 2 desc, 1 limit 1")[0]
        self.call("PUT", "/v1/marks/" + busiest[0], {"mark": "hand"})
        self.compute()
        total = self.daemon.number("select sum(wins_a + wins_b + ties) from preferences where day = (select max(day) from preferences) "
                                   "and experiment <> 'multi'")
        gone = self.daemon.number("select count(*) from signals where type = 'interleave' and unit = '%s' and params->>'experiment' <> 'multi'" % busiest[0])
        self.assertGreater(gone, 0)
        self.assertEqual(total, 4 * QUERIES - gone)
        self.test_1_what_the_sql_finds_whatever_the_workers()

    def test_4_one_experiment_alone(self):
        self.daemon.sql("delete from preferences")
        done = self.compute("--param", "experiment=draft")
        self.assertEqual({r[0] for r in self.rows()}, {"draft"})
        self.assertIn("interleave: 3 rows of pairs and days, 1 experiments", done.stderr)
        for given, words in [("experiment=nobody", "\"nobody\" is no experiment of kind interleave that has started"),
                             ("ranges=3", "is 3, not a power of two")]:
            done = self.compute("--param", given, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)

    def test_5_from_archive_files(self):
        self.compute()
        before = self.rows()
        self.daemon.run("trainer", "run", "seal", "--data-dir", self.daemon.dir, "--archive-after-days", "1")
        self.assertEqual(self.daemon.number("select count(*) from signals where type = 'interleave' and at < now() - interval '2 days'"), 0)
        self.compute()
        self.assertEqual(self.rows(), before)


if __name__ == "__main__":
    unittest.main()
