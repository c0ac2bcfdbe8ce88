"""The jobs "preferences" and "history": what a plain sum over all signals finds, and all that aggregation.py asks."""
import collections
import datetime
import json
import unittest

from aggregation import LAST, MONTH, Aggregation

EPOCH = datetime.date(1970, 1, 1)
DAY = 86400000000


def number(day):
    return (MONTH.date(day) - EPOCH).days


class Units(Aggregation):
    """`item` of a signal: document or query."""
    weights, half_life, top = {}, 30.0, 0

    def signals(self):
        marked = {r[0] for r in self.daemon.sql("select unit from marked_units where mark <> 0")}
        return [(r[0], r[1], json.loads(r[2]), r[3], int(r[4])) for r in self.daemon.sql(
            "select type, unit, coalesce(to_json(query), 'null'), doc, us(at) from signals order by random()") if r[1] not in marked]

    def sums(self, as_of, item_of):
        """Of each unit and item: weight, signals, last, counts, documents with their last instants."""
        end, found = (number(as_of) + 1) * DAY, collections.defaultdict(lambda: [0.0, 0, 0, collections.Counter(), {}])
        for kind, unit, query, doc, at in self.signals():
            item = item_of(query, doc)
            if kind not in self.weights or not item or at >= end:
                continue
            row = found[unit, item]
            row[0] += self.weights[kind] * 2 ** ((at - end) / DAY / self.half_life)
            row[1] += 1
            row[2] = max(row[2], at)
            row[3][kind] += 1
            if doc:
                row[4][doc] = max(row[4].get(doc, 0), at)
        return found

    def ranked(self, sums, key):
        units = collections.defaultdict(list)
        for (unit, item), row in sums.items():
            units[unit].append((key(row), item, row))
        for unit in sorted(units):
            for rank, (_, item, row) in enumerate(sorted(units[unit], key=lambda x: x[:2]), 1):
                if not self.top or rank <= self.top:
                    yield unit, item, rank, row

    def same(self, row, wanted):
        self.assertEqual((*row[:3], *(int(x) for x in row[4:6])), (*wanted[:2], str(wanted[2]), *wanted[4:6]))
        self.assertEqual(json.loads(row[6]), wanted[6])
        self.assertLess(abs(float(row[3]) - wanted[3]), 1e-9 * wanted[3])


class Preferences(Units):
    job, top = "preferences", 5
    weights = {"click": 1, "cart": 10, "purchase": 25}
    params = {"ranges": 4, "top": 5}
    rows_of = "select unit, doc, rank, weight, signals, us(last_at), counts from user_item_prefs order by unit, rank"

    def plain(self, day):
        found = self.sums(day, lambda query, doc: doc)
        return [(unit, doc, rank, *row[:4]) for unit, doc, rank, row in self.ranked(found, lambda row: (-row[0], -row[2]))]

    def test_7_other_weights_read_no_day_another_half_life_reads_all(self):
        rows = self.rows()
        self.assertEqual(self.compute(LAST, weights="click=2,cart=20,purchase=50")[0], 0)
        self.assertEqual([(r[0], r[1], float(r[3])) for r in self.rows()], [(r[0], r[1], 2 * float(r[3])) for r in rows])
        made, all_of_them = self.compute(LAST, half_life_days=7)
        self.assertEqual(made, all_of_them)
        self.compute(LAST, minimum=5, days=10, half_life_days=0)
        self.assertEqual(self.daemon.number("select count(*) from user_item_prefs where weight < 5 or last_at < '%s'" % MONTH.date(LAST - 9)), 0)

    def test_8_parameters_are_checked(self):
        for given, words in [("weights=click", "parameter \"weights\": \"click\" in weights is not TYPE=NUMBER"), ("weights=click=1,click=2", "weights name \"click\" twice")]:
            done = self.daemon.run("trainer", "run", self.job, "--data-dir", self.daemon.dir, "--param", given, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)


class History(Units):
    job, half_life = "history", 2.5
    weights = {"request": 1, "click": 5, "cart": 10, "purchase": 25}
    params = {"ranges": 4, "half_life_days": 2.5, "top": 0}
    rows_of = ("select unit, query, rank, weight, signals, us(last_at), counts, queries, clicks, docs from user_query_history "
               "order by unit, rank")

    def plain(self, day):
        found = self.sums(day, lambda query, doc: " ".join((query or "").lower().split()))
        return [(unit, query, rank, *row) for unit, query, rank, row in self.ranked(found, lambda row: (-row[2], -row[0]))]

    def same(self, row, wanted):
        super().same(row, wanted)
        self.assertEqual([int(row[7]), int(row[8])], [wanted[6]["request"], wanted[6]["click"]])
        docs = sorted(wanted[7].items(), key=lambda d: (-d[1], d[0]))[:5]
        self.assertEqual([(d["doc"], d["at"]) for d in json.loads(row[9])], [(doc, stamp(at)) for doc, at in docs])


def stamp(us):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


del Units, Aggregation  # bases are no tests

if __name__ == "__main__":
    unittest.main()
