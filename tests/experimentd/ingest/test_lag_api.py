"""How far PostgreSQL is behind what was received: on /metrics and in the results. A lock holds the loader up."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, wait_for  # noqa: E402

LAG = "experimentd_loader_lag_seconds"


class Lag(DaemonTest):
    def send(self, n):
        reply = self.daemon.post("/v1/signals", [{"type": "click", "unit": "u%d" % i} for i in range(n)], key="client")
        self.assertEqual(reply.status, 200, reply)

    def test_lag_is_told_and_ends(self):
        d = self.daemon
        d.make_experiment("lagging")
        self.send(10)
        d.wait_loaded()
        self.assertEqual([d.metric(LAG), d.results("lagging")["lag_seconds"]], [0, 0])
        session = d.sql_session()
        session.stdin.write("begin; lock table signals in exclusive mode; select 'locked';\n")
        session.stdin.flush()
        self.assertEqual(session.stdout.readline(), "locked\n")
        self.send(10)
        first = wait_for(lambda: d.metric(LAG), "lag")
        wait_for(lambda: d.metric(LAG) >= first + 0.5, "more lag")
        self.assertGreaterEqual(d.results("lagging")["lag_seconds"], first + 0.5)
        session.stdin.close()
        session.stdout.close()
        session.wait()
        wait_for(lambda: d.metric(LAG) == 0, "no lag")
        d.wait_loaded()
        self.assertEqual(d.number("select count(*) from signals"), 20)


if __name__ == "__main__":
    unittest.main()
