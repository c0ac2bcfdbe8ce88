"""Streams from outside, on two daemons with one database: a change made at one reaches every stream of both, each once."""
import json
import os
import re
import selectors
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import PATIENCE, Daemon, wait_for  # noqa: E402

STREAMS = 150  # of each kind, on each daemon
KINDS = ("/sub/%s", "/remote/sub/%s", "/ofrep/v1/events/%s")


class Stream:
    def __init__(self, daemon, path, headers=""):
        self.socket = socket.create_connection((daemon.host, daemon.port), timeout=PATIENCE)
        self.socket.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, headers)).encode())
        self.received, self.closed, self.at = b"", False, 0.0

    def read(self):
        piece = self.socket.recv(1 << 20)
        self.received += piece
        self.closed = not piece
        self.at = time.monotonic()

    def head(self):
        return self.received.split(b"\r\n\r\n", 1)[0].decode()

    def events(self):
        """(id, event, data) of each whole one."""
        body = self.received.split(b"\r\n\r\n", 1)[-1].decode() if b"\r\n\r\n" in self.received else ""
        found = []
        for block in body.split("\n\n")[:-1]:
            fields = dict(re.findall(r"^(id|event|data): ?(.*)$", block, re.M))
            if "id" in fields:
                found.append((int(fields["id"]), fields["event"], fields["data"]))
        return found


class Streams:
    """Many, read together."""

    def __init__(self, streams):
        self.streams = streams
        self.selector = selectors.DefaultSelector()
        for s in streams:
            self.selector.register(s.socket, selectors.EVENT_READ, s)

    def read_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not all(condition(s) for s in self.streams):
            if time.monotonic() > deadline:
                raise TimeoutError("waited %d s for %s" % (PATIENCE, what))
            for key, _ in self.selector.select(0.2):
                key.data.read()
                if key.data.closed:
                    self.selector.unregister(key.data.socket)

    def read_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, _ in self.selector.select(0.05):
                key.data.read()

    def close(self):
        for s in self.streams:
            s.socket.close()


class FeedsApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.first = Daemon()
        cls.first.start()
        cls.second = Daemon("--database-url", cls.first.database_url())
        cls.second.start()
        cls.client = cls.first.keys["client"]
        cls.first.make_experiment("x", variants=[{"key": "a", "value": 0}, {"key": "b", "value": 0}])
        wait_for(lambda: b'"x"' in cls.second.get("/api/features/" + cls.client, key=None).body, "the second daemon to know")

    @classmethod
    def tearDownClass(cls):
        cls.second.stop()
        cls.second.destroy()
        cls.first.stop()
        cls.first.destroy()

    def change(self, value):
        variants = [{"key": "a", "value": value}, {"key": "b", "value": value}]
        reply = self.first.post("/v1/experiments/x/phases", {"variants": variants})
        self.assertEqual(reply.status, 200, reply)

    def open_all(self):
        return Streams([Stream(d, kind % self.client) for d in (self.first, self.second) for kind in KINDS for _ in range(STREAMS)])

    def test_a_change_reaches_every_stream_of_both_daemons_once(self):
        all_of_them = self.open_all()
        try:
            all_of_them.read_until(lambda s: len(s.events()) == 1, "the state at the beginning")
            self.assertGreaterEqual(self.first.metric("experimentd_http_streams_open"), 3 * STREAMS)
            for turn in (2, 3, 4):
                began = time.monotonic()
                self.change("turn-%d" % turn)
                all_of_them.read_until(lambda s, n=turn: len(s.events()) == n, "the change")
                print("%d streams had the change %.0f ms after it was asked for" % (
                    len(all_of_them.streams), 1e3 * (max(s.at for s in all_of_them.streams) - began)))
            all_of_them.read_for(0.5)
            for s in all_of_them.streams:
                events = s.events()
                self.assertEqual(len(events), 4)
                ids = [e[0] for e in events]
                self.assertEqual(ids, sorted(set(ids)))
            self.check_payloads(all_of_them.streams)
        finally:
            all_of_them.close()

    def check_payloads(self, streams):
        by_event = {}
        for s in streams:
            for _, event, data in s.events()[-1:]:
                by_event.setdefault(event, set()).add(data)
        self.assertEqual(sorted(by_event), ["features", "features-updated", "message"])
        self.assertEqual(by_event["features-updated"], {""})
        self.assertEqual([json.loads(d)["type"] for d in by_event["message"]], ["refetchEvaluation"])  # one text: both say the same
        payloads = [json.loads(d)["features"] for d in by_event["features"]]
        self.assertTrue(all("turn-4" in json.dumps(p) and p == payloads[0] for p in payloads))

    def test_who_has_the_newest_gets_no_repeat(self):
        first = Streams([Stream(self.first, "/sub/" + self.client)])
        first.read_until(lambda s: s.events(), "the state")
        newest = first.streams[0].events()[0][0]
        first.close()
        again = Streams([Stream(self.first, "/sub/" + self.client, "Last-Event-ID: %d\r\n" % newest)])
        older = Streams([Stream(self.first, "/sub/" + self.client, "Last-Event-ID: %d\r\n" % (newest - 1))])
        older.read_until(lambda s: s.events(), "the state, again")
        again.read_for(0.5)
        self.assertEqual(again.streams[0].events(), [])
        self.assertIn("retry: 10000", again.streams[0].received.decode())
        self.assertRegex(again.streams[0].head().lower(), r"content-type: text/event-stream")
        again.close()
        older.close()

    def test_an_edit_that_changes_no_rule_is_no_event(self):
        quiet = Streams([Stream(self.first, "/sub/" + self.client)])
        quiet.read_until(lambda s: s.events(), "the state")
        self.first.make_experiment("a-draft", start=False)
        quiet.read_for(0.7)
        self.assertEqual(len(quiet.streams[0].events()), 1)
        quiet.close()

    def test_draining_ends_streams_at_once(self):
        third = Daemon("--database-url", self.first.database_url())
        third.start()
        streams = Streams([Stream(third, kind % self.client) for kind in KINDS for _ in range(30)])
        streams.read_until(lambda s: s.events(), "the state")
        third.process.terminate()
        streams.read_until(lambda s: s.closed, "the end")
        streams.close()
        self.assertEqual(third.process.wait(PATIENCE), 0, third.log())
        third.destroy()


if __name__ == "__main__":
    unittest.main()
