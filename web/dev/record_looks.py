#!/usr/bin/python3
"""Writes fixtures/ranker-weekly.json: what a daemon answers about an experiment with planned looks that has just stopped: record_looks.py

Four looks of 20 000 units, a click-through of 20 % and a true lift of 5 %. The daemon takes the looks itself, as the rollups come in.
"""
import datetime
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon, wait_for  # noqa: E402
from moments import publish, row  # noqa: E402
from record_result import steady  # noqa: E402

KEY = "ranker-weekly"
UNITS = (5200, 10100, 15300)


def main():
    rng = random.Random(11)
    clicks = {v: [int(rng.random() < chance) for _ in range(UNITS[-1] // 2)] for v, chance in (("a", 0.2), ("b", 0.215))}
    empty = {v: [(int(rng.random() < 0.1), 1) for _ in range(UNITS[-1] // 2)] for v in "ab"}
    first = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=1)
    with Daemon() as d:
        d.make_experiment(KEY, name="Ranker, looked at in four steps", origin="simulated",
                          hypothesis="SIMULATION: the new ranker gets more visitors to click.",
                          variants=[{"key": "a", "name": "Today"}, {"key": "b", "name": "New ranker"}],
                          metrics=["ctr", {"metric": "zero_result_rate", "role": "guardrail", "margin": 0.15}],
                          analysis={"method": "group_sequential", "planned_units": 20000, "looks": 4})
        rows = []
        for look, units in enumerate(UNITS):
            day = (first + datetime.timedelta(days=7 * look)).isoformat()
            for v in "ab":
                rows += [row("ctr", v, clicks[v][:units // 2], day=day), row("zero_result_rate", v, empty[v][:units // 2], day=day)]
            publish(d, KEY, rows, day, units)
            wait_for(lambda: len(d.results(KEY)["analysis"]["looks"]) == look + 1, "look %d" % (look + 1))
        told = steady({"results": d.results(KEY), "timeseries": d.get("/v1/experiments/%s/timeseries" % KEY).json})
    began = (first - datetime.timedelta(days=1)).isoformat() + "T00:00:00Z"
    told["results"]["experiment"].update(created_at=began, started_at=began, phase_started_at=began)
    with open(os.path.join(HERE, "fixtures", KEY + ".json"), "w", encoding="utf-8") as f:
        f.write("{\n%s\n}\n" % ",\n".join("%s: %s" % (json.dumps(k), json.dumps(v, ensure_ascii=False)) for k, v in told.items()))


if __name__ == "__main__":
    main()
