#!/usr/bin/python3
"""Writes fixtures/search-everywhere.json and fixtures/health/…: what a daemon answers about an experiment that can be explored: record_result.py

Four metrics of 9000 made-up units (a fixed seed) over 21 days: an effect that wears off a little, is larger in one country, and is there on
every device. The rollups go into the daemon's database as the trainer writes them (tests/support/moments.py); every number is the daemon's.
"""
import json
import math
import os
import random
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon  # noqa: E402
from moments import days, publish, row  # noqa: E402

KEY, FIRST, DAYS, UNITS = "search-everywhere", "2026-03-02", 21, 9000
REPLICATES, DRAWN_RUN = 1000, "01960000-0000-7000-8000-000000000003"
COUNTRIES = {"de": 0.3, "fr": 0.2, "us": 0.15, "it": 0.12, "es": 0.1, "(other)": 0.08, "(none)": 0.05}
DEVICES = {"phone": 0.6, "desktop": 0.35, "tablet": 0.05}
METRICS = {  # how a unit's x and y are made of its days
    "ctr": lambda s: int(s["clicks"] > 0), "clicks_per_query": lambda s: (s["clicks"], s["queries"]), "zero_result_rate": lambda s: (s["empty"], s["queries"]),
    "time_to_first_click": lambda s: (s["seconds"], s["clicked"])}
FIELDS = ("clicks", "queries", "empty", "seconds", "clicked")


def a_day(rng, unit, since):
    """What one unit does on one day; nothing on most."""
    s = dict.fromkeys(FIELDS, 0.0)
    if since and rng.random() > 0.25:
        return s
    lift = (0.10 + 0.10 * 0.8 ** since + (0.25 if unit["country"] == "fr" else 0)) if unit["variant"] == "b" else 0
    for _ in range(1 + int(rng.expovariate(0.9))):
        s["queries"] += 1
        if rng.random() < (0.11 if unit["variant"] == "a" else 0.10):
            s["empty"] += 1
        elif rng.random() < unit["eager"] * (1 + lift):
            s["clicks"] += 1
            s["clicked"] += 1
            s["seconds"] += rng.expovariate(1 / 14)
    return s


def pick(rng, shares):
    return rng.choices(list(shares), list(shares.values()))[0]


def make_units(rng):
    units = []
    for _ in range(UNITS):
        unit = {"variant": rng.choice("ab"), "country": pick(rng, COUNTRIES), "device": pick(rng, DEVICES), "eager": rng.betavariate(2, 6),
                "first": int(DAYS * rng.random() ** 1.3)}
        unit["before"] = a_day(rng, {**unit, "variant": "a"}, 0) if rng.random() < 0.7 else dict.fromkeys(FIELDS, 0.0)
        unit["days"] = [a_day(rng, unit, day - unit["first"]) for day in range(unit["first"], DAYS)]
        units.append(unit)
    return units


def total(unit, upto=None):
    last = len(unit["days"]) if upto is None else upto - unit["first"] + 1
    return {f: sum(day[f] for day in unit["days"][:last]) for f in FIELDS}


def rows_of(units, sums, segment="", day=None):
    """Covariates are kept for the whole, as the trainer does."""
    rows = []
    for variant in "ab":
        mine = [(u, s) for u, s in zip(units, sums) if u["variant"] == variant]
        if mine:
            rows += [row(metric, variant, [of(s) for _, s in mine], segment, day, None if segment else [of(u["before"]) for u, _ in mine])
                     for metric, of in METRICS.items()]
    return rows


def part(units, chosen, segment, day=None):
    chosen = [u for u in units if chosen(u)]
    return rows_of(chosen, [total(u) for u in chosen], segment, day)


def all_rows(units, dates):
    rows = []
    for i, date in enumerate(dates):
        there = [u for u in units if u["first"] <= i]
        rows += rows_of(there, [total(u, i) for u in there], "", date)
        rows += part(units, lambda u: u["first"] == i, ":first_day", date)
        old = [u for u in units if len(u["days"]) > i]
        rows += rows_of(old, [u["days"][i] for u in old], "since:%d" % i)
    for dimension, shares in (("country", COUNTRIES), ("device", DEVICES)):
        for value in shares:
            rows += part(units, lambda u: u[dimension] == value, "%s=%s" % (dimension, value))
    return rows


