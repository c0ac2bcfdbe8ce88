#!/usr/bin/env python3
"""quality: exports: models that XGBoost and LightGBM learned, served here, and given back to both and to scorers of search engines.

Both packages learn from LightGBM's example (lightgbm_lambdarank) with missing values sown into it. What they saved is imported; /v1/rank is compared with the package's own
scores. Then each file that the daemon exports is scored: by the packages themselves, and by what tests/support/scorers.py says of the engines. Rows are the
test part, and rows where one value is a threshold, the float before it or behind it. Differences are the largest of all rows; packages that sum in double differ
in the last digits.
"""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "support"))
from daemon import SHARED_DATA, Daemon, wait_for  # noqa: E402

try:
    import lightgbm
    import numpy as np
    import xgboost
except ImportError:
    lightgbm = None

DATA = os.path.join(SHARED_DATA, "lightgbm_lambdarank")
ROWS, THRESHOLDS = 600, 800


def read(part):
    """Grades, rows (features of LightGBM's example are numbered from 1; every tenth value is sown missing) and sizes of queries."""
    y, rows = [], []
    with open(os.path.join(DATA, part), encoding="ascii") as f:
        for line in f:
            grade, *cells = line.split()
            y.append(float(grade))
            rows.append({int(k): float(v) for k, v in (c.split(":") for c in cells)})
    with open(os.path.join(DATA, part + ".query"), encoding="ascii") as f:
        sizes = [int(line) for line in f]
    x = np.zeros((len(rows), 301), np.float32)
    for i, row in enumerate(rows):
        for k, v in row.items():
            x[i, k] = v
    x[np.random.default_rng(len(rows)).random(x.shape) < 0.1] = np.nan
    return x[:, 1:], np.array(y), sizes


def learn():
    """name: (format, file, scores(rows))"""
    x, y, sizes = read("rank.train")
    names = ["f%d" % i for i in range(x.shape[1])]
    data = xgboost.DMatrix(x, y, feature_names=names)
    data.set_group(sizes)
    xgb = xgboost.train({"objective": "rank:ndcg", "max_depth": 6, "eta": 0.1, "nthread": 1, "seed": 1}, data, 100)
    squared = xgboost.train({"objective": "reg:squarederror", "max_depth": 6, "eta": 0.1, "nthread": 1, "seed": 1}, data, 100)
    gbm = lightgbm.train({"objective": "lambdarank", "num_leaves": 31, "verbose": -1, "num_threads": 1, "seed": 1}, lightgbm.Dataset(x, y, group=sizes), 100)
    return {"xgboost-ndcg": ("xgboost", bytes(xgb.save_raw("json")), lambda rows: xgb.inplace_predict(rows, predict_type="margin")),
            "xgboost-squared": ("xgboost", bytes(squared.save_raw("json")), lambda rows: squared.inplace_predict(rows, predict_type="margin")),
            "lightgbm": ("lightgbm", gbm.model_to_string().encode(), lambda rows: gbm.predict(rows, raw_score=True))}


def beside(forest, rows):
    rng, found = np.random.default_rng(2), list(rows)
    all_of = [t for t in forest.thresholds() if abs(t[1]) < np.finfo(np.float32).max]  # where only missing is told from the rest, nothing is beside
    for i in rng.permutation(len(all_of))[:THRESHOLDS]:
        feature, t = all_of[i]
        row = rows[i % len(rows)].copy()
        row[feature] = (np.nextafter(t, np.float32("-inf")), t, np.nextafter(t, np.float32("inf")))[i % 3]
        found.append(row)
    return np.array(found, np.float32)


def served(d, name, rows):
    found = np.zeros(len(rows), np.float32)
    for begin in range(0, len(rows), 1000):
        values = [[None if np.isnan(v) else float(v) for v in r] for r in rows[begin:begin + 1000]]
        for doc in d.post("/v1/rank", {"model": name, "values": values}, key="client").json["docs"]:
            found[begin + doc["index"]] = doc["score"]
    return found


