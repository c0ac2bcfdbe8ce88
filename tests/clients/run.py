#!/usr/bin/python3
"""What CTest starts: run.py FILE [encrypted]. A daemon of its own, the pinned packages, then node --test FILE.

What is not there (Node 20, the packages) is said loudly and skips the test: exit 77.
"""
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from daemon import Daemon  # noqa: E402

TEST_SECONDS = 120


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def check_node():
    node = shutil.which("node") or shutil.which("nodejs")
    if not node:
        skip("there is no node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(re.match(r"v(\d+)", version).group(1)) < 20:
        skip("node is %s; the SDKs need 20" % version)
    return node


def fetch_packages(folder="clients", one_of_them="@openfeature/server-sdk"):
    path = os.path.join(HERE, "..", folder)
    if os.path.exists(os.path.join(path, "node_modules", one_of_them, "package.json")):
        return
    npm = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=path, capture_output=True, text=True, check=False)
    if npm.returncode != 0:
        skip("npm ci in tests/%s failed: %s" % (folder, (npm.stderr.strip().split("\n") or [""])[-1]))


def main(name, encrypted):
    node = check_node()
    fetch_packages()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as directory:
        key = base64.b64encode(os.urandom(16)).decode()
        path = os.path.join(directory, "features.key")
        with open(path, "w", encoding="ascii") as f:
            f.write(key + "\n")
        with Daemon(*(["--features-encryption-key-file", path] if encrypted else [])) as d:
            environment = {**os.environ, "DAEMON_URL": "http://%s:%d" % (d.host, d.port), "CLIENT_KEY": d.keys["client"],
                           "ADMIN_KEY": d.keys["admin"], "DECRYPTION_KEY": key if encrypted else ""}
            tests = subprocess.run([node, "--test", "--test-reporter=spec", os.path.join(HERE, name)], env=environment,
                                   timeout=TEST_SECONDS, check=False)
            d.stop()
            return tests.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "encrypted" in sys.argv[2:]))
