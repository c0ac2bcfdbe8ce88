"""The job "metrics" on metrics that people define: one of every kind counted here a second time, in plain Python, from the signals as they
were sent; segments, days since exposure, first exposures by day; the same whatever the workers and ranges, and from archive files; and a
metric whose SQL no longer works stops no other."""
import collections
import datetime
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest, variant_of  # noqa: E402
from explained import reproduced  # noqa: E402

FIRST = datetime.datetime(2026, 10, 5, tzinfo=datetime.timezone.utc)
DAYS, UNITS, KEY = 4, 240, "kinds"
LAST = (FIRST + datetime.timedelta(days=DAYS - 1)).date().isoformat()
DAY = datetime.timedelta(days=1)
CLICK, PURCHASE = {"of": "signals", "type": "click"}, {"of": "signals", "type": "purchase", "sum": "value"}
DEFINITIONS = {
    "e_share": {"kind": "proportion", "numerator": {**CLICK, "where": {"position": {"lte": 3}}}, "covariate_days": 2},
    "e_mean": {"kind": "mean", "numerator": PURCHASE, "cap": {"value": 40}, "covariate_days": 0},
    "e_trimmed": {"kind": "mean", "numerator": PURCHASE, "cap": {"percentile": 0.875}, "covariate_days": 0},
    "e_count": {"kind": "count", "numerator": {"of": "sessions"}, "covariate_days": 0},
    "e_ratio": {"kind": "ratio", "numerator": {"of": "queries", "that": "clicked"}, "denominator": {"of": "queries"}, "covariate_days": 2},
    "e_windowed": {"kind": "mean", "numerator": CLICK, "window": {"from_hours": 6, "to_hours": 30}, "covariate_days": 0},
    "e_quantile": {"kind": "quantile", "quantile": 0.75, "numerator": PURCHASE},
    "e_back": {"kind": "retention", "numerator": {"of": "signals"}, "window": {"from_hours": 24, "to_hours": 48}},
    "e_funnel": {"kind": "funnel", "steps": [{"of": "signals", "type": "request"}, CLICK, {"of": "signals", "type": "purchase"}]},
    "e_param": {"kind": "mean", "covariate_days": 0,
                "numerator": {"of": "signals", "type": "view", "where": {"params": {"category": "shoes"}}, "sum": "params.price"}},
    "e_sql": {"kind": "mean", "covariate_days": 0, "numerator": {"of": "sql", "select": "select unit, at, 2 * value as value from bought"}},
}


