"""The simulator's exact truth against its own visitors: were a formula wrong, the demo would show a true effect that is none."""
import datetime
import math
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "script"))
import simulate  # noqa: E402

VISITORS = 20000
END = datetime.datetime(2026, 3, 15, 12, tzinfo=datetime.timezone.utc)


def sample(shop, ranker):
    """{metric: (sums per visitor of numerator and denominator)} of visitors who all see one ranker."""
    rng = random.Random(7)
    visits = simulate.plan_visits(shop, rng, VISITORS, 14, END)
    per = {}
    for visit in visits:
        counts = per.setdefault(visit.unit, {"clicks": 0, "queries": 0, "reciprocal": 0.0, "zero": 0})
        seen = set()
        for signal in simulate.visit_signals(shop, rng, visit, ranker):
            if signal["type"] == "request":
                counts["queries"] += 1
                counts["zero"] += signal["value"] == 0
                continue
            counts["clicks"] += 1
            if signal["query_id"] not in seen:
                counts["reciprocal"] += 1 / signal["position"]
                seen.add(signal["query_id"])
    return visits, list(per.values())


def ratio(units, numerator, denominator=None):
    """(value, standard error) of a mean or of a ratio of sums, by the delta method."""
    x = [u[numerator] for u in units]
    y = [u[denominator] if denominator else 1 for u in units]
    r = sum(x) / sum(y)
    residual = sum((a - r * b) ** 2 for a, b in zip(x, y)) / (len(x) - 1)
    return r, math.sqrt(residual / len(x)) / (sum(y) / len(y))


class Truth(unittest.TestCase):
    def test_it_agrees_with_what_the_visitors_do(self):
        shop = simulate.Shop(1)
        for ranker in "ab":
            truth = shop.truth(ranker)
            visits, units = sample(shop, ranker)
            for u in units:
                u["clicked"] = u["clicks"] > 0
            for metric, value in (("ctr", ratio(units, "clicked")), ("clicks_per_unit", ratio(units, "clicks")),
                                  ("clicks_per_query", ratio(units, "clicks", "queries")), ("mrr", ratio(units, "reciprocal", "queries")),
                                  ("zero_result_rate", ratio(units, "zero", "queries"))):
                with self.subTest(metric=metric, ranker=ranker):
                    self.assertLess(abs(value[0] - truth[metric]), 4.5 * value[1], (value, truth[metric]))
            self.assertEqual(len(units), VISITORS)
            self.assertEqual(visits, sorted(visits, key=lambda v: v.at))
            self.assertLess(max(v.at for v in visits), END)

    def test_the_better_ranker_is_better_and_zero_results_do_not_depend_on_it(self):
        lift = simulate.Shop(1).lift()
        self.assertGreater(lift["ctr"], 0.05)
        self.assertEqual(lift["zero_result_rate"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
