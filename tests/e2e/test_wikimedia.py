"""The real search log (Wikimedia, March 2016, 14,119 sessions): imported, aggregated by two worker processes, and compared with
the published counts and with a computation of its own from the raw CSV by NumPy and SciPy."""
import collections
import csv
import math
import os
import sys
import unittest

import numpy
from scipy import optimize, stats

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import SHARED_DATA, Daemon, variant_of  # noqa: E402

LOG = os.path.join(SHARED_DATA, "wikimedia_search_ab", "search_data.csv")
KEY = "wikimedia-search"
# From the README of the data: sessions, sessions with a click, searches without results, searches with a known number.
PUBLISHED = {"a": (7949, 1154, 2085, 10675), "b": (6170, 102, 1058, 6280)}
PUBLISHED_SRM = (224.15, 1.1e-50)
RELATIVE = 1e-9


class Arm:
    """Per session: x and y of one metric, straight from the CSV."""

    def __init__(self, x, y=None):
        self.x = numpy.array(x, dtype=float)
        self.y = None if y is None else numpy.array(y, dtype=float)

    def value(self):
        return self.x.mean() if self.y is None else self.x.sum() / self.y.sum()

    def variance(self):
        """Of the value: of a mean, or of a ratio of sums by the delta method, clustered by session."""
        n = len(self.x)
        if self.y is None:
            return self.x.var(ddof=1) / n
        r = self.value()
        return numpy.var(self.x - r * self.y, ddof=1) / n / self.y.mean() ** 2


