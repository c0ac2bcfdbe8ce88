"""The published UBI sample (3448 events, 473 queries of a shop demo): over HTTP and as an import, counted against its README; and clicks over
expected clicks, computed in PostgreSQL, against the list of the Search Relevance Workbench's rule that comes with it."""
import collections
import csv
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import SHARED_DATA, Daemon, DaemonTest  # noqa: E402

SAMPLE = os.path.join(SHARED_DATA, "ubi")
EVENTS, QUERIES = 3448, 473
COLUMNS = "type, unit, session, query_id, query, doc, position, value, at, params"
MAX_RANK = 20
# The sample's own ordinals, also 0. A rank's rate counts all events of the rank, a pair only those that carry their query themselves (the
# server gives others the text of their query id); rank MAX_RANK has no rate. Other kinds of clicks than "click" do not count.
COEC = """
with shown as (select query_id, query, doc, at, type, (params #>> '{position,ordinal}')::int as ordinal from signals
               where type in ('click', 'impression') and params ? 'position' and not params ? 'action_name' and %s),
     counted as (select * from shown where ordinal <= %d),
     rates as (select ordinal, (count(*) filter (where type = 'click'))::float8 / nullif(count(*) filter (where type = 'impression'), 0) as rate
               from counted where ordinal < %d group by 1),
     pairs as (select query, doc, count(*) filter (where type = 'click') as clicks, count(*) filter (where type = 'impression') as impressions,
                      min(ordinal) as ordinal from counted where query is not null and not %s group by 1, 2)
select query, doc, clicks, impressions, ordinal, coalesce(clicks / nullif(rate * impressions, 0), 0)
from pairs left join rates using (ordinal)"""
# What the list was computed without: the last three events of the sample's file.
LAST = ("B06XWPHG53", "B07G96L41J", "B07J4WHNFC")
NOT_LAST = "not (query_id = 'afeeceaa-991a-4222-adcd-f14078a6c359' and doc in ('%s'))" % "', '".join(LAST)


def lines_of(name):
    with open(os.path.join(SAMPLE, name), encoding="utf-8") as f:
        return [line for line in f if line.strip()]


def counts_of_readme(head):
    """{what: n} of the README's line that begins so."""
    with open(os.path.join(SAMPLE, "README.md"), encoding="utf-8") as f:
        line = next(line for line in f if line.startswith(head))
    return {what: int(n) for what, n in re.findall(r"([\w-]+) (\d+)", line.split(":", 1)[1])}


def counted(rows):
    return {row[0]: int(row[1]) for row in rows}


def fill_texts(d):
    """Which events the loader could give the text of their query depends on its batches; after this none is left that could have it."""
    d.sql("select fill_query_texts(day) from (select distinct (at at time zone 'utc')::date as day from signals) d")


def filled():
    """A condition for the sample's clicks and impressions that have no query text of their own."""
    names = {(e["query_id"], e["event_attributes"]["object"]["object_id"], e["timestamp"])
             for e in map(json.loads, lines_of("ubi_events.jsonl"))
             if e["action_name"] in ("click", "impression") and not e.get("user_query") and "position" in (e.get("event_attributes") or {})}
    return "(query_id, doc, at) in (%s)" % ", ".join("('%s', '%s', timestamptz '%s')" % name for name in sorted(names))


def coec(d, where):
    """{(query, document): [clicks, impressions, rank, rating]}"""
    rows = d.sql(COEC % (where, MAX_RANK, MAX_RANK, filled()))
    return {(r[0], r[1]): [int(n) for n in r[2:5]] + [float(r[5])] for r in rows}


def coec_of_sample():
    """The same a second time, from the sample itself."""
    rank_counts, pairs = collections.defaultdict(collections.Counter), {}
    for event in map(json.loads, lines_of("ubi_events.jsonl")):
        action, attributes = event["action_name"], event.get("event_attributes") or {}
        ordinal = (attributes.get("position") or {}).get("ordinal")
        if action not in ("click", "impression") or ordinal is None or ordinal > MAX_RANK:
            continue
        rank_counts[ordinal][action] += 1
        if event.get("user_query"):
            pair = pairs.setdefault((event["user_query"], attributes["object"]["object_id"]), [0, 0, ordinal])
            pair[action == "impression"] += 1
            pair[2] = min(pair[2], ordinal)
    for pair in pairs.values():
        at = rank_counts[pair[2]] if pair[2] < MAX_RANK else {}
        expected = pair[1] * at["click"] / at["impression"] if at.get("impression") else 0
        pair.append(pair[0] / expected if expected else 0.0)
    return pairs


