#!/usr/bin/env bash
# quality: NAME...: what models find in real data, beside named references on the same data; bench/quality/NAME.py.
set -euo pipefail
here=$(dirname "$0")/quality
names=("$@")
[ $# -gt 0 ] || for file in "$here"/*.py; do
    grep -q '^"""quality: ' "$file" && names+=("$(basename "$file" .py)")
done
for name in "${names[@]}"; do
    [ -f "$here/$name.py" ] || { echo "quality: there is no bench/quality/$name.py" >&2 && exit 2; }
    python=/usr/bin/python3
    if [ -f "$here/$name.txt" ]; then # what it compares with, of PyPI; where that cannot be had, the program says what it leaves out
        env=$BUILD_DIR/bench/quality-$name
        if ! cmp -s "$here/$name.txt" "$env/installed.txt"; then
            rm -rf "$env"
            /usr/bin/python3 -m venv "$env"
            if "$env/bin/pip" install -q --disable-pip-version-check -r "$here/$name.txt" 2>&1 | tail -n 1; then
                cp "$here/$name.txt" "$env/installed.txt"
            fi
        fi
        python=$env/bin/python3
    fi
    "$python" "$here/$name.py"
done
