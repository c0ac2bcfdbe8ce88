"""script/archive-to-parquet.py: every row of an archive file, read back by pyarrow. Exit 77: pyarrow cannot be used here."""
import datetime
import json
import math
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import SOURCE_DIR, Daemon, program  # noqa: E402

SCRIPT = os.path.join(SOURCE_DIR, "script", "archive-to-parquet.py")


class Parquet(unittest.TestCase):
    def test_rows_are_the_same(self):
        with Daemon() as d:
            old = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=9)).strftime("%Y-%m-%dT12:00:00.%%06dZ")
            signals = [{"type": "click", "unit": "ü%d" % n, "timestamp": old % n, "position": n, "value": n / 3 if n % 4 else None,
                        "params": {"a": ["“", n]}} for n in range(1, 200)]
            reply = d.post("/v1/signals", signals, key="client")
            self.assertEqual(reply.status, 200, reply)
            d.wait_loaded()
            d.sql("update signals set value = 'NaN' where position = 4")
            d.sql("update signals set value = '-Infinity' where position = 8")
            d.run("trainer", "run", "seal", "--data-dir", d.dir, "--archive-after-days", "2")
            paths = [os.path.join(d.dir, "archive", r[0]) for r in d.sql("select path from archives order by 1")]
            self.assertEqual(len(paths), 4)
            out = os.path.join(d.root, "parquet")
            done = subprocess.run([sys.executable, SCRIPT, *paths, "--out", out, "--program", program("experimentd")], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = [json.loads(line) for line in d.run("experimentd", "archive", "export", *paths).stdout.splitlines()]
            self.compare(out, rows)

    def compare(self, out, rows):
        tables = [pyarrow.parquet.read_table(os.path.join(out, f)) for f in sorted(os.listdir(out))]
        self.assertEqual(str(tables[0].schema.field("at").type), "timestamp[us, tz=UTC]")
        back = [r for t in tables for r in t.to_pylist()]
        self.assertEqual(len(back), 199)
        self.assertEqual(len(back), len(rows))
        for got, wanted in zip(back, rows):
            self.assertEqual(got["at"], datetime.datetime.fromisoformat(wanted["at"].replace("Z", "+00:00")))
            self.assertEqual(json.loads(got["params"]), wanted["params"])
            value = None if wanted["value"] is None else float(wanted["value"])
            self.assertTrue(got["value"] == value or (math.isnan(got["value"]) and math.isnan(value)), (got, wanted))
            for name in ("id", "unit", "type", "bucket", "position", "session", "query"):
                self.assertEqual(got[name], wanted[name])
        self.assertEqual(sum(r["value"] is not None and math.isnan(r["value"]) for r in back), 1)


if __name__ == "__main__":
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as why:
        print("skipped: tests/script/test_parquet.py, because pyarrow cannot be used: %s" % str(why).split("\n", maxsplit=1)[0])
        sys.exit(77)
    unittest.main(verbosity=2)
