#!/usr/bin/env bash
# Everything that has to hold, from a fresh clone. The last line is pytest's own closing line.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# What takes long to install comes beside the checks, which need nothing of it but a Python where there is none.
find_python >/dev/null || scripts/install-debian.sh test
scripts/install-debian.sh test &
debian=$!
trap wait EXIT
scripts/setup.sh --train
scripts/checkov.sh --install &
checkov=$!
scripts/check.sh
wait "$debian"
wait "$checkov"
# Two workers more than cores: what waits needs none.
exec "$venv_python" -m pytest -n "$(($(nproc) + 2))" -p tests.lanes --durations=30 --durations-min=3 "$@"
