"""Results over HTTP, on rollups written by hand: every number is computed here, or by xstat, a second time."""
import csv
import io
import json
import math
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, variant_of  # noqa: E402
from explained import close, reproduced, xstat  # noqa: E402
from moments import days, publish, row  # noqa: E402

DAY = "2026-03-15"
METRICS = ["ctr", "clicks_per_unit", "clicks_per_query"]
EXPLAINED = {"difference", "se", "statistic", "p", "difference_ci", "lift", "lift_ci"}
COUNTRIES = {"de": 700, "fr": 500, "it": 400, "(none)": 350, "es": 300, "(other)": 200}


def units(rng, n, chance):
    """(clicks, queries) of n units."""
    made = []
    for _ in range(n):
        queries = 1 + min(8, int(rng.expovariate(0.8)))
        made.append((sum(rng.random() < chance for _ in range(queries)), queries))
    return made


def one(rng, eager, chance):
    """(clicks, queries) of a unit that is more or less eager."""
    queries = 1 + int(5 * eager)
    return sum(rng.random() < chance * (0.5 + eager) for _ in range(queries)), queries


def rows_of(variant, of, segment="", day=None):
    """The three metrics of the same units."""
    return [row("ctr", variant, [int(c > 0) for c, _ in of], segment, day), row("clicks_per_unit", variant, [c for c, _ in of], segment, day),
            row("clicks_per_query", variant, of, segment, day)]


class ResultsTest(DaemonTest):
    def check_explained(self, numbers):
        """Every step of an explanation gives the numbers that stand beside it. Returns what was reproduced."""
        return reproduced(numbers)


class Explained(ResultsTest):
    @classmethod
    def prepare(cls, d):
        rng = random.Random(5)
        arms = {"a": units(rng, 1500, 0.2), "b": units(rng, 1400, 0.23)}
        for key, method in (("once", "fixed"), ("always", "any_time")):
            d.make_experiment(key, metrics=METRICS, analysis={"method": method})
            publish(d, key, [r for v in arms for r in rows_of(v, arms[v])], DAY, 2900)
        cls.arms = arms

    def test_a_line_of_xstat_reproduces_each_number(self):
        for key, looks in (("once", "one, at the planned end"), ("always", "any number, at any time")):
            results = self.daemon.results(key)
            for m in results["metrics"]:
                for v in m["variants"]:
                    self.assertLessEqual({"value", "ci"}, self.check_explained(v), v)
                    self.assertEqual(v["explain"]["counts"]["units"]["units"], len(self.arms[v["variant"]]))
                c = m["variants"][1]["comparison"]
                self.assertLessEqual({"difference", "se", "statistic", "p", "difference_ci", "lift", "lift_ci"}, self.check_explained(c), c)
                self.assertEqual(c["explain"]["looks"], looks)
                for step in c["explain"]["steps"]:
                    self.assertTrue(results["methods"][step["method"]]["formula"])
                    self.assertTrue(results["methods"][step["method"]]["source"])

    def test_adjusted_numbers_are_explained_too(self):
        rng = random.Random(8)
        for key, method in (("cuped-once", "fixed"), ("cuped", "any_time")):
            rows = []
            for variant, chance in (("a", 0.2), ("b", 0.23)):
                eager = [rng.random() for _ in range(1500)]
                now, before = ([one(rng, e, chance) for e in eager] for chance in (chance, 0.2))
                rows += [row("ctr", variant, [int(c > 0) for c, _ in now], before=[int(c > 0) for c, _ in before]),
                         row("clicks_per_unit", variant, [c for c, _ in now], before=[c for c, _ in before]),
                         row("clicks_per_query", variant, now, before=before)]
            self.daemon.make_experiment(key, metrics=METRICS, analysis={"method": method})
            publish(self.daemon, key, rows, DAY, 3000)
            results, series = self.daemon.results(key), self.call("get", "/v1/experiments/%s/timeseries" % key)
            for m, s in zip(results["metrics"], sorted(series["metrics"], key=lambda s: METRICS.index(s["metric"]))):
                c = m["variants"][1]["comparison"]
                self.assertEqual(c["adjustment"]["by"], "cuped")
                self.assertIn("CUPED", c["explain"]["adjusted_by"])
                self.assertLessEqual({"difference", "se", "p", "difference_ci", "lift", "lift_ci"}, self.check_explained(c), c)
                self.assertEqual(s["days"][-1]["variants"][1]["difference_ci"], c["difference_ci"], "the series is adjusted as the result")

    def test_strata_are_explained_by_their_cells(self):
        """With ratios, whose cells are linearised, and a country of so few units that it goes with others."""
        rng, whole, rows = random.Random(13), {}, []
        for country, n in (("de", 700), ("fr", 400), ("li", 8)):
            for variant, chance in (("a", 0.2), ("b", 0.25)):
                eager = [rng.random() for _ in range(n)]
                now, before = ([one(rng, e, c) for e in eager] for c in (chance, 0.2))
                whole.setdefault(variant, []).extend(zip(now, before))
                rows += self.with_before(variant, now, before, "country=" + country)
        for variant, both in whole.items():
            rows += self.with_before(variant, [now for now, _ in both], [before for _, before in both])
        for adjustment in ("strata", "both"):
            for method in ("fixed", "any_time"):
                key = "%s-%s" % (adjustment, method.replace("_", "-"))
                self.daemon.make_experiment(key, metrics=METRICS, analysis={"method": method}, adjustment=adjustment, stratify_by="country")
                publish(self.daemon, key, rows, DAY, 2216)
                for m in METRICS:
                    c = variant_of(self.daemon.results(key), m, "b")["comparison"]
                    self.assertEqual(c["adjustment"], {**c["adjustment"], "by": adjustment, "reason": None})
                    self.assertLessEqual(EXPLAINED, self.check_explained(c), (key, m))
                    self.assertEqual(len(c["explain"]["steps"][0]["input"]["strata"]), 2)

    def with_before(self, variant, now, before, segment=""):
        return [row("ctr", variant, [int(c > 0) for c, _ in now], segment, before=[int(c > 0) for c, _ in before]),
                row("clicks_per_unit", variant, [c for c, _ in now], segment, before=[c for c, _ in before]),
                row("clicks_per_query", variant, now, segment, before=before)]

    def test_few_are_explained_by_counts(self):
        self.daemon.make_experiment("few", metrics=["ctr"], analysis={"method": "fixed"})
        publish(self.daemon, "few", [row("ctr", "a", [0] * 500), row("ctr", "b", [1] * 9 + [0] * 491)], DAY, 1000)
        c = variant_of(self.daemon.results("few"), "ctr", "b")["comparison"]
        self.assertLessEqual({"difference", "difference_ci", "p_exact"}, self.check_explained(c))

    def test_without_a_value_there_is_nothing_to_explain(self):
        self.daemon.make_experiment("thin", metrics=["ctr"])
        publish(self.daemon, "thin", rows_of("a", [(1, 2)])[:1] + rows_of("b", [(0, 1), (1, 1)])[:1], DAY, 3)
        v = variant_of(self.daemon.results("thin"), "ctr", "a")
        self.assertNotIn("explain", v)
        self.assertIn("1 unit", v["reason"])


