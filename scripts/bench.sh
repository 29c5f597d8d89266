#!/usr/bin/env bash
# What each part costs, beside its budget.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/setup.sh --train
exec .venv/bin/sightline bench "$@"
