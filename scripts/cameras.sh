#!/usr/bin/env bash
# Odd cameras beside a good one, live and in real time: about a minute for each row of the table.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/setup.sh --train
exec "$venv_python" -m pytest -s -n0 -m realtime tests/integration/test_camera_habits.py "$@"
