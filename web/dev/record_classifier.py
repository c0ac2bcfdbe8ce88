#!/usr/bin/python3
"""Records fixtures/rewrites/classifier.json, a classifier of two versions that were learned from made-up queries of a shop, and fixtures/jobs/off-policy.json, a run on a
made-up log with propensities: as the daemon gives them. BUILD_DIR names the programs.
"""
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
import bandit_log  # noqa: E402
from daemon import Daemon  # noqa: E402

KINDS = {"lamps": "lamp light bulb led shade lantern", "chairs": "chair stool seat bench armchair", "tables": "table desk bench counter", "rugs": "rug carpet mat runner", "clocks": "clock watch alarm timer",
         "shelves": "shelf rack bookcase case", "textiles": "curtain pillow blanket throw rug", "gifts": "gift card box set"}
COMMON = "red blue small large cheap oak steel new for with kids outdoor".split()


def texts(rng, n):
    rows = {}
    while len(rows) < n:
        label = rng.choices(list(KINDS), (9, 7, 6, 5, 4, 4, 3, 2))[0]
        words = rng.sample(COMMON, rng.randrange(0, 3)) + [rng.choice(KINDS[label].split()) + rng.choice(["", "", "s"])]
        if rng.random() < .3:
            words.append(rng.choice(KINDS[rng.choice(list(KINDS))].split()))
        rng.shuffle(words)
        rows[" ".join(words) + rng.choice(["", " %d" % rng.randrange(99)])] = label
    return "".join(json.dumps({"text": t, "label": label}) + "\n" for t, label in rows.items()).encode()


def decisions(rng, n):
    items, rows = ["doc-%d" % i for i in range(8)], []
    for i in range(n):
        shares = [1 / (1 + k) for k in range(len(items))]
        k = rng.choices(range(len(items)), shares)[0]
        rows.append({"at": "2026-11-%02dT12:00:00.%06dZ" % (10 + i % 9, i), "item": items[k], "position": rng.randrange(1, 4), "click": int(rng.random() < .06 + .02 * k), "propensity": shares[k] / sum(shares),
                     "unit": "unit-%d" % rng.randrange(n // 3), "id": "d-%d" % i, "query": rng.choice(["lamp", "oak table"])})
    return rows


def write(folder, name, value):
    with open(os.path.join(HERE, "fixtures", folder, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


def main():
    rng = random.Random(3)
    with Daemon() as d:
        for n in (900, 2400):
            assert d.request("POST", "/v1/labelled-texts/shop/import?format=jsonl", texts(rng, n)).status in (200, 201)
            d.run("trainer", "run", "query-intent", "--data-dir", d.dir, "--param", "texts=shop", "--param", "min_examples=20")
        write("rewrites", "classifier", {"model": d.get("/v1/models/query-intent").json, "versions": d.get("/v1/models/query-intent/versions").json["versions"]})
        bandit_log.send(d, decisions(rng, 6000))
        job = {"id": "off-policy", "type": "off-policy", "name": "Would uniform have won?", "params": {"as_of": "2026-11-20"}}
        assert d.post("/v1/jobs", job).status == 201
        d.run("trainer", "run", "off-policy", "--data-dir", d.dir, "--param", "as_of=2026-11-20")
        result = json.loads(d.sql("select result::text from runs where job = 'off-policy'")[0][0])
        with open(os.path.join(HERE, "fixtures", "jobs", "runs.json"), encoding="utf-8") as f:
            like = next(r for r in json.load(f)["runs"] if r["state"] == "success" and r["trigger"] == "manual")
        run = {**like, "id": "0a22005d-8676-4e0c-a089-b81d972ceffc", "job": "off-policy", "type": "off-policy", "params": job["params"], "result": result, "rows_in": result["decisions"]}
        write("jobs", "off-policy", {"job": d.get("/v1/jobs/off-policy").json, "run": run})


if __name__ == "__main__":
    main()
