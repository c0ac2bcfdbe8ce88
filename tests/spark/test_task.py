"""The Python side of the Spark engine without Spark: frames as the C side reads and writes them, and what becomes of a worker's end."""
import os
import random
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import SOURCE_DIR, program  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE_DIR, "trainer", "spark"))
import frames  # noqa: E402
import task  # noqa: E402


def context(command=None):
    return task.Context("", 30.0, {}, command or [program("trainer"), "worker"])


def run(given, number=0, kernel="no such kernel"):
    entry = {"split": 3, "task": {"kernel": kernel, "desc": "", "database_url": "", "parts": 1, "memory_mb": 64, "inputs": [], "blobs": []}}
    return list(task.run_split(given, ["/nowhere"], entry, 7, number, iter(())))


def shell(script):
    """A stand-in for a worker that misbehaves."""
    return ["sh", "-c", script, "sh"]


def enumerators(path):
    """Of a C header: name and value."""
    with open(os.path.join(SOURCE_DIR, path), encoding="utf-8") as f:
        for body in re.findall(r"^enum \w+ \{(.*?)\}", f.read(), re.S | re.M):
            value = -1
            for name, given in re.findall(r"(\w+)(?:\s*=\s*(\d+))?\s*(?:,|$)", re.sub(r"/\*.*?\*/", "", body, flags=re.S).strip()):
                value = int(given) if given else value + 1
                yield name, value


class Frames(unittest.TestCase):
    def test_the_checksum_is_crc32c(self):
        self.assertEqual(frames.crc32c(b"123456789"), 0xE3069283)  # RFC 3720

    def test_a_moved_checksum_is_that_of_the_other_frame(self):
        rng = random.Random(1)
        for size in (0, 1, 7, 4096, 65536, 300001):
            payload = rng.randbytes(size)
            was, now = (task.EMIT, 5, 6), (task.DATA, 1, 77)
            crc = frames.parse_head(frames.frame(*was, payload)[:frames.HEAD.size])[4]
            self.assertEqual(frames.head(*now, size, frames.moved(crc, size, was, now)) + payload, frames.frame(*now, payload))

    def test_numbers_are_those_of_the_headers(self):
        found = dict(enumerators("trainer/engine/frame.h"))
        for name in ("TASK", "BYE", "DATA", "END", "CANCEL", "HELLO", "PROGRESS", "RESULT", "DONE", "ERROR", "EMIT"):
            self.assertEqual(getattr(task, name), found["FRAME_" + name], name)
        found = dict(enumerators("trainer/engine/passes.h"))
        with open(os.path.join(SOURCE_DIR, "trainer", "spark", "driver.py"), encoding="utf-8") as f:
            lines = re.findall(r"^([A-Z_, ]+) = range\((\d+), (\d+)\)$", f.read(), re.M)
        told = {name: value for names, first, end in lines for name, value in zip(names.split(", "), range(int(first), int(end)))}
        self.assertEqual({"PASSES_" + name: value for name, value in told.items()}, found)


class Ends(unittest.TestCase):
    def test_a_failure_of_ours_is_found_in_a_long_trace(self):
        self.assertEqual(task.words_of("org.apache: x\n%s\n\tat y" % task.Failure("it broke", 75, 3, 2)),
                         {"split": 3, "attempt": 2, "code": 75, "text": "it broke"})
        self.assertIsNone(task.words_of("org.apache: x"))

    def test_a_death_by_signal_is_raised_so_that_spark_tries_again(self):
        with self.assertRaisesRegex(task.Failure, r"experimentd 3 1 -1: the worker was ended by signal 9 :"):
            run(context(shell("kill -9 $$")))

    def test_bad_data_is_a_value_so_that_spark_does_not(self):
        self.assertEqual(run(context(shell("exit 65"))),
                         [("failed", 3, 65, 1, "the worker ended (exit code 65)")])

    def test_memory_is_final_only_after_it_was_doubled(self):
        with self.assertRaises(task.Failure):
            run(context(shell("exit 71")))
        self.assertEqual(run(context(shell("exit 71")), number=1)[0][:3], ("failed", 3, 71))

    def test_silence_is_a_stall(self):
        given = context(shell("exec sleep 1000"))._replace(stall=0.3)
        task.HELLO_SECONDS = 0.3
        with self.assertRaisesRegex(task.Failure, "it said nothing for 0.3 s"):
            run(given)
        task.HELLO_SECONDS = 60

    def test_a_missing_bundle_is_named(self):
        with self.assertRaisesRegex(task.Failure, "the bundle \"experimentd\" is not in /nowhere"):
            run(context()._replace(worker=None))


class RealWorker(unittest.TestCase):
    def test_it_takes_our_frames_and_its_words_come_back(self):
        self.assertEqual(run(context()),
                         [("failed", 3, 76, 1, "kernel \"no such kernel\" is not known to this worker (exit code 76)")])

    def test_a_worker_is_thrown_away_after_a_failure(self):
        run(context())
        self.assertIsNone(task._idle)


if __name__ == "__main__":
    unittest.main()
