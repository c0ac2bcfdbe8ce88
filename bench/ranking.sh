#!/usr/bin/env bash
# ranking: an EM iteration of click models beside NumPy; LambdaMART training beside the XGBoost package; /v1/rank beside XGBoost's prediction.
set -euo pipefail
here=$(dirname "$0")
ninja -C "$BUILD_DIR" ranking_clicks ranking_score ranking_train >/dev/null
echo "machine: $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before the first part"
echo "(a) click models"
/usr/bin/python3 "$here/ranking_clicks.py"
echo "(b) training"
/usr/bin/python3 "$here/ranking_train.py"
echo "(c) serving"
/usr/bin/python3 "$here/ranking_http.py"
echo "machine: load $(cut -d' ' -f1-3 /proc/loadavg) after the last part"
