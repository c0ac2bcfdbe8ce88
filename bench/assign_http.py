#!/usr/bin/python3
"""Assignment over HTTP: 50 experiments of one unit evaluated in each request, beside nginx's constant and beside unleash-server.

wrk keeps 64 connections busy from core 1, each server has core 0 (unleash-server both, if it can use them); rounds in turn. CPU is user and
system time of all threads of the server, from /proc: on a shared machine it is the figure to trust (what the kernel does in interrupts is
charged to nobody, of all alike). It judges nothing.
"""
import argparse
import json
import os
import re
import tempfile
import time

import assign_common as common
import assign_unleash
import machine
from daemon import Daemon

COME_AGAIN, NEW = 10000, 200000  # units that ask again and again; and so many that each asks once, which is recorded
COLUMNS = "%-44s %9s %8s %8s %11s %11s"


def metric(d, name):
    return float(re.search(r"^%s (\S+)$" % name, d.get("/metrics", key=None).body.decode(), re.M).group(1))


def ask(unit):
    return json.dumps({"unit": unit["id"], "attributes": {k: unit[k] for k in ("country", "age", "premium", "device")}}, separators=(",", ":"))


class Target:
    """A server, what it is sent, and its rounds."""

    def __init__(self, name, server, url, script, daemon=None):
        self.name, self.pid, self.url, self.script, self.daemon, self.rows = name, server, url, script, daemon, []
        self.first = self.step = 0

    def run(self, seconds, keep=True):
        before = metric(self.daemon, "experimentd_exposures_total") if self.daemon else 0
        row = common.wrk(self.url, self.script, seconds, self.pid, machine.descendants(self.pid) if self.daemon else (), self.first)
        self.first += row["count"] if self.step else 0
        if self.daemon:
            row["exposures"] = (metric(self.daemon, "experimentd_exposures_total") - before) / row["count"]
        if keep:
            self.rows.append(row)
            print(COLUMNS % (self.name, "%.0f" % row["rate"], "%.0f" % row["p50"], "%.0f" % row["p99"], "%.2f" % row["cpu"],
                             "%.2f" % row["others"] if self.daemon else ""))


def run_rounds(targets, options):
    for t in targets:
        t.run(1, keep=False)
    print(COLUMNS % ("server", "req/s", "p50 us", "p99 us", "CPU us/req", "PG us/req"))
    for _ in range(options.rounds):
        for t in targets:
            t.run(max(1, options.seconds // 3) if t.step else options.seconds)  # new units fill the journal
            if t.daemon:  # what the loader still has to do must not fall into another's round
                t.daemon.wait_loaded()


def say_ratio(ours, theirs):
    print("  medians: CPU us/req %.2f and %.2f, ratio round by round %.2f; req/s %.0f and %.0f, ratio %.2f  (%s / %s)" % (
        machine.median(ours.rows, "cpu"), machine.median(theirs.rows, "cpu"), machine.ratio(ours.rows, theirs.rows, "cpu"),
        machine.median(ours.rows, "rate"), machine.median(theirs.rows, "rate"), machine.ratio(ours.rows, theirs.rows, "rate"), ours.name, theirs.name))


def post_target(d, directory, count):
    bodies = [ask(u) for u in common.units(count)]
    script = common.write_lua(os.path.join(directory, "post-%d.lua" % count), "POST", ["/v1/assign"] * count, bodies, "Bearer " + d.keys["client"])
    return Target("experimentd, %d experiments, %d units" % (common.EXPERIMENTS, count), d.process.pid, "http://%s:%d" % (d.host, d.port), script, d)


def post_many(d, directory, options):
    reply = d.post("/v1/assign", ask(common.units(1)[0]), key="client", headers={"Content-Type": "application/json"})
    split = sum(a["reason"] == "split" for a in reply.json["assignments"])
    nginx = common.Nginx(directory, options.port, reply.body.decode())
    few, many = post_target(d, directory, COME_AGAIN), post_target(d, directory, NEW)
    many.step = 1
    constant = Target("nginx, %d bytes, the same requests" % len(reply.body), nginx.pid, nginx.url, few.script)
    try:
        time.sleep(0.5)
        print("POST /v1/assign, all %d experiments (%d of them split the first unit), a reply of %d bytes" % (common.EXPERIMENTS, split, len(reply.body)))
        run_rounds([few, constant, many], options)
    finally:
        nginx.close()
    for t in (few, many):
        say_ratio(t, constant)
        print("  exposures written to the journal: %.2f a request (a repeat within the hour is dropped while it is known)" % machine.median(t.rows, "exposures"))
    return few


def get_one(d, directory, options):
    d.make_experiment("one", variants=[{"key": "control", "value": {"ranker": "bm25"}}, {"key": "treatment", "value": {"ranker": "ltr"}}])
    paths = ["/v1/assign/one?unit=" + u["id"] for u in common.units(COME_AGAIN)]
    reply = d.get(paths[0], key="client")
    script = common.write_lua(os.path.join(directory, "get.lua"), "GET", paths, None, "Bearer " + d.keys["client"])
    nginx = common.Nginx(directory, options.port + 1, reply.body.decode())
    ours = Target("experimentd, GET of 1 experiment, %d units" % COME_AGAIN, d.process.pid, "http://%s:%d" % (d.host, d.port), script, d)
    constant = Target("nginx, %d bytes, the same requests" % len(reply.body), nginx.pid, nginx.url, script)
    try:
        time.sleep(0.5)
        print("GET /v1/assign/{experiment}")
        run_rounds([ours, constant], options)
    finally:
        nginx.close()
    say_ratio(ours, constant)


def beside_unleash(d, directory, options, ours):
    reason = assign_unleash.install()
    if reason:
        print("unleash-server is left out: %s" % reason)
        return
    unleash = assign_unleash.Unleash(d, directory, options.port + 2)
    try:
        bodies = [assign_unleash.body_of(u) for u in common.units(COME_AGAIN)]
        script = common.write_lua(os.path.join(directory, "unleash.lua"), "POST", ["/api/frontend"] * COME_AGAIN, bodies, assign_unleash.FRONTEND)
        theirs = Target("unleash-server 8.2.0, %d flags, %d units" % (common.EXPERIMENTS, COME_AGAIN), unleash.pid, unleash.url, script)
        print("POST /api/frontend of unleash-server, NODE_ENV=production, no rate limits; %d of the flags are on for the first unit" % len(unleash.toggles))
        theirs.run(2, keep=False)
        ours.rows = []
        run_rounds([ours, theirs], options)
        say_ratio(ours, theirs)
    finally:
        unleash.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--port", type=int, default=18990, help="of nginx, and the two above it")
    options = parser.parse_args()
    machine.need("wrk", "nginx", "taskset")
    with tempfile.TemporaryDirectory() as directory, Daemon(threads=1) as d:
        os.chmod(directory, 0o755)
        common.make_experiments(d)
        machine.pin(d.process.pid, 0)
        ours = post_many(d, directory, options)
        get_one(d, directory, options)
        beside_unleash(d, directory, options, ours)


if __name__ == "__main__":
    main()
