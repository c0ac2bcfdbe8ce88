"""A worker process, spoken to as an engine without a shared disk does (trainer/engine/frame.h): inputs as DATA in any order, data sets as EMIT."""
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import program, wait_for  # noqa: E402
from golden import is_there  # noqa: E402

TASK, BYE, DATA, END, CANCEL = 1, 2, 3, 4, 5
HELLO, PROGRESS, RESULT, DONE, ERROR, EMIT = 16, 17, 18, 19, 20, 21
ROWS, DOCS, PARTS = 5000, 50, 4
PARAMS = json.dumps({"docs": DOCS, "fault": "none", "fault_split": 0, "hog_mb": 0, "slow_ms": 0})


def make_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    return table


TABLE = make_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


class Worker:
    def __enter__(self):
        self.process = subprocess.Popen([program("trainer"), "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        kind, _, _, payload = self.receive()
        assert kind == HELLO, kind
        self.hello = json.loads(payload)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def send(self, kind, a=0, b=0, payload=b""):
        head = struct.pack("<B3xIII", kind, a, b, len(payload))
        self.process.stdin.write(b"XPF1" + head + struct.pack("<I", crc32c(head + payload)) + payload)
        self.process.stdin.flush()

    def receive(self):
        head = self.process.stdout.read(24)
        if not head:
            return None
        magic, kind, a, b, size, crc = struct.unpack("<4sB3xIIII", head)
        payload = self.process.stdout.read(size)
        assert magic == b"XPF1" and crc == crc32c(head[4:20] + payload)
        return kind, a, b, payload

    def task(self, split, kernel, inputs=(), **more):
        task = {"pass": "p", "kernel": kernel, "params": PARAMS, "desc": "", "snapshot": "", "database_url": "", "parts": 1, "seed": 7,
                "inputs": [{"data": True} for _ in inputs], "blobs": [], "publish": None, "memory_mb": 256, **more}
        self.send(TASK, split, 1, json.dumps(task).encode())
        chunks = [(i, seq, chunk) for i, chunks in enumerate(inputs) for seq, chunk in enumerate(chunks)]
        random.Random(split).shuffle(chunks)
        for i, seq, chunk in chunks:
            self.send(DATA, i, seq, chunk)
        if inputs:
            self.send(END, split, 1, struct.pack("<I", len(chunks)))

    def answer(self):
        """(DONE or ERROR's payload, the result, chunks by part); what comes in between is checked."""
        result, parts = b"", {}
        while True:
            kind, a, b, payload = self.receive()
            if kind == EMIT:
                self.expect_next(parts.setdefault(a, []), b, payload)
            elif kind == RESULT:
                result += payload
            elif kind in (DONE, ERROR):
                return payload, result, parts
            else:
                assert kind == PROGRESS, kind

    @staticmethod
    def expect_next(chunks, seq, payload):
        assert seq == len(chunks) and 0 < len(payload) <= 64 << 10, (seq, len(chunks), len(payload))
        chunks.append(payload)


class WorkerTest(unittest.TestCase):
    def test_passes_over_the_pipe(self):
        with Worker() as w:
            self.assertRegex(w.hello["build"], r"^[0-9a-f]{40}$")
            rows = []
            for split in range(3):
                w.task(split, "golden.rows@1", desc=str(ROWS))
                done, _, parts = w.answer()
                self.assertEqual(json.loads(done)["rows"], ROWS)
                self.assertEqual(list(parts), [0])
                self.assertEqual(sum(map(len, parts[0])), ROWS * 72)
                rows.append(parts[0])
            self.assertNotEqual(rows[0], rows[1])

            counts = []
            for split in range(3):
                w.task(split, "golden.counts@1", [rows[split]], parts=PARTS)
                _, _, parts = w.answer()
                counts.append(parts)
            found = [struct.unpack("<IIQd", record) for parts in counts for part, chunks in parts.items() for chunk in chunks
                     for record in (chunk[i:i + 24] for i in range(0, len(chunk), 24)) if struct.unpack("<I", record[:4])[0] % PARTS == part]
            self.assertEqual(sum(c[1] for c in found), 3 * ROWS)

            # The same from a file.
            w.task(0, "golden.stats@1", [rows[0]], spool=None)
            _, by_pipe, _ = w.answer()
            with tempfile.TemporaryDirectory() as d:
                path = os.path.join(d, "rows")
                w.task(0, "golden.rows@1", desc=str(ROWS), spool=path)
                self.assertEqual(w.answer()[2], {})
                w.send(TASK, 0, 1, json.dumps({"pass": "p", "kernel": "golden.stats@1", "params": PARAMS, "parts": 1, "spool": None,
                                               "inputs": [{"path": path, "part": 0, "parts": 1}]}).encode())
                _, by_file, _ = w.answer()
            self.assertEqual(by_pipe, by_file)
            self.assertGreater(len(by_pipe), 0)

    def fails(self, status, text, *task, **more):
        with Worker() as w:
            w.task(*task, **more)
            self.assertIn(text, w.answer()[0].decode())
            self.assertEqual(w.process.wait(60), status)

    def test_exit_codes_say_how_bad_it_is(self):
        self.fails(76, 'kernel "none@1" is not known', 0, "none@1")
        self.fails(65, "the blob has 0 bytes", 0, "golden.gradient@1", [[b""]])
        self.fails(65, "is not a whole number", 0, "golden.rows@1", desc="many")
        self.fails(71, "cannot read blob", 0, "golden.rows@1", desc="1", blobs=[{"path": "/nowhere", "hash": "00", "bytes": 1}])
        self.fails(71, "cannot write spool file", 0, "golden.rows@1", desc="1", spool="/nowhere/rows")

    def test_chunks_that_are_missing_are_noticed(self):
        with Worker() as w:
            w.send(TASK, 0, 1, json.dumps({"pass": "p", "kernel": "golden.stats@1", "params": PARAMS, "inputs": [{"data": True}], "spool": None,
                                           "parts": 1}).encode())
            w.send(DATA, 0, 1, bytes(72))
            w.send(END, 0, 1, struct.pack("<I", 1))
            self.assertIn(b"input 0: chunk 1 came instead of 0", w.answer()[0])
            self.assertEqual(w.process.wait(60), 71)

    def test_a_cancelled_task_is_given_up(self):
        with Worker() as w:
            w.task(0, "golden.rows@1", desc=str(1 << 30))
            while w.receive()[0] != PROGRESS:
                pass
            w.send(CANCEL, 0, 1)
            done, _, _ = self.drain(w)
            self.assertEqual(done, b"cancelled")
            self.assertEqual(w.process.wait(60), 75)

    @staticmethod
    def drain(w):
        while True:
            kind, _, _, payload = w.receive()
            if kind in (DONE, ERROR):
                return payload, b"", {}

    def test_it_ends_with_its_coordinator(self):
        with Worker() as w:
            w.process.stdin.close()
            self.assertEqual(w.process.wait(60), 0)
        with Worker() as w:
            w.send(BYE)
            self.assertEqual(w.process.wait(60), 0)
        with Worker() as w:
            w.process.stdin.write(b"this is no frame, and long enough")
            w.process.stdin.flush()
            self.assertEqual(w.process.wait(60), 76)

    def test_it_dies_with_who_started_it(self):
        code = "import subprocess, sys, time; p = subprocess.Popen([sys.argv[1], 'worker'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL); print(p.pid, flush=True); time.sleep(600)"
        with subprocess.Popen([sys.executable, "-c", code, program("trainer")], stdout=subprocess.PIPE, text=True) as parent:
            line = parent.stdout.readline()
            parent.send_signal(signal.SIGKILL)
            parent.wait()
        wait_for(lambda: not is_there(int(line)), "the worker to end")


if __name__ == "__main__":
    unittest.main(verbosity=2)
