"""What the benchmarks share: CPU time and memory from /proc, wrk, medians."""
import os
import re
import shutil
import statistics
import subprocess


def need(*tools):
    missing = [t for t in tools if not shutil.which(t)]
    if missing:
        raise SystemExit("bench: not installed: %s (script/setup installs it)" % ", ".join(missing))


def threads_cpu(pid):
    """Seconds of CPU, user and system, that the process has used."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):  # it has ended, before or while it was read
        return 0.0


def tree_cpu(pid):
    """Seconds of CPU of the process and all its children, those that have ended too, as soon as they were waited for."""
    total = 0.0
    for p in [pid, *descendants(pid)]:
        try:
            with open("/proc/%d/stat" % p, encoding="ascii", errors="replace") as f:
                total += sum(map(int, f.read().rsplit(")", 1)[1].split()[11:15])) / os.sysconf("SC_CLK_TCK")
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


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


def wrk(url, script, seconds, arguments=(), connections=64, cpus=None, headers=()):
    """One run: requests, their rate, latencies in microseconds."""
    pinned = ["taskset", "-c", cpus] if cpus else []
    out = subprocess.run([*pinned, "wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--latency", "-s", script,
                          *(a for h in headers for a in ("-H", h)), url, "--", *map(str, arguments)],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit("bench: the server answered with errors:\n" + out)

    def micros(percent):
        number, unit = re.search(r"%s%%\s+([\d.]+)(us|ms|s)" % percent, out).groups()
        return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]
    return {"count": int(re.search(r"(\d+) requests in", out).group(1)), "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p50": micros(50), "p99": micros(99)}


def median(rows, what):
    return statistics.median(r[what] for r in rows)


def ratio(above, below, what):
    """The median of the ratios round by round."""
    return statistics.median(a[what] / b[what] for a, b in zip(above, below))
