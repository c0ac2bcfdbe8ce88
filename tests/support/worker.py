"""A worker process, spoken to as an engine does (trainer/engine/frame.h).

    with Worker() as w:
        w.task(0, "golden.rows@1", desc="5000")
        done, result, parts = w.answer()
"""
import json
import random
import struct
import subprocess

from daemon import program

TASK, BYE, DATA, END, CANCEL = 1, 2, 3, 4, 5
HELLO, PROGRESS, RESULT, DONE, ERROR, EMIT = 16, 17, 18, 19, 20, 21


DOCS = 50
GOLDEN = json.dumps({"docs": DOCS, "fault": "none", "fault_split": 0, "hog_mb": 0, "slow_ms": 0})


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
    def __init__(self, check=True):
        """check: the checksums of what it sends. Python takes a second for two megabytes."""
        self.check = check

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
        assert magic == b"XPF1" and (not self.check or crc == crc32c(head[4:20] + payload))
        return kind, a, b, payload

    def task(self, split, kernel, inputs=(), params=GOLDEN, attempt=1, **more):
        task = {"pass": "p", "kernel": kernel, "params": params, "desc": "", "snapshot": "", "database_url": "", "parts": 1, "seed": 7,
                "inputs": [{"data": True} for _ in inputs], "blobs": [], "publish": None, "memory_mb": 256, **more}
        self.send(TASK, split, attempt, json.dumps(task).encode())
        chunks = [(i, seq, chunk) for i, chunks in enumerate(inputs) for seq, chunk in enumerate(chunks)]
        random.Random(split).shuffle(chunks)
        for i, seq, chunk in chunks:
            self.send(DATA, i, seq, chunk)
        if inputs:
            self.send(END, split, attempt, struct.pack("<I", len(chunks)))

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
