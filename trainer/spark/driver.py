"""The Spark driver of a run: starts the coordinator (`trainer run --engine pipe`) and turns each of its passes into Spark jobs.

    spark-submit ... driver.py [--trainer FILE] -- ARGUMENT...       what is behind "--" are the coordinator's arguments

The plan stays with the coordinator; this program knows nothing of experiments. They speak frames (trainer/engine/passes.h) over the
coordinator's stdin and stdout. Passes run one after the other, each in a thread of its own, so that a CANCEL is heard.

    a pass without inputs        parallelize: partition i is split i of those that are to be run, heaviest first
    inputs, one source a split   the source's partitions as they are: no shuffle
    inputs, exchanged            each sealed chunk is routed to the splits that read it; partitionBy
    a data set                   a persisted RDD of sealed chunks, until the coordinator drops it; a lost partition is made again

Spark never sees a row. Exit status: the coordinator's. Needs pyspark 3.5 or 4 (classic RDDs), nothing else.
"""
import argparse
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import traceback

from pyspark import AccumulatorParam, SparkConf, SparkContext, SparkFiles, StorageLevel, TaskContext, __version__

import frames
import task

# trainer/engine/passes.h
PASS, SPLIT, START, BLOB, DROP, FETCH, CANCEL, END_RUN = range(32, 40)
ENGINE, RESULT, DONE, PROGRESS, CHUNK, FETCHED, ENDED = range(48, 55)

PROGRESS_SECONDS = 0.5
TEXT_MAX = 600
FETCH_SPLITS = 8


def die_with_parent():
    """spark-submit's JVM is our parent: without it there is no Spark any more."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit(1)


# ---- what runs on executors

def run_partition(context, splits, ended):
    """The function of mapPartitionsWithIndex: one partition is one split."""
    def run(position, records):
        entries = splits.value
        if position >= len(entries) or entries[position] is None:
            return iter(())
        place = TaskContext.get()
        directories = [SparkFiles.getRootDirectory(), os.getcwd()]
        return told(ended, task.run_split(context, directories, entries[position], place.taskAttemptId() & 0xFFFFFFFF,
                                          place.attemptNumber(), records))
    return run


def is_chunk(record):
    return not isinstance(record[0], str)


def control_only(records):
    return (record for record in records if not is_chunk(record))


def chunks_only(records):
    """Of a data set; where a lost one was made again and that failed for good, there are none to go on with."""
    for record in records:
        if is_chunk(record):
            yield record
        elif record[0] == "failed":
            raise task.Failure(record[4], record[2], record[1], record[3])


def routed(routes):
    """Chunks to the splits that read them: (position, (input, part, seq, crc, bytes))."""
    def route(records):
        table = routes.value
        for record in chunks_only(records):
            for position, index in table.get(record[:2], ()):
                yield position, (index, *record[1:])
    return route


def without_key(pairs):
    return (value for _, value in pairs)


def only_values(function):
    return lambda position, pairs: function(position, without_key(pairs))


def kept_in_place(routes, function):
    """A source's partition is the split's: its chunks get the number of the input."""
    def run(position, records):
        return function(position, without_key(routed(routes)(records)))
    return run


def blob_bytes(broadcast):
    def get():
        data = broadcast.value
        vars(broadcast).pop("_value", None)  # it is a file now: not held by each Python process besides
        return data
    return get


class Latest(AccumulatorParam):
    """What tasks tell the driver as they end: by split, the last one counts."""

    def zero(self, value):
        return {}

    def addInPlace(self, value1, value2):
        value1.update(value2)
        return value1


def told(accumulator, records):
    """Passes records on, and tells the driver how each split ended, before the whole job has."""
    for record in records:
        if not is_chunk(record):
            accumulator.add({record[1]: record if record[0] == "failed" else ("done", task.rows_of(record[2]))})
        yield record


# ---- the coordinator

class Coordinator:
    """The child process and the frames to and from it."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1 << 20)
        self.lock = threading.Lock()

    def send(self, data, *more):
        with self.lock:
            for piece in (data, *more):
                self.process.stdin.write(piece)
            self.process.stdin.flush()

    def send_json(self, kind, a, b, value):
        self.send(frames.frame(kind, a, b, json.dumps(value).encode()))

    def frames(self):
        while True:
            frame = frames.read_frame(self.process.stdout)
            if frame is None:
                return
            yield frame


# ---- passes

class Pass:
    """A pass that is being described, run, or has left a data set."""

    def __init__(self, number, document):
        self.number, self.document = number, document
        self.entries, self.params, self.rdd, self.broadcasts = [], None, None, []
        self.ended = None  # accumulator: what is known of splits that have ended
        self.cancelled = False
        self.group = "pass-%d" % number

    @property
    def is_dataset(self):
        return self.document["dataset"]

    def positions(self):
        """Of splits among the partitions."""
        return {entry["split"]: position for position, entry in enumerate(self.entries) if entry}


