#!/usr/bin/env python3
"""xstat beside gbstats 0.8.0 on the same sufficient statistics: every section of what was recorded.

gbstats' answers were recorded by running it (../shared/vectors/gbstats.json beside the source tree; skipped when absent). Where its
arithmetic loses what is asked for, the test shows that, and compares with a sum of its own instead: the tail integral of math.erfc.
"""
import json
import math
import os
import subprocess
import sys
import unittest

SOURCE_DIR = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
XSTAT = os.path.join(os.environ.get("BUILD_DIR") or os.path.join(SOURCE_DIR, "build-dev"), "xstat")
RECORDED = os.path.normpath(os.path.join(SOURCE_DIR, "..", "shared", "vectors", "gbstats.json"))
SAME = 1e-10  # relative: gbstats forms variances from sums of squares, which loses that much
QUANTILE = 2e-9  # SciPy 1.10's t.ppf
LOST = 1e-12  # below this, 1 - cdf and φ - z (1 - cdf) have no digits worth comparing


RUNNING = {}  # one process a method; each line is answered before the next is asked


def answered(method, given):
    if method not in RUNNING:
        RUNNING[method] = subprocess.Popen([XSTAT, method], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    run = RUNNING[method]
    run.stdin.write(json.dumps(given) + "\n")
    run.stdin.flush()
    return json.loads(run.stdout.readline())


def tearDownModule():
    for method, run in RUNNING.items():
        run.stdin.close()
        assert run.wait() == 0 and not run.stdout.read(), method
        run.stdout.close()


def xstat(method, given):
    answer = answered(method, given)
    assert "error" not in answer, answer["error"]
    return answer


def moments(s):
    """Mean and variance of a statistic with sums; of a proportion gbstats takes p (1 - p)."""
    mean = s["sum"] / s["n"]
    if "sum_squares" not in s:
        return mean, mean * (1 - mean)
    return mean, (s["sum_squares"] - s["sum"] ** 2 / s["n"]) / (s["n"] - 1)


def covariance(x, y, products, n):
    return (products - x["sum"] * y["sum"] / n) / (n - 1)


def mean_arm(s, arm):
    mean, var = moments(s)
    return {"n_" + arm: s["n"], "mean_" + arm: mean, "var_" + arm: var}


def ratio_arm(s, arm):
    (num, var_num), (den, var_den) = moments(s["m_statistic"]), moments(s["d_statistic"])
    cov = covariance(s["m_statistic"], s["d_statistic"], s["m_d_sum_of_products"], s["n"])
    return {"n_" + arm: s["n"], "mean_num_" + arm: num, "mean_den_" + arm: den, "var_num_" + arm: var_num,
            "var_den_" + arm: var_den, "cov_" + arm: cov}


def adjusted_arm(s, arm):
    (y, var_y), (x, var_x) = moments(s["post_statistic"]), moments(s["pre_statistic"])
    cov = covariance(s["post_statistic"], s["pre_statistic"], s["post_pre_sum_of_products"], s["n"])
    return {"n_" + arm: s["n"], "mean_y_" + arm: y, "mean_x_" + arm: x, "var_y_" + arm: var_y, "var_x_" + arm: var_x,
            "cov_xy_" + arm: cov}


# Of a type: method, how an arm is given, and where the answer has (difference, se) and (lift, its se).
TYPES = {
    "ProportionStatistic": ("relative_lift", mean_arm, ("diff", "se_diff"), ("lift", "lift_se_delta"), "mean_c"),
    "SampleMeanStatistic": ("relative_lift", mean_arm, ("diff", "se_diff"), ("lift", "lift_se_delta"), "mean_c"),
    "RatioStatistic": ("ratio_delta", ratio_arm, ("diff", "se"), ("lift", "lift_se_delta"), None),
    "RegressionAdjustedStatistic": ("cuped", adjusted_arm, ("diff_grand", "se_grand"), ("growthbook_lift", "growthbook_lift_se"),
                                    "mean_y_c"),
}


def effect(case):
    """Ours on gbstats' numbers: estimate, standard error, baseline."""
    method, arm, absolute, relative, baseline = TYPES[case["a"]["type"]]
    given = {**arm(case["a"], "c"), **arm(case["b"], "t"), "alpha": 0.05}
    answer = xstat(method, given)
    keys = absolute if case["difference"] == "absolute" else relative
    return answer[keys[0]], answer[keys[1]], given[baseline] if baseline else answer["ratio_c"]


def welch_df(s_c, s_t):
    """gbstats': of the variances of the statistics, also for lifts."""
    v = [s["v"] / s["n"] for s in (s_c, s_t)]
    return sum(v) ** 2 / sum(x * x / (s["n"] - 1) for x, s in zip(v, (s_c, s_t)))


def variance_of(s, theta=0.0):
    """Of a unit's value, as gbstats has it."""
    if s["type"] == "RatioStatistic":
        (num, var_num), (den, var_den) = moments(s["m_statistic"]), moments(s["d_statistic"])
        cov, r = covariance(s["m_statistic"], s["d_statistic"], s["m_d_sum_of_products"], s["n"]), num / den
        return (var_num - 2 * r * cov + r * r * var_den) / den ** 2
    if s["type"] == "RegressionAdjustedStatistic":
        (_, var_y), (_, var_x) = moments(s["post_statistic"]), moments(s["pre_statistic"])
        return var_y + theta ** 2 * var_x - 2 * theta * covariance(s["post_statistic"], s["pre_statistic"], s["post_pre_sum_of_products"], s["n"])
    return moments(s)[1]


def df_of(case):
    theta = 0.0
    if case["a"]["type"] == "RegressionAdjustedStatistic":
        theta = xstat("cuped", {**adjusted_arm(case["a"], "c"), **adjusted_arm(case["b"], "t"), "alpha": 0.05})["theta_grand"][0]
    return welch_df(*({"n": case[k]["n"], "v": variance_of(case[k], theta)} for k in "ab"))


def tail_integral(z):
    """∫_z^∞ Q by Simpson's rule: what φ(z) - z Q(z) is, without the subtraction."""
    steps, end = 8000, z + 12
    h = (end - z) / steps
    q = [0.5 * math.erfc((z + k * h) / math.sqrt(2)) for k in range(steps + 1)]
    return h / 3 * sum(v * (1 if k in (0, steps) else 4 if k % 2 else 2) for k, v in enumerate(q))


class Recorded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(RECORDED, encoding="utf-8") as f:
            cls.recorded = json.load(f)

    def close(self, got, expected, what, floor=0.0):
        self.assertLessEqual(abs(got - expected), SAME * abs(expected) + floor, "%s: got %r, gbstats %r" % (what, got, expected))

    def test_adjustment_by_a_covariate(self):
        cases = [c for c in self.recorded["frequentist"] if c["a"]["type"] == "RegressionAdjustedStatistic"]
        for case in cases:
            estimate, se, _ = effect(case)
            self.close(estimate, case["point"], "point")
            self.close(se, case["se"], "se")
        print("adjustment: %d cases, points and standard errors of θ around the grand mean agree" % len(cases))

    def test_one_look(self):
        """Points, standard errors, p of both and one side, intervals."""
        for case in self.recorded["frequentist"]:
            estimate, se, _ = effect(case)
            self.close(estimate, case["point"], "point")
            self.close(se, case["se"], "se")
            df, z = df_of(case), estimate / se
            z = {"two": abs(z), "greater": z, "lesser": -z}[case["side"]]
            p = math.exp(xstat("special", {"f": "t_logsf", "t": z, "df": df})["y"]) * (2 if case["side"] == "two" else 1)
            self.close(p, case["p"], "p", LOST)
            tail = case["alpha"] / (2 if case["side"] == "two" else 1)
            half = xstat("special", {"f": "t_upper_quantile", "p": tail, "df": df})["y"] * se
            for end, sign in zip(case["ci"], (-1, 1)):
                if not isinstance(end, str):  # "inf": the open end of one side
                    self.close(estimate + sign * half, end, "interval", QUANTILE * half)
        print("one look: %d cases agree: points, standard errors, p, intervals" % len(self.recorded["frequentist"]))

    def test_any_look(self):
        for case in self.recorded["sequential"]:
            estimate, se, _ = effect(case)
            start = -2 * math.log(case["alpha"])
            rho = math.sqrt((start + math.log1p(start)) / case["tuning"])
            ours = xstat("msprt_and_confidence_sequence", {"effect": estimate, "se": se, "n": case["a"]["n"] + case["b"]["n"],
                                                            "alpha": case["alpha"], "sides": "two", "rho": rho})
            self.close(ours["p"], case["p"], "p", LOST)
            for end, key in zip(case["ci"], ("ci_lo", "ci_hi")):
                self.close(ours[key], end, key, SAME * ours["halfwidth"])
        print("any look: %d cases agree: p and intervals of confidence sequences with gbstats' tuning" % len(self.recorded["sequential"]))

    def test_sample_ratios(self):
        for case in self.recorded["srm"]:
            ours = xstat("chi_square_srm", {"observed": case["users"], "weights": case["weights"]})
            self.close(math.exp(ours["log_p"]), case["p"], "p")
        print("sample ratio: %d cases agree" % len(self.recorded["srm"]))

    def test_power_in_the_middle(self):
        """What a test has now, and with as many units again, of a lift that would be worth having."""
        for case in self.recorded["midpower"]:
            _, se, _ = effect({**case, "difference": "relative"})
            for key, units in (("power_now", 1), ("power_if_doubled", 2)):
                ours = xstat("plan_sequential", {"solve": "power", "method": "fixed", "alpha": 0.05, "effect": case["mde"], "n_c": units,
                                                 "var_c": se * se / 2, "var_t": se * se / 2})
                self.close(ours["power"], case[key], key)
        print("power in the middle: %d cases agree" % len(self.recorded["midpower"]))

    def test_where_gbstats_is_wrong(self):
        """Its answers were found by running it; ours are compared with sums in whole numbers and with math.erfc."""
        far = xstat("two_proportion", {"n_c": 100000, "x_c": 10000, "n_t": 100000, "x_t": 12000, "alpha": 0.05})
        z = 0.02 / math.sqrt((0.1 * 0.9 + 0.12 * 0.88) / 100000)
        self.assertLess(abs(far["log_p_unpooled"] / math.log(math.erfc(z / math.sqrt(2))) - 1), 1e-12)  # gbstats: exactly 0
        idle = xstat("chi_square_srm", {"observed": [1000, 1200, 0], "weights": [0.5, 0.5, 0]})
        chi2 = (1000 - 1100) ** 2 / 1100 * 2
        self.close(math.exp(idle["log_p"]), math.erfc(math.sqrt(chi2 / 2)), "an arm of weight 0 is none")  # gbstats: it counts in the total and as a degree of freedom
        few = xstat("two_proportion", {"n_c": 200, "x_c": 0, "n_t": 200, "x_t": 9, "alpha": 0.05})
        fisher = 2 * math.comb(200, 9) / math.comb(400, 9)  # both tables of 9 in one arm, and none is rarer
        self.close(few["fisher_p"], fisher, "Fisher's")  # gbstats: p 1 and no difference
        none = xstat("welch_t", {"n_c": 100, "mean_c": 0, "var_c": 1, "n_t": 100, "mean_t": 0.5, "var_t": 1, "alpha": 0.05})
        self.assertEqual(none["diff"], 0.5)  # gbstats: no result for a baseline of 0
        print("wrong in gbstats: 4 findings, ours agree with erfc and whole numbers")

    def test_bayesian_effects(self):
        lost = 0
        for case in self.recorded["bayesian"]:
            estimate, se, baseline = effect(case)
            prior, scale = case["prior"], abs(baseline) if case["difference"] == "absolute" else 1
            given = {"effect": estimate, "se": se, "alpha": 0.05, "prior_proper": prior["proper"],
                     "prior_mean": prior["mean"] * scale, "prior_var": prior["variance"] * scale**2}
            ours = xstat("normal_bayes", given)
            for key, expected in (("post_mean", case["expected"]), ("post_sd", case["sd"]), ("ci_lo", case["ci"][0]),
                                  ("ci_hi", case["ci"][1]), ("chance_to_win", case["chance_to_win"]),
                                  ("loss_keep", case["risk"][0]), ("loss_ship", case["risk"][1])):
                self.close(ours[key], expected, key, LOST)
            z = abs(ours["post_mean"]) / ours["post_sd"]
            smaller, chance = min(ours["loss_ship"], ours["loss_keep"]), max(case["chance_to_win"], 1 - case["chance_to_win"])
            log_other = min(ours["log_chance_to_win"], ours["log_chance_to_lose"])
            self.assertLessEqual(abs(smaller / (ours["post_sd"] * tail_integral(z)) - 1), 1e-9)
            self.assertAlmostEqual(log_other, math.log(math.erfc(z / math.sqrt(2)) / 2), 9)
            lost += abs((1 - chance) / math.exp(log_other) - 1) > 1e-4
        self.assertGreater(lost, 0)
        print("bayesian: %d cases agree; in %d the chance to lose is not in gbstats' chance to win any more, ours is erfc's" % (
            len(self.recorded["bayesian"]), lost))

    def test_quantiles(self):
        names = ("n", "n_star", "nu", "quantile_hat", "quantile_lower", "quantile_upper", "main_sum", "main_sum_squares",
                 "denominator_sum", "denominator_sum_squares", "main_denominator_sum_product", "n_clusters")
        zeros = impossible = 0
        for case in self.recorded["quantile"]:
            arms = {"arm_" + to: {k: case[of][k] for k in names if k in case[of]} for of, to in (("a", "c"), ("b", "t"))}
            if any(a.get("main_sum", 0) ** 2 > a.get("main_sum_squares", 0) * a.get("n_clusters", 1) for a in arms.values()):
                impossible += 1  # no numbers have such sums (Cauchy and Schwarz); gbstats makes a standard error of them
                self.assertEqual(answered("quantile_clustered", arms), {"error": "invalid: arm_c: a variance is negative"})
                continue
            ours = xstat("quantile_clustered", arms)
            keys = ("diff", "se") if case["difference"] == "absolute" else ("lift", "lift_se")
            self.close(ours[keys[0]], case["point"], "point")
            self.close(ours[keys[1]], case["se"], "se")
            if case["p"] == 0:  # 2 (1 - cdf) of 12.7 standard errors
                zeros += 1
                log_p = xstat("special", {"f": "norm_logcdf", "x": -ours[keys[0]] / ours[keys[1]]})["y"] + math.log(2)
                self.assertAlmostEqual(log_p, math.log(math.erfc(ours[keys[0]] / ours[keys[1]] / math.sqrt(2))), 9)
                self.assertLess(log_p, -80)
        self.assertEqual(zeros, 1)
        print("quantile: %d cases, %d agree, %d refused for sums that no data have; where gbstats says p = 0, ours is erfc's" % (
            len(self.recorded["quantile"]), len(self.recorded["quantile"]) - impossible, impossible))


if __name__ == "__main__":
    if not os.path.exists(RECORDED):
        print("skipped: %s is absent" % os.path.relpath(RECORDED, SOURCE_DIR))
        sys.exit(0)
    unittest.main()