class Segments(ResultsTest):
    @classmethod
    def prepare(cls, d):
        rng = random.Random(9)
        cls.units, rows = {}, []
        for country, n in COUNTRIES.items():
            for variant, chance in (("a", 0.2), ("b", 0.22 if country != "fr" else 0.35)):
                of = cls.units[country, variant] = units(rng, n, chance)
                rows += rows_of(variant, of, "country=" + country)
        for variant in "ab":
            rows += rows_of(variant, [u for (_, v), of in cls.units.items() if v == variant for u in of])
        rows += [r for v in "ab" for r in rows_of(v, [(0, 1), (1, 2), (1, 1)], "device=tv")]
        d.make_experiment("shop", metrics=METRICS, analysis={"method": "fixed"})
        publish(d, "shop", rows, DAY, 4900)
        cls.answer = d.get("/v1/experiments/shop/results?segment=country").json

    def metric(self, key):
        return next(m for m in self.answer["metrics"] if m["metric"] == key)

    def test_values_by_units_with_the_rest_last(self):
        self.assertEqual([v["value"] for v in self.metric("ctr")["values"]], ["de", "fr", "it", "es", "(none)", "(other)"])
        self.assertEqual(self.answer["dimensions"], ["country", "device"])
        self.assertEqual(self.daemon.results("shop")["dimensions"], ["country", "device"])

    def test_numbers_are_those_of_the_units_and_explained(self):
        for value in self.metric("clicks_per_query")["values"]:
            for v in value["variants"]:
                of = self.units[value["value"], v["variant"]]
                self.assertEqual((v["n"], v["numerator"], v["denominator"]), (len(of), sum(c for c, _ in of), sum(q for _, q in of)))
            self.check_explained(value["variants"][1]["comparison"])

    def comparisons(self, key):
        return [v["variants"][1]["comparison"] for v in self.metric(key)["values"]]

    def test_p_is_adjusted_for_all_looks(self):
        every = [c for m in METRICS for c in self.comparisons(m)]
        self.assertEqual(self.answer["looks"], len(every))
        for c, wanted in zip(every, xstat("holm_bh", {"p": [c["p"] for c in every]})["bh"]):
            self.assertTrue(close(c["p_adjusted"], wanted))
            self.assertGreaterEqual(c["p_adjusted"], c["p"])
            self.assertEqual(c["outcome_adjusted"] == "no_difference", c["p_adjusted"] >= 0.05)

    def test_one_metric_alone_has_the_numbers_that_it_has_among_all(self):
        ask = "/v1/experiments/shop/results?segment=country&metric="
        for key in METRICS:
            self.assertEqual(self.call("get", ask + key), {**self.answer, "metrics": [self.metric(key)]})
        for query in ("segment=country&metric=", "segment=country&metric=zero_results", "metric=ctr"):
            self.assertIn('query parameter "metric"', self.call("get", "/v1/experiments/shop/results?" + query, status=400)["detail"])

    def test_effects_are_shrunk(self):
        for metric in METRICS:
            all_of = self.comparisons(metric)
            wanted = xstat("shrinkage", {"effects": [c["difference"] for c in all_of], "ses": [c["se"] for c in all_of], "alpha": 0.05})
            for i, c in enumerate(all_of):
                self.assertTrue(close(c["shrunk"]["difference"], wanted["effect"][i]))
                self.assertTrue(close(c["shrunk"]["difference_ci"][0], wanted["ci_lo"][i]))
                self.assertTrue(close(c["shrunk"]["lift"], wanted["effect"][i] / self.metric(metric)["values"][i]["variants"][0]["value"]))
            self.assertTrue(close(self.metric(metric)["effects"][0]["common"]["difference"], wanted["mean"]))
        raw = [c["difference"] for c in self.comparisons("ctr")]
        shrunk = [c["shrunk"]["difference"] for c in self.comparisons("ctr")]
        self.assertLess(max(shrunk) - min(shrunk), max(raw) - min(raw))

    def test_one_country_that_differs_is_noticed(self):
        strata = []
        for value in COUNTRIES:
            given = {}
            for variant, name in (("a", "c"), ("b", "t")):
                xs = [c for c, _ in self.units[value, variant]]
                mean = sum(xs) / len(xs)
                given.update({"n_" + name: len(xs), "mean_" + name: mean, "var_" + name: sum((x - mean) ** 2 for x in xs) / (len(xs) - 1)})
            strata.append(given)
        wanted = xstat("post_strat", {"strata": strata, "alpha": 0.05})
        got = self.metric("clicks_per_unit")["effects"][0]
        self.assertTrue(close(got["heterogeneity"]["q"], wanted["cochran_q"], 1e-6))
        self.assertEqual(got["heterogeneity"]["df"], 5)
        self.assertLess(got["heterogeneity"]["p"], 0.01)
        self.assertFalse(got["simpson"])

    def test_fewer_than_four_are_not_shrunk(self):
        got = self.daemon.get("/v1/experiments/shop/results?segment=device").json["metrics"][0]
        self.assertIn("at least 4", got["effects"][0]["not_shrunk"])
        self.assertIsNone(got["values"][0]["variants"][1]["comparison"]["shrunk"])

    def test_simpsons_reversal_is_told(self):
        arms = {("x", "a"): (100, 90), ("x", "b"): (1000, 880), ("y", "a"): (1000, 300), ("y", "b"): (100, 28)}
        rows = [row("ctr", v, [1] * k + [0] * (n - k), "device=" + d) for (d, v), (n, k) in arms.items()]
        for v in "ab":
            n, k = (sum(arm[i] for (_, w), arm in arms.items() if w == v) for i in (0, 1))
            rows.append(row("ctr", v, [1] * k + [0] * (n - k)))
        self.daemon.make_experiment("simpson", metrics=["ctr"])
        publish(self.daemon, "simpson", rows, DAY, 2200)
        (effect,) = self.daemon.get("/v1/experiments/simpson/results?segment=device").json["metrics"][0]["effects"]
        self.assertTrue(effect["simpson"])
        self.assertIn("opposite", effect["simpson_text"])

    def test_empty_says_why(self):
        empty = self.daemon.get("/v1/experiments/shop/results?segment=browser").json
        self.assertEqual(empty["reason"], 'no units have been counted by "browser"')
        self.assertEqual((empty["looks"], empty["metrics"][0]["values"]), (0, []))
        self.daemon.make_experiment("new", metrics=["ctr"])
        self.assertIn("nothing has been aggregated yet", self.daemon.get("/v1/experiments/new/results?segment=browser").json["reason"])

    def test_a_strange_dimension_is_refused(self):
        for name in ("", "a%22b", "a%2Cb", "a%7D", "x" * 101):
            reply = self.call("get", "/v1/experiments/shop/results?segment=" + name, status=400)
            self.assertIn('query parameter "segment"', reply["detail"])
        self.call("get", "/v1/experiments/none/results?segment=country", status=404)


