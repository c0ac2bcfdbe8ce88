"""kill -9 of the daemon, of a trainer worker and of PostgreSQL: nothing acknowledged is lost, nothing counts twice, same moments."""
import datetime
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, program, wait_for  # noqa: E402
from ledger import Ledger  # noqa: E402

SIGNALS, UNITS, CLIENTS = 10000, 400, 4
KEY = "kill"
# Yesterday at noon, so that no midnight lies between two runs that are compared.
START = datetime.datetime.now(datetime.timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0) - datetime.timedelta(days=1)
MOMENTS = "select metric, variant, day, n, mean_x, m2_x, mean_y, m2_y, cxy from moments order by 1, 2, 3, 4, 5, 6, 7"


def stamp(seconds):
    return (START + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def signal_number(n):
    """Four fifths requests, one fifth clicks on an earlier request of the same unit."""
    unit, query = "u%03d" % (n % UNITS), n // (5 * UNITS) * (5 * UNITS) + n % UNITS
    common = {"unit": unit, "timestamp": stamp(60 + n * 0.5)}
    if n // UNITS % 5 == 4:
        return {**common, "type": "click", "query_id": "q-%05d" % query, "position": 1 + n % 7}
    return {**common, "type": "request", "query_id": "q-%05d" % n, "query": "lamp", "value": n % 4}


def expose(daemon):
    daemon.make_experiment(KEY)
    connection = daemon.connection()
    for n in range(UNITS):
        reply = connection.request("POST", "/v1/assign", {"unit": "u%03d" % n, "timestamp": stamp(0)})
        if reply.status != 200:
            raise AssertionError(reply)
    connection.close()
    daemon.wait_rows("exposures", UNITS)


def children(pid):
    """Living processes whose parent is pid."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, encoding="utf-8") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
                if int(fields[1]) == pid and fields[0] != "Z":
                    found.append(int(name))
            except OSError:
                pass
    return found


def is_worker(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return b"\0worker" in f.read()
    except OSError:
        return False


class Kill(unittest.TestCase):
    def reference(self):
        """The same input without any kill."""
        with Daemon() as d:
            expose(d)
            with Ledger(d, total=SIGNALS, make=signal_number) as ledger:
                ledger.join()
            ledger.compare(d)
            d.trainer("--workers", "2")
            return d.sql(MOMENTS)

    def test_the_daemon_twice_and_a_worker_once(self):
        with Daemon() as d:
            expose(d)
            with Ledger(d, total=SIGNALS, make=signal_number) as ledger:
                for share in (0.3, 0.65):
                    ledger.wait_acknowledged(int(SIGNALS * share))
                    d.kill()
                    print("kill -9 of the daemon at %d acknowledged signals" % ledger.acknowledged)
                    self.assertLess(ledger.acknowledged, SIGNALS, "the kill came too late to prove anything")
                    d.start()
                ledger.join()
            self.assertGreater(ledger.retries, 0)
            ledger.compare(d)
            self.assertEqual(ledger.acknowledged, SIGNALS)
            self.kill_worker(d)
            moments = d.sql(MOMENTS)
        self.assertGreater(len(moments), 0)
        self.assertEqual(moments, self.reference())

    def kill_worker(self, d, most=50):
        """SIGKILL of a worker while a split is under way: repeated until a run has counted a retry, which every kill in
        mid-pass must cause; each run must succeed all the same."""
        for attempt in range(most):
            coordinator = subprocess.Popen([program("trainer"), "run", "metrics", "--data-dir", d.dir, "--workers", "2"],
                                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            killed = None
            while coordinator.poll() is None and killed is None:
                workers = [p for p in children(coordinator.pid) if is_worker(p)]
                if workers:
                    time.sleep(0.004 * (attempt % 12))
                    try:
                        os.kill(workers[attempt % len(workers)], signal.SIGKILL)
                        killed = workers[attempt % len(workers)]
                    except ProcessLookupError:
                        pass
            output = coordinator.communicate(timeout=300)[0]
            self.assertEqual(coordinator.returncode, 0, output)
            retries = d.number("select retries from runs order by started_at desc limit 1")
            if retries:
                print("kill -9 of trainer worker %s in mid-pass (attempt %d): retries=%d, run succeeded" % (killed, attempt + 1, retries))
                return
        self.fail("no kill of %d hit a worker at work" % most)


class Postgres(unittest.TestCase):
    def test_postgresql_killed_and_restarted(self):
        """While PostgreSQL is away signals are still taken; they arrive when it is back. The daemon brings it back."""
        with Daemon() as d:
            expose(d)
            with Ledger(d, total=SIGNALS, make=signal_number) as ledger:
                ledger.wait_acknowledged(SIGNALS // 3)
                pid = d.postgres_pid()
                os.kill(pid, signal.SIGKILL)
                print("kill -9 of the postmaster at %d acknowledged signals" % ledger.acknowledged)
                ledger.join()
            wait_for(lambda: d.postgres_pid() not in (None, pid), "PostgreSQL to be started again")
            wait_for(lambda: self.answers(d), "PostgreSQL to answer")
            ledger.compare(d)
            self.assertEqual(ledger.acknowledged, SIGNALS)

    def answers(self, d):
        try:
            return d.number("select 1") == 1
        except RuntimeError:
            return False


class Drain(unittest.TestCase):
    def test_sigterm_under_load_loses_no_reply(self):
        """After SIGTERM every request whose bytes were read gets its answer; clients see whole answers or a refused connection."""
        with Daemon() as d:
            d.make_experiment(KEY)
            broken, answered, stop = [], [0] * CLIENTS, threading.Event()

            def client(index):
                connection, reused = d.connection("client"), False
                n = 0
                while not stop.is_set():
                    n += 1
                    try:
                        reply = connection.request("POST", "/v1/signals", {"type": "click", "unit": "u", "id": "d%d-%d" % (index, n)})
                    except ConnectionRefusedError:
                        return
                    except OSError as error:
                        # Only a kept-alive connection that was already closed may fail; then the request was never read.
                        if not reused:
                            broken.append(repr(error))
                        return
                    except Exception as error:  # half an answer
                        if not (reused and type(error).__name__ == "RemoteDisconnected"):
                            broken.append(repr(error))
                        return
                    if reply.status != 200:
                        broken.append(repr(reply))
                    answered[index] += 1
                    reused = True
                    if reply.headers.get("connection", "").lower() == "close":
                        connection.close()
                        reused = False

            threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
            for t in threads:
                t.start()
            wait_for(lambda: min(answered) >= 100, "some load")
            process = d.process
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0, d.log()[-2000:])
            stop.set()
            for t in threads:
                t.join()
            self.assertEqual(broken, [])
            print("SIGTERM under load: %d requests answered, none lost" % sum(answered))
            d.process = None
            d.start()
            d.wait_loaded()
            # A request that was made durable but whose client saw the connection end may be there as well: at most one a client.
            stored = d.number("select count(*) from signals")
            self.assertGreaterEqual(stored, sum(answered))
            self.assertLessEqual(stored, sum(answered) + CLIENTS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