def packages(d, name, directory, rows):
    """What the packages make of the daemon's files."""
    def file(which):
        path = os.path.join(directory, which + ".json")
        with open(path, "wb") as f:
            f.write(d.get("/v1/models/%s/versions/1/export?format=%s" % (name, which)).body)
        return path
    yield "XGBoost %s" % xgboost.__version__, xgboost.Booster(model_file=file("xgboost")).inplace_predict(rows, predict_type="margin")
    yield "LightGBM %s" % lightgbm.__version__, lightgbm.Booster(model_file=file("lightgbm")).predict(rows, raw_score=True)


def between(forest, solr, names, row):
    """Whether a value lies between a threshold and what Solr, which adds 1e-6 to its own, compares with: beside 0 no float hits the one before the threshold."""
    hit = solr.compared()
    return any(np.nextafter(t, np.float32("-inf")) == row[f] and (names[f], row[f]) not in hit for f, t in forest.thresholds())


def engines(d, name, forest, rows):
    """Scorers written from the engines' documentation; of RankLib, where a missing value is 0, rows without any."""
    from scorers import Elastic, RankLib, Solr, Vespa  # pylint: disable=import-outside-toplevel

    def get(which):
        return d.get("/v1/models/%s/versions/1/export?format=%s" % (name, which))
    names = [f["name"] for f in get("json").json["features"]]
    docs = [{n: float(v) for n, v in zip(names, r) if not np.isnan(v)} for r in rows]
    solr = Solr(get("solr-features").json, get("solr").json)
    kept = [i for i, r in enumerate(rows) if not between(forest, solr, names, r)]
    yield "Solr, but %d rows in its slack," % (len(rows) - len(kept)), rows[kept], [solr.score(docs[i]) for i in kept]
    for what, scorer in (("Elasticsearch", Elastic(get("elasticsearch-features").json, get("elasticsearch").json)),
                         ("Vespa", Vespa(get("vespa-profile").body.decode(), get("vespa").json))):
        yield what, rows, [scorer.score(doc) for doc in docs]
    whole = np.nan_to_num(rows)
    ranklib = RankLib(get("ranklib").body.decode())
    yield "RankLib", whole, [ranklib.score(r) for r in whole]


def one(d, name, how, file, score, test):
    from artifact import Artifact  # pylint: disable=import-outside-toplevel
    from rankers import Forest  # pylint: disable=import-outside-toplevel
    reply = d.post("/v1/models/%s/versions?format=%s" % (name, how), file)
    assert reply.status == 201, reply
    d.request("PUT", "/v1/models/%s/aliases/champion" % name, {"version": 1})
    wait_for(lambda: any(m["model"] == name and m["version"] for m in d.get("/v1/serving").json["models"]), "the model to be served")
    forest = Forest(Artifact(d.get("/v1/models/%s/versions/1/artifact" % name).body).sections["ranker"])
    rows = beside(forest, test)
    ours = served(d, name, rows)
    print("\n%s: %d trees, %d rows of which %d at a threshold or one float beside it" % (name, len(forest.trees), len(rows), len(rows) - len(test)))
    say("the package that learned it, /v1/rank", np.abs(score(rows) - ours))
    with tempfile.TemporaryDirectory() as directory:
        for what, scores in packages(d, name, directory, rows):
            say("our file in %s" % what, np.abs(scores - ours))
    few = rows[::4]
    for what, given, scores in engines(d, name, forest, few):
        say("our file, %s as documented" % what, np.abs(np.asarray(scores, float) - forest.score(given)))


def say(what, differences):
    print("  %-44s %6d rows, largest difference %.1e" % (what, len(differences), differences.max()))


def main():
    if lightgbm is None:
        print("exports: LightGBM and XGBoost cannot be had from PyPI here")
        return
    if not os.path.isdir(DATA):
        print("exports: %s is not there" % DATA)
        return
    test = read("rank.test")[0][:ROWS]
    with Daemon() as d:
        for name, (how, file, score) in learn().items():
            one(d, name, how, file, score, test)
            print("  %s" % json.dumps({k: v for k, v in d.get("/v1/models/%s/versions/1/export?format=summary" % name).json.items() if k in ("trees", "nodes", "depth", "features")}))


if __name__ == "__main__":
    main()