class Drawn(ResultsTest):
    """Intervals of the job "bootstrap", which tests/trainer runs; here what results make of its rows."""
    RUN = "018f0000-0000-7000-8000-00000000b007"

    @classmethod
    def prepare(cls, d):
        d.make_experiment("shop", metrics=METRICS, analysis={"method": "fixed", "planned_units": 600})
        rng = random.Random(5)
        publish(d, "shop", [r for v in "ab" for r in rows_of(v, units(rng, 300, 0.3))], DAY, 600)
        d.sql("insert into runs (id, job, params, engine, workers, state, started_at) values ('%s', 'bootstrap', '{}', 'local', 2, 'success', "
              "now() + interval '1 minute')" % cls.RUN)
        d.sql("insert into bootstrap_intervals values ('shop', 'ctr', 'b', 'a', 300, 299, 0.01, 0.04, -0.07, 0.09, 0.02, 0.08, -0.13, 0.2, 0.9, 500, 7, '%s'), "
              "('shop', 'clicks_per_unit', 'b', 'a', 300, 299, 0.01, 0.04, -0.07, 0.09, null, null, null, null, 0.9, 500, 7, '%s'), "
              "('shop', 'clicks_per_query', 'b', 'c', 300, 299, 0.01, 0.04, -0.07, 0.09, null, null, null, null, 0.9, 500, 7, '%s')" % ((cls.RUN,) * 3))

    def drawn(self, metric):
        return variant_of(self.daemon.results("shop"), metric, "b")["comparison"]["bootstrap"]

    def test_what_was_drawn_stands_beside_the_formula(self):
        self.daemon.sql("update runs set started_at = (select max(started_at) from runs) + interval '1 minute' where id = '%s'" % self.RUN)
        got = self.drawn("ctr")
        self.assertEqual({k: got[k] for k in ("n", "control_n", "difference", "difference_se", "difference_ci", "lift", "lift_se", "lift_ci",
                                              "level", "replicates", "seed", "run", "stale")},
                         {"n": 300, "control_n": 299, "difference": 0.01, "difference_se": 0.04, "difference_ci": [-0.07, 0.09], "lift": 0.02,
                          "lift_se": 0.08, "lift_ci": [-0.13, 0.2], "level": 0.9, "replicates": 500, "seed": 7, "run": self.RUN, "stale": False})
        self.assertIn("Poisson bootstrap", got["method"])
        without = self.drawn("clicks_per_unit")
        self.assertEqual((without["difference"], without["lift"], without["lift_se"], without["lift_ci"]), (0.01, None, None, None))
        self.assertIsNone(self.drawn("clicks_per_query"), "against another control")

    def test_it_is_stale_when_the_moments_are_of_a_later_run(self):
        self.daemon.sql("update runs set started_at = '2026-03-01T10:00:00Z' where id = '%s'" % self.RUN)
        got = self.drawn("ctr")
        self.assertEqual((got["stale"], got["as_of"]), (True, "2026-03-01T10:00:00Z"))
        self.assertIn("Older than these results", got["text"])


