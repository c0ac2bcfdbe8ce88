#!/usr/bin/env python3
"""gbstats' side of stats.py: stats_gbstats.py FILE. The same file and commands as stats_page, and for each METHOD also METHOD-whole, its own entry with
everything in one call.

    METHOD         the tests alone: statistics and settings are there already, of each comparison one compute_result()
    METHOD-whole   process_experiment_results(): rows of a query to results, as GrowthBook's back end calls it; a dimension a day
"""
import sys
import time

from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
from gbstats.gbstats import process_experiment_results
from gbstats.models.statistics import (ProportionStatistic, RatioStatistic, RegressionAdjustedStatistic, SampleMeanStatistic,
                                       compute_theta)

ARMS, DAYS = 5, 30
PLANNED_UNITS = 100000


class Cell:
    """An arm: sums, as gbstats wants them, of moments."""

    def __init__(self, line):
        self.kind, *numbers = line.split()
        n, mean_x, m2_x, mean_y, m2_y, cxy, mean_z, m2_z, cxz = map(float, numbers)
        self.n = int(n)
        self.x, self.xx = n * mean_x, m2_x + n * mean_x ** 2
        self.y, self.yy, self.xy = n * mean_y, m2_y + n * mean_y ** 2, cxy + n * mean_x * mean_y
        self.z, self.zz, self.xz = n * mean_z, m2_z + n * mean_z ** 2, cxz + n * mean_x * mean_z

    def main(self):
        if self.kind == "proportion":
            return ProportionStatistic(n=self.n, sum=round(self.x))
        return SampleMeanStatistic(n=self.n, sum=self.x, sum_squares=self.xx)

    def statistic(self, method):
        if method == "cuped":
            return RegressionAdjustedStatistic(n=self.n, post_statistic=SampleMeanStatistic(n=self.n, sum=self.x, sum_squares=self.xx),
                                               pre_statistic=SampleMeanStatistic(n=self.n, sum=self.z, sum_squares=self.zz),
                                               post_pre_sum_of_products=self.xz, theta=0)
        if self.kind == "ratio":
            return RatioStatistic(n=self.n, m_statistic=self.main(), m_d_sum_of_products=self.xy,
                                  d_statistic=SampleMeanStatistic(n=self.n, sum=self.y, sum_squares=self.yy))
        return self.main()


def comparisons(cells, method):
    """(control, treatment, settings) of each."""
    if method == "sequential":
        config = SequentialConfig(difference_type="absolute", sequential_tuning_parameter=PLANNED_UNITS)
    else:
        config = FrequentistConfig(difference_type="absolute")
    for i in range(0, len(cells), ARMS):
        for k in range(1, ARMS):
            yield cells[i].statistic(method), cells[i + k].statistic(method), config


def compute(a, b, config, method):
    if method == "cuped":
        a.theta = b.theta = compute_theta(a, b)
    return (SequentialTwoSidedTTest if method == "sequential" else TwoSidedTTest)(a, b, config).compute_result()


TYPES = {"proportion": ("mean", "binomial"), "mean": ("mean", "count"), "ratio": ("ratio", "binomial")}


def rows_of(cells, first):
    """Of one metric: a row a variant and day."""
    for day in range(DAYS):
        for arm in range(ARMS):
            c = cells[first + day * ARMS + arm]
            row = {"dimension": "day-%02d" % day, "variation": str(arm), "users": c.n, "count": c.n, "main_sum": c.x, "main_sum_squares": c.xx,
                   "denominator_sum": c.y, "denominator_sum_squares": c.yy, "main_denominator_sum_product": c.xy, "covariate_sum": c.z,
                   "covariate_sum_squares": c.zz, "main_covariate_sum_product": c.xz}
            yield {k if k in ("dimension", "variation", "users", "count") else "m0_" + k: v for k, v in row.items()}


def whole(cells, method):
    metrics, queries = {}, []
    for first in range(0, len(cells), DAYS * ARMS):
        name = "m%d" % first
        kind, main = TYPES[cells[first].kind]
        if method == "cuped":
            kind, main = "mean_ra", "count"
        metrics[name] = {"id": name, "name": name, "statistic_type": kind, "main_metric_type": "count" if main != "binomial" or kind == "ratio" else main,
                         "denominator_metric_type": "count", "covariate_metric_type": "count"}
        queries.append({"rows": list(rows_of(cells, first)), "metrics": [name]})
    names = [str(a) for a in range(ARMS)]
    analysis = {"var_names": names, "var_ids": names, "weights": [1 / ARMS] * ARMS, "stats_engine": "frequentist", "dimension": "day",
                "difference_type": "absolute", "sequential_testing_enabled": method == "sequential",
                "sequential_tuning_parameter": PLANNED_UNITS, "max_dimensions": DAYS}
    return {"metrics": metrics, "analyses": [analysis], "query_results": queries}


def measure(run, seconds):
    started, pages, spent = time.process_time_ns(), 0, 0
    while spent < seconds * 1e9:
        run()
        pages += 1
        spent = time.process_time_ns() - started
    return "%d %d 0" % (spent, pages)


def tests_alone(cells, method):
    ready = list(comparisons(cells, method))

    def run():
        for a, b, config in ready:
            compute(a, b, config, method)
    return run


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        cells = [Cell(line) for line in f]
    for line in sys.stdin:
        first, second = line.split()
        if first == "answers":
            for a, b, config in comparisons(cells, second):
                r = compute(a, b, config, second)
                print("%.17g %.17g %.17g %.17g" % (r.expected, r.ci[0], r.ci[1], r.p_value))
        elif first.endswith("-whole"):
            data = whole(cells, first.split("-")[0])
            print(measure(lambda: process_experiment_results(data), float(second)))
        else:
            print(measure(tests_alone(cells, first), float(second)))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
