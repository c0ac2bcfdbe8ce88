#!/usr/bin/env python3
"""Passes over signals: the jobs "metrics" and "clicks" over 30 days of a search shop, from archive files and from partitions (binary COPY), beside the
same aggregation in SQL with as many processes, and in PySpark DataFrames, local[2], which reads the table by JDBC and the same rows as Parquet.

Two databases have the same rows: one in partitions, one sealed. What SQL and PySpark find is compared with what the jobs publish. Everything is
measured in turn, round after round; ratios are medians of those of rounds. "cpu" counts all processes: the job's and PostgreSQL's. The goals stand
beside the figures; nothing is judged.

PySpark is that of SPARK_PYTHON, or of build/pyspark-4 (script/setup --spark); without, its part is left out, and says so.
"""
import argparse
import contextlib
import datetime
import glob
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import engine_data
import engine_sql
import machine

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from daemon import BUILD_DIR, Daemon, program  # noqa: E402
from postgres import Postgres  # noqa: E402

ADDRESS = "127.0.0.77"  # of the PostgreSQL that JDBC reads: one of this machine's that nobody else listens on
KINDS = ("metrics", "clicks")
GOALS = {("files", "sql"): 6, ("partitions", "sql"): 1.8, ("files", "jdbc"): 5, ("files", "parquet"): 2}


class World:
    """A daemon on a PostgreSQL of the benchmark's own, filled with rows."""

    def __init__(self, rows):
        self.stack = contextlib.ExitStack()
        self.postgres = self.stack.enter_context(Postgres(ADDRESS))
        try:
            for setting in ("shared_buffers = '512MB'", "jit = off", "max_wal_size = '8GB'", "checkpoint_timeout = '30min'"):
                self.postgres.sql("alter system set " + setting)
            self.postgres.stop()
            self.postgres.start()
            self.d = self.stack.enter_context(Daemon(postgres=self.postgres))
            self.d.copy_in = self.copy_in
            self.rows = engine_data.make(self.d, rows)
        except BaseException:
            self.stack.close()
            raise

    def copy_in(self, table, columns, lines):
        self.d.sql("create table %s (%s)" % (table, columns))
        psql = subprocess.Popen(self.postgres.psql("-c", "copy %s from stdin" % table), stdin=subprocess.PIPE, text=True)
        psql.stdin.writelines(lines)
        psql.stdin.close()
        if psql.wait():
            raise SystemExit("bench engine: copy failed")

    def url(self):
        return "host=%s user=postgres dbname=experimentd" % self.postgres.root

    def trainer(self, *arguments):
        """Seconds, CPU of all, the largest process in MB."""
        before, start = machine.tree_cpu(self.postgres.process.pid), time.monotonic()
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen([program("trainer"), "run", *arguments, "--data-dir", self.d.dir, "--database-url", self.url()],
                                     stdout=said, stderr=said)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - start
            if child.returncode:
                said.seek(0)
                raise SystemExit("bench engine: trainer run %s: %s" % (" ".join(arguments), said.read().decode()[-1000:]))
        return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime + self.postgres_cpu(before), "mb": usage.ru_maxrss / 1024}

    def postgres_cpu(self, before):
        time.sleep(0.3)  # until the postmaster has waited for those that ended
        return machine.tree_cpu(self.postgres.process.pid) - before

    def job(self, kind, workers, full=True):
        parameters = ["--param", "as_of=" + engine_data.day_text(engine_data.DAYS)] if kind == "clicks" else []
        return self.trainer(kind, "--workers", str(workers), "--param", "full=" + ("true" if full else "false"), *parameters)

    def seal(self):
        return self.trainer("seal", "--archive-after-days", "1")

    def query(self, text):
        return self.d.sql("set timezone = 'UTC'; " + text)

    def sql(self, kind, processes):
        """The same in SQL. What it leaves, and seconds and CPU."""
        settings, text = engine_sql.script(kind, processes, **constants())
        plan = self.d.sql(settings + "explain (costs off) " + text.strip())
        if any("Workers Planned: 1" in line[0] for line in plan) != (processes == 2):
            raise SystemExit("bench engine: PostgreSQL does not plan %d processes for %s" % (processes, kind))
        before = machine.tree_cpu(self.postgres.process.pid)
        mark = "select 'took ' || extract(epoch from clock_timestamp() - statement_timestamp())"
        rows = self.d.sql(settings + text + "; " + mark + "; " + engine_sql.RESULT[kind])
        seconds = next(float(r[0][5:]) for r in rows if r[0].startswith("took "))
        return {"seconds": seconds, "cpu": self.postgres_cpu(before)}, [r for r in rows if len(r) > 1]

    def close(self):
        self.stack.close()


def published_by(kind):
    return engine_sql.PUBLISHED[kind].format(last_day=engine_data.day_text(engine_data.DAYS - 1))