def said_by(error):
    """What of an exception the coordinator is told: our words, if a task said them; else Spark's, and the cause behind all causes."""
    said = task.words_of(str(error))
    if said:
        return said
    traceback.print_exc()
    lines = str(error).split("\n")
    first = lines[1].lstrip(": ") if len(lines) > 1 and lines[0].startswith("An error occurred while calling") else lines[0]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return {"text": "; ".join([first[:TEXT_MAX], *causes[-1:]])[:2 * TEXT_MAX]}


class Engine:
    """Runs passes for the coordinator."""

    def __init__(self, sc, coordinator):
        self.sc, self.coordinator = sc, coordinator
        self.passes, self.blobs = {}, {}
        self.blob = bytearray()  # the one that comes
        self.fetched = {}  # (pass, split) to its chunks

    def hold(self, of, value):
        """A broadcast that lives as long as the pass: lost partitions may have to be made again with it."""
        broadcast = self.sc.broadcast(value)
        of.broadcasts.append(broadcast)
        return broadcast

    def context_of(self, p):
        blobs = {name: blob_bytes(self.blobs[name]) for name in p.document["blobs"]}
        return task.Context(p.params, p.document["stall"], blobs, p.document["worker"])

    # -- the data of a pass

    def rdd_of(self, p):
        """The RDD of records of all splits of the pass that are to be run."""
        source = self.passes.get(p.document["input_pass"])
        reads = [(position, index, (one["split"], one["part"])) for position, entry in enumerate(p.entries)
                 for index, one in enumerate(entry["task"]["inputs"]) if "data" in one]
        if not reads:
            run = run_partition(self.context_of(p), self.hold(p, p.entries), p.ended)
            return self.sc.parallelize(range(len(p.entries)), len(p.entries)).mapPartitionsWithIndex(run)
        return self._in_place(p, source, reads) or self._exchanged(p, source, reads)

    def _in_place(self, p, source, reads):
        """None where a split reads of several sources, or a source is read by several splits."""
        at, reader, of = source.positions(), {}, {}
        for position, _, (split, _) in reads:
            if reader.setdefault(at[split], position) != position or of.setdefault(position, at[split]) != at[split]:
                return None
        if len(of) != len(p.entries):
            return None  # some read only kept files: they have no partition to lie in
        placed = [None] * len(source.entries)
        for place, position in reader.items():
            placed[place] = p.entries[position]
        routes = {}
        for _, index, key in reads:
            routes.setdefault(key, []).append((0, index))
        run = run_partition(self.context_of(p), self.hold(p, placed), p.ended)
        p.entries = placed
        return source.rdd.mapPartitionsWithIndex(kept_in_place(self.hold(p, routes), run))

    def _exchanged(self, p, source, reads):
        routes = {}
        for position, index, key in reads:
            routes.setdefault(key, []).append((position, index))
        run = run_partition(self.context_of(p), self.hold(p, p.entries), p.ended)
        chunks = source.rdd.mapPartitions(routed(self.hold(p, routes)))
        return chunks.partitionBy(len(p.entries), int).mapPartitionsWithIndex(only_values(run))

    # -- running

    def run(self, p):
        """In a thread of its own; ends with ENDED."""
        ending = {"state": "failed"}
        watch = Progress(self.sc, self.coordinator, p)
        try:
            self.sc.setJobGroup(p.group, p.document["name"], interruptOnCancel=True)
            p.ended = self.sc.accumulator({}, Latest())
            watch.start()
            p.rdd = self.rdd_of(p)
            if p.is_dataset:
                p.rdd.persist(StorageLevel.MEMORY_AND_DISK)
            ending = self.take(p, p.rdd.mapPartitions(control_only).collect())
        except Exception as error:  # of Spark or of a task: the coordinator says it
            ending.update(said_by(error))
        watch.stop()
        if watch.final:
            ending = watch.final
        elif p.cancelled:
            ending["state"] = "cancelled"
        ending["failed_tasks"] = watch.failed
        self.coordinator.send_json(ENDED, p.number, 0, ending)

    def take(self, p, records):
        """Results go to the coordinator, in frames with the checksums of those who made them."""
        for _, split, done, pieces in (record for record in records if record[0] == "done"):
            for crc, payload in pieces:
                crc = frames.moved(crc, len(payload), (task.RESULT, split, 0), (RESULT, split, p.number))
                self.coordinator.send(frames.head(RESULT, split, p.number, len(payload), crc), payload)
            self.coordinator.send(frames.frame(DONE, split, p.number, done))
        return {"state": "done"}

    def fetch(self, number, split):
        """The chunks of one split's data set; FETCHED says whether that is all. Some splits are brought by one job, for the coordinator asks for one
        after the other."""
        p, text = self.passes[number], ""
        try:
            if (number, split) not in self.fetched:
                self.fetched = self.bring(p, sorted(s for s in p.positions() if s >= split)[:FETCH_SPLITS])
            for _, part, seq, crc, payload in self.fetched.pop((number, split)):
                crc = frames.moved(crc, len(payload), (task.EMIT, part, seq), (CHUNK, part, seq))
                self.coordinator.send(frames.head(CHUNK, part, seq, len(payload), crc), payload)
        except Exception as error:
            text = said_by(error)["text"]
        self.coordinator.send_json(FETCHED, number, split, {"text": text})

    def bring(self, p, splits):
        self.sc.setJobGroup(p.group, p.document["name"] + ": fetch", interruptOnCancel=True)
        at, found = p.positions(), {(p.number, split): [] for split in splits}
        for record in self.sc.runJob(p.rdd, chunks_only, [at[split] for split in splits]):
            found[p.number, record[0]].append(record)
        return found

    # -- frames of the coordinator

    def on_pass(self, number, _, payload):
        self.passes[number] = Pass(number, json.loads(payload))

    def on_split(self, split, number, payload):
        document = json.loads(payload)
        self.passes[number].params = document.pop("params")  # the same for all of them
        self.passes[number].entries.append({"split": split, "task": document})

    def on_start(self, number, *_):
        threading.Thread(target=self.run, args=(self.passes[number],), daemon=True).start()

    def on_blob(self, _, more, payload):
        self.blob += payload
        if not more:
            name, _, data = bytes(self.blob).partition(b"\0")
            self.blob.clear()
            self.blobs[name.decode()] = self.sc.broadcast(data)

    def on_drop(self, number, _, payload):
        """Of a pass, or of a blob. Not destroyed: what was made of it may have to be made again."""
        if payload:
            self.blobs[payload.decode()].unpersist()
            return
        p = self.passes.get(number)  # None: no split of it was run here
        for held in ([p.rdd] if p.is_dataset and p.rdd else []) + p.broadcasts if p else ():
            held.unpersist()

    def on_fetch(self, number, split, _):
        self.fetch(number, split)

    def on_cancel(self, number, *_):
        self.passes[number].cancelled = True
        self.sc.cancelJobGroup(self.passes[number].group)

    ON = {PASS: on_pass, SPLIT: on_split, START: on_start, BLOB: on_blob, DROP: on_drop, FETCH: on_fetch, CANCEL: on_cancel}

    def serve(self):
        for kind, a, b, _, payload in self.coordinator.frames():
            if kind == END_RUN:
                return
            self.ON[kind](self, a, b, payload)


