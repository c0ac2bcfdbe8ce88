#!/usr/bin/env python3
"""Archive files as Parquet, for tools that read that: archive-to-parquet.py FILE... --out DIR [--program build/experimentd]

Each FILE becomes DIR/<its name>.parquet with the same rows in the same order: whole numbers as int64, instants as timestamp[us, UTC],
reals as float64, texts, ids and JSON as strings. Rows are read through "experimentd archive export", which checks them. Needs pyarrow
(pip install pyarrow).
"""
import argparse
import json
import os
import subprocess
import sys

BATCH = 65536


def arrow_type(pa, name):
    return {"int": pa.int64(), "time": pa.timestamp("us", tz="UTC"), "real": pa.float64()}.get(name, pa.string())


def converter(name):
    """From the value in JSON to what pyarrow takes."""
    if name == "time":
        import datetime
        return lambda v: datetime.datetime.fromisoformat(v.replace("Z", "+00:00"))
    if name == "real":
        return float  # "NaN" and "Infinity" are texts
    if name == "json":
        return lambda v: json.dumps(v, ensure_ascii=False)
    return lambda v: v


def batches(lines):
    batch = []
    for line in lines:
        batch.append(json.loads(line))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def convert(pa, parquet, program, path, out):
    """The number of rows. The Parquet file gets its name when it is whole."""
    schema = json.loads(subprocess.run([program, "archive", "schema", path], check=True, capture_output=True, text=True).stdout)
    columns = [(c["name"], c["type"], converter(c["type"])) for c in schema["columns"]]
    arrow = pa.schema([(name, arrow_type(pa, kind)) for name, kind, _ in columns],
                      metadata={"table": schema["table"], "day": schema["day"]})
    rows = 0
    with subprocess.Popen([program, "archive", "export", path], stdout=subprocess.PIPE, text=True, encoding="utf-8") as export:
        with parquet.ParquetWriter(out + ".part", arrow, compression="zstd") as writer:
            for batch in batches(export.stdout):
                arrays = [pa.array([None if r[name] is None else to(r[name]) for r in batch], arrow_type(pa, kind))
                          for name, kind, to in columns]
                writer.write_table(pa.Table.from_arrays(arrays, schema=arrow))
                rows += len(batch)
    if export.returncode != 0 or rows != schema["rows"]:
        os.unlink(out + ".part")
        raise SystemExit("archive-to-parquet: %s could not be read whole" % path)
    os.rename(out + ".part", out)
    return rows


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--out", required=True, metavar="DIR")
    parser.add_argument("--program", default=os.path.join(here, "..", "build", "experimentd"))
    options = parser.parse_args()
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as why:
        print("archive-to-parquet: pyarrow cannot be used: %s" % str(why).split("\n", maxsplit=1)[0], file=sys.stderr)
        return 69
    os.makedirs(options.out, exist_ok=True)
    for path in options.files:
        out = os.path.join(options.out, os.path.splitext(os.path.basename(path))[0] + ".parquet")
        print("%s: %d rows" % (out, convert(pa, parquet, options.program, path, out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
