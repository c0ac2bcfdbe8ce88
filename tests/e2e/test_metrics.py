"""Every metric that is built in, and every kind that people can define, from definition to result: each value is counted here a second time, from
the signals of each unit, by the words of its definition."""
import datetime
import json
import math
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, variant_of  # noqa: E402

KEY = "all-metrics"
UNITS = ["unit-%03d" % i for i in range(80)]
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=1)
BEGIN = NOW - datetime.timedelta(days=20)
HOUR = 3600.0
OWN = [
    {"key": "top_clicks", "kind": "mean", "numerator": {"of": "signals", "type": ["click", "cart"], "where": {"position": {"lte": 3}}}},
    {"key": "shoe_prices", "kind": "mean", "display": "money",
     "numerator": {"of": "signals", "type": "cart", "where": {"params": {"category": "shoes"}}, "sum": "params.price"}},
    {"key": "first_day", "kind": "proportion", "numerator": {"of": "signals", "type": "click"}, "window": {"to_hours": 24}},
    {"key": "later", "kind": "mean", "numerator": {"of": "signals", "type": "click"}, "window": {"from_hours": 24, "to_hours": 200}},
    {"key": "capped", "kind": "mean", "display": "money", "cap": {"value": 60}, "numerator": {"of": "signals", "type": "purchase", "sum": "value"}},
    {"key": "back_within_days", "kind": "retention", "numerator": {"of": "queries"}, "window": {"from_hours": 48, "to_hours": 96}},
    {"key": "ctr_at_2_satisfied", "kind": "ratio", "numerator": {"of": "queries", "that": "satisfied", "k": 2, "dwell_seconds": 60},
     "denominator": {"of": "queries", "that": "clicked"}},
    {"key": "busy_sessions", "kind": "ratio", "numerator": {"of": "sessions", "that": "with_click"}, "denominator": {"of": "sessions"}},
    {"key": "lost_sessions", "kind": "ratio", "numerator": {"of": "sessions", "that": "abandoned"}, "denominator": {"of": "sessions"}},
    {"key": "session_seconds", "kind": "mean", "display": "seconds", "numerator": {"of": "sessions", "that": "seconds"}},
    {"key": "price_median", "kind": "quantile", "quantile": 0.5, "display": "money", "numerator": {"of": "signals", "type": "purchase", "sum": "value"}},
    {"key": "paid_by_sql", "kind": "mean", "display": "money",
     "numerator": {"of": "sql", "select": "select unit, at, value from signals where type = 'purchase' and value > 20 ;"}},
    {"key": "found_then_paid", "kind": "funnel", "window": {"to_hours": 100},
     "steps": [{"of": "queries", "that": "clicked", "k": 3}, {"of": "signals", "type": "cart"}, {"of": "signals", "type": "purchase"}]},
]


