"""The same batches, sent ten times by four clients to two daemons on one database, one of them killed in between: each signal once."""
import http.client
import json
import os
import sys
import threading
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402

SIGNALS, BATCH, TIMES, CLIENTS, KILLS = 2000, 10, 10, 4, 3


def signals():
    """Half of the ids are UUIDs, half are texts of the client's."""
    return [{"id": str(uuid.UUID(int=n + 1)) if n % 2 else "event-%d" % n, "type": "click", "unit": "u%d" % (n % 97), "doc": "d%d" % n}
            for n in range(SIGNALS)]


class Repeats(unittest.TestCase):
    def send(self, daemons, batches, index):
        """Each batch ten times, to one daemon and the other, again until it is acknowledged."""
        for turn in range(TIMES):
            for i, body in enumerate(batches):
                deadline = time.monotonic() + 120
                while time.monotonic() < deadline:
                    try:
                        reply = daemons[(turn + i + index) % 2].post("/v1/signals", body, key="client")
                        if reply.status == 200 and not reply.json["rejected"]:
                            self.acknowledged += 1
                            break
                        self.wrong.append(repr(reply))
                    except (OSError, http.client.HTTPException):
                        time.sleep(0.05)
                else:
                    self.wrong.append("batch %d was not acknowledged" % i)

    def test_each_signal_is_there_once(self):
        self.wrong, self.acknowledged, all_signals = [], 0, signals()
        batches = ["\n".join(map(json.dumps, all_signals[i:i + BATCH])).encode() for i in range(0, SIGNALS, BATCH)]
        with Daemon() as host, Daemon("--database-url", host.database_url()) as other:
            clients = [threading.Thread(target=self.send, args=((host, other), batches, i)) for i in range(CLIENTS)]
            for c in clients:
                c.start()
            for kill in range(1, KILLS + 1):
                wait_for(lambda at=kill * CLIENTS * TIMES * len(batches) // (KILLS + 2): self.acknowledged >= at, "requests to be answered")
                other.kill()
                self.assertTrue(any(c.is_alive() for c in clients), "killed too late")
                other.start()
            for c in clients:
                c.join()
            self.assertEqual(self.wrong, [])
            for d in (host, other):
                d.wait_loaded()
            docs = host.sql("select doc, count(*) from signals group by 1")
            left_out = [d.metric("experimentd_loader_duplicates_total") for d in (host, other)]
            print("%d signals sent %d times by %d clients to two daemons: %d rows; left out since the last start %d and %d" % (
                SIGNALS, TIMES, CLIENTS, sum(int(n) for _, n in docs), *left_out))
            self.assertEqual({d for d, _ in docs}, {s["doc"] for s in all_signals})
            self.assertEqual([d for d in docs if d[1] != "1"], [])

    def test_a_repeat_is_known_after_a_restart(self):
        body = "\n".join(map(json.dumps, signals()[:100])).encode()
        with Daemon() as d:
            for _ in range(2):
                self.assertEqual(d.post("/v1/signals", body, key="client").status, 200)
                d.wait_loaded()
                d.stop()
                d.start()
            self.assertEqual(d.number("select count(*) from signals"), 100)

    def test_what_no_loader_remembers_is_dropped_by_the_day(self):
        body = "\n".join(map(json.dumps, signals()[:100])).encode()
        with Daemon() as d:
            for _ in range(2):
                self.assertEqual(d.post("/v1/signals", body, key="client").status, 200)
                d.wait_loaded()
                d.sql("delete from load_batches")  # as if many others had come since
                d.stop()
                d.start()
            self.assertEqual(d.number("select count(*) from signals"), 200)
            self.assertEqual(d.number("select drop_repeats_of_day((now() at time zone 'UTC')::date)"), 100)
            self.assertEqual(d.number("select count(distinct doc) from signals"), 100)


if __name__ == "__main__":
    unittest.main()
