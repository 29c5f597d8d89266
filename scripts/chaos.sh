#!/usr/bin/env bash
# The long form of the tests under tests/chaos: ten rounds, and outages of a minute.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install-debian.sh test
scripts/setup.sh --train
export SIGHTLINE_CHAOS_ROUNDS="${SIGHTLINE_CHAOS_ROUNDS:-10}" SIGHTLINE_OUTAGE_S="${SIGHTLINE_OUTAGE_S:-60}"
exec "$venv_python" -m pytest -s tests/chaos "$@"
