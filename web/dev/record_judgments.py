#!/usr/bin/env python3
"""Records fixtures/judgments/*.json: judgments by people, of clicks and of both, and query sets, as a daemon answers of them after the jobs were run over
simulated searches of a furniture shop. BUILD_DIR names the programs.
"""
import datetime
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon  # noqa: E402

OUT = os.path.join(HERE, "fixtures", "judgments")
DAY = datetime.date(2026, 11, 20)
QUERIES = ["desk lamp", "office chair", "bookcase", "oak table", "sofa bed", "floor lamp", "red wine glasses", "standing desk", "wardrobe", "bedside table", "rug 200x300", "bar stool",
           "mirror", "coat rack", "bean bag", "led strip", "kids desk", "shoe cabinet", "garden bench", "tv stand", "monitor arm", "picture frame", "room divider", "umbrella stand"]


def documents(query):
    return ["%s-%d" % (query.replace(" ", "-"), n) for n in range(1, 10)]


def searches(rng):
    worth = {d: rng.random() ** 2 for q in QUERIES for d in documents(q)}
    for number, query in enumerate(QUERIES):
        for _ in range(900 // (number + 1)):
            shown = sorted(documents(query), key=lambda d: -worth[d] + rng.gauss(0, 0.35))[:8]
            yield query, shown, [d for p, d in enumerate(shown) if rng.random() < worth[d] * 0.9 / (1 + p * 0.7)], worth


def send(d, rng):
    start, rows, worth = datetime.datetime.combine(DAY, datetime.time(0), datetime.timezone.utc), [], {}
    for n, (query, shown, clicked, worth) in enumerate(searches(rng)):
        at = lambda s: (start + datetime.timedelta(seconds=20 * n + s)).isoformat()  # noqa: E731
        base = {"unit": "unit-%d" % (n % 900), "query": query, "query_id": "q-%d" % n}
        rows += [{**base, "type": "request", "timestamp": at(0)}, {**base, "type": "response", "timestamp": at(1), "value": len(shown), "params": {"docs": shown}}]
        rows += [{**base, "type": "click", "timestamp": at(2 + k), "doc": doc, "position": shown.index(doc) + 1} for k, doc in enumerate(clicked)]
    for at in range(0, len(rows), 2000):
        assert d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in rows[at:at + 2000]).encode(), key="client").status == 200
    d.wait_loaded()
    return worth


def graded(d, worth, rng):
    """People have judged the best known documents of some queries, and a few are still to be judged."""
    lines = []
    for query in QUERIES[:14]:
        for doc in documents(query)[:7]:
            grade = None if rng.random() < 0.08 else min(3, max(0, round(3.4 * worth[doc] + rng.gauss(0, 0.7))))
            lines.append(json.dumps({"query": query, "doc": doc, "grade": grade, "judge": rng.choice(["anna", "ben"])}))
    assert d.post("/v1/judgments", {"name": "search-team", "description": "Graded by the search team, two judges.", "max_grade": 3}).status == 201
    assert d.request("PUT", "/v1/judgments/search-team/ratings", "\n".join(lines).encode()).status == 200


def trained(d, job, **params):
    d.run("trainer", "run", job, "--data-dir", d.dir, *(x for k, v in {"as_of": DAY, "days": 7, **params}.items() for x in ("--param", "%s=%s" % (k, v))))


def save(name, answer):
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(answer, f, ensure_ascii=False, indent=1)
        f.write("\n")


def main():
    rng = random.Random(8)
    with Daemon() as d:
        graded(d, send(d, rng), rng)
        trained(d, "judgments", method="coec", scale="raw", set="coec")
        trained(d, "judgments", method="click_skip", human="search-team", set="ground-truth", scale="quantile")
        trained(d, "query-set", set="nightly", size=12)
        assert d.post("/v1/query-sets/must-work/import?format=text", b"desk lamp\nsofa bed\nreturns\ngift card\n").status == 200
        names = [s["name"] for s in d.get("/v1/judgments").json["judgment_sets"]]
        save("judgments", {"sets": [d.get("/v1/judgments/%s" % n).json for n in names],
                           "ratings": {n: d.get("/v1/judgments/%s/ratings?limit=1000" % n).json["ratings"] for n in names}})
        sets = d.get("/v1/query-sets").json["query_sets"]
        save("query_sets", {"query_sets": sets, "queries": {s["name"]: d.get("/v1/query-sets/%s/queries" % s["name"]).json["queries"] for s in sets}})


if __name__ == "__main__":
    main()
