"""The job "sql": what one select over all rows finds, for groups without units and with them, and all that aggregation.py asks; changes of definition,
marks, and what is refused."""
import unittest

from aggregation import LAST, MONTH, Aggregation

TEXT = r"regexp_replace(lower(trim(query)), '\s+', ' ', 'g')"
SELECT = """
  select TEXT as query, doc, count(*) as n, count(*) filter (where type = 'click') as clicks, sum(value)::numeric(20, 2) as spent,
         count(value) as orders, min(at) as first_at, max(at) as last_at, min(position) as best, (array_agg(session order by at, id))[1] as found_in,
         (array_agg(type order by at desc, id desc))[1] as last_type, bool_or(type = 'purchase') as bought, max(at)::date as last_day
  from day_signals where doc is not null and query is not null group by 1, 2 -- as people write it
  ;
""".replace("TEXT", TEXT)
MEASURES = ("n:sum,clicks:count,spent:sum,price:mean(spent/orders),first_at:min,last_at:max,best:min,found_in:first,last_type:last,bought:max,"
            "last_day:max,n_days:days").replace("n_days:days", "orders:days")
EXACT = ("count(*), count(*) filter (where type = 'click'), sum(value)::numeric(20, 2), sum(value) / count(value), us(min(at)), us(max(at)), min(position), "
         "(array_agg(session order by at, id))[1], (array_agg(type order by at desc, id desc))[1], bool_or(type = 'purchase'), max(at)::date, "
         "count(distinct at::date)")


class Sql(Aggregation):
    job, measures = "sql", None

    def given(self, day):
        return {**super().given(day), "select": self.select, "keys": self.keys, "measures": self.measures}

    def ask(self, *pairs):
        """What a run says that is refused."""
        params = {"table": "refused", "select": "select query, count(*) as n from day_signals group by query", "keys": "query", **dict(p.split("=", 1) for p in pairs)}
        done = self.daemon.run("trainer", "run", "sql", "--data-dir", self.daemon.dir, *self.arguments_of(params), check=False)
        self.assertNotEqual(done.returncode, 0, pairs)
        return done.stderr

    def marked(self):
        return "(select unit from marked_units where mark <> 0)"


