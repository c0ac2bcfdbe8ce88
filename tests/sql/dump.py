#!/usr/bin/env python3
"""The migrated schema against tests/sql/schema.sql: dump.py [--write]

Dumps the template database of the test server (tests/support/test_cluster) with pg_dump, drops what differs from one run or
patch level to the next, and compares with schema.sql; --write puts it there instead. Without a running test server it starts one.
BUILD_DIR is the build folder (default: build-dev).
"""
import difflib
import glob
import os
import re
import subprocess
import sys

SOURCE_DIR = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD_DIR = os.environ.get("BUILD_DIR", os.path.join(SOURCE_DIR, "build-dev"))
STORED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema.sql")
URL_FILE = os.path.join(BUILD_DIR, "tests", "cluster.url")
TEST_CLUSTER = os.path.join(BUILD_DIR, "tests", "test_cluster")
# Comments, session settings, and the \restrict lines with their random token.
NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)$\n?", re.M)


def pg_dump():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_dump"), key=lambda p: int(p.split("/")[4]))
    return found[-1] if found else "pg_dump"


def dump(server):
    text = subprocess.run([pg_dump(), "--schema-only", "--no-owner", "--no-privileges", "--dbname",
                           server + " dbname=pgtest_template"], check=True, capture_output=True, text=True).stdout
    return re.sub(r"\n{3,}", "\n\n", NOISE.sub("", text)).strip() + "\n"


def migrated_schema():
    started = not os.path.exists(URL_FILE)
    if started:
        subprocess.run([TEST_CLUSTER, "start", URL_FILE], check=True)
    try:
        with open(URL_FILE, encoding="utf-8") as f:
            return dump(f.readline().strip())
    finally:
        if started:
            subprocess.run([TEST_CLUSTER, "stop", URL_FILE], check=True)


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(__doc__)
    schema = migrated_schema()
    if sys.argv[1:]:
        with open(STORED, "w", encoding="utf-8") as f:
            f.write(schema)
        return 0
    with open(STORED, encoding="utf-8") as f:
        stored = f.read()
    sys.stdout.writelines(difflib.unified_diff(stored.splitlines(True), schema.splitlines(True), "tests/sql/schema.sql", "migrations/"))
    if stored != schema:
        print("the schema changed: run tests/sql/dump.py --write and commit schema.sql with the migration")
    return 0 if stored == schema else 1


if __name__ == "__main__":
    sys.exit(main())
