"""Runs one split of a pass in a worker process: `trainer worker`, a child of this Python process, spoken to in frames on its stdin and stdout.

One child serves the tasks of a Python worker one after the other; after a failure it is thrown away, so that no state survives an attempt.
Reading and writing go on at the same time (poll), because a kernel may emit before it has been given all of its input. The child dies with
us: it asks for SIGKILL at its parent's end (hence it has to be started by the main thread), and ends at the end of file on its stdin.

What goes through Spark are records:

    data      (split, part, seq, crc, bytes)                    what a kernel emitted, sealed by the C side; see frames.py
    "done"    ("done", split, JSON of DONE, [(crc, bytes)])     the split's result, in pieces
    "failed"  ("failed", split, exit code, attempt, text)       a failure that is final: a value, since Spark would try an exception again

Standard library only; no Spark here.
"""
import atexit
import collections
import fcntl
import json
import os
import re
import select
import struct
import subprocess
import tempfile
import time

import frames

# trainer/engine/frame.h
TASK, BYE, DATA, END, CANCEL = 1, 2, 3, 4, 5
HELLO, PROGRESS, RESULT, DONE, ERROR, EMIT = 16, 17, 18, 19, 20, 21
FINAL = {64, 65, 70, 76}  # exit codes after which another attempt would end in the same way
RESOURCE = 71             # once more, with twice the memory

READ_BYTES, WRITE_PIECES, PIPE_BYTES, F_SETPIPE_SZ = 1 << 20, 32, 1 << 20, 1031
HELLO_SECONDS = 60
STOP_SECONDS = 2
MARK = re.compile(r"\[experimentd (\d+) (\d+) (-?\d+): (.*?) :experimentd\]", re.S)  # finds our words in a Java stack trace

Context = collections.namedtuple("Context", "params stall blobs worker")
"""What the splits of a pass share. blobs: hash to the function that gives the bytes. worker: the command, or None: the bundle's."""


class Failure(Exception):
    """code: the worker's exit code; -1: ended by a signal, or by us."""

    def __init__(self, text, code=-1, split=0, attempt=0):
        super().__init__("[experimentd %d %d %d: %s :experimentd]" % (split, attempt, code, text))
        self.text, self.code = text, code

    @property
    def final(self):
        return self.code in FINAL


def words_of(text):
    """What we said, in the text of an exception that came through Spark: {"split", "attempt", "code", "text"}, or None."""
    found = MARK.search(text)
    return found and dict(zip(("split", "attempt", "code", "text"), (*map(int, found.groups()[:3]), found.group(4))))


