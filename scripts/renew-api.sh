#!/usr/bin/env bash
# Write what follows from the routes and their models anew: the description of the API that clients are made
# from (tests/contract/openapi.json), and the page's types (services/web/ui/src/api/schema.ts).
set -euo pipefail
source "$(dirname "$0")/lib.sh"

"$venv_python" -m tests.contract.openapi
