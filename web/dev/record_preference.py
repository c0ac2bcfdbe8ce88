#!/usr/bin/python3
"""Writes fixtures/rankers-side-by-side.json: what a daemon answers about interleaved rankings, after ten days: record_preference.py

Three rankings in one list (multileave). Clicks fall on what is relevant: the new ranker has it on top, the old one at the bottom, the mix between.
"""
import datetime
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon  # noqa: E402

KEY, UNITS, QUERIES, DAYS = "rankers-side-by-side", 300, 1500, 10
GOOD, BAD = ["g%d" % i for i in range(4)], ["b%d" % i for i in range(4)]
RANKINGS = {"bm25": ["b0", "g0", "b1", "b2", "g1", "g2", "b3", "g3"], "mix": ["g1", "b0", "g0", "b1", "b2", "g2", "b3", "g3"],
            "ltr": ["g0", "g1", "b0", "g2", "b1", "g3", "b2", "b3"]}


def show(d, rng, i):
    unit, query = "unit-%d" % (rng.randrange(UNITS) ** 2 // UNITS), "q-%d" % i
    docs = d.post("/v1/interleave", {"unit": unit, "query_id": query, "experiment": KEY, "length": 5, "rankings": RANKINGS}, key="client").json["docs"]
    return [{"type": "click", "unit": unit, "query_id": query, "doc": doc} for doc in docs if rng.random() < (0.22 if doc in GOOD else 0.14)]


def spread_over_days(d):
    """What was shown a moment ago was shown day by day."""
    today = datetime.datetime.now(datetime.timezone.utc)
    for n in range(DAYS):  # there is a partition for those days, then
        d.post("/v1/signals", {"type": "view", "unit": "x", "timestamp": (today - datetime.timedelta(days=n)).isoformat()}, key="client")
    d.wait_loaded()
    for n in range(1, DAYS):
        d.sql("update signals set at = at - interval '%d days' where type = 'interleave' and substring(query_id from 3)::int %% %d = %d" % (n, DAYS, n))
    return (today - datetime.timedelta(days=DAYS - 1)).date()


def main():
    rng = random.Random(2)
    with Daemon("--marks-unit-signals-per-minute", "0") as d:
        d.make_experiment(KEY, name="Rankers side by side", kind="interleave", origin="simulated", interleave={"method": "multileave"},
                          hypothesis="SIMULATION: visitors click what the learned ranker shows.", analysis={"method": "any_time", "planned_units": 300},
                          variants=[{"key": "bm25", "name": "BM25"}, {"key": "mix", "name": "Mix of both"}, {"key": "ltr", "name": "Learned ranker"}])
        clicks = [c for i in range(QUERIES) for c in show(d, rng, i)]
        for start in range(0, len(clicks), 500):
            d.post("/v1/signals", clicks[start:start + 500], key="client")
        d.wait_loaded()
        first = spread_over_days(d)
        d.run("trainer", "run", "interleave", "--data-dir", d.dir)
        told = {"results": d.results(KEY), "timeseries": d.get("/v1/experiments/%s/timeseries" % KEY).json}
    began = first.isoformat() + "T00:00:00Z"
    told["results"]["experiment"].update(created_at=began, started_at=began, phase_started_at=began)
    with open(os.path.join(HERE, "fixtures", KEY + ".json"), "w", encoding="utf-8") as f:
        f.write("{\n%s\n}\n" % ",\n".join("%s: %s" % (json.dumps(k), json.dumps(v, ensure_ascii=False)) for k, v in told.items()))


if __name__ == "__main__":
    main()
