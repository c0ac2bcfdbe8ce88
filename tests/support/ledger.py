"""Signals with known numbers, sent over several connections: what was acknowledged, compared with what is in PostgreSQL.

    with Ledger(d) as ledger:           # sends until stop(), or `total` signals
        ledger.wait_acknowledged(1000)
        d.kill(); d.start()
        ledger.stop()
        ledger.compare(d)

Signal number n carries "s-n" as `id` and as `doc` (`name` is another text than "s"). A batch that was not answered, or with 503, is sent again with the same ids until it
is acknowledged. A signal is acknowledged by an answer 200 that does not name it in "rejected".
"""
import array
import http.client
import json
import threading
import time

from daemon import wait_for

PAUSE = 0.05  # seconds between two tries
SENT, ACKNOWLEDGED, REJECTED = 1, 2, 3


def click(number):
    return {"type": "click", "unit": "u%d" % (number % 997), "position": 1 + number % 10}


class Ledger:
    def __init__(self, daemon, total=None, make=click, connections=4, batch=20, rate=None, patience=300,
                 name="s"):
        """rate: signals a second, of all connections together. patience: seconds until a batch is given up."""
        self.daemon, self.total, self.make, self.batch, self.patience = daemon, total, make, batch, patience
        self.prefix = name + "-"
        self.pause = connections * batch / rate if rate else 0
        self.lock = threading.Lock()
        self.state = bytearray()  # of each number
        self.acknowledged = self.retries = self.refused = 0
        self.wrong = []
        self.stopping, self.abandoned = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(connections)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.abandon()
        self.stop()

    def stop(self):
        """No new batches; those under way are sent until they are acknowledged."""
        self.stopping.set()
        self.join()

    def abandon(self):
        """Nothing is sent any more: what was not answered stays unknown."""
        self.abandoned.set()
        self.stop()

    def join(self):
        for t in self.threads:
            t.join()

    def sending(self):
        return any(t.is_alive() for t in self.threads)

    def wait_acknowledged(self, count):
        wait_for(lambda: self.acknowledged >= count or not self.sending(), "%d acknowledged signals" % count)
        if self.acknowledged < count:
            raise AssertionError("%d acknowledged, then: %s" % (self.acknowledged, self.wrong[:3]))

    def wait_more(self, count):
        self.wait_acknowledged(self.acknowledged + count)

    # ---- the clients

    def _next(self):
        """The numbers of another batch; none when all are sent."""
        with self.lock:
            first = len(self.state)
            count = self.batch if self.total is None else min(self.batch, self.total - first)
            self.state += bytes([SENT]) * count
            return range(first, first + count)

    def _run(self):
        connection, due = None, time.monotonic()
        while not self.stopping.is_set():
            numbers = self._next()
            if not numbers:
                break
            connection = self._send(connection, numbers)
            due = max(due + self.pause, time.monotonic() - 1)
            self.stopping.wait(max(0, due - time.monotonic()))
        if connection:
            connection.close()

    def _send(self, connection, numbers):
        """Until it is acknowledged; returns the connection, which may be another one then."""
        body = "".join(json.dumps({**self.make(n), "id": self.prefix + str(n), "doc": self.prefix + str(n)}) + "\n" for n in numbers)
        give_up = time.monotonic() + self.patience
        while not self.abandoned.is_set():
            try:
                connection = connection or self.daemon.connection("client")
                reply = connection.request("POST", "/v1/signals", body)
                if self._answered(reply, numbers):
                    return connection
            except (OSError, http.client.HTTPException):
                if connection:
                    connection.close()
                connection = None
            with self.lock:
                self.retries += 1
                if time.monotonic() > give_up:
                    self.wrong.append("signals from %d on: not acknowledged in %d s" % (numbers[0], self.patience))
                    return connection
            time.sleep(PAUSE)
        return connection

    def _answered(self, reply, numbers):
        with self.lock:
            if reply.status == 503:
                self.refused += 1
                if "retry-after" not in reply.headers:
                    self.wrong.append("503 without Retry-After: %r" % reply)
            elif reply.status != 200:
                self.wrong.append(repr(reply))
            else:
                self._take_answer(reply.json, numbers)
            return reply.status != 503

    def _take_answer(self, answer, numbers):
        for n in numbers:
            self.state[n] = ACKNOWLEDGED
        for r in answer["rejected"]:
            self.state[numbers[r["index"]]] = REJECTED
            self.wrong.append("signal %d rejected: %s" % (numbers[r["index"]], r["error"]))
        self.acknowledged += len(numbers) - len(answer["rejected"])

    # ---- what came of it

    def stored(self, daemon):
        """How often each number is in PostgreSQL, and rows that are not of ours."""
        times, strange = array.array("H", bytes(2 * len(self.state))), []
        for doc in daemon.lines("copy (select doc from signals) to stdout"):
            text = doc.removeprefix(self.prefix)
            n = int(text) if text != doc and text.isdigit() else -1
            if 0 <= n < len(times):
                times[n] += 1
            else:
                strange.append(doc)
        return times, strange

    def compare(self, daemon):
        """Every acknowledged signal is in PostgreSQL exactly once, every other at most once, and nothing that was not sent."""
        daemon.wait_loaded()
        self.compare_now(daemon)

    def compare_now(self, daemon):
        """The same of a daemon that need not run: only its database is asked."""
        times, strange = self.stored(daemon)
        lost = [n for n, s in enumerate(self.state) if s == ACKNOWLEDGED and times[n] == 0]
        doubled = [n for n, t in enumerate(times) if t > 1]
        print("%d signals sent, %d acknowledged, %d requests sent again (%d after 503); in PostgreSQL %d; lost %d, doubled %d, never sent %d" % (
            len(self.state), self.acknowledged, self.retries, self.refused, sum(times), len(lost), len(doubled), len(strange)), flush=True)
        if lost or doubled or strange or self.wrong:
            raise AssertionError("lost %s, doubled %s, never sent %s, wrong answers %s" % (
                lost[:10], doubled[:10], strange[:10], self.wrong[:3]))
        if self.acknowledged == 0:
            raise AssertionError("nothing was acknowledged")