class Worker:
    """A worker process, idle between tasks."""

    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen([*command, str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        env={**os.environ, "TMPDIR": local_dir()})
        self.to, self.out = self.process.stdin.fileno(), self.process.stdout.fileno()
        for fd in (self.to, self.out):
            os.set_blocking(fd, False)
            try:
                fcntl.fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES)
            except OSError:
                pass  # a smaller pipe is only slower
        self.received, self.at = bytearray(), 0
        try:
            for kind, *_ in self.converse(iter(()), HELLO_SECONDS):
                if kind == HELLO:
                    return
        except BaseException:
            self.throw_away()
            raise

    def converse(self, outgoing, stall):
        """Writes the pieces of `outgoing` and yields the frames that come meanwhile: (kind, a, b, crc, payload). Who calls it stops."""
        pending, more, heard = collections.deque(), True, time.monotonic()
        poller = select.poll()
        poller.register(self.out, select.POLLIN)
        while True:
            if more and not pending:
                pieces = next(outgoing, None)  # may take long: Spark makes them
                heard = time.monotonic()
                more = pieces is not None
                if more:
                    pending.extend(map(memoryview, pieces))
                    poller.register(self.to, select.POLLOUT)
                else:
                    poller.register(self.to, 0)  # only to hear of its end
            ready = dict(poller.poll(max(0.0, heard + stall - time.monotonic()) * 1000))
            if self.to in ready and pending:
                more = self._write(pending) and more
                heard = time.monotonic()
            elif self.to in ready:
                poller.unregister(self.to)  # the child has gone; the rest is read below
            if self.out in ready:
                heard = time.monotonic()
                self._read()
                yield from self._whole_frames()
            if not ready and time.monotonic() >= heard + stall:
                raise Failure("it said nothing for %g s" % stall)

    def _write(self, pending):
        """False when the child reads no more: it says why on its stdout."""
        try:
            written = os.writev(self.to, [pending[i] for i in range(min(len(pending), WRITE_PIECES))])
        except BlockingIOError:
            return True
        except BrokenPipeError:
            pending.clear()
            return False
        while pending and written >= len(pending[0]):
            written -= len(pending.popleft())
        if written:
            pending[0] = pending[0][written:]
        return True

    def _read(self):
        data = os.read(self.out, READ_BYTES)
        if not data:
            raise self._ended()
        if self.at:
            del self.received[:self.at]
            self.at = 0
        self.received += data

    def _whole_frames(self):
        size = frames.HEAD.size
        while len(self.received) - self.at >= size:
            kind, a, b, count, crc = frames.parse_head(bytes(self.received[self.at:self.at + size]))
            if len(self.received) - self.at < size + count:
                return
            start = self.at + size
            self.at = start + count
            yield kind, a, b, crc, bytes(memoryview(self.received)[start:self.at])

    def _ended(self):
        code = self.process.wait()
        said = getattr(self, "said", "")
        if code < 0:
            return Failure("the worker was ended by signal %d%s" % (-code, ": " + said if said else ""), -1)
        return Failure("%s (exit code %d)" % (said or "the worker ended", code), code)

    def run(self, outgoing, stall):
        """EMIT, RESULT and DONE frames of one task; Failure."""
        self.said = ""
        for kind, a, b, crc, payload in self.converse(outgoing, stall):
            if kind == ERROR:
                self.said = payload.decode(errors="replace")  # then it ends, with its exit code
            elif kind in (EMIT, RESULT, DONE):
                yield kind, a, b, crc, payload
                if kind == DONE:
                    return

    def throw_away(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


_idle = None  # the child of this Python process, when it is between tasks


def _take_worker(command):
    global _idle
    worker, _idle = _idle, None
    if worker and worker.command == command and worker.process.poll() is None:
        return worker
    if worker:
        worker.throw_away()
    return Worker(command)


def _give_back(worker):
    global _idle
    _idle = worker


@atexit.register
def _stop_idle():
    if _idle:
        _idle.throw_away()


# ---- what lies on the host

def local_dir():
    """Of Spark, which removes it when the application ends: standalone, YARN, Kubernetes; else that for temporary files."""
    for name in ("SPARK_EXECUTOR_DIRS", "LOCAL_DIRS", "SPARK_LOCAL_DIRS"):
        first = re.split(r"[,:]", os.environ.get(name, ""))[0]
        if first and os.path.isdir(first):
            return first
    return tempfile.gettempdir()


def blob_path(name, get):
    """The file of a blob on this host: who comes first writes it; it is named by its hash and never changes."""
    directory = os.path.join(local_dir(), "experimentd-blobs-%d" % os.getuid())
    os.makedirs(directory, mode=0o700, exist_ok=True)
    path = os.path.join(directory, name)
    if os.path.exists(path):
        return path
    with open(path + ".lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            with open(path + ".part", "wb") as file:
                file.write(get())
            os.rename(path + ".part", path)
    return path


def bundle_command(directories):
    """The worker of the bundle that came with the application, with its own loader and libraries."""
    for directory in directories:
        root = os.path.join(directory, "experimentd")
        if os.path.exists(os.path.join(root, "trainer")):
            return [os.path.join(root, "loader"), "--library-path", os.path.join(root, "lib"), os.path.join(root, "trainer"), "worker"]
    raise Failure("the bundle \"experimentd\" is not in %s: it comes by --archives" % " or ".join(directories))


# ---- a split

def _task_frame(context, entry, attempt, number):
    """number: of the attempt as Spark counts it, from 0. After a loss the worker may have twice the memory: it may be why."""
    document = {**entry["task"], "params": context.params}
    document["memory_mb"] *= 2 if number else 1
    for blob in document["blobs"]:
        blob["path"] = blob_path(blob["hash"], context.blobs[blob["hash"]])
    return frames.frame(TASK, entry["split"], attempt, json.dumps(document).encode())


def _outgoing(context, entry, attempt, number, records):
    yield [_task_frame(context, entry, attempt, number)]
    if not any("data" in source for source in entry["task"]["inputs"]):
        return
    count = 0
    for index, part, seq, crc, payload in records:
        count += 1
        crc = frames.moved(crc, len(payload), (EMIT, part, seq), (DATA, index, seq))
        yield [frames.head(DATA, index, seq, len(payload), crc), payload] if payload else [frames.head(DATA, index, seq, 0, crc)]
    yield [frames.frame(END, entry["split"], attempt, struct.pack("<I", count))]


def rows_of(done):
    """Of a DONE frame."""
    return json.loads(done)["rows"]


def _outputs(worker, context, entry, attempt, number, records):
    split, result = entry["split"], []
    for kind, a, b, crc, payload in worker.run(_outgoing(context, entry, attempt, number, records), context.stall):
        if kind == EMIT:
            yield split, a, b, crc, payload
        elif kind == RESULT:
            result.append((frames.moved(crc, len(payload), (RESULT, split, attempt), (RESULT, split, 0)), payload))
        else:
            yield "done", split, payload, result


def run_split(context, directories, entry, attempt, number, records):
    """The records of one split. entry: {"split", "task": the TASK without params}. records: (input, part, seq, crc, bytes), in any order."""
    split, worker, whole = entry["split"], None, False
    try:
        worker = _take_worker(context.worker or bundle_command(directories))
        yield from _outputs(worker, context, entry, attempt, number, records)
        whole = True
    except Failure as failure:
        if not failure.final and not (failure.code == RESOURCE and number):
            raise Failure(failure.text, failure.code, split, number + 1) from None
        yield "failed", split, failure.code, number + 1, failure.text
    except (OSError, frames.FrameError) as error:
        raise Failure(str(error), -1, split, number + 1) from error
    finally:
        if whole:
            _give_back(worker)
        elif worker:
            worker.throw_away()
