#!/usr/bin/env bash
# assignment: in process beside GrowthBook's SDK, over HTTP beside nginx and Unleash, and its latency while streams follow changes.
set -euo pipefail
here=$(dirname "$0")
echo "machine: $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before the first part"
echo "(a) in process: nanoseconds of CPU an assignment, libassign / SDK by round"
/usr/bin/python3 "$here/assign_inprocess.py" --seconds 0.5
echo "(b) over HTTP"
/usr/bin/python3 "$here/assign_http.py"
echo "(c) under a fixed load, with changes and streams"
/usr/bin/python3 "$here/assign_streams.py"
echo "machine: load $(cut -d' ' -f1-3 /proc/loadavg) after the last part"
