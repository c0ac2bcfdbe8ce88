#!/usr/bin/python3
"""What CTest starts for a test that needs a daemon: with_daemon.py FILE [--jobs]. A daemon of its own, then run.js FILE; its exit status, also 77.
--jobs: the daemon starts runs of jobs by itself."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from daemon import Daemon  # noqa: E402

TEST_SECONDS = 600


def main(name, jobs):
    node = shutil.which("node") or shutil.which("nodejs")
    with Daemon(jobs=jobs) as d:
        d.make_experiment("x")
        environment = {**os.environ, "DAEMON_URL": "http://%s:%d" % (d.host, d.port), "CLIENT_KEY": d.keys["client"],
                       "ADMIN_KEY": d.keys["admin"]}
        tests = subprocess.run([node, os.path.join(HERE, "run.js"), name], env=environment, timeout=TEST_SECONDS, check=False)
        d.stop()
        return tests.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--jobs" in sys.argv))
