#!/usr/bin/env python3
"""xstat on extreme inputs: test_extremes.py [METHOD...]

Twofold, and for every method that `xstat --list` names:

* The inputs of our tables with an extreme number in the place of each number in turn. A crash, an answer with a NaN (null where nothing is
  undefined) or a probability outside of 0 to 1 is a failure; so is a NaN that is answered, and a refusal of one that does not name its field.
  What the right answer is, the tables say; here it is only that there is one, or a reason.
* The cases of extreme_cases.py, where the right answer is known: one unit, no unit, values that are all the same, counts of 1e12,
  values near 1e8, p of 1e-300. A method without a case is a failure.
"""
import json
import math
import os
import subprocess
import sys

from extreme_cases import CASES, INPUTS

SOURCE_DIR = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
XSTAT = os.path.join(os.environ.get("BUILD_DIR") or os.path.join(SOURCE_DIR, "build-dev"), "xstat")
TABLES = os.path.join(SOURCE_DIR, "tests", "stats", "vectors")
EXTREMES = [0, -1, 1, 0.5, 1e-320, 1e-300, 1e-9, 1 - 2 ** -53, 1e12, 1e15, 1e300, -1e300]
NOT_FINITE = ["NaN", "Infinity", "-Infinity"]
# Where an infinity means something: a bound that cannot be crossed, an e-value of a certain thing, a sum that was too large.
MAY_BE_INFINITE = {"group_sequential": {"z"}, "holm_bh": {"log_e"}, "ips_snips_dr": {"sum_sq"}}
# Undefined where the data say nothing of them: no weights, one unit, a p of 0, tests that are too many, a control of 0, a set of lifts without ends,
# no variance, a leverage of 1, arms without overlap, arms too large for the exact distribution, no prior to compare with.
MAY_BE_NULL = {
    "judge_agreement": {"kappa", "tau"},
    "ips_snips_dr": {"snips", "snips_se", "sndr", "ips_se", "dr_se", "hajek", "naive", "stratified", "stratified_se"},
    "ks_uniform": {"anderson_darling"},
    "holm_bh": {"hommel"},
    "ratio_delta": {"fieller_lift_lo", "fieller_lift_hi", "lift", "lift_se_delta", "lift_ci_lo", "lift_ci_hi"},
    "relative_lift": {"ratio", "lift", "lift_se_delta", "delta_lo", "delta_hi", "log_ratio_se", "log_ratio_lo", "log_ratio_hi", "fieller_lo",
                      "fieller_hi", "fieller_lift_lo", "fieller_lift_hi"},
    "welch_t": {"df", "t", "log_p_two_sided", "p_two_sided", "log_p_greater", "log_p_less", "ci_lo", "ci_hi"},
    "cuped": {"ancova_se_hc2", "ancova_se_hc3", "ancova_se_ols", "lin_se_hc2", "lin_se_hc3", "lin_ate", "ancova_ate", "lift", "lift_lo", "lift_hi", "growthbook_lift", "growthbook_lift_se"},
    "winsorize": {"z", "log_p"},
    "post_strat": {"lift", "lift_se", "fieller_lift_lo", "fieller_lift_hi"},
    "quantile_clustered": {"lift", "lift_lo", "lift_hi", "lift_se", "lift_ci_lo", "lift_ci_hi", "z_scaled", "log_p_scaled", "z_outer", "log_p_outer",
                           "var_scaled_c", "var_scaled_t", "se_scaled"},
    "mann_whitney": {"bm_stat", "bm_df", "bm_log_p", "auc_lo", "auc_hi", "z", "log_p", "z_cc_abs", "log_p_cc", "p_exact", "p_exact_greater", "hodges_lehmann"},
    "two_proportion": {"z_pooled", "log_p_pooled", "p_pooled", "log_p_pooled_greater", "z_unpooled", "log_p_unpooled", "p_unpooled", "rr", "rr_katz", "rr_score"},
    "normal_bayes": {"log_bf10"},
    "power_t": {"mde_rel"},
    "paired_rankers": {"t", "log_p_t"},
}
PROBABILITIES = {"p", "p_exact", "power", "p_one_sided", "err", "precision", "recall", "ap", "rbp", "success", "rbo", "rbo_truncated", "jaccard", "overlap", "cum_alpha", "nominal_p", "exit_up", "exit_lo",
                 "sequential_p", "posterior_prob_srm", "i_squared"}
