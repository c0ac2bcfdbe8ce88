#!/usr/bin/env bash
# refresh: results of a running experiment, all days read beside those that changed.
set -euo pipefail
/usr/bin/python3 "$(dirname "$0")/refresh.py" "$@"
