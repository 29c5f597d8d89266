#!/usr/bin/env bash
# Make .venv and the page. Does nothing, quickly, when nothing has changed. `--train` adds the
# packages of training, which running does not need.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

locks=(requirements.lock)
[[ " $* " == *" --train "* ]] && locks+=(requirements-train.lock)

make_environment() {
    local python
    if [[ -x $venv_python ]] && "$venv_python" -c 'import pip' 2>/dev/null; then
        # Console scripts name their interpreter by its full path: a moved folder needs a new one.
        [[ ! -f .venv/bin/sightline ]] && return
        grep --quiet --fixed-strings "$repository/.venv/" .venv/bin/sightline && return
    fi
    if ! python="$(find_python)"; then
        say "Sightline needs Python 3.11 or later with its venv module, and none was found."
        say "On Debian: apt-get install python3 python3-venv"
        exit 1
    fi
    say "Making .venv with $python"
    "$python" -m venv --clear .venv
}

install_packages() {
    local stamp=".venv/.installed-${#locks[@]}" wanted lock arguments=() torch=(-r requirements-torch.lock)
    wanted="$(fingerprint pyproject.toml "${locks[@]}" requirements-torch.lock)"
    [[ -f $stamp && "$(<"$stamp")" == "$wanted" ]] && return
    for lock in "${locks[@]}"; do arguments+=(-r "$lock"); done
    say "Installing packages (${locks[*]})"
    "$venv_python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes "${arguments[@]}"
    [[ ${#locks[@]} == 1 ]] || "$venv_python" -m pip install --quiet --disable-pip-version-check --no-deps "${torch[@]}"
    "$venv_python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    printf '%s' "$wanted" >"$stamp"
}

make_environment
install_packages
scripts/build-page.sh
