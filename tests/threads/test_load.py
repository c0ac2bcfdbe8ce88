"""Four worker threads under load from twelve connections, while configuration changes: for ThreadSanitizer to watch."""
import os
import signal
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Connection, Daemon  # noqa: E402

SECONDS = 6


class Load(unittest.TestCase):
    def client(self, d, number, stop, counts, errors):
        try:
            link = Connection(d.host, d.port, d.keys["admin"])
            step = 0
            while not stop.is_set():
                step += 1
                unit = "unit-%d-%d" % (number, step)
                kind = (number + step) % 4
                if kind == 0:
                    reply = link.request("GET", "/v1/assign/load?unit=" + unit)
                elif kind == 1:
                    reply = link.request("POST", "/v1/assign", [{"unit": unit}, {"unit": unit + "x"}])
                elif kind == 2:
                    reply = link.request("POST", "/v1/signals", [{"type": "click", "unit": unit, "id": unit}] * 2)
                else:
                    reply = link.request("GET", ("/metrics", "/v1/experiments", "/v1/experiments/load/results", "/readyz",
                                                 "/v1/signals/live?wait=0")[step % 5])
                counts[kind] += 1
                if reply.status != 200:
                    errors.append(reply)
            link.close()
        except Exception as e:  # the main thread reports it
            errors.append(e)

    def watch(self, d, stop, seen):
        """A live view, read to its end; then another, on whatever worker takes it."""
        while not stop.is_set():
            with socket.create_connection((d.host, d.port)) as s:
                s.sendall(("GET /v1/signals/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % d.keys["admin"]).encode())
                received = b""
                while received.count(b"event: signal") < 300 and not stop.is_set():
                    received += s.recv(1 << 16)
                seen.append(received.count(b"event: signal"))

    def edit(self, d, stop, errors):
        number = 0
        while not stop.is_set():
            number += 1
            d.make_experiment("edit-%d" % number)
            reply = d.post("/v1/experiments/edit-%d/stop" % number, b"")
            if reply.status != 200:
                errors.append(reply)
            if number % 5 == 0:
                d.process.send_signal(signal.SIGHUP)

    def test_no_race_under_load(self):
        with Daemon(threads=4) as d:
            d.make_experiment("load")
            stop, counts, errors, seen = threading.Event(), [0] * 4, [], []
            threads = [threading.Thread(target=self.client, args=(d, i, stop, counts, errors)) for i in range(12)]
            threads.append(threading.Thread(target=self.edit, args=(d, stop, errors)))
            threads += [threading.Thread(target=self.watch, args=(d, stop, seen)) for _ in range(3)]
            for t in threads:
                t.start()
            time.sleep(SECONDS)
            stop.set()
            for t in threads:
                t.join()
            print("assign one %d, assign many %d, signals %d, reads %d, shown live %d" % (*counts, sum(seen)))
            self.assertTrue(sum(seen))
            self.assertEqual(errors[:3], [])
            self.assertTrue(all(counts), counts)
            accepted = d.number("select count(*) from signals where type = 'click'")
            self.assertLessEqual(accepted, counts[2])
            d.wait_rows("signals", counts[2], "type = 'click'")  # each id twice in its request, once in the table


if __name__ == "__main__":
    unittest.main(verbosity=2)
