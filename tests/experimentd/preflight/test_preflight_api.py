"""The pre-flight over HTTP: what it counts, what it says, and that a start is refused by what it finds."""
import json
import math
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import Daemon, DaemonTest  # noqa: E402

AB = [{"key": "a"}, {"key": "b"}]
DAY = 86400


class PreflightApi(DaemonTest):
    def draft(self, key, **fields):
        return self.call("post", "/v1/experiments", {"key": key, "variants": AB, "metrics": ["ctr"], **fields}, 201)

    def preflight(self, key):
        return self.call("post", "/v1/experiments/%s/preflight" % key)

    def refused(self, key, field, text):
        """Both ways: the dry run tells, the start refuses with the same."""
        told = self.preflight(key)
        self.assertFalse(told["may_start"])
        errors = [f for f in told["findings"] if f["severity"] == "error"]
        self.assertEqual([f["field"] for f in errors], [field], errors)
        self.assertIn(text, errors[0]["text"])
        problem = self.call("post", "/v1/experiments/%s/start" % key, None, 409)
        self.assertEqual(problem["type"], "urn:experimentd:preflight")
        self.assertTrue(problem["detail"].startswith('cannot start experiment "%s": field "%s": ' % (key, field)), problem["detail"])
        self.assertEqual(problem["preflight"]["findings"], told["findings"])
        self.assertEqual(problem["preflight"]["split"], told["split"])
        self.assertEqual(self.call("get", "/v1/experiments/%s" % key)["status"], "draft")

    def test_changes_nothing(self):
        before = self.draft("dry")
        first = self.preflight("dry")
        self.assertTrue(first["may_start"])
        self.assertEqual(self.call("get", "/v1/experiments/dry"), before)
        self.assertEqual(self.preflight("dry")["split"], first["split"])
        self.assertEqual(self.call("get", "/v1/experiments/dry/preflight")["split"], first["split"])
        self.assertEqual(len(self.call("get", "/v1/experiments/dry/revisions")["revisions"]), 1)

    def test_the_split_is_what_assignment_does(self):
        self.draft("split", coverage=0.4, variants=[{"key": "a", "weight": 0.25}, {"key": "b", "weight": 0.75}])
        started = self.call("post", "/v1/experiments/split/start")
        self.assertEqual(started["status"], "running")
        split = started["preflight"]["split"]
        self.assertEqual(split["units"], 100000)
        self.assertAlmostEqual(split["share_reached"], 0.4, delta=0.01)
        self.assertEqual(sum(v["units"] for v in split["variants"]), split["reached"])
        self.assertGreater(split["srm"]["p"], 1e-6)
        # The simulated units are known (splitmix64 of 1, 2, …): the server must give just as many of them each variant.
        got = {"a": 0, "b": 0, None: 0}
        connection = self.daemon.connection("client")
        for at in range(0, split["units"], 1000):
            asks = [{"unit": "%016x-0" % mix(i), "experiments": ["split"]} for i in range(at, at + 1000)]
            for reply in connection.request("POST", "/v1/assign", asks).json:
                got[reply["assignments"][0]["variant"]] += 1
        connection.close()
        self.assertEqual(got, {**{v["variant"]: v["units"] for v in split["variants"]}, None: split["units"] - split["reached"]})

    def test_a_start_is_refused_by_what_cannot_work(self):
        self.draft("nobody", coverage=0)
        self.refused("nobody", "coverage", "is 0: nobody would be in")
        self.draft("mixed", variants=[{"key": "a", "value": "x"}, {"key": "b", "value": {"k": 1}}, {"key": "c", "value": None}])
        self.refused("mixed", "variants", 'the value of variant "a" is a string, that of "b" is an object')
        self.draft("late", schedule={"stop_at": "2020-01-01T00:00:00Z"})
        self.refused("late", "schedule", "in the past")
        self.draft("base")
        self.draft("on-top", prerequisites=[{"experiment": "base", "variants": ["b"]}])
        self.refused("on-top", "prerequisites", 'experiment "base" does not run (it is a draft)')
        self.call("post", "/v1/experiments/base/start")
        self.assertAlmostEqual(self.preflight("on-top")["split"]["share_reached"], 0.5, delta=0.01)
        self.call("post", "/v1/experiments/on-top/start")

    def test_a_layer_must_have_room_and_another_seed(self):
        self.call("post", "/v1/layers", {"key": "full"}, 201)
        self.draft("first", layer="full", layer_share=0.7)
        self.call("post", "/v1/experiments/first/start")
        self.draft("second", layer="full", layer_share=0.4)
        self.refused("second", "layer_share", 'layer "full" has 0.3 of its traffic free, 0.4 is asked for; the rest belongs to first')
        self.call("post", "/v1/layers", {"key": "twin", "seed": "twin-seed"}, 201)
        self.draft("of-twin", layer="twin", layer_share=0.5, seed="twin-seed")
        self.refused("of-twin", "seed", "the simulated split does not fit the weights")
        self.call("patch", "/v1/experiments/of-twin", {"seed": "its-own"})
        self.call("post", "/v1/experiments/of-twin/start")

    def test_a_metric_that_is_gone(self):
        self.draft("measured")
        self.call("post", "/v1/metrics", {"key": "passing", "kind": "mean", "numerator": {"of": "queries"}}, 201)
        self.call("patch", "/v1/experiments/measured", {"metrics": ["ctr", "passing"]})
        self.daemon.sql("delete from metrics where key = 'passing'")
        self.draft("reload")
        self.refused("measured", "metrics", 'metric "passing" is not known')

    def test_a_phase_is_refused_by_what_cannot_work(self):
        self.call("post", "/v1/layers", {"key": "crowded", "seed": "crowd"}, 201)
        self.draft("neighbour", layer="crowded", layer_share=0.6)
        self.call("post", "/v1/experiments/neighbour/start")
        self.draft("phased", layer="crowded", layer_share=0.3)
        self.call("post", "/v1/experiments/phased/start")
        self.draft("asleep")
        before = self.call("get", "/v1/experiments/phased")
        for change, told in (({"coverage": 0}, 'field "coverage": is 0: nobody would be in'),
                             ({"schedule": {"stop_at": "2020-01-01T00:00:00Z"}}, 'field "schedule": "stop_at" is in the past'),
                             ({"prerequisites": [{"experiment": "asleep", "variants": ["b"]}]}, "does not run (it is a draft)"),
                             ({"variants": [{"key": "a", "value": 1}, {"key": "b", "value": "x"}]}, 'the value of variant "a" is a number'),
                             ({"layer_share": 0.5}, 'layer "crowded" has 0.4 of its traffic free, 0.5 is asked for'),
                             ({"seed": "crowd", "reassign": False}, "the simulated split does not fit the weights")):
            problem = self.call("post", "/v1/experiments/phased/phases", change, 409)
            self.assertTrue(problem["detail"].startswith("cannot start a new phase: field "), problem)
            self.assertIn(told, problem["detail"])
        self.assertEqual(self.call("get", "/v1/experiments/phased"), before)
        self.assertEqual(self.call("post", "/v1/experiments/phased/phases", {"layer_share": 0.4})["phase"], 2)

    def test_who_may_ask(self):
        self.draft("asked")
        self.call("post", "/v1/experiments/asked/preflight", None, 403, key="client")
        self.assertIn("not known", self.call("post", "/v1/experiments/nothing/preflight", None, 404)["detail"])
        self.call("post", "/v1/experiments/asked/start")
        self.assertIn("it is running", self.call("post", "/v1/experiments/asked/preflight", None, 409)["detail"])
        self.assertIn("it is running", self.call("post", "/v1/experiments/asked/start", None, 409)["detail"])
        self.assertIn("not known", self.call("post", "/v1/experiments/nothing/start", None, 404)["detail"])

    def test_only_the_version_that_was_read_is_started(self):
        made = self.draft("versioned")
        self.call("post", "/v1/experiments/versioned/start", None, 412, headers={"If-Match": '"99"'})
        self.call("post", "/v1/experiments/versioned/start", None, 200, headers={"If-Match": '"%d"' % made["version"]})

    def test_what_was_changed_since_it_was_read_is_told_before_what_is_wrong_with_it(self):
        made = self.draft("stale", parameter="stale-twin")
        self.draft("stale-twin", parameter="stale-twin")
        self.call("post", "/v1/experiments/stale-twin/start")
        self.call("post", "/v1/experiments/stale/start", None, 412, headers={"If-Match": '"99"'})
        self.call("post", "/v1/experiments/stale/start", None, 409, headers={"If-Match": '"%d"' % made["version"]})