def draw_anew(units):
    """[x, y] of both variants and every metric in each replicate, the data first: what the job "bootstrap" does, with other random numbers."""
    rng, n = random.Random(7), REPLICATES + 1
    sums = {(m, v): [[0.0, 0.0] for _ in range(n)] for m in METRICS for v in "ab"}
    poisson, chances = list(range(7)), [math.exp(-1) / math.factorial(k) for k in range(7)]
    for unit in units:
        weights = [1] + rng.choices(poisson, chances, k=REPLICATES)
        values = {m: of(total(unit)) for m, of in METRICS.items()}
        for m, value in values.items():
            x, y = value if isinstance(value, tuple) else (value, 1)
            for weight, into in zip(weights, sums[m, unit["variant"]]):
                into[0] += weight * x
                into[1] += weight * y
    return sums


def publish_drawn(d, units):
    sums, counted = draw_anew(units), {v: sum(u["variant"] == v for u in units) for v in "ab"}
    d.sql("insert into runs (id, job, params, engine, workers, state, started_at) values ('%s', 'bootstrap', '{}', 'local', 2, 'success', "
          "now() + interval '1 minute')" % DRAWN_RUN)
    for m in METRICS:
        pairs = [(a[0] / a[1], b[0] / b[1]) for a, b in zip(sums[m, "a"], sums[m, "b"])]
        found = []
        for values in ([b - a for a, b in pairs], [b / a - 1 for a, b in pairs]):
            cut = statistics.quantiles(values[1:], n=40, method="inclusive")
            found += [values[0], statistics.stdev(values[1:]), cut[0], cut[-1]]
        d.sql("insert into bootstrap_intervals values ('%s', '%s', 'b', 'a', %d, %d, %s, 0.95, %d, 0, '%s')"
              % (KEY, m, counted["b"], counted["a"], ", ".join(map(repr, found)), REPLICATES, DRAWN_RUN))


def record(d, units):
    dates = days(FIRST, DAYS)
    d.make_experiment(KEY, start=True, name="Search everywhere", origin="simulated",
                      hypothesis="SIMULATION: one search box for products, help and stores finds more, so that more visitors click.",
                      variants=[{"key": "a", "name": "Product search (control)"}, {"key": "b", "name": "Search everywhere"}],
                      metrics=["ctr", "clicks_per_query", "time_to_first_click", {"metric": "zero_result_rate", "role": "guardrail"}])
    publish(d, KEY, all_rows(units, dates), dates[-1], UNITS)
    publish_drawn(d, units)
    path = "/v1/experiments/%s/" % KEY
    asked = {"results": "results", "timeseries": "timeseries", "since_exposure": "timeseries?by=since_exposure", "cohort": "timeseries?by=cohort"}
    told = {name: d.get(path + question).json for name, question in asked.items()}
    told["segments"] = {dimension: d.get(path + "results?segment=" + dimension).json for dimension in told["results"]["dimensions"]}
    return told


def steady(told):
    """Instants of this run as those of the story."""
    e = told["results"]["experiment"]
    e.update(created_at="2026-03-01T09:30:00Z", started_at="2026-03-02T00:00:00Z", phase_started_at="2026-03-02T00:00:00Z")
    told["results"].update(computed_at=told["results"]["as_of"], lag_seconds=0)
    told["results"]["run"].update(id="01960000-0000-7000-8000-000000000002", signals=61877, seconds=1.9, splits=16)
    for comparison in (v["comparison"] for m in told["results"]["metrics"] for v in m["variants"]):
        if comparison and comparison["bootstrap"]:
            comparison["bootstrap"]["as_of"] = told["results"]["as_of"]
    return told


def main():
    units = make_units(random.Random(20260302))
    with Daemon() as d:
        told = steady(record(d, units))
        health = d.get("/v1/experiments/%s/health" % KEY).json
    with open(os.path.join(HERE, "fixtures", "health", KEY + ".json"), "w", encoding="utf-8") as f:
        json.dump(health, f, indent=2, ensure_ascii=False)
        f.write("\n")
    with open(os.path.join(HERE, "fixtures", KEY + ".json"), "w", encoding="utf-8") as f:
        f.write("{\n%s\n}\n" % ",\n".join("%s: %s" % (json.dumps(k), json.dumps(v, ensure_ascii=False)) for k, v in told.items()))


if __name__ == "__main__":
    main()
