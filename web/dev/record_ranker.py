#!/usr/bin/env python3
"""Records fixtures/rewrites/ranker.json: a ranker of six versions, which XGBoost trained on made-up searches of a shop, the champion's summary as the daemon
gives it, and how much nDCG@10 is lost when a feature is shuffled. BUILD_DIR names the programs.
"""
import datetime
import json
import os
import sys

import numpy
import xgboost

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from artifact import Artifact, build, build_lists  # noqa: E402
from artifacts import run, statements  # noqa: E402
from daemon import Daemon  # noqa: E402

MODEL, QUERIES, DOCS, TRIED = "shop-ranker", 300, 20, 60
FIRST = datetime.datetime(2026, 11, 18, 3, 40, tzinfo=datetime.timezone.utc)
NAMES = ["bm25_title", "bm25_description", "title_length", "price", "price_to_median", "rating", "reviews", "age_days", "in_stock", "popularity", "ctr", "coec", "clicks",
         "purchases", "brand_match", "category_match", "query_words", "margin"]
WEIGHTS = [1.4, 0.5, -0.1, -0.2, -0.6, 0.4, 0.3, -0.15, 0.5, 0.6, 0.9, 1.1, 0.2, 0.5, 0.7, 0.8, 0, 0]


def searches(seed):
    rng = numpy.random.default_rng(seed)
    x = rng.normal(size=(QUERIES * DOCS, len(NAMES))).astype(numpy.float32)
    truth = x @ WEIGHTS + 0.8 * x[:, 0] * (x[:, 15] > 0) + rng.normal(size=len(x))
    return x, numpy.digitize(truth, [0, 1.5, 3, 4.5])


def ndcg(scores, y):
    """nDCG@10 with the gain 2^grade − 1, of each query."""
    discounts = 1 / numpy.log2(numpy.arange(2, 12))
    s, g = scores.reshape(QUERIES, DOCS), 2.0 ** y.reshape(QUERIES, DOCS) - 1
    got = numpy.take_along_axis(g, numpy.argsort(-s, axis=1, kind="stable"), 1)[:, :10] @ discounts
    best = -numpy.sort(-g, axis=1)[:, :10] @ discounts
    return numpy.divide(got, best, out=numpy.zeros_like(got), where=best > 0)


def learn(trees):
    x, y = searches(1)
    data = xgboost.DMatrix(x, y, feature_names=NAMES)
    data.set_group([DOCS] * QUERIES)
    return xgboost.train({"objective": "rank:pairwise", "max_depth": 4, "eta": 0.15, "nthread": 1, "seed": 1}, data, trees)


def shuffled(booster):
    """[{"name", "permutation"}], the worst first."""
    x, y = searches(2)
    base, rng, found = ndcg(booster.inplace_predict(x), y).mean(), numpy.random.default_rng(3), []
    for f, name in enumerate(NAMES):
        other = x.copy()
        other[:, f] = rng.permutation(other[:, f])
        found.append({"name": name, "permutation": round(float(base - ndcg(booster.inplace_predict(other), y).mean()), 5)})
    return sorted(found, key=lambda r: -r["permutation"])


def add(d, n, booster, section, champion, before):
    x, y = searches(2)
    each = ndcg(booster.inplace_predict(x), y)
    value, half = float(each.mean()), float(1.96 * each.std() / len(each) ** 0.5)
    better = before is None or value > before
    file = build("ranker", {"ranker": section, "importance": json.dumps(shuffled(booster)).encode(),
                            "signals": build_lists(["ctr", "coec", "clicks"], {"": [("doc-1", 0.1, 0.9, 12)]}), "card": b"{}"})
    day = (FIRST + datetime.timedelta(days=n)).date()
    gate = {"decision": "passed" if better else "refused", "champion": champion, "rule": "better" if champion else "first", "checks": [],
            "reason": "no version was there before" if not champion else "ndcg@10 %.4f, of version %d %.4f: above 0 is asked for" % (value, champion, before)}
    card = {"job": "learn-to-rank", "params": {"model": MODEL, "trees": 20 * n, "depth": 4, "gate_metric": "ndcg@10"}, "rows": QUERIES * DOCS,
            "window": {"from": str(day - datetime.timedelta(days=30)), "until": str(day - datetime.timedelta(days=1))}}
    metrics = {"ndcg@10": {"value": value, "low": value - half, "high": value + half, "level": 0.95, "n": len(each)}}
    what = {"status": "ready" if better else "refused", "artifact": Artifact(file).digest, "bytes": len(file), "card": card, "metrics": metrics, "gate": gate,
            "job_id": None, "parent_version": champion or None}
    rows = statements(MODEL, "ranker", (file, Artifact(file).digest))[:-2]
    rows.append("select model_version_add('%s', 'ranker', '%s'::jsonb)" % (MODEL, json.dumps(what).replace("'", "''")))
    if better:
        rows.append("select model_alias_set('%s', 'champion', %d, 'publish', 'learn-to-rank')" % (MODEL, n))
    rows.append("update model_versions set created_at = timestamptz '%s' where model = '%s' and version = %d" % ((FIRST + datetime.timedelta(days=n)).isoformat(), MODEL, n))
    run(d, rows)
    return (n, value) if better else (champion, before)


def main():
    champion, before = 0, None
    with Daemon() as d:
        for n in range(1, 7):
            booster = learn(TRIED * n // (1 if n != 4 else 40))
            d.post("/v1/models/raw/versions?format=xgboost", bytes(booster.save_raw("json")))
            section = Artifact(d.get("/v1/models/raw/versions/%d/artifact" % n).body).sections["ranker"]
            champion, before = add(d, n, booster, section, champion, before)
        recorded = {"model": d.get("/v1/models/" + MODEL).json, "versions": d.get("/v1/models/%s/versions?page_size=100" % MODEL).json["versions"],
                    "summary": d.get("/v1/models/%s/versions/@champion/export?format=summary" % MODEL).json}
    with open(os.path.join(HERE, "fixtures", "rewrites", "ranker.json"), "w", encoding="utf-8") as f:
        json.dump(recorded, f, ensure_ascii=False, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
