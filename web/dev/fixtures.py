#!/usr/bin/python3
"""Writes web/dev/fixtures/*.json, the answers that the mock server gives: fixtures.py [--wikimedia search_data.csv]

Every number follows from unit records by the formulas of stats/compare.h (Welch, delta method, Fieller, Wilson, Pearson's
chi-square), with SciPy's distributions, so that what the page shows is consistent. The units are drawn with fixed seeds; those of
"wikimedia-2016" come from the real log named, and that fixture is left alone when no log is given.
"""
import argparse
import csv
import json
import math
import os

import numpy
from scipy import stats

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")
LEVEL = 0.95
ANALYSIS = {"method": "fixed", "text": "Fixed horizon: p and intervals are right when they are looked at once, at the planned end."}
METRICS = {  # key: name, description, kind, direction, display, role, column of x, column of y
    "ctr": ("Click-through", "share of units with at least one click after their first exposure",
            "proportion", "increase", "share", "primary", "clicked", None),
    "clicks_per_unit": ("Clicks per unit", "clicks of a unit after its first exposure",
                        "mean", "increase", "count", "secondary", "clicks", None),
    "clicks_per_query": ("Clicks per query", "clicks over queries, both after first exposure; variance clustered by unit (delta "
                         "method)", "ratio", "increase", "count", "secondary", "clicks", "queries"),
    "mrr": ("Mean reciprocal rank", "1 / position of the first click within 30 minutes of a query, 0 without one; mean over "
            "queries, clustered by unit", "ratio", "increase", "score", "secondary", "reciprocal", "queries"),
    "zero_result_rate": ("Zero-result rate", "queries without a result over queries whose number of results is known; clustered "
                         "by unit", "ratio", "decrease", "share", "guardrail", "empty", "known"),
    "time_to_first_click": ("Time to first click", "seconds from a query to its first click within 30 minutes, mean over queries "
                            "with a timed click; clustered by unit", "ratio", "decrease", "seconds", "secondary", "wait", "timed"),
}
METHODS = {
    "proportion": "Welch's t on units (0 or 1 each); Wilson interval of a share; Fieller interval of the lift",
    "mean": "Welch's t on units; t interval of a mean; Fieller interval of the lift",
    "ratio": "ratio of sums, variance by the delta method over units; Fieller interval of the lift",
}


def estimate(units, metric):
    """(value, variance of the value, degrees of freedom, numerator, denominator), or the reason why there is none."""
    kind, x = METRICS[metric][2], units[METRICS[metric][6]]
    n = len(x)
    if n < 2:
        return "fewer than 2 units"
    if kind != "ratio":
        return x.mean(), x.var(ddof=1) / n, n - 1, x.sum(), n
    y = units[METRICS[metric][7]]
    if y.sum() == 0:
        return "the denominator is 0"
    value = x.sum() / y.sum()
    return value, (x - value * y).var(ddof=1) / n / y.mean() ** 2, n - 1, x.sum(), y.sum()


def fieller(c, t, q):
    a, b, d = c[0] ** 2 - q * q * c[1], t[0] * c[0], t[0] ** 2 - q * q * t[1]
    if c[0] == 0:
        return {"lift_kind": "none", "lift": None, "lift_ci": None}
    lift = {"lift": t[0] / c[0] - 1}
    if a == 0 or b * b - a * d <= 0:
        return {"lift_kind": "whole_line", **lift, "lift_ci": None}
    s = b + math.copysign(math.sqrt(b * b - a * d), b)
    return {"lift_kind": "bounded" if a > 0 else "exclusive", **lift, "lift_ci": sorted([s / a - 1, d / s - 1])}


def no_comparison(reason):
    empty = ("difference", "difference_ci", "se", "statistic", "df", "p", "log10_p", "lift", "lift_ci")
    return {**dict.fromkeys(empty), "lift_kind": "none", "reason": reason, "outcome": "none"}