LONG = 8  # of longer arrays only the first numbers are replaced


def replaced(value, number, name=None):
    """(name of the field, copy) of an input with one number replaced."""
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield name, number
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value[:LONG]) if isinstance(value, list) else ()
    for key, inner in entries:
        for field, changed in replaced(inner, number, key if isinstance(key, str) else name):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = changed
            yield field, copy


def ask(method, inputs):
    run = subprocess.run([XSTAT, method], input="".join(json.dumps(i) + "\n" for i in inputs), capture_output=True, text=True)
    lines = run.stdout.splitlines()
    if run.returncode != 0 or run.stderr or len(lines) != len(inputs):
        sys.exit("xstat %s: exit status %d\n%s\n%s" % (method, run.returncode, json.dumps(inputs[min(len(lines), len(inputs) - 1)]), run.stderr[:2000]))
    return [json.loads(line) for line in lines]


def wrong(method, answer):
    for field, value in answer.items():
        numbers = value if isinstance(value, list) else [value]
        if None in numbers and field not in MAY_BE_NULL.get(method, ()):
            return "%s is not a number" % field
        if field in PROBABILITIES and any(isinstance(n, float) and not -1e-12 <= n <= 1 + 1e-9 for n in numbers):
            return "%s is no probability: %s" % (field, value)
    return None


def bases_of(method):
    path = os.path.join(TABLES, method + ".json")
    if not os.path.exists(path):
        return INPUTS[method]
    with open(path, encoding="utf-8") as f:
        return [case["input"] for case in json.load(f)["cases"] if "expect" in case]


def try_replaced(method):
    """(failures, inputs, answered)"""
    bases = bases_of(method)
    inputs = [changed for base in bases for number in EXTREMES for _, changed in replaced(base, number)]
    failures, answered = [], 0
    for given, answer in zip(inputs, ask(method, inputs)):
        answered += "error" not in answer
        if "error" not in answer and wrong(method, answer):
            failures.append("%s: %s" % (wrong(method, answer), json.dumps(given)[:300]))
    spoilt = [(number, field, changed) for base in bases for number in NOT_FINITE for field, changed in replaced(base, number)]
    for (number, field, given), answer in zip(spoilt, ask(method, [changed for _, _, changed in spoilt])):
        if "error" not in answer:
            if number == "NaN" or field not in MAY_BE_INFINITE.get(method, ()):
                failures.append("%s of %s was answered: %s" % (number, field, json.dumps(given)[:300]))
        elif '"%s"' % field not in answer["error"]:
            failures.append("%s of %s is refused without its name: %s" % (number, field, answer["error"]))
    return failures, len(inputs) + len(spoilt), answered


def agrees(got, want, tolerance):
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(agrees(g, w, tolerance) for g, w in zip(got, want))
    if isinstance(want, float) and isinstance(got, (int, float)):
        return got == want or math.isclose(got, want, rel_tol=tolerance)
    return got == want


def try_cases(method):
    failures = []
    for (name, given, want, tolerance), answer in zip(CASES[method], ask(method, [case[1] for case in CASES[method]])):
        if isinstance(want, str):
            if want not in answer.get("error", ""):
                failures.append("%s: not refused with %r but %s" % (name, want, json.dumps(answer)[:200]))
            continue
        for field, value in want.items():
            if not agrees(answer.get(field), value, tolerance):
                failures.append("%s: %s is %r, not %r" % (name, field, answer.get(field, answer.get("error")), value))
    return failures


def run_method(method):
    if not CASES.get(method):
        print("%-30s has no case in extreme_cases.py" % method)
        return False
    failures, inputs, answered = try_replaced(method)
    failures += try_cases(method)
    print("%-30s inputs %5d  answered %4d  cases %2d  failed %d" % (method, inputs, answered, len(CASES[method]), len(failures)))
    for failure in failures[:10]:
        print("    " + failure)
    return not failures and answered > 0


def methods():
    listed = subprocess.run([XSTAT, "--list"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines() if line.strip()]


def main():
    return 0 if all([run_method(method) for method in sys.argv[1:] or methods()]) else 1


if __name__ == "__main__":
    sys.exit(main())
