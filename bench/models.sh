#!/usr/bin/env bash
# models: an ALS iteration beside the library implicit and sgemm; serving over HTTP beside nginx, and while versions are swapped.
set -euo pipefail
here=$(dirname "$0")
env=$BUILD_DIR/bench/implicit
ninja -C "$BUILD_DIR" models_als make_artifact >/dev/null
if [ ! -x "$env/bin/python3" ] || ! "$env/bin/python3" -c 'import implicit' 2>/dev/null; then
    rm -rf "$env"
    python3 -m venv "$env" && "$env/bin/pip" install -q --disable-pip-version-check implicit==0.7.3 2>&1 | tail -n 1 ||
        echo "implicit cannot be installed from PyPI here"
fi
echo "machine: $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before the first part"
echo "(a) training"
/usr/bin/python3 "$here/models_als.py" --size all
echo "(b) serving over HTTP"
/usr/bin/python3 "$here/models_http.py"
echo "machine: load $(cut -d' ' -f1-3 /proc/loadavg) after the last part"