def compare(control, treatment, metric):
    c, t = estimate(control, metric), estimate(treatment, metric)
    if isinstance(c, str) or isinstance(t, str):
        return no_comparison("control: " + c if isinstance(c, str) else t)
    if c[1] + t[1] == 0:
        return no_comparison("all units of both variants have the same value: there is no variance to compare with")
    diff, se = t[0] - c[0], math.sqrt(c[1] + t[1])
    df = (c[1] + t[1]) ** 2 / (c[1] ** 2 / c[2] + t[1] ** 2 / t[2])
    log_p = math.log(2) + stats.t.logsf(abs(diff) / se, df)
    q = stats.t.isf((1 - LEVEL) / 2, df)
    better = (diff > 0) == (METRICS[metric][3] == "increase")
    outcome = "no_difference" if log_p >= math.log(1 - LEVEL) else "better" if better else "worse"
    return {"difference": diff, "difference_ci": [diff - q * se, diff + q * se], "se": se, "statistic": diff / se, "df": df,
            "p": math.exp(log_p), "log10_p": log_p / math.log(10), **fieller(c, t, q), "reason": None, "outcome": outcome}


def variant_row(key, units, metric, control):
    e = estimate(units, metric)
    row = {"variant": key, "n": len(units["clicked"])}
    if isinstance(e, str):
        row.update(numerator=0.0, denominator=None, value=None, ci=None, reason=e)
    else:
        half = stats.t.isf((1 - LEVEL) / 2, e[2]) * math.sqrt(e[1])
        ci = [e[0] - half, e[0] + half]
        if METRICS[metric][2] == "proportion":
            wilson = stats.binomtest(int(e[3]), int(e[4])).proportion_ci(LEVEL, method="wilson")
            ci = [wilson.low, wilson.high]
        row.update(numerator=e[3], denominator=e[4], value=e[0], ci=ci, reason=None)
    row["comparison"] = None if control is None else compare(control, units, metric)
    return row


def srm(counts, weights):
    total = sum(counts)
    expected = [total * w for w in weights]
    chi2 = sum((o - e) ** 2 / e for o, e in zip(counts, expected))
    df = len(counts) - 1
    log_p = stats.chi2.logsf(chi2, df)
    alarm = log_p < math.log(0.001)
    text = ("The shares of units differ from the weights by more than chance allows. Usual causes: exposures lost on one side "
            "(redirects, crashes, bots filtered on one side), a weight changed while running, a log that was thinned."
            if alarm else "The shares of units agree with the weights.")
    return {"alarm": alarm, "p": math.exp(log_p), "log10_p": log_p / math.log(10), "chi2": chi2, "df": df, "threshold": 0.001,
            "method": "Pearson's chi-square of units against weights", "observed": counts, "expected": expected, "text": text}


def effect(c):
    if c["lift_kind"] == "bounded":
        return "%+.2f %% (95 %% interval %+.2f %% to %+.2f %%)" % (c["lift"] * 100, *(100 * v for v in c["lift_ci"]))
    return "a difference of %+.4g (95 %% interval %+.4g to %+.4g)" % (c["difference"], *c["difference_ci"])


def verdict(experiment, rows, ratio):
    if ratio["alarm"]:
        return {"state": "unhealthy", "metric": None, "variant": None,
                "text": "Do not trust this result: the variants got other shares of the units than their weights (sample ratio "
                "mismatch, p = %.2g). Find the cause before reading any metric." % ratio["p"]}
    metric, names = rows[0], {v["key"]: v["name"] or v["key"] for v in experiment["variants"]}
    best = min(metric["variants"][1:], key=lambda v: v["comparison"]["log10_p"])
    c, arms = best["comparison"], len(metric["variants"]) - 1
    state = c["outcome"] if c["p"] < (1 - LEVEL) / arms else "no_difference"
    pair = (names[best["variant"]], names[metric["variants"][0]["variant"]])
    if state == "no_difference":
        text = "No difference shown: %s of \"%s\" against \"%s\" is " % (metric["name"], *pair)
    else:
        text = "\"%s\" is %s than \"%s\": %s " % (pair[0], state, pair[1], metric["name"])
    text += effect(c) + "."
    for row in rows:
        guard = next(v for v in row["variants"] if v["variant"] == best["variant"])["comparison"]
        if row["role"] == "guardrail" and guard["outcome"] == "worse":
            text += " Guardrail \"%s\" got worse: %s." % (row["name"], effect(guard))
    if arms > 1:
        text += " Level shared over %d comparisons (Bonferroni)." % arms
    if experiment["status"] == "running":
        text += " Still running: this is a fixed-horizon test, so decide at the planned end."
    return {"state": state, "metric": metric["metric"], "variant": best["variant"], "text": text}


def up_to(units, day):
    chosen = units["day"] <= day
    return {name: column[chosen] for name, column in units.items()}


