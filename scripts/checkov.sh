#!/usr/bin/env bash
# checkov with the given options, offline. It lives in an environment of its own, .venv-checkov, since it
# brings 290 MB that nothing else needs. `--install` only makes that environment.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

environment=.venv-checkov
lock=requirements-checkov.lock

install() {
    local stamp="$environment/.installed" wanted
    wanted="$(fingerprint "$lock")"
    [[ -f $stamp && "$(<"$stamp")" == "$wanted" ]] && return
    say "Installing checkov"
    "$(find_python)" -m venv --clear --without-pip "$environment"
    # The lock file has been resolved, and most of what it names is never imported.
    "$venv_python" -m pip --python "$environment/bin/python" install --quiet --disable-pip-version-check \
        --no-compile --no-deps --only-binary :all: -r "$lock"
    printf '%s' "$wanted" >"$stamp"
}

# Who comes while another is installing waits for it.
exec 9<"$lock"
flock 9
install
exec 9<&-
[[ ${1:-} == --install ]] && exit
exec "$environment/bin/python" -m checkov.main --skip-download --quiet --compact "$@"
