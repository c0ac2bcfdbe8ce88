#!/usr/bin/env python3
"""xstat on extreme inputs: test_extremes.py [METHOD...]

Takes the inputs of our tables, puts an extreme number in the place of each number in turn, and looks at what comes: a crash, an answer
with a NaN (null where the table has none), a probability outside of 0 to 1, or a NaN that was not refused is a failure. What the right answer is,
the tables say; here it is only that there is one, or a reason.
"""
import json
import os
import subprocess
import sys

SOURCE_DIR = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
XSTAT = os.path.join(os.environ.get("BUILD_DIR") or os.path.join(SOURCE_DIR, "build-dev"), "xstat")
TABLES = os.path.join(SOURCE_DIR, "tests", "stats", "vectors")
EXTREMES = [0, -1, 1, 0.5, 1e-320, 1e-300, 1e-9, 1 - 2 ** -53, 1e15, 1e300, -1e300]
NOT_FINITE = ["NaN", "Infinity", "-Infinity"]
# Undefined where the data say nothing of them: no weights, one unit, a p of 0, tests that are too many.
MAY_BE_NULL = {"snips", "snips_se", "sndr", "ips_se", "dr_se", "hajek", "naive", "stratified", "stratified_se", "anderson_darling", "hommel"}
PROBABILITIES = {"p", "p_exact", "power", "p_one_sided", "rr", "err", "precision", "recall", "ap", "rbp", "cum_alpha", "nominal_p", "exit_up", "exit_lo"}
METHODS = ["msprt_and_confidence_sequence", "group_sequential", "plan_sequential", "holm_bh", "ks_uniform", "effect_trend", "ips_snips_dr", "ndcg_mrr_err"]
LONG = 8  # of longer arrays only the first numbers are replaced


def replaced(value, number):
    """Every copy of an input with one number replaced."""
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield number
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value[:LONG]) if isinstance(value, list) else ()
    for key, inner in entries:
        for changed in replaced(inner, number):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = changed
            yield copy


def ask(method, inputs):
    run = subprocess.run([XSTAT, method], input="".join(json.dumps(i) + "\n" for i in inputs), capture_output=True, text=True)
    lines = run.stdout.splitlines()
    if run.returncode != 0 or run.stderr or len(lines) != len(inputs):
        sys.exit("xstat %s: exit status %d\n%s\n%s" % (method, run.returncode, json.dumps(inputs[min(len(lines), len(inputs) - 1)]), run.stderr[:2000]))
    return [json.loads(line) for line in lines]


def wrong(answer):
    for field, value in answer.items():
        numbers = value if isinstance(value, list) else [value]
        if None in numbers and field not in MAY_BE_NULL:
            return "%s is not a number" % field
        if field in PROBABILITIES and any(isinstance(n, float) and not -1e-12 <= n <= 1 + 1e-9 for n in numbers):
            return "%s is no probability: %s" % (field, value)
    return None


def run_method(method):
    with open(os.path.join(TABLES, method + ".json"), encoding="utf-8") as f:
        bases = [case["input"] for case in json.load(f)["cases"] if "expect" in case]
    inputs = [changed for base in bases for number in EXTREMES for changed in replaced(base, number)]
    refused = [changed for base in bases for number in NOT_FINITE for changed in replaced(base, number)]
    failures, answered = [], 0
    for given, answer in zip(inputs, ask(method, inputs)):
        answered += "error" not in answer
        if "error" not in answer and wrong(answer):
            failures.append("%s: %s" % (wrong(answer), json.dumps(given)[:300]))
    for given, answer in zip(refused, ask(method, refused)):
        if "error" not in answer and '"NaN"' in json.dumps(given):
            failures.append("a NaN was answered: %s" % json.dumps(given)[:300])
    print("%-30s inputs %5d  answered %4d  failed %d" % (method, len(inputs) + len(refused), answered, len(failures)))
    for failure in failures[:10]:
        print("    " + failure)
    return not failures and answered > 0


def main():
    return 0 if all([run_method(method) for method in sys.argv[1:] or METHODS]) else 1


if __name__ == "__main__":
    sys.exit(main())
