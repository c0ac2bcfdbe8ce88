"""quality: what a sports site's names are (zzquerylog): the job query-intent beside naive Bayes and the majority, and SciPy's optimum of the same objective.

Names of teams, players, coaches and competitions as people click them, with what they are, and names with their sport. A fifth is held out by hash, a tenth calibrates.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "support"))
import classifier  # noqa: E402
from artifact import of_version  # noqa: E402
from daemon import SHARED_DATA, Daemon, wait_for  # noqa: E402

DATA = os.path.join(SHARED_DATA, "zzquerylog", "zz_query_log_queries.json")
PARAMS = {"holdout": .2, "calibration": .1, "min_examples": 50}


def texts(field):
    """Name → what it is; names that are two things are left out."""
    found = collections.defaultdict(set)
    with open(DATA, encoding="utf-8") as f:
        for q in json.load(f):
            for r in q["results"]:
                if r.get(field):
                    found[r["label"]].add(r[field])
    rows = [(t, next(iter(labels))) for t, labels in sorted(found.items()) if len(labels) == 1]
    count = collections.Counter(label for _, label in rows)
    return [r for r in rows if count[r[1]] >= PARAMS["min_examples"]]


def scores(rows, labels, p):
    y = np.array([labels.index(label) for _, label in rows])
    best = p.argmax(axis=1)
    f1 = [2 * ((best == k) & (y == k)).sum() / max(1, (best == k).sum() + (y == k).sum()) for k in range(len(labels))]
    return {"accuracy": (best == y).mean(), "macro_f1": np.mean(f1), "log_loss": -np.log(np.maximum(p[np.arange(len(y)), y], 1e-15)).mean()}


def naive_bayes(train, test, labels):
    """Multinomial, on the same n-grams, one added to each."""
    counts, prior = [collections.Counter() for _ in labels], np.array([sum(label == k for _, label in train) for k in labels], float)
    for t, label in train:
        counts[labels.index(label)].update(classifier.buckets(t))
    size, sums = len(set().union(*counts)), np.array([sum(c.values()) for c in counts])
    z = [[np.log(prior[k]) + sum(n * np.log((counts[k][b] + 1) / (sums[k] + size)) for b, n in classifier.buckets(t).items()) for k in range(len(labels))] for t, _ in test]
    return classifier.softmax(np.array(z))


def value(m, name):
    return "%.4f [%.4f, %.4f]" % tuple(m[name][k] for k in ("value", "low", "high"))


def judge(d, field):
    rows = texts(field)
    body = "\n".join(json.dumps({"text": t, "label": label}) for t, label in rows).encode()
    assert d.request("POST", "/v1/labelled-texts/%s/import?format=jsonl" % field.lower(), body).status == 201
    began = time.monotonic()
    done = d.run("trainer", "run", "query-intent", "--data-dir", d.dir, *(x for k, v in {**PARAMS, "texts": field.lower(), "model": field.lower()}.items() for x in ("--param", "%s=%s" % (k, v))))
    took = time.monotonic() - began
    m = d.get("/v1/models/%s/versions" % field.lower()).json["versions"][0]["metrics"]
    train, test = [r for r in rows if classifier.share(r[0]) >= .3], [r for r in rows if classifier.share(r[0]) < .2]
    c = classifier.Classifier(of_version(d, field.lower()).sections["classifier"])
    labels = c.labels
    y = np.array([[label == k for k in labels] for _, label in train], float)
    least, bias, weights = classifier.optimum(classifier.matrix([t for t, _ in train], c), y, np.ones(len(train)), 10)
    scipy_p = classifier.softmax(classifier.matrix([t for t, _ in test], c) @ weights + bias)
    major = np.tile(y.mean(axis=0), (len(test), 1))
    print("\n%s: %s; %d to train on, %d to judge by, %d n-grams, %.1f s\n" % (field, ", ".join("%s %d" % x for x in collections.Counter(label for _, label in rows).most_common()), len(train), len(test), len(c.idf), took))
    print("| | accuracy | macro F1 | log loss | ECE |\n|---|---|---|---|---|")
    print("| experimentd, job query-intent | %s | %s | %s | %.4f |" % (value(m, "accuracy"), value(m, "macro_f1"), value(m, "log_loss"), m["ece"]["value"]))
    for name, p in (("SciPy's optimum of the same objective, without temperature", scipy_p), ("multinomial naive Bayes, same n-grams", naive_bayes(train, test, labels)), ("always the most frequent", major)):
        s = scores(test, labels, p)
        print("| %s | %.4f | %.4f | %.4f | |" % (name, s["accuracy"], s["macro_f1"], s["log_loss"]))
    print("\nobjective %.8f, SciPy's %.8f; temperature %.3f" % (m["training"]["objective"], least, m["training"]["temperature"]))
    return [t for t, _ in test]


def alone(d, model, some):
    """Without HTTP: the model's code on one core."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(d.get("/v1/models/%s/versions/1/artifact" % model).body)
        f.flush()
        print("\nOn one core, without HTTP: " + subprocess.run([os.path.join(os.environ.get("BUILD_DIR", "build"), "bench", "classifier_speed"), f.name], input="\n".join(some), text=True, capture_output=True, check=True).stdout.split(" (")[0])


def speed(d, model, some):
    inputs = [{"text": t} for t in some[:100]]
    ask = lambda: d.post("/v1/models/%s/predict" % model, {"inputs": inputs})  # noqa: E731
    wait_for(lambda: ask().status == 200, "the model to be served")
    times = []
    for _ in range(100):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    print("\n%.1f µs a text (median of 100 requests of 100 texts, the client's time and HTTP within)" % (1e6 * sorted(times)[50] / len(inputs)))


def main():
    if not os.path.exists(DATA):
        print("the data is not here: %s" % DATA)
        return
    with Daemon() as d:
        some = judge(d, "type")
        judge(d, "sport")
        alone(d, "type", some)
        speed(d, "type", some)


if __name__ == "__main__":
    main()
