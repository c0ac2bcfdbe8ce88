#!/usr/bin/env bash
# stats: a result page of 20 metrics, 5 variants and 30 days: the daemon's, the statistics alone, and gbstats on the same numbers.
set -euo pipefail
here=$(dirname "$0")
env=$BUILD_DIR/bench/gbstats
if [ ! -x "$env/bin/python3" ] || ! "$env/bin/python3" -c 'import gbstats' 2>/dev/null; then
    rm -rf "$env"
    python3 -m venv "$env" && "$env/bin/pip" install -q --disable-pip-version-check gbstats==0.8.0 2>&1 | tail -n 1 ||
        echo "gbstats cannot be installed from PyPI here"
fi
echo "machine: $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before the first part"
/usr/bin/python3 "$here/stats.py" --gbstats "$env/bin/python3"
echo "machine: load $(cut -d' ' -f1-3 /proc/loadavg) after the last part"