class OverTime(ResultsTest):
    @classmethod
    def prepare(cls, d):
        rng = random.Random(3)
        cls.days, cls.since, cls.cohorts, rows = days("2026-03-02", 8), {}, {}, []
        so_far = {"a": [], "b": []}
        for i, day in enumerate(cls.days):
            for variant, chance in (("a", 0.2), ("b", 0.2 + 0.2 * 0.6 ** i)):
                new = units(rng, 400, chance)
                cls.cohorts[i, variant] = new
                so_far[variant] += new
                rows += rows_of(variant, so_far[variant], "", day) + rows_of(variant, new, ":first_day", day)
                cls.since[i, variant] = units(rng, 3000 - 300 * i, chance)
                rows += rows_of(variant, cls.since[i, variant], "since:%d" % (i if i < 7 else 12))
        cls.all = so_far
        for key, method in (("shop", "any_time"), ("once", "fixed")):
            d.make_experiment(key, metrics=METRICS, analysis={"method": method})
            publish(d, key, rows, cls.days[-1], 6400)

    def series(self, key, by=None):
        return self.call("get", "/v1/experiments/%s/timeseries%s" % (key, "?by=" + by if by else ""))

    def metric(self, answer, key):
        return next(m for m in answer["metrics"] if m["metric"] == key)

    def test_by_day_all_so_far_with_a_band_that_may_be_watched(self):
        for key in ("shop", "once"):
            answer = self.series(key)
            last = [self.metric(answer, m)["days"][-1]["variants"][1] for m in METRICS]
            self.assertEqual([d["day"] for d in self.metric(answer, "ctr")["days"]], self.days)
            for m, v in zip(METRICS, last):
                latest = variant_of(self.daemon.results(key), m, "b")
                for field in ("difference", "difference_ci", "p", "lift", "lift_ci", "lift_kind"):
                    self.assertEqual(v[field], latest["comparison"][field])
                width = v["difference_band"][1] - v["difference_band"][0]
                ours = v["difference_ci"][1] - v["difference_ci"][0]
                if key == "shop":
                    self.assertEqual(v["difference_band"], v["difference_ci"])
                else:
                    self.assertGreater(width, 1.2 * ours)

    def test_by_days_since_exposure_an_effect_that_wears_off_is_told(self):
        answer = self.series("shop", "since_exposure")
        m = self.metric(answer, "clicks_per_query")
        self.assertEqual([p["days_since"] for p in m["periods"]], [0, 1, 2, 3, 4, 5, 6, 12])
        for i, period in enumerate(m["periods"]):
            for v in period["variants"]:
                of = self.since[i, v["variant"]]
                self.assertEqual((v["n"], v["numerator"], v["denominator"]), (len(of), sum(c for c, _ in of), sum(q for _, q in of)))
        (trend,) = m["trends"]
        self.assertEqual((trend["periods"], trend["kind"], trend["reason"]), (8, "fades", None))
        lifts = [self.lift(i) for i in range(8)]
        wanted = xstat("effect_trend", {"effects": [lift for lift, _ in lifts], "ses": [se for _, se in lifts],
                                        "day": [p["days_since"] for p in m["periods"]], "early": 3})
        self.assertTrue(close(trend["change"], wanted["late_minus_early"]))
        self.assertTrue(close(trend["slope"], wanted["slope"]))
        self.assertTrue(close(trend["change_p"], math.exp(wanted["late_minus_early_log_p"])))

    def lift(self, period):
        """Of clicks per query, with its standard error by the delta method."""
        given = {"alpha": 0.05}
        for variant, name in (("a", "c"), ("b", "t")):
            given.update({"num_" + name: [c for c, _ in self.since[period, variant]], "den_" + name: [q for _, q in self.since[period, variant]]})
        answer = xstat("ratio_delta", given)
        return answer["lift"], answer["lift_se_delta"]

    def test_by_cohort_each_unit_once(self):
        m = self.metric(self.series("shop", "cohort"), "clicks_per_unit")
        self.assertEqual([p["day"] for p in m["periods"]], self.days)
        self.assertEqual(sum(p["variants"][1]["n"] for p in m["periods"]), len(self.all["b"]))
        self.assertEqual([p["variants"][0]["numerator"] for p in m["periods"]],
                         [sum(c for c, _ in self.cohorts[i, "a"]) for i in range(len(self.days))])

    def test_empty_and_wrong_say_why(self):
        self.daemon.make_experiment("young", metrics=["ctr"])
        publish(self.daemon, "young", [row("ctr", v, [0, 1, 1]) for v in "ab"], DAY, 6)
        for by in ("since_exposure", "cohort"):
            answer = self.series("young", by)
            self.assertIn("have been counted", answer["reason"])
            self.assertIn("a trend needs at least 6", answer["metrics"][0]["trends"][0]["reason"])
        reply = self.call("get", "/v1/experiments/young/timeseries?by=moon", status=400)
        self.assertIn('"by" is "moon"', reply["detail"])


