#!/usr/bin/env bash
# What a second detector process adds, and what the split into processes costs.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/setup.sh --train
exec "$venv_python" -m tests.perf.cluster_bench "$@"
