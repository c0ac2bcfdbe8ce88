#!/usr/bin/env bash
# engine: passes over signals, from archive files and from partitions, beside the same in SQL and in PySpark.
set -euo pipefail
/usr/bin/python3 "$(dirname "$0")/engine.py" "$@"
