#!/usr/bin/env bash
# signals: durable and loaded beside PostgreSQL alone, steady past checkpoints, and with PostgreSQL away.
set -euo pipefail
here=$(dirname "$0")
echo "machine: $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before the first part"
/usr/bin/python3 "$here/ingest.py"
echo "(d) steady state"
/usr/bin/python3 "$here/ingest_steady.py"
echo "(e) PostgreSQL away"
/usr/bin/python3 "$here/ingest_away.py" --seconds "${AWAY_SECONDS:-60}"
echo "machine: load $(cut -d' ' -f1-3 /proc/loadavg) after the last part"
