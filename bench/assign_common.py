"""What the parts of the benchmark of assignment share: the experiments, the units, CPU time from /proc, nginx and wrk."""
import os
import random
import signal
import subprocess
import sys

import machine

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "support"))
BUILD_DIR = os.environ.get("BUILD_DIR", os.path.join(HERE, "..", "build"))
COUNTRIES = ["DE", "US", "FR", "GB", "IT", "ES", "PL", "NL"]
EXPERIMENTS = 50


def countries(i):
    return [COUNTRIES[(i + k) % len(COUNTRIES)] for k in range(6)]


def least_age(i):
    return 16 + i % 7


def targeting(i):
    """Two conditions that a good half of the units meets, different for each experiment."""
    return {"country": {"$in": countries(i)}, "age": {"$gte": least_age(i)}}


def units(count):
    draw = random.Random(20160301)
    return [{"id": "user-%d" % draw.randrange(10 ** 7), "country": draw.choice(COUNTRIES), "age": draw.randrange(12, 80),
             "premium": draw.random() < 0.3, "device": draw.choice(["mobile", "desktop"])} for _ in range(count)]


def make_experiments(d, count=EXPERIMENTS):
    """On a running daemon: started, each with the targeting above and values of the size that a search's are."""
    for i in range(count):
        d.make_experiment("ranker-%02d" % i, targeting=targeting(i), variants=[
            {"key": "control", "value": {"ranker": "bm25"}}, {"key": "treatment", "value": {"ranker": "ltr-%d" % i}}])


class Nginx:
    """One worker that answers every request with the same body."""

    def __init__(self, directory, port, body):
        pieces = [body[i:i + 3000].replace("\\", "\\\\").replace("'", "\\'") for i in range(0, len(body), 3000)]  # its parser takes 4096
        sets = " ".join("set $part%d '%s';" % pair for pair in enumerate(pieces))
        conf = os.path.join(directory, "nginx-%d.conf" % port)
        with open(conf, "w", encoding="utf-8") as f:
            f.write("""daemon off; master_process off; worker_processes 1; pid %(d)s/nginx-%(p)d.pid; error_log %(d)s/error.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; tcp_nodelay on;
  server { listen 127.0.0.1:%(p)d reuseport; location / { default_type application/json; %(s)s return 200 "%(b)s"; } } }
""" % {"d": directory, "p": port, "s": sets, "b": "".join("$part%d" % i for i in range(len(pieces)))})
        self.url = "http://127.0.0.1:%d" % port
        self.process = subprocess.Popen(["taskset", "-c", "0", "nginx", "-p", directory, "-c", conf])
        self.pid = self.process.pid

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def write_lua(path, method, targets, bodies, token):
    """A wrk script that sends the requests round and round."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("local requests, n = {}, 0\ninit = function(arguments)\n  n = tonumber(arguments[1])\n  wrk.headers['Authorization'] = '%s'\n" % token)
        if bodies:
            f.write("  wrk.headers['Content-Type'] = 'application/json'\n")
        f.write("  for line in io.lines('%s.requests') do\n" % path)
        f.write("    local target, body = line:match('^([^\\t]*)\\t(.*)$')\n")
        f.write("    requests[#requests + 1] = wrk.format('%s', target, nil, body ~= '' and body or nil)\n  end\nend\n" % method)
        f.write("request = function()\n  n = n %% %d + 1\n  return requests[n]\nend\n" % len(targets))
    with open(path + ".requests", "w", encoding="utf-8") as f:
        f.writelines("%s\t%s\n" % pair for pair in zip(targets, bodies or [""] * len(targets)))
    return path


def wrk(url, script, seconds, pid, others=(), first=0):
    """One run of 64 connections from core 1, from the first-th request on; CPU of `pid` a request, and of `others`."""
    before, before_others = machine.threads_cpu(pid), sum(map(machine.threads_cpu, others))
    row = machine.wrk(url, script, seconds, [first], cpus="1")
    row["cpu"] = (machine.threads_cpu(pid) - before) / row["count"] * 1e6
    row["others"] = (sum(map(machine.threads_cpu, others)) - before_others) / row["count"] * 1e6
    return row