def sessions_of(path):
    """group -> session -> list of (results or None, clicks, position of the first click or None)"""
    groups = {"a": collections.defaultdict(list), "b": collections.defaultdict(list)}
    with open(path, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            results = None if row["results"] == "-Inf" else int(row["results"])
            position = None if row["first_click"] == "NA" else int(row["first_click"])
            groups[row["group"]][row["session_id"]].append((results, int(row["num_clicks"]), position))
    return groups


def metrics_of(sessions):
    """What the metrics' definitions say, session by session. Only searches whose results page was sampled are queries."""
    per = list(sessions.values())
    known = [[s for s in rows if s[0] is not None] for rows in per]
    queries = [len(rows) for rows in known]
    return {
        "ctr": Arm([any(s[1] for s in rows) for rows in per]),
        "clicks_per_unit": Arm([sum(s[1] for s in rows) for rows in per]),
        "clicks_per_query": Arm([sum(s[1] for s in rows) for rows in per], queries),
        "mrr": Arm([sum(1 / s[2] for s in rows if s[2]) for rows in known], queries),
        "zero_result_rate": Arm([sum(s[0] == 0 for s in rows) for rows in known], queries),
    }


def fieller(mean_c, var_c, mean_t, var_t, critical):
    """Both ends of the set of ratios that the data do not reject, found as roots, not by the closed form."""
    def excess(theta):
        return (mean_t - theta * mean_c) ** 2 - critical ** 2 * (var_t + theta ** 2 * var_c)
    middle, step = mean_t / mean_c, abs(mean_t / mean_c)
    low = optimize.brentq(excess, middle - 20 * step, middle, xtol=1e-16, rtol=1e-15)
    high = optimize.brentq(excess, middle, middle + 20 * step, xtol=1e-16, rtol=1e-15)
    return low - 1, high - 1


def compare(control, treatment, level=0.95):
    """Difference with Welch's t and Satterthwaite's df, p with its logarithm, and Fieller's interval of the lift."""
    mean_c, var_c, mean_t, var_t = control.value(), control.variance(), treatment.value(), treatment.variance()
    n_c, n_t = len(control.x), len(treatment.x)
    df = (var_c + var_t) ** 2 / (var_c ** 2 / (n_c - 1) + var_t ** 2 / (n_t - 1))
    se = math.sqrt(var_c + var_t)
    statistic = (mean_t - mean_c) / se
    return {"difference": mean_t - mean_c, "se": se, "statistic": statistic, "df": df,
            "lift": mean_t / mean_c - 1}, (mean_c, var_c, mean_t, var_t), level


def import_log(d):
    """The columns of the log as R wrote them: "-Inf" results are searches whose result page was not sampled."""
    return d.run("experimentd", "import", "csv", LOG, "--data-dir", d.dir, "--experiment", KEY,
                 "--map", "unit=session_id,variant=group,timestamp=session_start_timestamp",
                 "--map", "results=results,clicks=num_clicks,position=first_click",
                 "--timestamp-format", "%Y%m%d%H%M%S", "--missing=-Inf,NA", "--rejects", os.path.join(d.dir, "rejects"))


@unittest.skipUnless(os.path.isfile(LOG), "the Wikimedia log is not here: " + LOG)
class Wikimedia(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = d = Daemon()
        try:
            d.start()
            done = import_log(d)
            print(done.stdout.strip() + done.stderr.strip()[-400:])
            done = d.trainer("--workers", "2")
            print(done.stdout.strip())
            cls.results = d.results(KEY)
        except BaseException:
            d.destroy()
            raise
        cls.raw = {group: metrics_of(sessions) for group, sessions in sessions_of(LOG).items()}

    @classmethod
    def tearDownClass(cls):
        try:
            cls.daemon.stop()
        finally:
            cls.daemon.destroy()

    def near(self, got, want, what):
        self.assertIsNotNone(got, what)
        self.assertLessEqual(abs(got - want), RELATIVE * abs(want), "%s: %r, not %r" % (what, got, want))

    def test_counts_equal_the_published_ones(self):
        self.assertEqual(self.results["experiment"]["origin"], "imported")
        self.assertEqual((self.results["units"], self.results["multiple_exposures"]), (14119, 0))
        print("group  sessions  with click  click-through  no result  searches  zero-result rate")
        for variant, (sessions, clickers, zero, searches) in PUBLISHED.items():
            ctr = variant_of(self.results, "ctr", variant)
            rate = variant_of(self.results, "zero_result_rate", variant)
            print("%-6s %8d %11d %14.6f %10d %9d %17.6f" % (variant, ctr["n"], round(ctr["numerator"]), ctr["value"],
                                                             round(rate["numerator"]), round(rate["denominator"]), rate["value"]))
            self.assertEqual(ctr["n"], sessions)
            self.near(ctr["numerator"], clickers, "sessions with a click")
            self.near(rate["numerator"], zero, "searches without results")
            self.near(rate["denominator"], searches, "searches")
            self.near(rate["value"], zero / searches, "zero-result rate")

    def test_the_two_workers_did_the_work(self):
        self.assertEqual(self.results["run"]["workers"], 2)

    def test_every_value_equals_that_of_the_raw_log(self):
        for variant, metrics in self.raw.items():
            for metric, arm in metrics.items():
                with self.subTest(metric=metric, variant=variant):
                    row = variant_of(self.results, metric, variant)
                    self.near(row["numerator"], arm.x.sum(), "numerator")
                    self.near(row["value"], arm.value(), "value")

    def test_sample_ratio_mismatch_equals_scipy(self):
        observed = [len(self.raw[v]["ctr"].x) for v in "ab"]
        chi2, p = stats.chisquare(observed)
        srm = self.results["srm"]
        print("srm: chi2 %.4f p %.3g (SciPy %.4f %.3g)" % (srm["chi2"], srm["p"], chi2, p))
        self.near(srm["chi2"], chi2, "chi2")
        self.near(srm["p"], p, "p")
        self.assertAlmostEqual(srm["chi2"], PUBLISHED_SRM[0], delta=0.005)
        self.assertAlmostEqual(srm["p"], PUBLISHED_SRM[1], delta=0.05e-50)
        self.assertTrue(srm["alarm"])
        self.assertEqual(self.results["verdict"]["state"], "unhealthy")

    def test_comparisons_equal_scipy(self):
        for metric in self.raw["a"]:
            with self.subTest(metric):
                self.check_comparison(metric, variant_of(self.results, metric, "b")["comparison"])

    def check_comparison(self, metric, got):
        control, treatment = self.raw["a"][metric], self.raw["b"][metric]
        want, moments, level = compare(control, treatment)
        for name, value in want.items():
            if name != "df" or got["df"] is not None:
                self.near(got[name], value, name)
        reference = stats.norm() if got["df"] is None else stats.t(want["df"])
        critical = reference.isf((1 - level) / 2)
        if control.y is None:
            t, p = stats.ttest_ind(treatment.x, control.x, equal_var=False)
            self.near(got["statistic"], t, "statistic by ttest_ind")
            self.near(got["p"], p, "p by ttest_ind")
        self.near(got["p"], 2 * reference.sf(abs(want["statistic"])), "p")
        self.near(got["log10_p"], math.log10(got["p"]), "log10 p")
        for end, value in zip(got["difference_ci"], (want["difference"] - critical * want["se"],
                                                     want["difference"] + critical * want["se"])):
            self.near(end, value, "interval of the difference")
        for end, value in zip(got["lift_ci"], fieller(*moments, critical)):
            self.near(end, value, "interval of the lift")
        print("%-17s lift %+.6f [%+.6f, %+.6f] p %.4g = SciPy" % (metric, got["lift"], *got["lift_ci"], got["p"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