class PreflightPower(unittest.TestCase):
    """In the order of a site's life: nothing, traffic, a first experiment's results."""

    def test_from_nothing_to_power_by_week(self):
        with Daemon() as d:
            def preflight(key):
                reply = d.post("/v1/experiments/%s/preflight" % key)
                self.assertEqual(reply.status, 200, reply)
                return reply.json
            d.make_experiment("plan", start=False, metrics=["ctr"], mde=0.1, analysis={"method": "fixed"})
            self.new_site(preflight("plan"))
            d.make_experiment("before", metrics=["ctr"])
            self.send_traffic(d)
            self.with_traffic(preflight("plan")["power"])
            d.trainer()
            self.with_baseline(preflight("plan"), d)

    def test_much_traffic_is_counted_on_a_quarter_of_the_units(self):
        with Daemon() as d:
            d.make_experiment("plan", start=False)
            d.sql("select ensure_partition((now() at time zone 'UTC')::date - n) from generate_series(0, 1) n")
            # 40000 units an hour ago, wide rows, so that they take more than 32 MB; buckets as even as a hash makes them
            d.sql("insert into signals (id, at, received_at, bucket, type, unit, query) select gen_random_uuid(), now() - interval '1 hour', now(), "
                  "(hashtext(n::text) & 4095)::smallint, 'search', 'unit-' || n, repeat('x', 900) from generate_series(1, 40000) n")
            traffic = d.post("/v1/experiments/plan/preflight").json["power"]["traffic"]
            self.assertEqual((traffic["share_counted"], traffic["days"]), (0.25, 7))
            self.assertAlmostEqual(traffic["units"], 40000, delta=2000)  # six standard deviations
            self.assertEqual(traffic["units"] % 4, 0)

    def test_traffic_of_as_many_whole_weeks_as_there_are(self):
        """Each day 50 units that always come and 10 new ones; a daemon that is older than its signals takes a week, whatever came of it."""
        with Daemon() as d:
            d.make_experiment("plan", start=False)
            told = []
            for first, last, weeks in ((0, 5, 1), (6, 12, 1), (13, 16, 2), (17, 27, 3), (28, 31, 4)):
                d.sql("select ensure_partition((now() at time zone 'UTC')::date - n) from generate_series(%d, %d) n" % (first, last))
                d.sql("insert into signals (id, at, received_at, bucket, type, unit) select gen_random_uuid(), (now() at time zone 'UTC')::date::timestamp at time zone "
                      "'UTC' - day * interval '1 day', now(), (hashtext(u) & 4095)::smallint, 'search', u from generate_series(%d, %d) day, "
                      "lateral (select 'old-' || n as u from generate_series(1, 50) n union all select format('new-%%s-%%s', day, n) from generate_series(1, 10) n) x"
                      % (first, last))
                traffic = d.post("/v1/experiments/plan/preflight").json["power"]["traffic"]
                self.assertEqual((traffic["days"], traffic["share_counted"]), (7 * weeks, 1))
                seen = min(last + 1, 7 * weeks)
                self.assertEqual(traffic["units_by_day"], [60] * seen + [0] * (7 * weeks - seen))
                self.assertEqual(traffic["units"], 50 + 10 * seen)
                told.append(traffic["growth"])
            self.assertAlmostEqual(told[-1], math.log(330 / 60) / math.log(28))
            self.assertEqual(d.post("/v1/plan", {"metric": "ctr"}).json["traffic"]["days"], 28)

    def new_site(self, told):
        self.assertTrue(told["may_start"])
        self.assertEqual([(f["severity"], f["field"]) for f in told["findings"]], [("warning", "traffic")])
        self.assertEqual(told["power"]["traffic"]["units"], 0)
        self.assertEqual(told["power"]["weeks"], [])
        self.assertEqual(told["power"]["baseline"]["why_not"], 'metric "ctr" has not been measured in any experiment yet')

    def send_traffic(self, d):
        """800 units today, 600 of them and 200 others two days ago, and 100 too long ago; a third of today's click."""
        now, signals = time.time(), []
        units = ["unit-%d" % i for i in range(1000)]
        for at in range(0, 800, 400):
            asks = [{"unit": u, "experiments": ["before"]} for u in units[at:at + 400]]
            self.assertEqual(d.post("/v1/assign", asks, key="client").status, 200)
        for i, unit in enumerate(units):
            if i < 800:
                signals.append({"type": "search", "unit": unit, "query_id": "q%d" % i, "query": "x", "timestamp": now + 1})
            if i < 800 and i % 3 == 0:
                signals.append({"type": "click", "unit": unit, "query_id": "q%d" % i, "doc": "d", "position": 1, "timestamp": now + 2})
            if i >= 200:
                signals.append({"type": "search", "unit": unit, "query_id": "p%d" % i, "query": "x", "timestamp": now - 2.5 * DAY})
            if i < 100:
                signals.append({"type": "search", "unit": "old-%d" % i, "query_id": "o%d" % i, "query": "x", "timestamp": now - 8 * DAY})
        time.sleep(3)  # until what was stamped ahead, so as to lie behind the exposures, is past
        reply = d.post("/v1/signals", signals, key="client")
        self.assertEqual((reply.status, reply.json["accepted"]), (200, len(signals)), reply)
        d.wait_loaded()

    def with_traffic(self, power):
        traffic = power["traffic"]
        self.assertEqual((traffic["days"], traffic["share_counted"]), (7, 1))
        self.assertEqual(traffic["units_by_day"], [800, 0, 800, 0, 0, 0, 0])
        self.assertEqual(traffic["units"], 1000)
        self.assertAlmostEqual(traffic["growth"], 0.2031, delta=1e-4)  # ln(1000/800)/ln 3
        self.assertEqual(power["weeks"], [])
        self.assertIn("has not been measured", power["why_not"])

    def with_baseline(self, told, d):
        baseline, weeks = told["power"]["baseline"], told["power"]["weeks"]
        control = d.sql("select n, mean_x, m2_x from moments where metric = 'ctr' and variant = 'a' order by day desc limit 1")[0]
        n, mean, m2 = int(control[0]), float(control[1]), float(control[2])
        self.assertEqual((baseline["experiment"], baseline["n"]), ("before", n))
        self.assertAlmostEqual(baseline["mean"], mean)
        self.assertAlmostEqual(baseline["variance"], m2 / (n - 1))
        self.assertEqual([w["week"] for w in weeks], list(range(1, 9)))
        self.assertAlmostEqual(weeks[0]["units"], 1000 * (7 / 3) ** told["power"]["traffic"]["growth"], delta=1e-6)
        for earlier, later in zip(weeks, weeks[1:]):
            self.assertGreater(later["units"], earlier["units"])
            self.assertGreater(later["power"], earlier["power"])
            self.assertLess(later["detectable"], earlier["detectable"])
        # A tenth of a third on some 1600 units: the power is near a fifth. xstat says the same.
        treated = 1.1 * mean * (1 - 1.1 * mean)  # the variance of the treatment's share is its own
        arms = {"alpha": 0.05, "sd": ((baseline["variance"] + treated) / 2) ** 0.5, "n_c": weeks[7]["units"] / 2}
        for solve, fields, name, want in (("power", {"delta": 0.1 * mean}, "power", weeks[7]["power"]),
                                          ("mde", {"power": 0.8, "mean": mean}, "mde_rel", weeks[7]["detectable"])):
            self.assertAlmostEqual(xstat(d, {"solve": solve, **arms, **fields})[name], want, delta=1e-7)
        self.assertEqual([(f["severity"], f["field"]) for f in told["findings"]], [("warning", "mde")])


def xstat(d, given):
    return json.loads(d.run("xstat", "power_t", input=json.dumps(given) + "\n").stdout)


def mix(i):
    mask = (1 << 64) - 1
    z = (i + 1) * 0x9e3779b97f4a7c15 & mask
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & mask
    z = (z ^ z >> 27) * 0x94d049bb133111eb & mask
    return z ^ z >> 31


if __name__ == "__main__":
    unittest.main(verbosity=2)
