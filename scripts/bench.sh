#!/usr/bin/env bash
# What each part costs, beside its budget, and which engine computes the models fastest here; with arguments,
# those of `sightline bench`.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/setup.sh --train
if (($#)); then
  exec .venv/bin/sightline bench "$@"
fi
.venv/bin/sightline bench engines
exec .venv/bin/sightline bench
