#!/usr/bin/env bash
# ranking: an EM iteration of click models beside NumPy; LambdaMART training and /v1/rank beside the XGBoost package.
set -euo pipefail
here=$(dirname "$0")
ninja -C "$BUILD_DIR" ranking_clicks ranking_train ranking_score >/dev/null
echo "machine: $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before the first part"
echo "(a) click models"
/usr/bin/python3 "$here/ranking_clicks.py"
echo "(b) training"
/usr/bin/python3 "$here/ranking_train.py"
echo "(c) scoring over HTTP"
/usr/bin/python3 "$here/ranking_http.py"
echo "machine: load $(cut -d' ' -f1-3 /proc/loadavg) after the last part"
