#!/usr/bin/env python3
"""Writes fixtures/catalog/metrics.json: what a daemon answers on /v1/metrics after some metrics and experiments were made."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon  # noqa: E402

OWN = [
    {"key": "shoes_in_cart", "name": "Shoes in the cart", "kind": "proportion", "window": {"to_hours": 168},
     "description": "Share of units that put shoes into the cart within a week.",
     "numerator": {"of": "signals", "type": "cart", "where": {"params": {"category": "shoes"}}}},
    {"key": "revenue_capped", "name": "Revenue per unit, capped", "kind": "mean", "display": "money", "cap": {"percentile": 0.999},
     "description": "As revenue per unit; a unit counts no more than one in a thousand spends, so that one shop that buys for a year decides nothing.",
     "numerator": {"of": "signals", "type": "purchase", "sum": "value"}},
    {"key": "returned_orders", "name": "Returned orders", "kind": "ratio", "direction": "decrease", "min_units": 1000, "covariate_days": 0,
     "numerator": {"of": "sql", "select": "select unit, at, 1.0 as value\nfrom signals\nwhere type = 'order_returned'"},
     "denominator": {"of": "signals", "type": "purchase"}},
]
AB = [{"key": "a"}, {"key": "b"}]
EXPERIMENTS = [
    {"key": "shop-ranker", "name": "Less noisy ranking", "metrics": ["ctr", "clicks_per_query", {"metric": "zero_result_rate", "role": "guardrail"}]},
    {"key": "synonyms-abn", "name": "Three synonym lists for part numbers", "metrics": ["ctr", "shoes_in_cart"]},
]


def made(d, path, body):
    reply = d.post(path, body)
    assert reply.status == 201, reply


def main():
    with Daemon() as d:
        for metric in OWN:
            made(d, "/v1/metrics", metric)
        for e in EXPERIMENTS:
            made(d, "/v1/experiments", {"variants": AB, **e})
        d.post("/v1/experiments/shop-ranker/start")
        told = d.get("/v1/metrics").json
    for m in told["metrics"]:
        m["created_at"] = m["updated_at"] = "2026-11-20T09:30:00Z"
    with open(os.path.join(HERE, "fixtures", "catalog", "metrics.json"), "w", encoding="utf-8") as f:
        json.dump(told, f, indent=1, ensure_ascii=False)
        f.write("\n")


if __name__ == "__main__":
    main()
