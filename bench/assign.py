#!/usr/bin/python3
"""GET /v1/assign/{experiment} beside nginx returning a constant of the same size: one server core, one client core, rounds in turn.

Prints a row per round (requests per second, p50, p99, server CPU per request) and the medians with their ratios. It judges nothing.
CPU is user + system time of the server's threads, from /proc; on a shared machine it is the number to trust.
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from daemon import Daemon  # noqa: E402

LUA = """
local n = 0
local paths = {}
for i = 1, 4096 do paths[i] = "/v1/assign/bench?unit=user-" .. (i * 7919 % 1000003) end
request = function()
  n = n % 4096 + 1
  return wrk.format("GET", paths[n])
end
"""


def cpu_seconds(pid):
    ticks = 0
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/stat" % (pid, task), encoding="ascii") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        except FileNotFoundError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def wrk(url, key, script, seconds, pids):
    before = [cpu_seconds(p) for p in pids]
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", "-c64", "-d%ds" % seconds, "--latency", "-s", script,
                          "-H", "Authorization: Bearer " + key, url], capture_output=True, text=True, check=True).stdout
    spent = sum(cpu_seconds(p) - b for p, b in zip(pids, before))
    count = int(re.search(r"(\d+) requests in", out).group(1))
    if "Non-2xx" in out:
        raise SystemExit("the server answered with errors:\n" + out)

    def micros(percent):
        number, unit = re.search(r"%s%%\s+([\d.]+)(us|ms|s)" % percent, out).groups()
        return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]
    return {"per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), "p50_us": micros(50), "p99_us": micros(99),
            "cpu_us": spent / count * 1e6}


def start_nginx(directory, body, port):
    conf = os.path.join(directory, "nginx.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write("""
daemon off; master_process off; worker_processes 1; pid %(d)s/nginx.pid; error_log %(d)s/error.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; tcp_nodelay on;
  server { listen 127.0.0.1:%(p)d reuseport; location / { default_type application/json; return 200 '%(b)s'; } } }
""" % {"d": directory, "p": port, "b": body.replace("'", "\\'")})
    return subprocess.Popen(["taskset", "-c", "0", "nginx", "-p", directory, "-c", conf])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--port", type=int, default=18999, help="of nginx")
    args = parser.parse_args()
    for tool in ("wrk", "nginx", "taskset"):
        if not shutil.which(tool):
            raise SystemExit("bench assign: %s is not installed (script/setup installs it)" % tool)
    with tempfile.TemporaryDirectory() as directory, Daemon(threads=1) as d:
        os.chmod(directory, 0o755)
        d.make_experiment("bench", variants=[{"key": "control", "value": {"ranker": "bm25"}}, {"key": "treatment", "value": {"ranker": "ltr"}}])
        subprocess.run(["taskset", "-a", "-cp", "0", str(d.process.pid)], check=True, stdout=subprocess.DEVNULL)
        reply = d.get("/v1/assign/bench?unit=user-1", key="client")
        body = json.dumps(reply.json, separators=(",", ":"))
        body += " " * (len(reply.body) - len(body))
        script = os.path.join(directory, "units.lua")
        with open(script, "w", encoding="utf-8") as f:
            f.write(LUA)
        nginx = start_nginx(directory, body, args.port)
        try:
            time.sleep(1)
            rounds = {"experimentd": [], "nginx": []}
            key = d.keys["client"]
            targets = {"experimentd": ("http://%s:%d" % (d.host, d.port), [d.process.pid]), "nginx": ("http://127.0.0.1:%d" % args.port, [nginx.pid])}
            for url, pids in targets.values():
                wrk(url, key, script, 1, pids)
            print("reply %d bytes, 64 connections, server on core 0, wrk on core 1, %d rounds of %d s in turn" % (len(reply.body), args.rounds, args.seconds))
            print("%-12s %10s %8s %8s %12s" % ("server", "req/s", "p50 us", "p99 us", "CPU us/req"))
            for _ in range(args.rounds):
                for name, (url, pids) in targets.items():
                    row = wrk(url, key, script, args.seconds, pids)
                    rounds[name].append(row)
                    print("%-12s %10.0f %8.0f %8.0f %12.2f" % (name, row["per_second"], row["p50_us"], row["p99_us"], row["cpu_us"]))
            print("medians, and experimentd over nginx round by round:")
            for what, unit in (("per_second", "req/s"), ("p50_us", "p50 us"), ("p99_us", "p99 us"), ("cpu_us", "CPU us/req")):
                ours, theirs = ([r[what] for r in rounds[n]] for n in ("experimentd", "nginx"))
                print("  %-11s %10.2f %10.2f   ratio %.2f" % (unit, statistics.median(ours), statistics.median(theirs),
                                                           statistics.median(a / b for a, b in zip(ours, theirs))))
        finally:
            nginx.send_signal(signal.SIGTERM)
            nginx.wait()


if __name__ == "__main__":
    main()