def constants():
    end = datetime.datetime.fromisoformat(engine_data.day_text(engine_data.DAYS + 1) + "T00:00:00+00:00").timestamp()
    return {"near": int(end) - 31 * 86400, "as_of_end": int(end)}


class Spark:
    """A session that stays, as one in a notebook does: neither its start nor its first run is measured."""

    def __init__(self, python, world, directory):
        self.world, self.parquet = world, os.path.join(directory, "parquet")
        self.process = subprocess.Popen(
            [python, os.path.join(os.path.dirname(os.path.abspath(__file__)), "engine_spark.py"),
             "jdbc:postgresql://%s/experimentd" % ADDRESS, "postgres", os.path.join(BUILD_DIR, "bench-ivy")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=directory,
            env={**os.environ, "PYSPARK_PYTHON": python})
        self.version = self.answer()["spark"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("bench engine: PySpark has ended; start bench/engine_spark.py by hand to see why")
        return json.loads(line)

    def ask(self, *command):
        own, before = machine.tree_cpu(self.process.pid), machine.tree_cpu(self.world.postgres.process.pid)
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        answer["cpu"] = machine.tree_cpu(self.process.pid) - own + self.world.postgres_cpu(before)
        return answer

    def run(self, kind, source, wanted=False):
        known = constants()
        return self.ask("run", kind, "jdbc" if source == "jdbc" else self.parquet, known["near"], known["as_of_end"], wanted)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def spark_python():
    for python in (os.environ.get("SPARK_PYTHON"), os.path.join(BUILD_DIR, "pyspark-4", "bin", "python")):
        if python and os.path.exists(python):
            return python if shutil.which("java") else None
    return None


# ---- what is printed

def line(what, rows, runs, note=""):
    seconds = statistics.median(r["seconds"] for r in runs)
    memory = "%5.0f MB" % max(r["mb"] for r in runs) if "mb" in runs[0] else " " * 8
    print("  %-26s %7.2f s  %9.0f rows/s   cpu %5.2f µs a row  %s %s" %
          (what, seconds, rows / seconds, statistics.median(r["cpu"] for r in runs) / rows * 1e6, memory, note), flush=True)


def compare(what, above, below, goal=None):
    print("  %-46s %6.1f times as fast; CPU %5.1f%s" % (what, machine.ratio(above, below, "seconds"), machine.ratio(above, below, "cpu"),
                                                     "" if goal is None else "   (goal: %g)" % goal), flush=True)


# ---- what is measured

def check(kind, files, partitions, spark):
    """All ways give the same rows."""
    published = partitions.query(published_by(kind))
    if sorted(published) != sorted(files.query(published_by(kind))):
        raise SystemExit("bench engine: %s from files and from partitions differ" % kind)
    said = ["%d rows from files and partitions are equal" % len(published)]
    for processes in (1, 2):
        said.append("%d agree with SQL" % engine_sql.CHECKS[kind](published, partitions.sql(kind, processes)[1]))
    for source in ("jdbc", "parquet") if spark else ():
        found = spark.run(kind, source, wanted=True)
        said.append("%d with PySpark (%s)" % (engine_sql.CHECKS[kind](published, found["rows"], found["columns"]), source))
    print("  " + ", ".join(said), flush=True)


def measure(kind, files, partitions, spark, rounds):
    runs = {}

    def note(key, run):
        runs.setdefault(key, []).append(run)
    for world in (files, partitions):
        world.job(kind, 2)
    check(kind, files, partitions, spark)
    for _ in range(rounds):
        for n in (1, 2):
            note(("files", n), files.job(kind, n))
            note(("partitions", n), partitions.job(kind, n))
            note(("sql", n), partitions.sql(kind, n)[0])
        for source in ("jdbc", "parquet") if spark else ():
            note((source, 2), spark.run(kind, source))
    names = {"files": "job, files, %d worker%s", "partitions": "job, partitions, %d worker%s", "sql": "SQL, %d process%s",
             "jdbc": "PySpark, JDBC, local[%d]%s", "parquet": "PySpark, Parquet, local[%d]%s"}
    for (source, n), run in sorted(runs.items(), key=lambda r: (list(names).index(r[0][0]), r[0][1])):
        line(names[source] % (n, {"sql": "es", "jdbc": "", "parquet": ""}.get(source, "s") if n > 1 else ""), files.rows, run)
    for source in ("files", "partitions"):
        for n in (1, 2):
            compare("%s beside SQL, %d and %d processes" % (source, n, n), runs["sql", n], runs[source, n], GOALS[source, "sql"])
    for other in ("jdbc", "parquet") if spark else ():
        compare("files beside PySpark over %s" % ("JDBC" if other == "jdbc" else "Parquet"), runs[other, 2], runs["files", 2], GOALS["files", other])
    return {n: runs["files", n] for n in (1, 2)}


def post_one_percent(d, rows):
    """More signals of the last day but one, over HTTP."""
    r, day = random.Random(1), engine_data.day_text(engine_data.DAYS - 1)
    units = max(100, rows // engine_data.ROWS_OF_UNIT)
    elements = []
    for i in range(rows // engine_data.DAYS // 100):
        at = r.uniform(40000, 80000)
        elements.append({"unit": "user-%d" % r.randrange(units), "type": ("request", "click")[i % 2], "query_id": "late-%d" % (i // 2), "query": "lamp number 1",
                         "timestamp": "%sT%02d:%02d:%09.6fZ" % (day, at // 3600, at // 60 % 60, at % 60), **({"doc": "sku-11", "position": 1} if i % 2 else {"value": 5})})
    for i in range(0, len(elements), 5000):
        reply = d.post("/v1/signals", "\n".join(map(json.dumps, elements[i:i + 5000])).encode())
        if reply.status != 200 or reply.json["rejected"]:
            raise SystemExit("bench engine: %r" % reply)
    d.wait_loaded()


def refresh(kind, world, where, whole):
    """1 % more signals of one day, then a run that takes the other days as they were."""
    again = world.job(kind, 2, full=False)
    published = world.query(published_by(kind))
    world.job(kind, 2)
    if sorted(published) != sorted(world.query(published_by(kind))):
        raise SystemExit("bench engine: a refresh of %s published something else than a full run" % kind)
    base = {k: statistics.median(r[k] for r in whole) for k in ("seconds", "cpu")}
    print("  %-8s %-10s 1 day of %d again: %.2f s, %.1f %% of a full run; of its CPU %.1f %%   (goal: under 10 %%)" %
          (kind, where, engine_data.DAYS, again["seconds"], 100 * again["seconds"] / base["seconds"], 100 * again["cpu"] / base["cpu"]), flush=True)


def say_rows(world):
    print("%d rows of signals and exposures, %d days; load %s" %
          (world.rows, engine_data.DAYS, " ".join(open("/proc/loadavg", encoding="ascii").read().split()[:3])), flush=True)


def main_part(options, directory):
    partitions = files = spark = None
    try:
        partitions = World(options.rows)
        say_rows(partitions)
        python = None if options.without_spark else spark_python()
        if python:
            spark = Spark(python, partitions, directory)
            print("PySpark %s; writing Parquet took %.0f s" % (spark.version, spark.ask("parquet", spark.parquet)["seconds"]))
        else:
            print("PySpark is left out: " + ("as told" if options.without_spark else
                                             "no SPARK_PYTHON, no build/pyspark-4 (script/setup --spark), or no java"))
        files = sealed(options.rows)
        whole = {}
        for kind in options.kinds.split(","):
            print(kind)
            whole[kind] = measure(kind, files, partitions, spark, options.rounds)
        post_one_percent(files.d, options.rows)
        print("refresh")
        for kind in whole:
            refresh(kind, files, "files", whole[kind][2])
    finally:
        for thing in (spark, partitions, files):
            if thing:
                thing.close()


def sealed(rows):
    """Another PostgreSQL with the same rows, which are in files."""
    global ADDRESS
    before, ADDRESS = ADDRESS, None
    try:
        world = World(rows)
    finally:
        ADDRESS = before
    took = world.seal()
    size = sum(os.path.getsize(f) for f in glob.glob(os.path.join(world.d.dir, "archive", "*", "*.arc")))
    print("sealing took %.0f s, %.2f µs of CPU a row; %.1f bytes a row in files" % (took["seconds"], took["cpu"] / world.rows * 1e6, size / world.rows))
    return world


def curve(options):
    """Seconds over rows: SQL and both jobs from partitions, then from files, two processes each."""
    print("%10s %10s" % ("rows", "") + "".join("%22s" % h for h in ("SQL", "job, partitions", "job, files")))
    for rows in map(float, options.curve.split(",")):
        world = World(int(rows))
        try:
            for kind in KINDS:
                world.job(kind, 2)
            found = {kind: [world.sql(kind, 2)[0], world.job(kind, 2)] for kind in KINDS}
            world.seal()
            for kind in KINDS:
                found[kind].append(world.job(kind, 2))
                print("%10d %10s" % (world.rows, kind) + "".join("%9.2f s %7.2f cpu" % (r["seconds"], r["cpu"]) for r in found[kind]), flush=True)
        finally:
            world.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=lambda v: int(float(v)), default=3000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--without-spark", action="store_true")
    parser.add_argument("--curve", nargs="?", const="1e5,3e5,1e6,3e6,1e7,2e7", metavar="ROWS,…",
                        help="this alone: seconds over rows (without a list 1e5 to 2e7, which takes 20 GB of disk)")
    options = parser.parse_args()
    if options.curve:
        return curve(options)
    directory = tempfile.mkdtemp(prefix="bench-engine-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    try:
        return main_part(options, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
