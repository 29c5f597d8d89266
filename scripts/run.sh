#!/usr/bin/env bash
# From a fresh clone to the running platform: what is missing is installed first.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install-debian.sh run
scripts/setup.sh
exec .venv/bin/sightline up "$@"
