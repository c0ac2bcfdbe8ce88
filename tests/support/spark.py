"""A real Spark of a test's own: a standalone master and two workers, each on a "host" that is a network namespace on a bridge of ours.

    with SparkCluster("4") as spark, Postgres(address=spark.address) as pg:
        spark.cut(1); ...; spark.mend(1)

The programs are those of pyspark, in the virtual environment that script/setup --spark makes in the build directory. Needs root (namespaces) and
Java; cannot_run() says what is missing. The fault functions end only processes of this cluster.
"""
import json
import os
import shutil
import signal
import subprocess
import urllib.request

from daemon import BUILD_DIR, wait_for
from network import can_cut, ip

# Of the range for benchmarks (RFC 2544), its upper half; 16 addresses for each process.
BLOCK = os.getpid() % 4096 * 16
ADDRESSES = ["198.19.%d.%d" % divmod(BLOCK + n, 256) for n in (1, 2, 3)]
CORES = 2
# A JVM that lives for seconds: start it, do not make it fast.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def environment_of(version):
    """The virtual environment of a pyspark: "4" or "3.5"."""
    return os.path.join(BUILD_DIR, "pyspark-" + version)


def cannot_run(version):
    """None, or why Spark's tests cannot be run here."""
    if not shutil.which("java"):
        return "no java: script/setup --spark installs it"
    if not os.path.exists(os.path.join(environment_of(version), "bin", "spark-submit")):
        return "no pyspark in %s: script/setup --spark brings it" % environment_of(version)
    return can_cut()


class Processes:
    """What runs now: parents and command lines."""

    def __init__(self):
        self.all = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as f:
                    fields = f.read().rpartition(")")[2].split()
                with open("/proc/%s/cmdline" % name, "rb") as f:
                    command = f.read().replace(b"\0", b" ").decode(errors="replace").strip()
                if fields[0] != "Z":  # a child of a killed one, until init has reaped it
                    self.all[int(name)] = (int(fields[1]), command)
            except OSError:
                pass

    def command(self, pid):
        return self.all[pid][1]

    def below(self, roots):
        """With the roots themselves."""
        todo, found = [pid for pid in roots if pid in self.all], []
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += [child for child, (parent, _) in self.all.items() if parent == pid]
        return found


