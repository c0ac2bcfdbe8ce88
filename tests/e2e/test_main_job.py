"""The main job from outside: create, start, assign, signals, aggregation, results. Every number is counted here a second time."""
import datetime
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, variant_of  # noqa: E402

KEY = "ranker-q4"
UNITS = ["unit-%03d" % i for i in range(120)]


def stamp(start, seconds):
    return (start + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Expected:
    """A second, simple count of what the metrics define."""

    def __init__(self):
        self.units, self.clickers = set(), set()
        self.clicks = self.queries = self.zero = self.timed = 0
        self.reciprocal = self.seconds = 0.0


def signals_of(unit, number, start, expected):
    """A deterministic visit: number % 4 queries, every third without results, clicks at known positions and delays."""
    for q in range(number % 4):
        at, query_id = 5 + 100 * q, "%s-%d" % (unit, q)
        results = 0 if (number + q) % 3 == 0 else 10
        request = {"id": "r-" + query_id, "type": "request", "unit": unit, "query_id": query_id, "query": "lamp",
                   "timestamp": stamp(start, at)}
        if q == 1:  # the number of results comes in a response of its own
            yield request
            yield {"id": "s-" + query_id, "type": "response", "unit": unit, "query_id": query_id, "value": results,
                   "timestamp": stamp(start, at + 0.2)}
        else:
            yield {**request, "value": results}
        expected.queries += 1
        expected.zero += results == 0
        if results and number % 2:
            position, delay = 1 + (number + q) % 5, 3 + q
            for extra in range(1 + q):  # more clicks on the same query, later and further down
                yield {"id": "c-%s-%d" % (query_id, extra), "type": "click", "unit": unit, "query_id": query_id, "doc": "d%d" % extra,
                       "position": position + extra, "timestamp": stamp(start, at + delay + 10 * extra)}
                expected.clicks += 1
            expected.clickers.add(unit)
            expected.reciprocal += 1 / position
            expected.seconds += delay
            expected.timed += 1


class MainJob(unittest.TestCase):
    def test_from_assignment_to_results(self):
        with Daemon() as d:
            self.lifecycle(d)
            variants = self.assign(d)
            expected = self.send(d, variants)
            d.wait_loaded()
            d.trainer("--workers", "2")
            self.check_results(d, expected)
            self.check_rerun(d)

    def lifecycle(self, d):
        made = d.make_experiment(KEY, start=False, name="Ranker", variants=[
            {"key": "a", "weight": 0.5, "value": {"ranker": "old"}}, {"key": "b", "weight": 0.5, "value": {"ranker": "new"}}])
        self.assertEqual((made["status"], made["origin"], made["hash_version"]), ("draft", "live", 2))
        before = d.post("/v1/assign", {"unit": UNITS[0], "experiments": [KEY]}, key="client").json["assignments"]
        self.assertEqual(before[0]["reason"], "not_running")
        self.assertEqual(d.post("/v1/experiments/%s/start" % KEY).json["status"], "running")
        self.assertEqual(d.post("/v1/experiments/%s/start" % KEY).status, 409)
        self.assertEqual(d.post("/v1/experiments", {"key": KEY, "variants": [{"key": "a"}, {"key": "b"}]}).status, 409)

    def assign(self, d):
        """Both forms give the same answer, again and again."""
        batch = d.post("/v1/assign", [{"unit": u, "experiments": [KEY]} for u in UNITS], key="client")
        self.assertEqual(batch.status, 200, batch)
        variants = {}
        for unit, answer in zip(UNITS, batch.json):
            (assignment,) = answer["assignments"]
            self.assertEqual((assignment["experiment"], assignment["reason"]), (KEY, "split"))
            self.assertEqual(assignment["value"], {"ranker": {"a": "old", "b": "new"}[assignment["variant"]]})
            variants[unit] = assignment["variant"]
        for unit in UNITS[:10]:
            single = d.get("/v1/assign/%s?unit=%s" % (KEY, unit), key="client")
            self.assertEqual([a["variant"] for a in single.json["assignments"]], [variants[unit]], single)
        self.assertEqual(set(variants.values()), {"a", "b"})
        return variants

    def send(self, d, variants):
        start = datetime.datetime.now(datetime.timezone.utc)
        expected = {"a": Expected(), "b": Expected()}
        lines = []
        for number, unit in enumerate(UNITS):
            expected[variants[unit]].units.add(unit)
            lines += signals_of(unit, number, start, expected[variants[unit]])
            # before its first exposure, so never counted
            lines.append({"id": "early-" + unit, "type": "click", "unit": unit, "doc": "d", "position": 1,
                          "timestamp": stamp(start, -3600)})
        body = "".join(json.dumps(s) + "\n" for s in lines).encode()
        for repeat in (False, True):  # a client that did not hear the answer sends everything again
            reply = d.post("/v1/signals", body, key="client", headers={"Content-Type": "application/x-ndjson"})
            self.assertEqual(reply.status, 200, reply)
            self.assertEqual(reply.json["rejected"], [])
            if not repeat:
                self.assertEqual(reply.json["accepted"], len(lines))
        d.wait_loaded()
        self.assertEqual(d.number("select count(*) from signals"), len(lines))
        return expected

    def check_results(self, d, expected):
        results = d.results(KEY)
        self.assertEqual(results["units"], len(UNITS))
        self.assertEqual(results["multiple_exposures"], 0)
        self.assertEqual([int(n) for n in results["srm"]["observed"]], [len(expected[v].units) for v in "ab"])
        for variant, e in expected.items():
            n = len(e.units)
            for metric, numerator, denominator in (
                    ("ctr", len(e.clickers), n), ("clicks_per_unit", e.clicks, n), ("clicks_per_query", e.clicks, e.queries),
                    ("mrr", e.reciprocal, e.queries), ("zero_result_rate", e.zero, e.queries),
                    ("time_to_first_click", e.seconds, e.timed)):
                row = variant_of(results, metric, variant)
                with self.subTest(metric=metric, variant=variant):
                    self.assertEqual(row["n"], n)
                    self.assertAlmostEqual(row["numerator"], numerator, delta=1e-9 * max(1, numerator))
                    self.assertAlmostEqual(row["denominator"], denominator, delta=1e-9 * denominator)
                    self.assertAlmostEqual(row["value"], numerator / denominator, delta=1e-12)
        listed = d.get("/v1/experiments").json["experiments"]
        self.assertEqual([(e["key"], e["status"], e["units"]) for e in listed], [(KEY, "running", len(UNITS))])
        series = d.get("/v1/experiments/%s/timeseries" % KEY).json
        last = [m["days"][-1] for m in series["metrics"] if m["metric"] == "ctr"][0]
        self.assertEqual([v["n"] for v in last["variants"]], [len(expected[v].units) for v in "ab"])

    def check_rerun(self, d):
        """The same input gives the same moments, to the last bit, whatever the number of workers."""
        query = "select experiment, metric, variant, day, n, mean_x, m2_x, mean_y, m2_y, cxy from moments order by 1, 2, 3, 4, 5, 6, 7"
        first = d.sql(query)
        d.trainer("--workers", "1")
        self.assertEqual(d.sql(query), first)


if __name__ == "__main__":
    unittest.main(verbosity=2)