class Exports(ResultsTest):
    NASTY = ['=cmd|" /C calc"!A0', "+1", "-1", "@SUM(A1)", "plain, with comma", 'quote "here"', "two\nlines"]

    @classmethod
    def prepare(cls, d):
        rng, rows = random.Random(11), []
        cls.units = {(v, day): units(rng, 300, 0.2) for v in "ab" for day in ("2026-03-01", "2026-03-02")}
        for (v, day), of in cls.units.items():
            rows += rows_of(v, of, "", day)
        for value in cls.NASTY:
            rows += [r for v in "ab" for r in rows_of(v, units(rng, 50, 0.3), "page=" + value)]
        d.make_experiment("shop", metrics=METRICS, analysis={"method": "fixed"})
        publish(d, "shop", rows, "2026-03-02", 600)

    def csv(self, query=""):
        reply = self.daemon.get("/v1/experiments/shop/results.csv" + query)
        self.assertEqual((reply.status, reply.headers["content-type"]), (200, "text/csv; charset=utf-8"))
        self.assertEqual(reply.headers["content-disposition"], 'attachment; filename="shop.csv"')
        body = reply.body.decode()
        self.assertEqual(body.count("\r\n"), len(list(csv.reader(io.StringIO(body, newline="")))))
        return list(csv.DictReader(io.StringIO(body, newline="")))

    def test_a_row_a_metric_variant_and_day(self):
        rows = self.csv()
        self.assertEqual(len(rows), 3 * 2 * 2)
        latest = self.daemon.results("shop")
        for r in rows:
            of = self.units[r["variant"], r["day"]]
            self.assertEqual((int(r["n"]), r["segment"], float(r["level"])), (len(of), "", 0.95))
            self.assertTrue(close(float(r["sum_x"]), sum(c if r["metric"] != "ctr" else c > 0 for c, _ in of)))
            if r["day"] == "2026-03-02":
                v = variant_of(latest, r["metric"], r["variant"])
                self.assertEqual(float(r["value"]), v["value"])
                if r["variant"] == "b":
                    c = v["comparison"]
                    self.assertEqual([float(r[k]) for k in ("difference", "difference_lo", "difference_hi", "p", "lift", "lift_lo", "lift_hi")],
                                     [c["difference"], *c["difference_ci"], c["p"], c["lift"], *c["lift_ci"]])
                else:
                    self.assertEqual((r["difference"], r["lift_kind"]), ("", ""))

    def test_the_moments_give_the_numbers_again(self):
        rows = [r for r in self.csv() if r["metric"] == "clicks_per_unit" and r["day"] == "2026-03-02"]
        given = {"alpha": 0.05}
        for r, name in zip(sorted(rows, key=lambda r: r["variant"]), "ct"):
            given.update({"n_" + name: int(r["n"]), "mean_" + name: float(r["mean_x"]), "var_" + name: float(r["m2_x"]) / (int(r["n"]) - 1)})
        self.assertTrue(close(xstat("welch_t", given)["p_two_sided"], float(next(r for r in rows if r["variant"] == "b")["p"])))

    def test_segments_and_no_formulas(self):
        rows = self.csv("?segment=page")
        self.assertEqual({r["segment"] for r in rows}, {""} | {"page=" + v for v in self.NASTY})
        text = self.daemon.get("/v1/experiments/shop/results.csv?segment=page").body.decode()
        for r in csv.reader(io.StringIO(text, newline="")):
            for cell in r:
                number = cell.lstrip("-").replace(".", "").replace("e-", "").replace("e+", "").isdigit()
                self.assertTrue(number or cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), cell)

    def test_the_same_as_json(self):
        answer = self.daemon.get("/v1/experiments/shop/results.json?segment=page").json
        rows = self.csv("?segment=page")
        self.assertEqual(len(answer["rows"]), len(rows))
        for j, c in zip(answer["rows"], rows):
            self.assertEqual(set(j), set(c))
            for key, value in j.items():
                self.assertEqual(c[key], "" if value is None else c[key])
                if isinstance(value, float):
                    self.assertEqual(float(c[key]), value)

    def test_refusals(self):
        self.call("get", "/v1/experiments/none/results.csv", status=404)
        self.call("get", "/v1/experiments/shop/results.json?segment=%7B", status=400)
        self.call("get", "/v1/experiments/shop/results.csv", status=403, key="client")


if __name__ == "__main__":
    unittest.main()