def make_signals():
    rng = random.Random(11)
    for n in range(UNITS * 40):
        at = FIRST + datetime.timedelta(seconds=rng.randrange(DAYS * 86400), microseconds=n)
        kind = rng.choice(["request", "request", "click", "click", "purchase", "view"])
        s = {"type": kind, "unit": "unit-%03d" % rng.randrange(UNITS), "timestamp": at.isoformat()}
        if kind in ("request", "click"):
            s["query_id"] = "%s-%d-%d" % (s["unit"], (at - FIRST).seconds // 600, (at - FIRST).days)
        if kind == "click":
            s["position"] = rng.randrange(1, 9)
        if kind == "purchase":
            s["value"] = rng.randrange(1, 100)
        if kind == "view":
            s["params"] = {"category": rng.choice(["shoes", "hats"]), "price": rng.randrange(20)}
        yield s


class Exposure(collections.namedtuple("Exposure", "at variant dims")):
    pass


def make_exposures():
    rng = random.Random(12)
    for n in range(UNITS):
        at = FIRST + datetime.timedelta(seconds=rng.randrange(2 * 86400), microseconds=n)
        dims = {"device": rng.choice(["phone", "desk"]), "page": "p%02d" % min(rng.randrange(60), rng.randrange(60))}
        yield "unit-%03d" % n, Exposure(at, "ab"[n % 2], dims if n % 5 else None)


class World:
    """What each unit did, and what the metrics are of it."""

    def __init__(self, signals, exposures):
        self.exposures, self.sums = exposures, {}
        self.did = collections.defaultdict(list)
        for s in signals:
            self.did[s["unit"]].append((datetime.datetime.fromisoformat(s["timestamp"]), s))
        for events in self.did.values():
            events.sort(key=lambda e: e[0])

    def after(self, unit, kinds=None, hours=(0, 1e6)):
        e = self.exposures[unit]
        lo, hi = (e.at + datetime.timedelta(hours=min(h, 1e5)) for h in hours)
        return [s for at, s in self.did[unit] if lo <= at < hi and (not kinds or s["type"] in kinds)]

    def before(self, unit, days):
        """Whole days before that of the exposure, and that day until it."""
        e = self.exposures[unit]
        day = e.at.replace(hour=0, minute=0, second=0, microsecond=0)
        return [s for at, s in self.did[unit] if day - days * DAY <= at < e.at]

    def bought(self, unit):
        if unit not in self.sums:
            self.sums[unit] = sum(s["value"] for s in self.after(unit, ["purchase"]))
        return self.sums[unit]

    def sessions(self, unit):
        """Those that begin after the exposure."""
        starts, last = [], None
        for at, _ in self.did[unit]:
            if last is None or (at - last).total_seconds() > 1800:
                starts.append(at)
            last = at
        return sum(at >= self.exposures[unit].at for at in starts)

    def queries(self, unit, chosen):
        """(with a click, all) of the queries among the chosen signals: by id, from the first request of its day."""
        first = {}
        for at, s in self.did[unit]:
            if s["type"] == "request":
                first.setdefault(s["query_id"], (at, s))
        mine = [(at, s["query_id"]) for at, s in first.values() if s in chosen]
        clicked = sum(any(s["type"] == "click" and s["query_id"] == q and at <= t <= at + datetime.timedelta(minutes=30)
                          for t, s in self.did[unit]) for at, q in mine)
        return clicked, len(mine)

    def steps(self, unit):
        reached = 0
        for s in self.after(unit):
            reached += reached < 3 and s["type"] == ["request", "click", "purchase"][reached]
        return reached

    def x_y(self, metric, unit, cap=None):
        """The unit's values; None: it does not count."""
        if metric == "e_share":
            return any(s["position"] <= 3 for s in self.after(unit, ["click"])), 0
        if metric == "e_mean":
            return min(self.bought(unit), 40), 0
        if metric == "e_trimmed":
            return min(self.bought(unit), cap), 0
        if metric == "e_count":
            return self.sessions(unit), 0
        if metric == "e_ratio":
            return self.queries(unit, self.after(unit))
        if metric == "e_windowed":
            return len(self.after(unit, ["click"], (6, 30))), 0
        if metric == "e_back":
            over = self.exposures[unit].at + 2 * DAY <= FIRST + DAYS * DAY
            return (len(self.after(unit, None, (24, 48))) > 0, 0) if over else None
        if metric == "e_funnel":
            return self.steps(unit) == 3, 0
        if metric == "e_param":
            return sum(s["params"]["price"] for s in self.after(unit, ["view"]) if s["params"]["category"] == "shoes"), 0
        if metric == "e_sql":
            return 2 * self.bought(unit), 0
        raise KeyError(metric)

    def moments(self, metric, variant, chosen=lambda e: True, cap=None):
        units = [u for u, e in self.exposures.items() if e.variant == variant and chosen(e)]
        values = [v for v in (self.x_y(metric, u, cap) for u in units) if v is not None]
        n = len(values)
        mx, my = (sum(v[i] for v in values) / n for i in (0, 1)) if n else (0, 0)
        return [n, mx, sum((v[0] - mx) ** 2 for v in values), my, sum((v[1] - my) ** 2 for v in values),
                sum((v[0] - mx) * (v[1] - my) for v in values)]


class Metrics(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.signals, cls.exposures = list(make_signals()), dict(make_exposures())
        cls.world = World(cls.signals, cls.exposures)
        d.sql("create table bought (unit text, at timestamptz, value numeric); grant select on bought to public")
        for key, definition in DEFINITIONS.items():
            reply = d.post("/v1/metrics", {"key": key, **definition})
            assert reply.status == 201, (key, reply)
        d.make_experiment(KEY, metrics=[{"metric": k, "role": "secondary" if n else "primary"} for n, k in enumerate(DEFINITIONS)])
        for start in range(0, len(cls.signals), 1000):
            reply = d.post("/v1/signals", cls.signals[start:start + 1000], key="client")
            assert reply.status == 200 and not reply.json["rejected"], reply
        d.wait_loaded()
        d.sql("insert into exposures (at, bucket, experiment, variant, unit, dims) select x.at, (select s.bucket from signals s where s.unit "
              "= x.unit limit 1), '%s', x.variant, x.unit, x.dims from (values %s) x (at, variant, unit, dims)" % (KEY, ", ".join(
                  "('%s'::timestamptz, '%s', '%s', %s::jsonb)" % (e.at.isoformat(), e.variant, u, "'%s'" % json.dumps(e.dims) if e.dims else "null")
                  for u, e in cls.exposures.items())))
        d.sql("insert into bought select unit, at, value from signals where type = 'purchase'")
        d.trainer("--workers", "2")

    def rows(self, segment, metric, day=LAST):
        got = self.daemon.sql("select variant, n, mean_x, m2_x, coalesce(mean_y, 0), coalesce(m2_y, 0), coalesce(cxy, 0) from moments where "
                              "experiment = '%s' and metric = '%s' and segment = '%s' and day = '%s'" % (KEY, metric, segment, day))
        return {r[0]: [float(x) for x in r[1:]] for r in got}

    def assert_moments(self, got, want, what):
        for g, w in zip(got, want):
            self.assertAlmostEqual(g, w, delta=1e-9 * max(1, abs(w)), msg=(what, got, want))

    def test_1_every_kind_is_what_a_plain_count_says(self):
        for metric in DEFINITIONS:
            if metric not in ("e_trimmed", "e_quantile"):
                for variant in "ab":
                    self.assert_moments(self.rows("", metric)[variant], self.world.moments(metric, variant), (metric, variant))

    def test_2_a_cap_at_a_percentile_of_all_units(self):
        bought = sorted(self.world.bought(u) for u in self.exposures)
        true, got = bought[-(-7 * len(bought) // 8) - 1], self.rows("", "e_trimmed")
        # known to 0.2 % (stats/ranks/sketch.h): which cap in that range gives what was found
        caps = [true * (1 + n * 1e-5) for n in range(-200, 201)]
        cap = min(caps, key=lambda c: abs(self.world.moments("e_trimmed", "a", cap=c)[1] - got["a"][1]))
        for variant in "ab":
            self.assertAlmostEqual(got[variant][1], self.world.moments("e_trimmed", variant, cap=cap)[1], delta=1e-3)
        self.assertLess(got["a"][1], self.world.moments("e_trimmed", "a", cap=1e9)[1] - 1)

    def test_3_a_quantile_of_single_values_clustered_by_unit(self):
        for variant in "ab":
            values = {u: [s["value"] for s in self.world.after(u, ["purchase"])] for u, e in self.exposures.items() if e.variant == variant}
            everything = sorted(v for vs in values.values() for v in vs)
            at = everything[-(-3 * len(everything) // 4) - 1]  # whole numbers below 128: each has a bucket of its own
            xy = [(sum(v <= at for v in vs), len(vs)) for vs in values.values()]
            n = len(xy)
            mx, my = (sum(v[i] for v in xy) / n for i in (0, 1))
            self.assert_moments(self.rows("", "e_quantile")[variant],
                                [n, mx, sum((x - mx) ** 2 for x, _ in xy), my, sum((y - my) ** 2 for _, y in xy),
                                 sum((x - mx) * (y - my) for x, y in xy)], variant)
        self.assertEqual(self.daemon.number("select count(*) from moments where (sketch is not null) <> (metric = 'e_quantile' and mean_y > 0)"), 0)

    def test_4_covariates_are_what_units_did_before(self):
        for variant in "ab":
            (row,) = self.daemon.sql("select array_to_json(pre), mean_x from moments where experiment = '%s' and metric = 'e_ratio' and segment = '' and "
                                     "variant = '%s' and day = '%s'" % (KEY, variant, LAST))
            pre = json.loads(row[0])
            self.assertEqual(len(pre), 2 * 4 + 10)
            units = [u for u, e in self.exposures.items() if e.variant == variant]
            before = [self.world.queries(u, self.world.before(u, 2)) for u in units]
            self.assertAlmostEqual(pre[0] + pre[1], float(row[1]), delta=1e-12)
            for i in (0, 1):
                mean = sum(b[i] for b in before) / len(units)
                self.assertAlmostEqual(pre[4 + 2 * i] + pre[5 + 2 * i], mean, delta=1e-9)
                self.assertAlmostEqual(pre[8 + (7, 9)[i]], sum((b[i] - mean) ** 2 for b in before), delta=1e-6)

    def test_5_segments_keep_the_most_frequent_values(self):
        pages = collections.Counter((e.dims or {}).get("page") for e in self.exposures.values())
        del pages[None]
        shown = [p for p, _ in sorted(pages.items(), key=lambda kv: (-kv[1], kv[0]))[:20]]
        names = [r[0] for r in self.daemon.sql("select distinct segment from exposure_counts where segment like 'page=%' order by 1")]
        self.assertEqual(sorted(names), sorted(["page=" + p for p in shown] + ["page=(other)", "page=(none)"]))
        chosen = {"device=phone": lambda e: e.dims and e.dims["device"] == "phone", "device=(none)": lambda e: not e.dims,
                  "page=" + shown[0]: lambda e: e.dims and e.dims["page"] == shown[0],
                  "page=(other)": lambda e: e.dims and e.dims["page"] not in shown}
        for segment, of in chosen.items():
            for metric in ("e_mean", "e_ratio"):
                got = self.rows(segment, metric)
                for variant in "ab":
                    self.assert_moments(got[variant], self.world.moments(metric, variant, of), (segment, metric, variant))

    def test_6_days_since_exposure_and_steps_of_the_funnel(self):
        for n in range(DAYS):
            for variant in "ab":
                units = [u for u, e in self.exposures.items() if e.variant == variant and (e.at - FIRST).days + n < DAYS]
                bought = [min(40, sum(s["value"] for at, s in self.world.did[u] if s["type"] == "purchase" and at >= self.exposures[u].at and
                                      (at - FIRST).days == (self.exposures[u].at - FIRST).days + n)) for u in units]
                got = self.rows("since:%d" % n, "e_mean")[variant]
                self.assert_moments(got[:2], [len(units), sum(bought) / len(units)], ("since", n, variant))
        for step in (1, 2, 3):
            for variant in "ab":
                units = [u for u, e in self.exposures.items() if e.variant == variant]
                share = sum(self.world.steps(u) >= step for u in units) / len(units)
                self.assert_moments(self.rows("step:%d" % step, "e_funnel")[variant][:2], [len(units), share], ("step", step, variant))

    def test_7_first_exposures_by_day(self):
        want = collections.Counter((str(e.at.date()), e.variant) for e in self.exposures.values())
        got = {(r[0], r[1]): int(r[2]) for r in self.daemon.sql(
            "select day, variant, units from exposure_counts where experiment = '%s' and segment = ''" % KEY)}
        self.assertEqual(got, dict(want))

    def everything(self):
        return self.daemon.sql("select experiment, metric, variant, segment, day, n, mean_x, m2_x, mean_y, m2_y, cxy, pre, sketch from moments "
                               "order by experiment, metric, variant, segment collate \"C\", day")

    def test_8_the_same_bits_whatever_the_workers_and_from_archive_files(self):
        first = self.everything()
        self.daemon.trainer("--workers", "1")
        self.assertEqual(self.everything(), first)
        self.daemon.trainer("--workers", "2", "--param", "ranges=64")  # sums in another order; splits in which no unit has a dimension
        for a, b in zip(first, self.everything()):
            self.assertEqual(a[:6], b[:6])  # segments and their units, too
            self.assertAlmostEqual(float(a[6]), float(b[6]), delta=1e-9 * max(1, abs(float(a[6]))))
            self.assertEqual(a[12], b[12])
        self.daemon.run("trainer", "run", "seal", "--data-dir", self.daemon.dir, "--archive-after-days", "1")
        self.assertEqual(self.daemon.number("select count(*) from signals where at < '%s'" % (FIRST + DAYS * DAY).isoformat()), 0)
        self.daemon.trainer("--workers", "2")
        self.assertEqual(self.everything(), first)

    def bootstrap(self, *more):
        done = self.daemon.run("trainer", "run", "bootstrap", "--data-dir", self.daemon.dir, "--param", "experiment=" + KEY, "--param", "replicates=600", *more)
        return {line["metric"]: line for line in map(json.loads, done.stdout.splitlines())}

    def test_8a_units_drawn_anew_vary_as_the_formulas_say(self):
        got = self.bootstrap("--workers", "2")
        self.assertEqual(set(got), set(DEFINITIONS))
        for metric, line in got.items():
            self.assertEqual((line["variant"], line["control"], line["replicates"]), ("b", "a", 600))
            a, b = (self.rows("", metric)[v] for v in "ab")
            if metric in ("e_quantile", "e_trimmed"):
                continue
            means, variances = [], []
            for n, mx, vx, my, vy, cxy in (a, b):
                ratio = metric == "e_ratio"
                means.append(mx / my if ratio else mx)
                spread = vx + means[-1] ** 2 * vy - 2 * means[-1] * cxy if ratio else vx
                variances.append(spread / (n - 1) / n / (my ** 2 if ratio else 1))
            self.assertAlmostEqual(line["difference"]["estimate"], means[1] - means[0], delta=1e-9)
            self.assertAlmostEqual(line["lift"]["estimate"], means[1] / means[0] - 1, delta=1e-9)
            se = sum(variances) ** 0.5  # that of 600 replicates is known to 3 %
            self.assertAlmostEqual(line["difference"]["se"], se, delta=0.15 * se, msg=metric)
            self.assertAlmostEqual(line["difference"]["high"] - line["difference"]["low"], 2 * 1.96 * se, delta=0.25 * 3.92 * se, msg=metric)
        # the cap of all units at their percentile, found anew in each replicate; and quantiles, of which page and formula know the variance
        for metric in ("e_trimmed", "e_quantile"):
            line = got[metric]
            self.assertLess(line["difference"]["low"], line["difference"]["estimate"])
            self.assertGreater(line["difference"]["high"], line["difference"]["estimate"])
        self.assertAlmostEqual(got["e_trimmed"]["value"], self.rows("", "e_trimmed")["b"][1], delta=1e-9 * 300)
        self.assert_published(got, False)

    def test_8a2_every_number_is_explained_a_quantile_too(self):
        results, refused = self.daemon.results(KEY), []
        for metric in DEFINITIONS:
            for v in "ab":
                row = variant_of(results, metric, v)
                self.assertLessEqual({"value", "ci"}, reproduced(row), metric)
            if row["comparison"]["difference"] is None:
                refused.append((metric, row["comparison"]["reason"]))
                continue
            wanted = {"difference", "se", "p", "difference_ci"} | ({"lift"} if row["comparison"]["lift_kind"] == "bounded" else set())
            self.assertLessEqual(wanted, reproduced(row["comparison"]), metric)
        self.assertEqual([metric for metric, _ in refused], ["e_back"])  # all units came back: nothing varies

    def assert_published(self, got, stale):
        """What was printed stands in the results, too."""
        results = self.daemon.results(KEY)
        for metric, line in got.items():
            comparison = variant_of(results, metric, "b")["comparison"]
            if comparison["difference"] is None:
                continue
            drawn = comparison["bootstrap"]
            self.assertEqual({k: drawn[k] for k in ("n", "control_n", "replicates", "seed", "level", "stale")},
                             {**{k: line[k] for k in ("n", "control_n", "replicates", "seed", "level")}, "stale": stale})
            for part in ("difference", "lift"):
                of = line[part] or {"estimate": None, "se": None}
                ends = [of["low"], of["high"]] if line[part] else None
                self.assertEqual((drawn[part], drawn[part + "_se"], drawn[part + "_ci"]), (of["estimate"], of["se"], ends))
        self.assertGreater(sum(variant_of(results, m, "b")["comparison"].get("bootstrap") is not None for m in got), 3)

    def test_8b_the_same_intervals_whatever_the_workers_and_ranges(self):
        want = self.bootstrap("--param", "metric=e_trimmed", "--workers", "1")
        self.assertEqual(list(want), ["e_trimmed"])
        self.assertEqual(self.bootstrap("--param", "metric=e_trimmed", "--workers", "2"), want)
        again = self.bootstrap("--param", "metric=e_trimmed", "--param", "ranges=4")["e_trimmed"]
        for part in ("difference", "lift"):
            for key, value in want["e_trimmed"][part].items():
                self.assertAlmostEqual(again[part][key], value, delta=1e-9 * max(1, abs(value)))
        other = self.bootstrap("--param", "metric=e_trimmed", "--param", "seed=1")["e_trimmed"]
        self.assertEqual(other["difference"]["estimate"], again["difference"]["estimate"])
        self.assertNotEqual(other["difference"]["se"], again["difference"]["se"])
        self.assertAlmostEqual(other["difference"]["se"], again["difference"]["se"], delta=0.2 * again["difference"]["se"])
        rows = dict(self.daemon.sql("select metric, seed from bootstrap_intervals where experiment = '%s'" % KEY))
        self.assertEqual(rows, {**dict.fromkeys(DEFINITIONS, "0"), "e_trimmed": "1"})  # of one metric: the others stay
        for given, words in (("metric=nothing", "has no such metric"), ("seed=-1", "not a whole number"), ("replicates=5", "not a whole number from 100 to 5000"), ("level=2", "not a number between 0 and 1")):
            done = self.daemon.run("trainer", "run", "bootstrap", "--data-dir", self.daemon.dir, "--param", "experiment=" + KEY, "--param", given, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)

    def test_8c_segments_add_up_also_of_an_experiment_that_was_stopped_before_the_data_end(self):
        last = (FIRST + 2 * DAY).date().isoformat()
        self.daemon.sql("update experiments set stopped_at = '%s' where key = '%s'" % ((FIRST + 2.5 * DAY).isoformat(), KEY))
        try:
            self.daemon.trainer("--workers", "2")
            self.assertEqual(self.daemon.sql("select distinct day from moments where segment not in ('', ':first_day') union select max(day) from moments"),
                             [[last]])
            for metric in DEFINITIONS:
                if metric == "e_quantile":
                    continue
                whole = self.rows("", metric, last)
                parts = [self.rows("device=" + d, metric, last) for d in ("phone", "desk", "(none)")]
                for variant in "ab":
                    n = sum(p[variant][0] for p in parts if variant in p)
                    total = sum(p[variant][0] * p[variant][1] for p in parts if variant in p)
                    self.assertEqual(n, whole[variant][0], (metric, variant))
                    self.assertAlmostEqual(total, n * whole[variant][1], delta=1e-6 * max(1, total), msg=(metric, variant))
            drawn = self.bootstrap("--param", "metric=e_back")["e_back"]
            self.assertAlmostEqual(drawn["value"], self.rows("", "e_back", last)["b"][1], delta=1e-9)
        finally:
            self.daemon.sql("update experiments set stopped_at = null where key = '%s'" % KEY)

    def test_9_a_statement_that_no_longer_works_leaves_out_its_metric_alone(self):
        self.daemon.sql("alter table bought rename column value to amount")
        done = self.daemon.trainer()
        self.assertIn('metric "e_sql" is left out', done.stderr)
        self.assertIn("value", done.stderr)
        self.assertEqual(self.rows("", "e_sql"), {})
        self.assert_moments(self.rows("", "e_mean")["a"], self.world.moments("e_mean", "a"), "e_mean")


if __name__ == "__main__":
    unittest.main()
