#!/usr/bin/env bash
# The long form of the tests of killed processes: ten rounds, outages of a minute, five hand-overs.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install-debian.sh test
scripts/setup.sh --train
export SIGHTLINE_CHAOS_ROUNDS="${SIGHTLINE_CHAOS_ROUNDS:-10}" SIGHTLINE_OUTAGE_S="${SIGHTLINE_OUTAGE_S:-60}"
export SIGHTLINE_HANDOVER_ROUNDS="${SIGHTLINE_HANDOVER_ROUNDS:-5}"
exec "$venv_python" -m pytest -s tests/chaos tests/integration/cluster/test_handover.py "$@"
