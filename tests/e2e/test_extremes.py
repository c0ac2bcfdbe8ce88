"""Numbers at their ends through the whole product: values near 1e8 that vary by 1, one unit, none, all alike, counts of 1e12, a p of 1e-300;
and what is no number, refused by name."""
import csv
import json
import math
import os
import random
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest, variant_of  # noqa: E402

METRICS = [{"key": "level", "kind": "mean", "covariate_days": 0, "numerator": {"of": "signals", "type": "reading", "sum": "value"}}]


def mapping(key, variants):
    return {"experiment": {"key": key, "variants": [{"key": v} for v in variants], "metrics": ["level"]}, "metrics": METRICS,
            "unit": "unit", "variant": "arm", "at": {"text": "2026-01-01"}, "signals": [{"type": "reading", "value": "value"}]}


def exact(values):
    """Mean and unbiased variance of the doubles, without rounding until the end."""
    v = [Fraction(x) for x in values]
    mean = sum(v) / len(v)
    return mean, sum((x - mean) ** 2 for x in v) / (len(v) - 1)


class Extremes(DaemonTest):
    def take(self, key, rows, variants=("a", "b"), check=True):
        """Imports rows (unit, arm, value), aggregates, reads."""
        d = self.daemon
        paths = [os.path.join(d.root, key + end) for end in (".csv", ".json")]
        with open(paths[0], "w", encoding="utf-8", newline="") as f:
            csv.writer(f).writerows([("unit", "arm", "value"), *((key + unit, arm, value) for unit, arm, value in rows)])
        with open(paths[1], "w", encoding="utf-8") as f:
            json.dump(mapping(key, variants), f)
        done = d.run("experimentd", "import", "table", paths[0], "--data-dir", d.dir, "--mapping", paths[1], check=check)
        d.trainer("--workers", "2", "--param", "experiment=" + key)
        return d.results(key), done

    def test_values_near_1e8_that_vary_by_1(self):
        draw = random.Random(8)
        arms = {arm: [1e8 + draw.gauss(shift, 1) for _ in range(4000)] for arm, shift in (("a", 0), ("b", 0.1))}
        results, _ = self.take("near-1e8", [("%s%d" % (arm, i), arm, repr(v)) for arm, values in arms.items() for i, v in enumerate(values)])
        (mean_a, var_a), (mean_b, var_b) = (exact(arms[arm]) for arm in "ab")
        got = variant_of(results, "level", "b")["comparison"]
        difference, se = float(mean_b - mean_a), math.sqrt(float(var_a + var_b) / 4000)
        print("difference %.9f (exactly %.9f), standard error %.9f (%.9f), p %.6g" % (got["difference"], difference, got["se"], se, got["p"]))
        self.assertLess(abs(got["se"] / se - 1), 1e-6)
        self.assertLess(abs(got["difference"] - difference), 4e-8)  # two or three places of a mean of 1e8

    def test_few_units_are_told_and_none_is_a_crash(self):
        for key, rows, words in (("one-unit", [("u", "a", 1)], "1 unit"), ("no-unit", [("u%d" % i, "a", i) for i in range(9)], "no units"),
                                 ("alike", [("u%d" % i, "ab"[i % 2], 7) for i in range(400)], "all units of both variants have the same value")):
            results, _ = self.take(key, rows)
            comparison = variant_of(results, "level", "b")["comparison"]
            print("%-9s %s | %s" % (key, comparison["reason"], results["verdict"]["text"]))
            self.assertIsNone(comparison["p"])
            self.assertIn(words, comparison["reason"])
            self.assertNotIn("NaN", json.dumps(results))
        reply = self.daemon.get("/v1/experiments/alike/timeseries")
        self.assertEqual(reply.status, 200)

    def test_counts_of_1e12_and_a_p_of_1e_300(self):
        """Rows as the job writes them, for units that nobody can simulate."""
        d, n = self.daemon, 10 ** 12
        d.make_experiment("huge", metrics=["ctr"], analysis={"method": "fixed", "planned_units": n}, adjustment="none")
        z, p = 37.0, 0.3
        shift = z * math.sqrt(2 * p * (1 - p) / n)
        run = "00000000-0000-4000-8000-000000000012"
        d.sql("insert into runs (id, job, params, engine, workers, state) values ('%s', 'metrics', '{}', 'local', 1, 'success');"
              "insert into moments_current (experiment, run, as_of, units, multiple_exposures) values ('huge', '%s', now(), %d, 0)" % (run, run, 2 * n))
        for arm, mean in (("a", p), ("b", p + shift)):
            d.sql("insert into moments (experiment, metric, variant, day, n, mean_x, m2_x) values ('huge', 'ctr', '%s', '2026-01-01', %d, %r, %r)" % (
                arm, n, mean, n * mean * (1 - mean)))
        got = variant_of(d.results("huge"), "ctr", "b")
        z = (p + shift - p) / math.sqrt((p * (1 - p) + (p + shift) * (1 - p - shift)) / (n - 1))
        want = math.erfc(z / math.sqrt(2))
        print("n %d, p %.7g (by erfc %.7g), its logarithm %.9f" % (got["n"], got["comparison"]["p"], want, got["comparison"]["log10_p"]))
        self.assertEqual(got["n"], n)
        self.assertEqual(got["numerator"], round(n * (p + shift)))
        self.assertLess(abs(got["comparison"]["log10_p"] / math.log10(want) - 1), 1e-8)
        self.assertLess(abs(got["comparison"]["p"] / want - 1), 2e-6)

    def test_what_is_no_number_is_refused_by_name(self):
        for body in ('{"type": "reading", "unit": "u", "value": NaN}', '{"type": "reading", "unit": "u", "value": 1e999}',
                     '{"type": "reading", "unit": "u", "value": "Infinity"}', '[{"type": "reading", "unit": "u", "value": -1e999}]',
                     '{"type": "reading", "unit": "u", "value": 1}\n{"type": "reading", "unit": "u", "value": 1e999}'):
            reply = self.daemon.post("/v1/signals", body)
            error = reply.json["rejected"][0]["error"] if reply.status == 200 else reply.json["detail"]
            print("%-52s %d %s" % (body.split("\n")[-1], reply.status, error))
            self.assertIn('field "value"', error)
        for value in ("NaN", "Infinity", "-Infinity"):
            reply = self.daemon.post("/v1/stats/welch_t", {"n_c": 9, "mean_c": value, "var_c": 1, "n_t": 9, "mean_t": 1, "var_t": 1, "alpha": 0.05})
            self.assertEqual(reply.status, 400)
            self.assertIn("mean_c", reply.json["detail"])
        rows = [("u%d" % i, "ab"[i % 2], v) for i, v in enumerate(["1", "2", "nan", "inf", "-1e999", "3", "4"])]
        results, done = self.take("no-numbers", rows, check=False)
        self.assertEqual(done.returncode, 65)
        with open(os.path.join(self.daemon.root, "no-numbers.csv.rejects"), encoding="utf-8") as f:
            rejects = f.read()
        print(rejects.rstrip())
        self.assertEqual(rejects.count('column "value"'), 3)
        self.assertEqual([variant_of(results, "level", v)["n"] for v in "ab"], [2, 2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
