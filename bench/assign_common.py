"""What the parts of the benchmark of assignment share: the experiments, the units, CPU time from /proc, nginx and wrk."""
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys

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


def need(*tools):
    missing = [t for t in tools if not shutil.which(t)]
    if missing:
        raise SystemExit("bench assign: not installed: %s (script/setup installs it)" % ", ".join(missing))


def threads_cpu(pid):
    """Seconds of CPU, user and system, that the process has used."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except FileNotFoundError:
        return 0.0


def machine_busy():
    """Seconds of CPU that all cores were busy, whoever was charged: the kernel's network code runs in interrupts that no process pays for."""
    with open("/proc/stat", encoding="ascii") as f:
        user, nice, system, _idle, _wait, irq, softirq = map(int, f.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def descendants(pid):
    """Of the daemon: its PostgreSQL."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as f:
                parents.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
        except FileNotFoundError:
            pass
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def resident_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def pin(pid, core):
    subprocess.run(["taskset", "-a", "-cp", str(core), str(pid)], check=True, stdout=subprocess.DEVNULL)


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
    before, before_others = threads_cpu(pid), sum(map(threads_cpu, others))
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", "-c64", "-d%ds" % seconds, "--latency", "-s", script, url, "--", str(first)],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit("bench assign: the server answered with errors:\n" + out)
    count = int(re.search(r"(\d+) requests in", out).group(1))

    def micros(percent):
        number, unit = re.search(r"%s%%\s+([\d.]+)(us|ms|s)" % percent, out).groups()
        return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]
    return {"count": count, "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), "p50": micros(50), "p99": micros(99),
            "cpu": (threads_cpu(pid) - before) / count * 1e6,
            "others": (sum(map(threads_cpu, others)) - before_others) / count * 1e6}


def median(rows, what):
    return statistics.median(r[what] for r in rows)


def ratio(above, below, what):
    """The median of the ratios round by round."""
    return statistics.median(a[what] / b[what] for a, b in zip(above, below))
