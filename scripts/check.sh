#!/usr/bin/env bash
# The checks that read the code without running it.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

"$venv_python" -m ruff check --quiet
"$venv_python" -m ruff format --quiet --check
"$venv_python" -m mypy
