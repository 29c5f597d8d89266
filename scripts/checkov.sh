#!/usr/bin/env bash
# checkov with the given options, offline. It lives in an environment of its own, .venv-checkov, since it
# brings 290 MB that nothing else needs. `--install` only makes that environment.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

make_tool .venv-checkov requirements-checkov.lock
[[ ${1:-} == --install ]] && exit
exec .venv-checkov/bin/python -m checkov.main --skip-download --quiet --compact "$@"
