#!/usr/bin/env bash
# (a) an assignment in process beside GrowthBook's SDK; (b) GET /v1/assign/{experiment} beside nginx returning a constant.
set -euo pipefail
here=$(dirname "$0")
if [ $# = 0 ]; then # arguments are those of (b)
    echo "(a) in process: nanoseconds of CPU an assignment, libassign / SDK by round"
    /usr/bin/python3 "$here/assign_inprocess.py"
    echo "(b) over HTTP"
fi
exec /usr/bin/python3 "$here/assign.py" "$@"