@unittest.skipUnless(os.path.isdir(SAMPLE), "the UBI sample files are not here: " + SAMPLE)
class Ubi(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.answers = {}
        for path, name in (("/ubi_events", "ubi_events.jsonl"), ("/ubi_queries", "ubi_queries.jsonl")):
            lines, accepted, rejected = lines_of(name), 0, []
            for start in range(0, len(lines), 100):
                reply = d.post(path, "[" + ",".join(lines[start:start + 100]) + "]", key="client")
                if reply.status != 200:
                    raise AssertionError("%s: %r" % (path, reply))
                accepted += reply.json["accepted"]
                rejected += reply.json["rejected"]
            cls.answers[path] = (accepted, rejected)
        print("taken: %s" % cls.answers)
        d.wait_loaded()
        fill_texts(d)

    def test_every_event_and_query_is_taken(self):
        self.assertEqual(self.answers, {"/ubi_events": (EVENTS, []), "/ubi_queries": (QUERIES, [])})
        self.assertEqual(self.daemon.number("select count(*) from signals where type not in ('request', 'response')"), EVENTS)
        self.assertEqual(self.daemon.number("select count(*) from signals where type = 'request'"), QUERIES)

    def test_counts_per_action_application_and_day(self):
        events = "from signals where type not in ('request', 'response') group by 1"
        actions = counted(self.daemon.sql("select coalesce(params ->> 'action_name', type), count(*) " + events))
        self.assertEqual(actions, counts_of_readme("Events by action"))
        self.assertEqual(counted(self.daemon.sql("select params ->> 'application', count(*) " + events)), counts_of_readme("Events by application"))
        day = "select (at at time zone 'utc')::date, count(*) "
        self.assertEqual(counted(self.daemon.sql(day + events)), counts_of_readme("Events by day"))
        self.assertEqual(counted(self.daemon.sql(day + "from signals where type = 'request' group by 1")), counts_of_readme("Queries by day"))

    def test_types_and_responses(self):
        types = counted(self.daemon.sql("select type, count(*) from signals group by 1"))
        self.assertEqual([types["click"], types["cart"], types["search"]], [287 + 11, 234, 506 + 86])
        queries = [json.loads(line) for line in lines_of("ubi_queries.jsonl")]
        self.assertEqual(types["response"], sum(bool(q.get("query_response_hit_ids") or q.get("query_response_object_ids")) for q in queries))
        both = "select count(distinct q.query_id) from signals q join signals e using (query_id) where q.type = 'request' and e.type not in ('request', 'response')"
        self.assertEqual(self.daemon.number(both), 284)

    def test_clicks_over_expected_clicks(self):
        got, own = coec(self.daemon, "true"), coec_of_sample()
        self.assertEqual(set(got), set(own))
        for pair, (clicks, impressions, rank, rating) in got.items():
            self.assertEqual([clicks, impressions, rank], own[pair][:3], pair)
            self.assertAlmostEqual(rating, own[pair][3], delta=1e-9 * max(1, rating), msg=pair)

    def test_clicks_over_expected_clicks_are_those_of_the_list(self):
        """Three decimals, as the list has them; it was computed without the last three events."""
        with open(os.path.join(SAMPLE, "coec_expected.csv"), encoding="utf-8", newline="") as f:
            want = {(r["query"], r["docid"]): [int(r["clicks"]), int(r["impressions"]), int(r["rank"]), r["rating"]] for r in csv.DictReader(f)}
        self.assertEqual(len(want), 1105)
        got = {pair: row[:3] + ["%.3f" % row[3]] for pair, row in coec(self.daemon, NOT_LAST).items()}
        self.assertEqual(got, want)
        self.assertEqual({json.loads(line)["event_attributes"]["object"]["object_id"] for line in lines_of("ubi_events.jsonl")[-3:]}, set(LAST))
        whole = coec(self.daemon, "true")
        more = {doc for (query, doc), row in want.items() if whole[query, doc][:3] != row[:3]}
        print("%d pairs as in the list; its three last events make a difference to the counts of %s" % (len(got), sorted(more)))
        self.assertEqual(more, set(LAST))

    def test_an_import_gives_the_same_rows(self):
        rows = "select %s from signals order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10" % COLUMNS
        with Daemon() as other:
            for _ in range(2):  # the same files again add nothing
                for name in ("ubi_events.jsonl", "ubi_queries.jsonl"):
                    done = other.run("experimentd", "import", "ubi", os.path.join(SAMPLE, name), "--data-dir", other.dir)
                    print((done.stdout + done.stderr).strip().splitlines()[-1:])
            fill_texts(other)
            self.assertEqual(other.sql(rows), self.daemon.sql(rows))


if __name__ == "__main__":
    unittest.main(verbosity=2)
