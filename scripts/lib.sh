# Shared by the scripts beside it: where the repository is and which Python makes its environment.
# shellcheck shell=bash

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "$repository"
venv_python=".venv/bin/python"

# Print the first interpreter that is new enough and can make virtual environments.
find_python() {
    local candidate
    for candidate in python3.11 python3 python3.12 python3.13 python3.14; do
        if command -v "$candidate" >/dev/null && "$candidate" -c \
            'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

say() { printf '%s\n' "$*" >&2; }

# One hash over files and words, to tell whether anything has changed.
fingerprint() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }

# Make an environment of its own for a tool that brings what nothing else needs: `make_tool .venv-NAME LOCK`. Who comes while another is installing waits for it.
make_tool() {
    local environment="$1" lock="$2" stamp="$1/.installed" wanted
    wanted="$(fingerprint "$lock")"
    exec 9<"$lock"
    flock 9
    if ! [[ -f $stamp && "$(<"$stamp")" == "$wanted" ]]; then
        say "Installing ${environment#.venv-}"
        "$(find_python)" -m venv --clear --without-pip "$environment"
        # The lock file has been resolved, and most of what it names is never imported.
        "$venv_python" -m pip --python "$environment/bin/python" install --quiet --disable-pip-version-check \
            --no-compile --no-deps --only-binary :all: --require-hashes -r "$lock"
        printf '%s' "$wanted" >"$stamp"
    fi
    exec 9<&-
}