class Queries(Sql):
    select, keys, measures, params, has_ranges = SELECT, "query,doc", MEASURES, {"table": "popular"}, False
    rows_of = ("select query, doc, n, clicks, round(spent::numeric, 2), price::numeric(20, 6), us(first_at), us(last_at), best, found_in, last_type, bought, last_day, orders "
               "from aggregations.popular order by query collate \"C\", doc collate \"C\"")

    def plain(self, day):
        rows = self.daemon.sql(("select " + TEXT + ", doc, %s from signals where doc is not null and query is not null and unit not in %s and at < '%s'::date + 1 "
                               "group by 1, 2 order by " + TEXT + " collate \"C\", doc collate \"C\"") % (EXACT, self.marked(), MONTH.date(day)))
        days = {tuple(r[:2]): r[2] for r in self.daemon.sql(
            "select " + TEXT + ", doc, count(distinct at::date) from signals where doc is not null and query is not null and unit not in %s group by 1, 2" % self.marked())}
        return [[*r[:5], r[5] and "%.6f" % float(r[5]), *r[6:13], days[tuple(r[:2])]] for r in rows]

    def test_7_another_definition_makes_another_table(self):
        d = self.daemon
        self.select, self.measures = SELECT.replace("count(*) as n,", "count(*) as n, count(*) * 2 as twice,"), "n:sum,twice:sum"
        self.compute(LAST)
        self.assertEqual(d.sql("select sum(n) * 2 = sum(twice), count(*) > 100 from aggregations.popular"), [["t", "t"]])
        self.assertEqual(d.sql("select of_units, rows = (select count(*) from aggregations.popular), params->>'measures', from_day, to_day from aggregation_tables"),
                         [["f", "t", "n:sum,twice:sum", str(MONTH.date(0)), str(MONTH.date(LAST))]])
        self.assertEqual(d.number("select count(*) from pg_tables where schemaname in ('aggregations', 'staging')"), 1)
        self.select, self.measures = SELECT, MEASURES

    def test_8_what_is_refused_is_named(self):
        for pairs, words in [(["select=select 1 as query"], "select: reads neither day_signals nor day_exposures"),
                             (["select=select quer, 1 as n from day_signals"], "select: column \"quer\" does not exist"),
                             (["select=select query from day_signals; delete from signals"], "select: "),
                             (["select=with x as (delete from signals returning query) select query, 1 as n from x, day_signals"], "select: "),
                             (["select=select query, params as n from day_signals"], "column \"n\" is of no type that is known here"),
                             (["select=select query, count(*) from day_signals group by query", "keys=queries"], "keys: the select has no column \"queries\""),
                             (["select=select query, count(*) as \"N\" from day_signals group by query"], "column 2 is named \"N\""),
                             (["measures=n:median"], "measures: \"n:median\" is not COLUMN:sum"), (["measures=query:max"], "measures: \"query\" is a key"),
                             (["select=select query, max(at) as at from day_signals group by query"], "measures: say how days of \"at\""),
                             (["select=select query, 1 as n from day_signals where query is not null"], "two rows of one day have the same keys"),
                             (["select=select query, 1 / (count(*) - count(*)) as n from day_signals group by query"], "division by zero"),
                             (["select=select 'x' || unit as unit, count(*) as n from day_signals group by 1", "keys=unit"], "is not the unit of the rows"),
                             (["table=Popular"], "parameter \"table\": \"Popular\" is not a name"), (["table=signals; drop table signals"], "is not a name")]:
            said = self.ask(*pairs)
            self.assertIn(words, said)
        self.daemon.sql("create table aggregations.mine (query text, n bigint)")
        self.assertIn("aggregations.mine is there, and was not made by this job", self.ask("table=mine"))
        said = self.ask("select=select query, count(*) as n, pg_sleep(3)::text as slept from day_signals group by query", "measures=n:sum", "select_seconds=1")
        self.assertIn("statement timeout", said)

    def test_9_rows_that_were_marked_or_all(self):
        d = self.daemon
        totals = []
        for marked, condition in [("units", "unit not in " + self.marked()), ("rows", "mark = 0"), ("none", "true")]:
            d.run("trainer", "run", "sql", "--data-dir", d.dir, "--param", "table=totals", "--param", "select=select 1 as one, count(*) as n from day_signals", "--param", "keys=one",
                  "--param", "marked=" + marked, "--param", "as_of=%s" % MONTH.date(LAST), "--param", "days=10")
            totals.append(d.number("select n from aggregations.totals"))
            self.assertEqual(totals[-1], d.number("select count(*) from signals where at >= '%s' and at < '%s' and %s" % (MONTH.date(LAST - 9), MONTH.date(LAST + 1), condition)))
        self.assertLess(totals[0], totals[2])


class OfUnits(Sql):
    select = "select unit, type, count(*) as n, sum(value) as spent, max(at) as last_at from day_signals where type <> 'response' group by unit, type"
    keys, measures, params = "unit,type", "n:sum,spent:sum,last_at:max", {"table": "visits", "ranges": 4}
    rows_of = "select unit, type, n, round(spent::numeric, 4), us(last_at) from aggregations.visits order by unit collate \"C\", type collate \"C\""

    def plain(self, day):
        return self.daemon.sql("select unit, type, count(*), round(sum(value)::numeric, 4), us(max(at)) from signals where type <> 'response' and unit not in %s and at < '%s'::date + 1 "
                               "group by 1, 2 order by unit collate \"C\", type collate \"C\"" % (self.marked(), MONTH.date(day)))


del Sql, Aggregation  # bases are no tests

if __name__ == "__main__":
    unittest.main()