class SparkCluster:
    address = ADDRESSES[0]

    def __init__(self, version):
        self.version, self.python = version, os.path.join(environment_of(version), "bin", "python")
        self.bridge = ("xdb%d" % os.getpid())[-15:]
        self.hosts = ["xd-spark%d-%d" % (n, os.getpid()) for n in (1, 2)]
        self.links = [("xs%d-%d" % (n, os.getpid()))[-15:] for n in (1, 2)]
        self.root = os.path.join(os.environ.get("TMPDIR", "/var/tmp"), "experimentd-spark-%d" % os.getpid())
        self.master, self.workers = None, [None, None]
        found = subprocess.run([self.python, "-c", "import os, pyspark; print(os.path.dirname(pyspark.__file__))"], capture_output=True,
                               text=True, check=True)
        self.home = found.stdout.strip()

    # ---- life

    def __enter__(self):
        try:
            os.makedirs(self.root)
            self._make_network()
            self.master = self._spawn("master", ADDRESSES[0], [], "master.Master", "--port", "7077", "--webui-port", "8080")
            wait_for(lambda: self.state() is not None, "Spark's master")
            for n in (0, 1):
                self.start_worker(n)
            self.wait_workers(2)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for process in [*self.workers, self.master]:
            if process:
                self._kill_all(process)
        for name in self.hosts:
            ip("netns", "del", name, check=False)
        ip("link", "del", self.bridge, check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def _make_network(self):
        ip("link", "add", self.bridge, "type", "bridge")
        ip("address", "add", ADDRESSES[0] + "/28", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for host, link, address in zip(self.hosts, self.links, ADDRESSES[1:]):
            ip("netns", "add", host)
            ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", host)
            ip("link", "set", link, "master", self.bridge, "up")
            ip("-n", host, "address", "add", address + "/28", "dev", "eth0")
            for name in ("eth0", "lo"):
                ip("-n", host, "link", "set", name, "up")

    def _spawn(self, name, address, wrapper, kind, *arguments):
        environment = {**os.environ, "SPARK_HOME": self.home, "SPARK_LOCAL_IP": address, "SPARK_DAEMON_MEMORY": "256m", "JAVA_TOOL_OPTIONS": JAVA,
                       "SPARK_MASTER_OPTS": "-Dspark.worker.timeout=15", "PYSPARK_PYTHON": self.python,
                       "SPARK_LOCAL_DIRS": os.path.join(self.root, name)}
        with open(os.path.join(self.root, name + ".log"), "ab") as log:
            return subprocess.Popen([*wrapper, os.path.join(self.home, "bin", "spark-class"), "org.apache.spark.deploy." + kind,
                                     "--host", address, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)

    def start_worker(self, n):
        self.workers[n] = self._spawn("worker%d" % n, ADDRESSES[n + 1], ["ip", "netns", "exec", self.hosts[n]], "worker.Worker",
                                      "--webui-port", "8081", "-c", str(CORES), "-m", "2g", "-d", os.path.join(self.root, "work%d" % n), self.url())

    def _kill_all(self, process):
        for pid in Processes().below([process.pid]):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()

    def url(self):
        return "spark://%s:7077" % ADDRESSES[0]

    def state(self):
        """What the master says, or None."""
        try:
            with urllib.request.urlopen("http://%s:8080/json/" % ADDRESSES[0], timeout=5) as reply:
                return json.load(reply)
        except (OSError, ValueError):
            return None

    def wait_workers(self, count):
        wait_for(lambda: sum(w["state"] == "ALIVE" for w in (self.state() or {"workers": []})["workers"]) == count, "%d Spark workers" % count)

    # ---- runs

    def arguments(self, **conf):
        """Of `trainer run`."""
        settings = {"spark.driver.host": ADDRESSES[0], "spark.driver.memory": "512m", "spark.executor.memory": "512m",
                    "spark.network.timeout": "24s", "spark.network.timeoutInterval": "6s", "spark.executor.heartbeatInterval": "4s",
                    "spark.speculation.minTaskRuntime": "3s", "spark.speculation.quantile": "0.5", "spark.speculation.multiplier": "2", **conf}
        return ["--engine", "spark", "--spark-submit", os.path.join(self.home, "bin", "spark-submit"), "--spark-master", self.url(),
                "--spark-python", self.python, "--spark-conf", " ".join("%s=%s" % pair for pair in settings.items())]

    # ---- processes and faults

    def of_host(self, n, *words):
        """Processes of a host whose command line has all these words."""
        now = Processes()
        below = now.below([self.workers[n].pid]) if self.workers[n] else []
        return sorted(pid for pid in below if all(word in now.command(pid) for word in words))

    def executors(self, n):
        return self.of_host(n, "ExecutorBackend")

    def c_workers(self, n=None):
        """`trainer worker` processes; of all hosts when n is None."""
        return self.of_host(n, "trainer worker") if n is not None else [pid for k in (0, 1) for pid in self.c_workers(k)]

    def busy(self, n):
        """C workers that do something else than to wait for a task: to read from descriptor 0."""
        def waits(pid):
            try:
                with open("/proc/%d/syscall" % pid, encoding="ascii") as f:
                    return f.read().startswith("0 0x0 ")
            except OSError:
                return True
        return [pid for pid in self.c_workers(n) if not waits(pid)]

    def python_workers(self, n):
        """With a C worker at work. They are children of daemons that fork them; a daemon's own death fails no task."""
        now = Processes()
        return [parent for parent in (now.all[pid][0] for pid in self.busy(n) if pid in now.all) if "pyspark.daemon" in now.command(parent)]

    def wait_busy(self, n=None):
        """Until C workers have work on a host, or on both."""
        wait_for(lambda: all(self.busy(k) for k in ((0, 1) if n is None else (n,))), "C workers at work on both hosts", 300)

    def kill_host(self, n):
        self._kill_all(self.workers[n])
        self.workers[n] = None

    def cut(self, n):
        """The cable is pulled: no reset, no end of file."""
        ip("link", "set", self.links[n], "down")

    def mend(self, n):
        ip("link", "set", self.links[n], "up")
