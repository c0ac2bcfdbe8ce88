#!/usr/bin/env python3
"""The command xstat from outside: one answer a line whatever the line, nothing but JSON on its output."""
import json
import os
import subprocess
import unittest

SOURCE_DIR = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
XSTAT = os.path.join(os.environ.get("BUILD_DIR") or os.path.join(SOURCE_DIR, "build-dev"), "xstat")
WELCH = {"n_c": 10, "mean_c": 0.75, "var_c": 3.2, "n_t": 10, "mean_t": 2.33, "var_t": 4, "alpha": 0.05}


def xstat(*arguments, lines=""):
    run = subprocess.run([XSTAT, *arguments], input=lines, capture_output=True, text=True)
    assert "Sanitizer" not in run.stderr and "runtime error" not in run.stderr, run.stderr
    return run


def answer(method, given):
    run = xstat(method, lines=json.dumps(given) + "\n")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


class Command(unittest.TestCase):
    def test_lists_its_methods(self):
        self.assertEqual(xstat("--list").stdout.split(), ["moments", "welch_t", "mean_t", "ratio_delta", "relative_lift", "cuped", "winsorize", "post_strat",
                                                          "quantile_clustered", "mann_whitney", "two_proportion",
                                                          "chi_square_srm", "msprt_and_confidence_sequence", "group_sequential", "holm_bh", "shrinkage", "ks_uniform", "effect_trend", "team_draft_sign_test", "ndcg_mrr_err", "ranking_metrics", "rank_similarity", "judge_agreement", "paired_rankers", "bandit_weights", "beta_binomial", "normal_bayes", "ips_snips_dr", "power_two_proportion", "power_t", "plan_sequential", "special"])

    def test_explains_every_method(self):
        for method in xstat("--list").stdout.split():
            text = xstat(method, "--explain").stdout
            for word in (method, "formula:", "source:", "input:", "output:"):
                self.assertIn(word, text)

    def test_unknown_method_and_missing_method(self):
        run = xstat("welch")
        self.assertEqual((run.returncode, run.stdout), (64, ""))
        self.assertIn('there is no method "welch"', run.stderr)
        self.assertEqual(xstat().returncode, 64)
        self.assertEqual(xstat("welch_t", "--verbose").returncode, 64)

    def test_a_bad_line_is_answered_and_the_next_one_goes_on(self):
        lines = ["{", "", "[1]", "null", '{"n_c": 1}', '{"a": 1, "a": 2}', "\u0000", json.dumps(WELCH)]
        run = xstat("welch_t", lines="\n".join(lines))
        answers = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(run.returncode, 0)
        self.assertEqual(len(answers), len(lines))
        for got in answers[:-1]:
            self.assertRegex(got["error"], r"^[a-z-]+: .")
        self.assertAlmostEqual(answers[-1]["t"], 1.8624, 3)

    def test_the_error_names_the_field(self):
        for change, text in (({"n_c": None}, 'field "n_c" is not a whole number'), ({"n_c": 2.5}, 'field "n_c" is not a whole number'),
                             ({"var_c": "4"}, 'field "var_c" is not a number'), ({"alpha": 2}, "alpha 2 is not between 0 and 1"),
                             ({"n_t": 1}, "treatment: the variant has 1 unit, at least 2 are needed"),
                             ({"mean_c": "NaN"}, 'field "mean_c" is NaN: control: the mean or the variance is not a finite number'),
                             ({"bogus": 1}, "the object has a field that this method does not know (see --explain)")):
            self.assertEqual(answer("welch_t", {**WELCH, **change}), {"error": "invalid: " + text})
        missing = dict(WELCH)
        del missing["var_t"]
        self.assertEqual(answer("welch_t", missing), {"error": 'invalid: field "var_t" is missing'})

    def test_numbers_keep_17_digits(self):
        got = answer("moments", {"x": [0.1, 0.1, 0.1]})
        self.assertEqual(got["mean"], 0.1)
        self.assertEqual(answer("special", {"f": "norm_logcdf", "x": 0})["y"], -0.6931471805599453)

    def test_infinite_and_undefined_answers(self):
        srm = answer("chi_square_srm", {"observed": [5, 5, 1], "weights": [1, 1, 0]})
        self.assertEqual((srm["chi2"], srm["p"], srm["log_p"]), ("Infinity", 0, "-Infinity"))
        self.assertIsNone(answer("moments", {"x": [5]})["var"])


if __name__ == "__main__":
    unittest.main()
