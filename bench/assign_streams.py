#!/usr/bin/python3
"""Latency of assignment at half the capacity, alone and while the configuration changes and 10,000 streams follow it; memory of the streams.

The generator (load.c) sends at a fixed rate, latencies count from when a request was due. Generator, holder of the streams (assign_streams.c),
PostgreSQL and daemon share the machine's cores: the CPU that each used stands beside the figures. It judges nothing.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time

import assign_common as common
import machine
from assign_http import ask
from daemon import Daemon

CONNECTIONS = 64


def program(name):
    return os.path.join(common.BUILD_DIR, "bench", name)


class Bench:
    def __init__(self, d, directory, options):
        self.d, self.options = d, options
        self.requests = os.path.join(directory, "requests")
        with open(self.requests, "w", encoding="utf-8") as f:
            f.writelines("/v1/assign\t%s\n" % ask(u) for u in common.units(10000))

    def load(self, name, rate, seconds, quiet=False):
        """POSTs at a fixed rate (0: as fast as they are answered); prints latencies and who used which share of a core."""
        pids = {"daemon": [self.d.process.pid], "PostgreSQL": machine.descendants(self.d.process.pid)}
        before = {k: sum(map(machine.threads_cpu, v)) for k, v in pids.items()}
        started, busy = time.monotonic(), machine.machine_busy()
        out = subprocess.run([program("load"), self.d.host, str(self.d.port), self.d.keys["client"], self.requests, str(CONNECTIONS),
                              "%g" % rate, "%g" % seconds], capture_output=True, text=True, check=True).stdout
        spent = time.monotonic() - started
        row = json.loads(out)
        shares = {k: (sum(map(machine.threads_cpu, v)) - before[k]) / spent for k, v in pids.items()}
        shares["generator"] = row["cpu"] / spent
        shares["everything on the machine"] = (machine.machine_busy() - busy) / spent
        if not quiet:
            print("  %-46s %7.0f/s  p50 %6d  p99 %6d  p99.9 %6d  max %7d us%s   cores: %s" % (
                name, row["rate"], row["p50"], row["p99"], row["p999"], row["max"], "  REFUSED %d" % row["refused"] if row["refused"] else "",
                ", ".join("%s %.2f" % pair for pair in shares.items())))
        return row["rate"]


class Streams:
    def __init__(self, d, count):
        self.reached, self.bytes, self.cpu = {}, 0, 0.0
        self.process = subprocess.Popen([program("assign_streams"), d.host, str(d.port), "/sub/" + d.keys["client"], str(count)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "open":
            raise SystemExit("bench assign: the streams could not be opened")
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            first, second = line.split()
            if first == "bytes":
                self.bytes = int(second)
            elif first == "cpu":
                self.cpu = float(second)
            else:
                self.reached[int(first)] = int(second)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.reader.join()


class Edits:
    """Phases with other weights, `rate` a second, until stopped. When each was asked for, by the version of the configuration that it made."""

    def __init__(self, d, rate):
        self.d, self.rate, self.asked, self.took, self.going = d, rate, {}, [], True
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        connection = self.d.connection("admin")
        version = int(self.d.metric("experimentd_config_version"))
        start, k = time.monotonic(), 0
        while self.going:
            time.sleep(max(0.0, start + k / self.rate - time.monotonic()))
            weight = 0.4 + 0.01 * (k % 20)
            variants = [{"key": "control", "value": {"ranker": "bm25"}, "weight": 1 - weight},
                        {"key": "treatment", "value": {"ranker": "ltr"}, "weight": weight}]
            k += 1
            self.asked[version + k] = asked = time.monotonic_ns()
            reply = connection.request("POST", "/v1/experiments/ranker-%02d/phases" % (k % common.EXPERIMENTS),
                                       {"reassign": False, "variants": variants})
            if reply.status != 200:
                raise SystemExit("bench assign: an edit was refused: %r" % reply)
            self.took.append((time.monotonic_ns() - asked) / 1e6)
        connection.close()
        self.spent = time.monotonic() - start

    def stop(self):
        self.going = False
        self.thread.join()


def quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def say_edits(edits, streams):
    print("  %d changes in %.1f s (%.1f a second); a change's answer took p50 %.0f, p99 %.0f, max %.0f ms" % (
        len(edits.took), edits.spent, len(edits.took) / edits.spent, statistics.median(edits.took), quantile(edits.took, 0.99), max(edits.took)))
    delays = [(streams.reached[v] - t) / 1e6 for v, t in edits.asked.items() if v in streams.reached]
    if delays:
        print("  from a change's request to the last of all streams that has it, or a newer one: p50 %.0f, p99 %.0f, max %.0f ms (%d of %d changes)" % (
            statistics.median(delays), quantile(delays, 0.99), max(delays), len(delays), len(edits.asked)))


def memory(d, count):
    """Before anything else: memory that was used once and given back would hide what streams take."""
    few = Streams(d, 100)
    few.close()
    time.sleep(1.5)
    empty, started = machine.resident_kb(d.process.pid), time.monotonic()
    streams = Streams(d, count)
    opened, full = time.monotonic() - started, machine.resident_kb(d.process.pid)
    streams.close()
    print("  %d streams on /sub opened in %.1f s; resident memory of the daemon: %.1f MB with 0, %.1f MB with %d: %.0f bytes a stream" % (
        count, opened, empty / 1024, full / 1024, count, (full - empty) * 1024 / count))


def with_streams(b, options, rate):
    d = b.d
    streams = Streams(d, options.streams)
    try:
        b.load("with %d idle streams" % options.streams, rate, options.seconds)
        edits = Edits(d, options.changes)
        time.sleep(1)
        b.load("with %g changes a second to %d streams" % (options.changes, options.streams), rate, options.seconds)
        edits.stop()
        time.sleep(2)
    finally:
        streams.close()
    say_edits(edits, streams)
    print("  an event is %d bytes; the holder of the streams read %.0f MB and used %.1f s of CPU in all; resident memory of the daemon afterwards: %.1f MB" % (
        len(d.get("/api/features/" + d.keys["client"], key=None).body), streams.bytes / 1e6, streams.cpu, machine.resident_kb(d.process.pid) / 1024))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--streams", type=int, default=10000)
    parser.add_argument("--changes", type=float, default=10, help="of the configuration, a second")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, Daemon("--http-connections", str(options.streams + 2000), threads=options.threads) as d:
        common.make_experiments(d)
        b = Bench(d, directory, options)
        print("POST /v1/assign of %d experiments, %d connections; daemon with %d workers; %d cores for all" % (
            common.EXPERIMENTS, CONNECTIONS, options.threads, os.cpu_count()))
        memory(d, options.streams)
        b.load("warming up", 0, 2, quiet=True)
        rate = b.load("as fast as answered", 0, 4) / 2
        b.load("half of that, alone", rate, options.seconds)
        edits = Edits(d, options.changes)
        b.load("with %g changes a second, no streams" % options.changes, rate, options.seconds)
        edits.stop()
        with_streams(b, options, rate)


if __name__ == "__main__":
    main()
