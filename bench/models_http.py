#!/usr/bin/python3
"""Serving of models over HTTP: /v1/recommend, /v1/rewrite and /v1/boosts, each beside nginx answering a constant of the same size; then the latency of
/v1/recommend while versions are swapped.

wrk keeps 64 connections busy from core 1, each server has core 0; rounds in turn. CPU is user and system time of all threads of the server, from /proc: on
a shared machine it is the figure to trust. Models are of 5000 units, 5000 items (64 factors) and 5000 queries. It judges nothing.
"""
import argparse
import os
import random
import sys
import tempfile
import threading
import time
import urllib.parse

import assign_common as common
import machine

sys.path.insert(0, os.path.join(common.HERE, "..", "tests", "support"))
import artifacts  # noqa: E402
from artifacts import lists  # noqa: E402
from daemon import Daemon, wait_for  # noqa: E402

UNITS, ITEMS, QUERIES, LIST, RANK, ASKED = 5000, 5000, 5000, 50, 64, 5000
COLUMNS = "%-46s %9s %8s %8s %11s %8s"
WORDS = ["lamp", "desk", "chair", "rug", "sofa", "vase", "shelf", "table", "mirror", "clock", "bed", "pillow", "curtain", "plant", "frame", "light"]


def query_text(i):
    return "%s %s %d" % (WORDS[i % 16], WORDS[i // 16 % 16], i // 256)


def recommender(seed):
    draw = random.Random(seed)
    item = ["item-%05d" % i for i in range(ITEMS)]

    def row():
        return [[item[draw.randrange(ITEMS)], round(10 - 0.1 * n, 3)] for n in range(LIST)]
    return artifacts.make("recommender", items_for_user=lists({"unit-%d" % u: row() for u in range(UNITS)}),
                          items_for_item=lists({i: row() for i in item}), popular=lists({"": row()}),
                          seen=lists({"unit-%d" % u: row()[:20] for u in range(UNITS)}, ["weight"]),
                          factors={"rank": RANK, "fold": "solve", "alpha": 40, "lambda": 0.01,
                                   "items": {i: [round(draw.gauss(0, 0.1), 4) for _ in range(RANK)] for i in item}})


def boosts():
    draw = random.Random(2)
    return artifacts.make("boosts", boosts=lists({query_text(q): [["doc-%05d" % draw.randrange(20000), round(100 / (1 + n), 3), 0.5 / (1 + n), 50 - n]
                                                                  for n in range(20)] for q in range(QUERIES)}, ["weight", "calibrated", "signals"]),
                          similar=lists({query_text(q): [[query_text(draw.randrange(QUERIES)), 0.9 - 0.1 * n] for n in range(5)] for q in range(QUERIES)}))


def rewrites():
    swapped = [[("spelling"), w[1] + w[0] + w[2:], w, 0.9] for w in WORDS]
    return artifacts.make_rewrites(swapped + [["synonym", w, w + "s", 0.8] for w in WORDS] + [["spelling", "word%dx" % i, "word%d" % i, 0.9] for i in range(5000)])


def catalogue():
    return artifacts.make("catalogue", names=lists({"": [["category"], ["price"]]}, ["value"]),
                          fields=lists({"item-%05d" % i: [['"c%d"' % (i % 10)], [str(i % 100)]] for i in range(ITEMS)}, ["value"]))


def publish_all(d):
    models = {"shop": ("recommender", recommender(1)), "boosts": ("boosts", boosts()), "rewrites": ("rewrites", rewrites()),
              "catalogue": ("catalogue", catalogue())}
    for name, (kind, artifact) in models.items():
        artifacts.publish(d, name, artifact, kind)
        print("  %-10s %6.1f MB" % (name, len(artifact[0]) / 1e6))
    wait_for(lambda: len(d.get("/v1/serving").json["models"]) == len(models), "the models to be served")


class Target:
    """A server, what it is sent, and its rounds."""

    def __init__(self, name, pid, url, script):
        self.name, self.pid, self.url, self.script, self.rows = name, pid, url, script, []

    def run(self, seconds, keep=True):
        row = common.wrk(self.url, self.script, seconds, self.pid)
        if keep:
            self.rows.append(row)
        return row

    def say(self, beside=None):
        m = {what: machine.median(self.rows, what) for what in ("rate", "p50", "p99", "cpu")}
        print(COLUMNS % (self.name, "%.0f" % m["rate"], "%.0f" % m["p50"], "%.0f" % m["p99"], "%.2f" % m["cpu"],
                         "%.2f" % machine.ratio(self.rows, beside.rows, "cpu") if beside else ""))


def requests():
    """name: method, targets, bodies"""
    quote = urllib.parse.quote
    query = [quote(query_text(q % QUERIES)) for q in range(ASKED)]
    wrong = [quote(WORDS[q % 16][1] + WORDS[q % 16][0] + WORDS[q % 16][2:] + " for " + WORDS[q // 16 % 16]) for q in range(ASKED)]
    history = ['{"for":"user","history":["item-%05d","item-%05d","item-%05d"]}' % (n % ITEMS, n * 7 % ITEMS, n * 31 % ITEMS) for n in range(ASKED)]
    return {
        "recommend, a user's list": ("GET", ["/v1/recommend?for=user&id=unit-%d" % (n % UNITS) for n in range(ASKED)], None),
        "recommend, similar items": ("GET", ["/v1/recommend?for=item&id=item-%05d" % (n % ITEMS) for n in range(ASKED)], None),
        "recommend, an unknown user": ("GET", ["/v1/recommend?for=user&id=new-%d" % n for n in range(ASKED)], None),
        "rewrite, a word corrected, two with synonyms": ("GET", ["/v1/rewrite?q=" + w for w in wrong], None),
        "boosts, the query's own": ("GET", ["/v1/boosts?similar=0&q=" + q for q in query], None),
        "boosts, with those of 5 similar ones": ("GET", ["/v1/boosts?q=" + q for q in query], None),
        "recommend, a filter": ("GET", ["/v1/recommend?for=user&id=unit-%d&filter=%s" % (n % UNITS, quote('{"price":{"$lt":50}}')) for n in range(ASKED)], None),
        "recommend, a history of 3 folded in": ("POST", ["/v1/recommend"] * ASKED, history),
    }


def beside_nginx(d, directory, options):
    pairs = []
    for i, (name, (method, targets, bodies)) in enumerate(requests().items()):
        reply = d.request(method, targets[0], bodies[0] if bodies else None, key="client", headers={"Content-Type": "application/json"} if bodies else {})
        assert reply.status == 200, reply
        script = common.write_lua(os.path.join(directory, "ask-%d.lua" % i), method, targets, bodies, "Bearer " + d.keys["client"])
        nginx = common.Nginx(directory, options.port + i, reply.body.decode())
        pairs.append((Target(name, d.process.pid, "http://%s:%d" % (d.host, d.port), script),
                      Target("  nginx, a constant of %d bytes" % len(reply.body), nginx.pid, nginx.url, script), nginx))
    try:
        time.sleep(0.5)
        for ours, theirs, _ in pairs:
            ours.run(1, keep=False)
            theirs.run(1, keep=False)
        for _ in range(options.rounds):
            for ours, theirs, _ in pairs:
                ours.run(options.seconds)
                theirs.run(options.seconds)
    finally:
        for _, _, nginx in pairs:
            nginx.close()
    print(COLUMNS % ("medians of %d rounds of %d s" % (options.rounds, options.seconds), "req/s", "p50 us", "p99 us", "CPU us/req", "/ nginx"))
    for ours, theirs, _ in pairs:
        ours.say(theirs)
        theirs.say()
    return pairs[0][0]


class Swapper(threading.Thread):
    """Points the alias to one of two versions and back, each time as soon as the other one is served."""

    def __init__(self, d, versions):
        super().__init__()
        self.d, self.versions, self.stop, self.swaps = d, versions, threading.Event(), 0

    def run(self):
        with self.d.sql_session() as session:
            while not self.stop.is_set():
                version = self.versions[self.swaps % 2]
                session.stdin.write("select model_alias_set('shop', 'champion', %d, 'set', 'bench')->>'version';\n" % version)
                session.stdin.flush()
                session.stdout.readline()
                wait_for(lambda version=version: version in [m["version"] for m in self.d.get("/v1/serving").json["models"] if m["model"] == "shop"],
                         "the version to be served")
                self.swaps += 1
                time.sleep(0.2)
            session.stdin.close()
            session.wait()


def while_swapped(d, target, options):
    versions = [1, artifacts.add(d, "shop", recommender(3))]
    quiet, swapped = Target("alone", target.pid, target.url, target.script), Target("while versions are swapped", target.pid, target.url, target.script)
    count = 0
    for _ in range(options.rounds):
        quiet.run(options.seconds)
        swapper = Swapper(d, versions[::-1])
        swapper.start()
        swapped.run(options.seconds)
        swapper.stop.set()
        swapper.join()
        artifacts.point(d, "shop", 1)
        count += swapper.swaps
    print(COLUMNS % ("recommend, a user's list", "req/s", "p50 us", "p99 us", "CPU us/req", ""))
    quiet.say()
    swapped.say()
    print("%d swaps of models of %.1f MB in %d s; no request failed" % (count, d.get("/v1/serving").json["models"][-1]["bytes"] / 1e6,
                                                                         options.rounds * options.seconds))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=3, help="of a round")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--port", type=int, default=18600, help="of nginx, and the next ones")
    options = p.parse_args()
    machine.need("wrk", "nginx", "taskset")
    with Daemon(threads=1) as d, tempfile.TemporaryDirectory() as directory:
        publish_all(d)
        machine.pin(d.process.pid, 0)
        target = beside_nginx(d, directory, options)
        while_swapped(d, target, options)


if __name__ == "__main__":
    main()
