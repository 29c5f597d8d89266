#!/usr/bin/env bash
# Everything that has to hold, from a fresh clone. The last line is pytest's own closing line.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install-debian.sh test
scripts/setup.sh --train
scripts/check.sh
exec "$venv_python" -m pytest "$@"