class Progress(threading.Thread):
    """Tells the coordinator how far the pass is; also its sign of life. A failure that is final ends the pass at once."""

    def __init__(self, sc, coordinator, p):
        super().__init__(daemon=True)
        self.sc, self.coordinator, self.p = sc, coordinator, p
        self.stopped, self.failed, self.final = threading.Event(), 0, None

    def stages(self):
        tracker = self.sc.statusTracker()
        for job in tracker.getJobIdsForGroup(self.p.group):
            info = tracker.getJobInfo(job)
            for stage in info.stageIds if info else ():
                found = tracker.getStageInfo(stage)
                if found:
                    yield found

    def look(self):
        ended, stages = dict(self.p.ended.value), list(self.stages())
        self.failed = sum(stage.numFailedTasks for stage in stages)
        failures = sorted(what for what in ended.values() if what[0] == "failed")
        if failures and not self.final:
            self.final = {"state": "final", **dict(zip(("split", "code", "attempt", "text"), failures[0][1:]))}
            self.sc.cancelJobGroup(self.p.group)
        return {"done": len(ended), "rows": sum(what[1] for what in ended.values() if what[0] == "done"),
                "active": sum(stage.numActiveTasks for stage in stages), "failed": self.failed}

    def run(self):
        while not self.stopped.wait(PROGRESS_SECONDS):
            self.coordinator.send_json(PROGRESS, self.p.number, 0, self.look())

    def stop(self):
        self.stopped.set()
        self.join()
        self.look()


def read_secret():
    """In cluster mode no environment of the submitter reaches us: --files brings it (trainer/spark/submit.c)."""
    for directory in (os.getcwd(), SparkFiles.getRootDirectory()):
        path = os.path.join(directory, "experimentd-database-url")
        if "EXPERIMENTD_DATABASE_URL" not in os.environ and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                os.environ["EXPERIMENTD_DATABASE_URL"] = file.read()


def coordinator_command(trainer, arguments):
    """The coordinator is that of `--trainer`, or where there is none (cluster mode), the bundle's."""
    if trainer:
        return [trainer, *arguments]
    return [*task.bundle_command([os.getcwd(), SparkFiles.getRootDirectory()])[:-1], *arguments]


def main():
    parser = argparse.ArgumentParser(description="the Spark driver of a run; spark-submit starts it")
    parser.add_argument("--trainer", help="the coordinator's program; default: the bundle's")
    parser.add_argument("arguments", nargs="+", help="of the coordinator, behind --")
    options = parser.parse_args()
    die_with_parent()
    sc = SparkContext(conf=SparkConf())
    sc.setLogLevel("WARN")
    read_secret()
    coordinator = Coordinator(coordinator_command(options.trainer, options.arguments))
    engine = Engine(sc, coordinator)
    coordinator.send_json(ENGINE, 0, 0, {"app_id": sc.applicationId, "ui_url": sc.uiWebUrl, "slots": sc.defaultParallelism,
                                         "version": "spark %s, pyspark %s" % (sc.version, __version__)})
    try:
        engine.serve()
    finally:
        coordinator.process.stdin.close()
        code = coordinator.process.wait()
        sc.stop()
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
