# lib.sh - what the scripts of this folder share. Sourced, never run; the caller has `set -euo pipefail`.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# help FILE: the comment at the head of a script is its manual.
help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$1"; }

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# step WORDS -- COMMAND...: one line with the seconds; the output is shown only when the command fails.
step() {
    local words=$1 log started=$SECONDS
    shift 2
    log=$(mktemp)
    printf '%-58s' "$words"
    if "$@" >"$log" 2>&1; then
        printf '%4ds\n' $((SECONDS - started))
        rm -f "$log"
        return 0
    fi
    printf 'failed after %ds: %s\n' $((SECONDS - started)) "$*"
    tail -n 60 "$log"
    rm -f "$log"
    return 1
}

# build PRESET DIR: configures once, then only when CMake says so. Where ccache is installed, what another checkout compiled is not compiled again.
build() {
    if command -v ccache >/dev/null; then
        export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
    fi
    [ -f "$2/build.ninja" ] || cmake --preset "$1" >/dev/null || return 1
    ninja -C "$2" -j "$(nproc)"
}