def timeseries(experiment, arms, days, metrics):
    keys = [v["key"] for v in experiment["variants"]]
    series = []
    for metric in metrics:
        points = []
        for i, day in enumerate(days):
            rows = [variant_row(k, up_to(a, i), metric, up_to(arms[0], i) if j else None) for j, (k, a) in enumerate(zip(keys, arms))]
            points.append({"day": day, "variants": [
                {"variant": r["variant"], "n": r["n"], "value": r["value"],
                 **{f: (r["comparison"] or no_comparison(None))[f] for f in ("lift_kind", "lift", "lift_ci")}} for r in rows]})
        series.append({"metric": metric, "days": points})
    return {"experiment": experiment["key"], "level": LEVEL, "metrics": series}


def result(experiment, arms, run, as_of, multiple=0):
    keys = [v["key"] for v in experiment["variants"]]
    fields = ("name", "description", "kind", "direction", "display", "role")
    rows = [{"metric": m["metric"], **dict(zip(fields, METRICS[m["metric"]])), "method": METHODS[METRICS[m["metric"]][2]],
             "variants": [variant_row(k, a, m["metric"], arms[0] if i else None) for i, (k, a) in enumerate(zip(keys, arms))]}
            for m in experiment["metrics"]]
    counts = [len(a["clicked"]) for a in arms]
    ratio = srm(counts, [v["weight"] for v in experiment["variants"]])
    return {"experiment": experiment, "as_of": as_of, "computed_at": as_of, "units": sum(counts), "multiple_exposures": multiple,
            "level": LEVEL, "analysis": ANALYSIS, "run": run, "verdict": verdict(experiment, rows, ratio), "srm": ratio, "metrics": rows}


def experiment(key, name, status, origin, variants, hypothesis="", started="2026-03-02T08:00:00.000Z", stopped=None,
               metrics=tuple(METRICS)):
    return {"key": key, "name": name, "hypothesis": hypothesis, "status": status, "origin": origin, "hash_attribute": "id",
            "hash_version": 2, "seed": key, "coverage": 1, "version": 3, "created_at": "2026-03-01T09:30:00.000Z",
            "started_at": started, "stopped_at": stopped,
            "variants": [{"key": k, "name": n, "weight": w, "value": {"ranker": k}} for k, n, w in variants],
            "metrics": [{"metric": m, "role": METRICS[m][5]} for m in metrics]}


def draw(rng, n, days, click, empty=0.12):
    """Units of one variant: a few queries each, a click with probability `click` (a vector or number) a query."""
    queries = 1 + rng.poisson(1.4, n)
    clicks = rng.binomial(queries, click)
    timed = clicks.astype(float)
    return {"day": rng.integers(0, days, n), "queries": queries.astype(float), "known": queries.astype(float),
            "clicks": clicks.astype(float), "clicked": (clicks > 0).astype(float), "timed": timed,
            "reciprocal": timed * rng.choice([1, 0.5, 1 / 3, 0.25], n, p=[0.55, 0.2, 0.15, 0.1]),
            "wait": timed * rng.gamma(2, 7, n), "empty": rng.binomial(queries, empty).astype(float)}


def run_of(signals, seconds, workers=2, engine="local", retries=0):
    return {"id": "01960000-0000-7000-8000-000000000001", "engine": engine, "workers": workers, "signals": signals,
            "seconds": seconds, "splits": 16, "retries": retries}


def days_from(first, count):
    return [str(numpy.datetime64(first) + i) for i in range(count)]


def write(key, answer, series):
    def plain(value):
        if isinstance(value, numpy.generic):
            return value.item()
        raise TypeError(type(value))
    with open(os.path.join(HERE, key + ".json"), "w", encoding="utf-8") as f:
        json.dump({"results": answer, "timeseries": series}, f, indent=1, default=plain)
        f.write("\n")


def whole(exp, arms, days, run, multiple=0):
    end = days[-1] + "T23:00:00.000Z"
    metrics = [m["metric"] for m in exp["metrics"]]
    write(exp["key"], result(exp, arms, run, end, multiple), timeseries(exp, arms, days, metrics))


