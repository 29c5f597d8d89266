#!/usr/bin/env bash
# Make .venv and the page. Does nothing, quickly, when nothing has changed. `--train` adds the
# packages of training, which running does not need; `--ultralytics` an environment of its own with Ultralytics.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

locks=(requirements.lock)
[[ " $* " == *" --train "* ]] && locks+=(requirements-train.lock)

# There while packages are being changed: what was broken off is made anew and not repaired.
unfinished=".venv/.unfinished"

python_name() { "$venv_python" -c 'import platform; print("Python", platform.python_version())' 2>/dev/null || echo Python; }

# Say in one line why something could not be installed, and end.
give_up() {
    local status=0
    say "$(why_not_installed "$(python_name)")" || true
    why_not_installed "" >/dev/null || status=$?
    ((status != 3)) || rm -f "$unfinished"
    exit 1
}

# Whether .venv was once finished and not broken off since, its Python runs, and it was made in this folder.
environment_is_whole() {
    [[ -x $venv_python && ! -e $unfinished ]] || return 1
    compgen -G '.venv/.installed-*' >/dev/null || return 1
    "$venv_python" -c 'import pip' 2>/dev/null || return 1
    [[ $(python_verdict "$venv_python") =~ ^(known|newer)$ ]] || return 1
    # Console scripts name their interpreter by its full path: a moved folder needs a new one.
    grep --quiet --fixed-strings "$repository/.venv/" .venv/bin/sightline 2>/dev/null
}

make_environment() {
    local python
    environment_is_whole && return
    if ! python="$(find_python)"; then
        say "$(why_no_python)"
        exit 1
    fi
    say "Making .venv with $python"
    quietly "$python" -m venv --clear .venv || give_up
}

pip_install() { "$venv_python" -m pip install --quiet --disable-pip-version-check --no-deps "$@"; }

# Without the embedded database, where a Python is too new for it and there is another database.
without_embedded() {
    awk '/^[^ #]/ { skip = tolower($0) ~ /^secantusdb==/ } !skip' requirements.lock >.venv/without-embedded.lock
    locks[0]=.venv/without-embedded.lock
}

lacks_embedded() { grep --quiet --ignore-case '^ERROR: No matching distribution found for secantusdb' "$said"; }

has_another_database() {
    command -v mongod >/dev/null || [[ -n ${SIGHTLINE_MONGODB_URI:-}${SIGHTLINE_MONGODB_URI_FILE:-} ]]
}

install_locks() {
    local lock arguments=()
    for lock in "${locks[@]}"; do arguments+=(-r "$lock"); done
    # Nothing is compiled here: where there is no wheel, a compiler would fail after minutes.
    pip_install --require-hashes --only-binary :all: "${arguments[@]}"
}

install_packages() {
    local stamp=".venv/.installed-${#locks[@]}" wanted
    wanted="$(fingerprint pyproject.toml "${locks[@]}" requirements-torch.lock)"
    [[ -f $stamp && "$(<"$stamp")" == "$wanted" ]] && return
    say "Installing packages (${locks[*]})"
    : 2>/dev/null >"$unfinished" || true
    if ! quietly install_locks; then
        lacks_embedded && has_another_database || give_up
        say "There is no embedded database for $(python_name): MongoDB is taken in its place"
        without_embedded
        quietly install_locks || give_up
    fi
    [[ ${#locks[@]} == 1 ]] || quietly pip_install -r requirements-torch.lock || give_up
    quietly pip_install --no-build-isolation -e . || give_up
    printf '%s' "$wanted" >"$stamp"
    rm -f "$unfinished"
}

make_environment
install_packages
scripts/build-page.sh
[[ " $* " != *" --ultralytics "* ]] || scripts/setup-ultralytics.sh
