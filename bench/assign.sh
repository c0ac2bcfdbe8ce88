#!/usr/bin/env bash
# GET /v1/assign/{experiment} beside nginx returning a constant: requests per second and server CPU per request. See assign.py.
set -euo pipefail
exec /usr/bin/python3 "$(dirname "$0")/assign.py" "$@"