def wikimedia(path):
    sessions = {}
    first = numpy.datetime64("2016-03-01")
    with open(path, encoding="utf-8") as f:
        for r in csv.DictReader(f):
            s = sessions.setdefault(r["session_id"], dict.fromkeys(("queries", "known", "clicks", "reciprocal", "empty"), 0.0))
            s["group"], s["day"] = r["group"], int((numpy.datetime64(r["session_start_date"]) - first).astype(int))
            search = r["results"] != "-Inf"
            s["queries"] += search
            s["known"] += search
            s["empty"] += search and int(r["results"]) == 0
            s["clicks"] += int(r["num_clicks"])
            if search and r["first_click"] not in ("NA", "0"):
                s["reciprocal"] += 1 / int(r["first_click"])
    arms = []
    for group in "ab":
        chosen = [s for s in sessions.values() if s["group"] == group]
        arm = {k: numpy.array([s[k] for s in chosen]) for k in ("queries", "known", "clicks", "reciprocal", "empty", "day")}
        arms.append({**arm, "clicked": (arm["clicks"] > 0) * 1.0, "wait": arm["day"] * 0.0, "timed": arm["day"] * 0.0})
    exp = experiment("wikimedia-2016", "Wikimedia search satisfaction, March 2016", "stopped", "imported",
                     [("a", "Group a (control)", 0.5), ("b", "Group b", 0.5)], "Group b gets other search results.",
                     "2016-03-01T00:00:00.000Z", "2016-03-09T00:00:00.000Z")
    whole(exp, arms, days_from("2016-03-01", 8), run_of(18431, 0.84, retries=1))


def simulated():
    rng = numpy.random.default_rng(20260302)
    pair = [("a", "Noisy ranker (control)", 0.5), ("b", "Less noisy ranker", 0.5)]
    exp = experiment("shop-ranker", "Less noisy ranking", "running", "simulated", pair,
                     "SIMULATION: ranking with less noise puts relevant documents higher, so more visitors click.")
    arms = [draw(rng, 3021, 14, 0.27), draw(rng, 2979, 14, 0.33, empty=0.10)]
    whole(exp, arms, days_from("2026-03-02", 14), run_of(40122, 1.7), multiple=3)
    exp = experiment("shop-aa", "A/A check", "running", "simulated",
                     [("a", "Same (control)", 0.5), ("a2", "Same again", 0.5)],
                     "SIMULATION: both variants are the same; no metric should differ.")
    arms = [draw(rng, 1990, 14, 0.27), draw(rng, 2010, 14, 0.27)]
    whole(exp, arms, days_from("2026-03-02", 14), run_of(26870, 1.2))


def odd_ones():
    rng = numpy.random.default_rng(3)
    three = [("today", "Today's synonyms", 0.5), ("mined", "Synonyms mined from clicks", 0.25), ("none", "No synonyms", 0.25)]
    exp = experiment("synonyms-abn", "Three synonym lists for part numbers", "running", "live", three,
                     "Mined synonyms find more part numbers.", metrics=("ctr", "clicks_per_query", "zero_result_rate", "time_to_first_click"))
    arms = [draw(rng, 120, 3, 0.012, 0.30), draw(rng, 58, 3, 0.10, 0.16), draw(rng, 61, 3, 0.0, 0.45)]
    for arm in arms:
        arm["wait"] = arm["timed"] = arm["timed"] * 0
    arms[0]["wait"], arms[0]["timed"] = arms[0]["clicks"] * rng.gamma(2, 7, 120), arms[0]["clicks"]
    arms[1]["wait"], arms[1]["timed"] = arms[1]["clicks"] * rng.gamma(2, 7, 58), arms[1]["clicks"]
    whole(exp, arms, days_from("2026-03-02", 3), run_of(911, 0.2))
    exp = experiment("autocomplete-v3", "Autocomplete with popular queries", "draft", "live",
                     [("control", "", 0.9), ("popular", "", 0.1)], started=None)
    text = "No result yet: no aggregation has been published for this experiment. It starts with \"trainer run metrics\"."
    write(exp["key"], {"experiment": exp, "as_of": None, "computed_at": None, "units": 0, "multiple_exposures": 0, "level": LEVEL, "analysis": ANALYSIS,
                       "run": None, "verdict": {"state": "no_data", "metric": None, "variant": None, "text": text}, "srm": None,
                       "metrics": []}, {"experiment": exp["key"], "level": LEVEL, "metrics": []})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wikimedia", metavar="CSV", help="the real log, one row a search")
    options = parser.parse_args()
    simulated()
    odd_ones()
    if options.wikimedia:
        wikimedia(options.wikimedia)


if __name__ == "__main__":
    main()
