#!/usr/bin/env bash
# Durable signals per second over HTTP, loader included, beside COPY of the same rows. See ingest.py.
set -euo pipefail
exec /usr/bin/python3 "$(dirname "$0")/ingest.py" "$@"
