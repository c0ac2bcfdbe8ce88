"""A worker process, spoken to as an engine without a shared disk does (trainer/engine/frame.h): inputs as DATA in any order, data sets as EMIT."""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import program, wait_for  # noqa: E402
from golden import is_there  # noqa: E402
from worker import BYE, CANCEL, DATA, DONE, END, ERROR, GOLDEN, PROGRESS, TASK, Worker  # noqa: E402

ROWS, PARTS = 5000, 4


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
                w.send(TASK, 0, 1, json.dumps({"pass": "p", "kernel": "golden.stats@1", "params": GOLDEN, "parts": 1, "spool": None,
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
            w.send(TASK, 0, 1, json.dumps({"pass": "p", "kernel": "golden.stats@1", "params": GOLDEN, "inputs": [{"data": True}], "spool": None,
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

    def test_one_that_sends_faster_than_it_is_read_waits(self):
        def waits():
            with open("/proc/%d/wchan" % w.process.pid, encoding="ascii") as f:
                return "pipe_write" in f.read()
        with Worker(check=False) as w:
            w.task(0, "golden.rows@1", desc=str(1000000))
            wait_for(waits, "the worker to wait")
            with open("/proc/%d/status" % w.process.pid, encoding="ascii") as f:
                self.assertLess(int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)), 60 << 10, "72 MB of rows do not wait in memory")
            done, _, parts = w.answer()
            self.assertEqual(json.loads(done)["rows"], 1000000)
            self.assertEqual(sum(map(len, parts[0])), 72000000)

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