def stamp(at):
    return (BEGIN + datetime.timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ---- what units do; times are seconds since BEGIN ----

def visit(rng, unit, number, at):
    """Some queries with their results, clicks, carts and purchases; signals as they are sent, in order."""
    for q in range(rng.randrange(1, 4)):
        query_id = "%s-%d-%d" % (unit, number, q)
        out = {"unit": unit, "query_id": query_id}
        results = rng.choice([0, 5, 10, None])
        yield at, {**out, "type": "request", "query": rng.choice(["lamp", "shoes", "desk"]), **({} if results is None else {"value": results})}
        for _ in range(rng.choice([0, 0, 1, 2]) if results != 0 else 0):
            at += rng.randrange(2, 200) + rng.random()
            price = rng.randrange(5, 90)
            yield at, {**out, "type": "click", "doc": "d%d" % rng.randrange(9), "position": rng.randrange(1, 13)}
            if rng.random() < 0.4:
                at += rng.randrange(2, 90) + rng.random()
                yield at, {**out, "type": "cart", "position": rng.randrange(1, 6), "params": {"category": rng.choice(["shoes", "desks"]), "price": price}}
            if rng.random() < 0.3:
                at += rng.randrange(2, 300) + rng.random()
                yield at, {**out, "type": "purchase", **({"value": price} if rng.random() < 0.8 else {})}
        at += rng.choice([20, 100, 400, 2400]) + rng.random()


def life(unit, number):
    """First exposure, and the unit's signals, some of them before it."""
    rng = random.Random(number)
    exposed = number * 1700.0 + 86400
    visits = [exposed - 40000] * (number % 3 == 0) + [exposed + 1] + sorted(exposed + 1 + 86400 * rng.uniform(0.3, 15) for _ in range(rng.randrange(0, 6)))
    signals = [s for i, at in enumerate(visits) for s in visit(rng, unit, i, at)]
    return exposed, sorted(signals, key=lambda s: s[0])


# ---- the model: one unit's life as lists ----

class Query:
    def __init__(self, at, request, signals):
        self.at, self.text, self.results = at, request["query"], request.get("value")
        mine = [(t, s) for t, s in signals if s["query_id"] == request["query_id"] and at <= t <= at + 1800]
        self.clicks = [(t, s["position"]) for t, s in mine if s["type"] == "click"]
        self.paid = [s.get("value", 0) for _, s in mine if s["type"] == "purchase"]
        self.next = next(((t, s["query"]) for t, s in signals if s["type"] == "request" and t > at), None)
        self.dwells = [(p, next((u for u, _ in signals if u > t), math.inf) - t) for t, p in self.clicks]

    def clicked(self, k=math.inf):
        return any(p <= k for _, p in self.clicks)

    def satisfied(self, seconds, k=math.inf):
        return any(p <= k and d >= seconds for p, d in self.dwells)

    def reformulated(self):
        return bool(self.next and self.next[0] - self.at <= 300 and self.next[1] != self.text and
                    not any(t < self.next[0] for t, _ in self.clicks))

    def ndcg(self, k):
        ranks = sorted({p for _, p in self.clicks if p <= k})
        gains = [1 / math.log2(1 + p) for p in ranks]
        return sum(gains) / sum(1 / math.log2(2 + i) for i in range(len(ranks))) if ranks else 0


class Life:
    def __init__(self, exposed, signals):
        self.exposed = exposed
        self.signals = [(t, s) for t, s in signals if t >= exposed]
        self.queries = [Query(t, s, signals) for t, s in self.signals if s["type"] == "request"]
        self.sessions = []
        for t, s in self.signals:
            if not self.sessions or t - self.sessions[-1][-1][0] > 1800:
                self.sessions.append([])
            self.sessions[-1].append((t, s))

    def of(self, *types):
        return [(t, s) for t, s in self.signals if s["type"] in types]

    def within(self, pairs, low, high=math.inf):
        return [s for t, s in pairs if low * HOUR <= t - self.exposed < high * HOUR]

    def paid(self):
        return [s["value"] for _, s in self.of("purchase") if "value" in s]

    def goes_through(self, *steps):
        """Whether something of each step comes later than something of the one before."""
        at = -1
        for step in steps:
            later = [t for t in step if t > at]
            if not later:
                return False
            at = min(later)
        return True


def times(pairs):
    return [t for t, _ in pairs]


def ratio(lives, numerator, denominator):
    return sum(map(numerator, lives)) / sum(map(denominator, lives))


def mean(lives, fact):
    return ratio(lives, fact, lambda u: 1)


def over_queries(lives, measure):
    return ratio(lives, lambda u: sum(measure(q) for q in u.queries), lambda u: len(u.queries))


def first_100_hours(u, pairs):
    return [t for t in times(pairs) if t - u.exposed < 100 * HOUR]


EXPECTED = {
    "ctr": lambda us: mean(us, lambda u: bool(u.of("click"))),
    "clicks_per_unit": lambda us: mean(us, lambda u: len(u.of("click"))),
    "clicks_per_query": lambda us: ratio(us, lambda u: len(u.of("click")), lambda u: len(u.queries)),
    "query_ctr": lambda us: over_queries(us, Query.clicked),
    "ctr_at_1": lambda us: over_queries(us, lambda q: q.clicked(1)),
    "ctr_at_3": lambda us: over_queries(us, lambda q: q.clicked(3)),
    "ctr_at_10": lambda us: over_queries(us, lambda q: q.clicked(10)),
    "satisfied_ctr": lambda us: over_queries(us, lambda q: q.satisfied(30)),
    "mrr": lambda us: over_queries(us, lambda q: 1 / q.clicks[0][1] if q.clicks else 0),
    "ndcg_at_10": lambda us: over_queries(us, lambda q: q.ndcg(10)),
    "abandonment_rate": lambda us: over_queries(us, lambda q: q.results != 0 and not q.clicks),
    "zero_result_rate": lambda us: ratio(us, lambda u: sum(q.results == 0 for q in u.queries), lambda u: sum(q.results is not None for q in u.queries)),
    "reformulation_rate": lambda us: over_queries(us, Query.reformulated),
    "time_to_first_click": lambda us: ratio(us, lambda u: sum(q.clicks[0][0] - q.at for q in u.queries if q.clicks), lambda u: sum(bool(q.clicks) for q in u.queries)),
    "queries_per_unit": lambda us: mean(us, lambda u: len(u.queries)),
    "sessions_per_unit": lambda us: mean(us, lambda u: len(u.sessions)),
    "revenue_per_search": lambda us: over_queries(us, lambda q: sum(q.paid)),
    "revenue_per_unit": lambda us: mean(us, lambda u: sum(u.paid())),
    "conversion": lambda us: mean(us, lambda u: bool(u.of("purchase"))),
    "add_to_cart": lambda us: mean(us, lambda u: bool(u.of("cart"))),
    "average_order_value": lambda us: ratio(us, lambda u: sum(u.paid()), lambda u: len(u.paid())),
    "retention_7d": lambda us: mean(us, lambda u: bool(u.within(u.signals, 168, 336))),
    "search_funnel": lambda us: mean(us, lambda u: u.goes_through(times(u.of("request")), times(u.of("click")), times(u.of("purchase")))),
    "top_clicks": lambda us: mean(us, lambda u: sum(s["position"] <= 3 for _, s in u.of("click", "cart"))),
    "shoe_prices": lambda us: mean(us, lambda u: sum(s["params"]["price"] for _, s in u.of("cart") if s["params"]["category"] == "shoes")),
    "first_day": lambda us: mean(us, lambda u: bool(u.within(u.of("click"), 0, 24))),
    "later": lambda us: mean(us, lambda u: len(u.within(u.of("click"), 24, 200))),
    "capped": lambda us: mean(us, lambda u: min(60, sum(u.paid()))),
    "back_within_days": lambda us: mean(us, lambda u: bool(u.within(u.of("request"), 48, 96))),
    "ctr_at_2_satisfied": lambda us: ratio(us, lambda u: sum(q.satisfied(60, 2) for q in u.queries), lambda u: sum(q.clicked() for q in u.queries)),
    "busy_sessions": lambda us: ratio(us, lambda u: sum(any(s["type"] == "click" for _, s in x) for x in u.sessions), lambda u: len(u.sessions)),
    "lost_sessions": lambda us: ratio(us, lambda u: sum(any(s["type"] == "request" for _, s in x) and not any(s["type"] == "click" for _, s in x)
                                                        for x in u.sessions), lambda u: len(u.sessions)),
    "session_seconds": lambda us: mean(us, lambda u: sum(x[-1][0] - x[0][0] for x in u.sessions)),
    "paid_by_sql": lambda us: mean(us, lambda u: sum(v for v in u.paid() if v > 20)),
    "found_then_paid": lambda us: mean(us, lambda u: u.goes_through(
        first_100_hours(u, [(q.at, q) for q in u.queries if q.clicked(3)]), first_100_hours(u, u.of("cart")), first_100_hours(u, u.of("purchase")))),
}
# Single values of which a quantile is taken.
QUANTILES = {
    "time_to_first_click_p95": (0.95, lambda u: [q.clicks[0][0] - q.at for q in u.queries if q.clicks]),
    "price_median": (0.5, lambda u: u.paid()),
}


class Metrics(unittest.TestCase):
    def test_every_metric_from_definition_to_result(self):
        with Daemon() as d:
            for metric in OWN:
                self.assertEqual(d.post("/v1/metrics", metric).status, 201, metric)
            keys = [m["key"] for m in d.get("/v1/metrics").json["metrics"]]
            self.assertEqual(sorted([*EXPECTED, *QUANTILES]), sorted(keys), "a second count for every metric there is")
            d.make_experiment(KEY, origin="simulated", variants=[{"key": "a"}, {"key": "b"}], metrics=keys)
            lives = self.send(d)
            d.trainer()
            results = d.results(KEY)
            self.assertEqual(results["units"], len(UNITS))
            for variant, units in lives.items():
                for key, expected in EXPECTED.items():
                    self.assertAlmostEqual(variant_of(results, key, variant)["value"], expected(units), delta=1e-6, msg=key)
                for key, (share, values) in QUANTILES.items():
                    told, single = variant_of(results, key, variant)["value"], sorted(v for u in units for v in values(u))
                    self.check_quantile(d, key, variant, share, single)
                    self.check_value(told, share, single, key)

    def test_previews_count_every_unit_from_its_first_day_on(self):
        with Daemon() as d:
            for metric in OWN:
                d.post("/v1/metrics", metric)
            units = self.send_all(d)
            for key in ("ctr", "revenue_per_search", "search_funnel", "capped", "paid_by_sql", "retention_7d"):
                counted = units[:-1] if key == "retention_7d" else units  # the stranger's window is not over
                told = self.preview(d, key)
                self.assertAlmostEqual(told["value"], EXPECTED[key](counted), delta=1e-6, msg=key)
                self.assertEqual((told["units"], told["from"] < told["to"]), (len(counted), True), key)
            clicks, told = sorted(len(u.of("click")) for u in units), self.preview(d, "clicks_per_unit")
            self.assertAlmostEqual(told["value"], sum(clicks) / len(clicks), delta=1e-9)
            spread = told["distribution"]
            self.assertEqual((spread["of"], spread["median"], spread["p99"]), ("units", clicks[math.ceil(len(clicks) / 2) - 1], clicks[math.ceil(0.99 * len(clicks)) - 1]))
            share, values = QUANTILES["time_to_first_click_p95"]
            self.check_value(self.preview(d, "time_to_first_click_p95")["value"], share, sorted(v for u in units for v in values(u)), "p95")
            for wrong, text in (((), 'needs parameter "metric"'), (("--param", "metric=none"), 'metric "none" is not known'),
                                (("--param", "metric=ctr", "--param", "days=0"), "not a whole number from 1 to 366")):
                self.assertIn(text, d.run("trainer", "run", "preview", "--data-dir", d.dir, *wrong, check=False).stderr)
            self.assertEqual(d.number("select count(*) from moments"), 0)

    def preview(self, d, key):
        return json.loads(d.run("trainer", "run", "preview", "--data-dir", d.dir, "--param", "metric=" + key, "--param", "days=30", "--param", "ranges=1").stdout)

    def send_all(self, d):
        """Signals without an experiment; the model's units are exposed when the day of their first signal begins."""
        units, lines, zero = [], [], BEGIN.timestamp()
        lives = [(unit, life(unit, number)[1]) for number, unit in enumerate(UNITS)]
        lives.append(("stranger", [(20 * 86400, {"unit": "stranger", "type": "seen"})]))
        for unit, signals in lives:
            units.append(Life((zero + signals[0][0]) // 86400 * 86400 - zero, signals))
            lines += [json.dumps({"id": "%s-%d" % (unit, i), "timestamp": stamp(t), **s}) for i, (t, s) in enumerate(signals)]
        reply = d.post("/v1/signals", "\n".join(lines).encode(), headers={"Content-Type": "application/x-ndjson"})
        self.assertEqual((reply.status, reply.json["rejected"]), (200, []), reply)
        d.wait_loaded()
        return units

    def check_value(self, value, share, values, key):
        """It lies between the values around its rank, or misses them by the sketch's error."""
        rank = share * (len(values) - 1)
        low, high = values[max(0, math.floor(rank) - 1)], values[min(len(values) - 1, math.ceil(rank) + 1)]
        self.assertTrue(low * 0.98 <= value <= high * 1.02, (key, low, value, high))

    def check_quantile(self, d, key, variant, share, values):
        """What is kept of a quantile: every value is there, and the right share of them lies at or below it."""
        ((n, below, all_values),) = d.sql("select n, n * mean_x, n * mean_y from moments where metric = '%s' and variant = '%s' and segment = '' "
                                          "order by day desc limit 1" % (key, variant))
        count = len(values)
        self.assertAlmostEqual(float(all_values), count, delta=1e-6, msg=key)
        self.assertLessEqual(abs(float(below) - share * count), 1.5 + 0.01 * count, (key, n, below, count))

    def send(self, d):
        lives, lines = {"a": [], "b": []}, []
        for number, unit in enumerate(UNITS):
            exposed, signals = life(unit, number)
            told = d.post("/v1/assign", {"unit": unit, "experiments": [KEY], "timestamp": stamp(exposed)}).json
            lives[told["assignments"][0]["variant"]].append(Life(exposed, signals))
            lines += [json.dumps({"id": "%s-%d" % (unit, i), "timestamp": stamp(t), **s}) for i, (t, s) in enumerate(signals)]
        lines.append(json.dumps({"id": "last", "unit": "stranger", "type": "seen", "timestamp": stamp(20 * 86400)}))  # all windows are over
        reply = d.post("/v1/signals", "\n".join(lines).encode(), headers={"Content-Type": "application/x-ndjson"})
        self.assertEqual((reply.status, reply.json["rejected"]), (200, []), reply)
        d.wait_loaded()
        self.assertTrue(all(len(units) > 20 for units in lives.values()))
        return lives


if __name__ == "__main__":
    unittest.main()
