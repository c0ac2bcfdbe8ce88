#!/usr/bin/python3
"""/v1/rank with 1000 documents × 50 features, beside XGBoost's own prediction of the same matrix.

XGBoost trains 300 trees of depth 6; the daemon serves what it saved. In each round: requests to the daemon with the documents as one matrix and as one object
each (CPU: user and system time of the server's threads, from /proc, reading, JSON and writing included), then XGBoost's inplace_predict with one thread on
the matrix that lies in memory (CPU of this process). Scores are compared, to the last bit. `ranking_score` then says where the time of a request goes.
"""
import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import xgboost

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
import machine  # noqa: E402
from daemon import Daemon, program, wait_for  # noqa: E402

DOCS, FEATURES, TREES, DEPTH, ROWS = 1000, 50, 300, 6, 20000


def learn():
    rng = numpy.random.default_rng(1)
    x = rng.normal(size=(ROWS, FEATURES)).astype(numpy.float32)
    y = numpy.digitize(x[:, :10] @ rng.normal(size=10) + rng.normal(size=ROWS), [-3, 0, 3, 5])
    data = xgboost.DMatrix(x, y)
    data.set_group([100] * (ROWS // 100))
    parameters = {"objective": "rank:ndcg", "max_depth": DEPTH, "min_child_weight": 1e-3, "eta": 0.1, "tree_method": "hist", "nthread": 1, "seed": 1}
    return xgboost.train(parameters, data, TREES), rng.normal(size=(DOCS, FEATURES)).astype(numpy.float32)


class Asker:
    def __init__(self, d, body):
        self.d, self.body, self.cpu = d, body, []
        self.http = http.client.HTTPConnection(d.host, d.port)

    def once(self):
        self.http.request("POST", "/v1/rank", self.body, {"Authorization": "Bearer " + self.d.keys["client"], "Content-Type": "application/json"})
        reply = self.http.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise RuntimeError(text)
        return text

    def round(self, count):
        before = machine.threads_cpu(self.d.process.pid)
        for _ in range(count):
            self.once()
        self.cpu.append((machine.threads_cpu(self.d.process.pid) - before) / count * 1e6)


def predict_cpu(booster, matrix, count):
    before = time.process_time()
    for _ in range(count):
        booster.inplace_predict(matrix, predict_type="margin")
    return (time.process_time() - before) / count * 1e6


def bodies(matrix):
    rows = [[float("%.6g" % v) for v in row] for row in matrix]
    names = ["f%d" % i for i in range(FEATURES)]
    return {"one matrix": json.dumps({"values": rows}).encode(),
            "an object a document": json.dumps({"docs": [{"id": "doc-%d" % i, "features": dict(zip(names, r))} for i, r in enumerate(rows)]}).encode()}, \
        numpy.array(rows, numpy.float32)


def equal(answer, wanted):
    found = numpy.zeros(DOCS, numpy.float32)
    for d in json.loads(answer)["docs"]:
        found[d["index"] if "index" in d else int(d["id"][4:])] = d["score"]
    return bool((found == wanted).all())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--count", type=int, default=100, help="requests, and predictions, in a round")
    o = p.parse_args()
    booster, matrix = learn()
    booster.set_param({"nthread": 1})
    asked, matrix = bodies(matrix)
    with Daemon(threads=1) as d, tempfile.TemporaryDirectory() as directory:
        reply = d.post("/v1/models/bench/versions?format=xgboost", bytes(booster.save_raw("json")))
        assert reply.status == 201, reply
        d.request("PUT", "/v1/models/bench/aliases/champion", {"version": 1})
        wait_for(lambda: d.get("/v1/serving").json["models"], "the model to be served")
        wanted = booster.inplace_predict(matrix, predict_type="margin")
        askers, theirs = {name: Asker(d, body) for name, body in asked.items()}, []
        for name, a in askers.items():
            print("scores of %s equal XGBoost's to the last bit: %s" % (name, equal(a.once(), wanted)))
        for _ in range(o.rounds):
            for a in askers.values():
                a.round(o.count)
            theirs.append(predict_cpu(booster, matrix, o.count))
        artifact = os.path.join(directory, "artifact")
        with open(artifact, "wb") as f:
            f.write(d.get("/v1/models/bench/versions/1/artifact").body)
        beside = statistics.median(theirs)
        leaves = (d.get("/v1/models/bench/versions/1/export?format=summary").json["nodes"] + TREES) // 2
        print("%d documents, %d features, %d trees of depth %d with %d leaves; medians of %d rounds of %d; load %s" % (
            DOCS, FEATURES, TREES, DEPTH, leaves, o.rounds, o.count, open("/proc/loadavg", encoding="ascii").read().split()[0]))
        print("%-44s %10s %12s" % ("", "CPU us", "/ XGBoost"))
        print("%-44s %10.0f %12s" % ("XGBoost %s inplace_predict, one thread" % xgboost.__version__, beside, ""))
        for name, a in askers.items():
            cpu = statistics.median(a.cpu)
            print("%-44s %10.0f %12.2f" % ("/v1/rank, %s (%d kB)" % (name, len(a.body) // 1000), cpu, cpu / beside))
        for name, body in asked.items():
            file = os.path.join(directory, "body")
            with open(file, "wb") as f:
                f.write(body)
            done = subprocess.run([os.path.join(program("bench"), "ranking_score"), artifact, file], capture_output=True, text=True, check=True)
            t = json.loads(done.stdout)
            print("in process, %s: %.0f us reading (%.0f %%), %.0f us scoring, %.0f us in all" %
                  (name, t["read_us"], 100 * t["read_us"] / t["all_us"], t["score_us"], t["all_us"]))


if __name__ == "__main__":
    main()
