# Shared by the scripts beside it: where the repository is and which Python makes its environment.
# shellcheck shell=bash

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "$repository"
venv_python=".venv/bin/python"

# The Pythons for which the index has every package of requirements.lock, which a test asks it. A newer one is taken
# last: the embedded database, and what else is compiled, follow with a delay of months.
known_pythons=(3.11 3.12 3.13)
newest_known=3.13
how_to_get_python="install Python $newest_known (Debian, Ubuntu: apt-get install python$newest_known \
python$newest_known-venv; anywhere: uv python install $newest_known), and run this again"

# Print one word on an interpreter: `known` or `newer` where it serves, else what is wrong with it.
# Written so that any Python since 2.7 can answer.
python_verdict() {
    "$1" -c '
import platform, sys
version = "%d.%d" % sys.version_info[:2]
if sys.version_info < (3, 11):
    print("old:" + version)
elif sys.maxsize <= 2**32:
    print("32-bit:" + version)
elif platform.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"):
    print("machine:" + platform.machine())
elif "musl" in (__import__("sysconfig").get_config_var("SOABI") or ""):
    print("musl:" + version)
elif platform.python_implementation() != "CPython" or "t" in getattr(sys, "abiflags", ""):
    print("kind:" + version)
else:
    try:
        import ensurepip, venv
        print("known" if version in sys.argv[1:] else "newer")
    except ImportError:
        print("no-venv:" + version)
' "${known_pythons[@]}" 2>/dev/null || true
}

# Print every interpreter that may be there: on PATH, then those that pyenv and uv keep.
python_candidates() {
    local version name path
    local -a kept=()
    for version in "${known_pythons[@]}"; do
        command -v "python$version" || true
        kept+=("${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python
            "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}/cpython-$version"*/bin/python3)
    done
    for name in python3 python; do command -v "$name" || true; done
    for path in "${kept[@]}"; do [[ ! -x $path ]] || echo "$path"; done
    for version in 3.{14..19}; do command -v "python$version" || true; done
}

# Print the interpreter that makes environments: the first whose packages are all there, else a newer one.
find_python() {
    local candidate newer="" verdict
    while read -r candidate; do
        verdict="$(python_verdict "$candidate")"
        if [[ $verdict == known ]]; then
            echo "$candidate"
            return 0
        fi
        [[ $verdict != newer || -n $newer ]] || newer="$candidate"
    done < <(python_candidates)
    [[ -n $newer ]] && echo "$newer"
}

# Print in one line why `find_python` found none, and what to do: of several reasons the one that is mended most easily.
why_no_python() {
    local candidate verdict wanted verdicts=""
    while read -r candidate; do
        verdict="$(python_verdict "$candidate")"
        [[ -z $verdict ]] || verdicts+="$verdict $candidate"$'\n'
    done < <(python_candidates)
    for wanted in no-venv musl machine 32-bit kind old; do
        read -r verdict candidate < <(grep "^$wanted:" <<<"$verdicts") || continue
        case "$wanted" in
        no-venv) echo "$candidate has no venv module: apt-get install python${verdict#*:}-venv, or $how_to_get_python" ;;
        musl) echo "Sightline's packages are not built for musl, which $candidate is of (Alpine): take a Debian, Ubuntu \
or Fedora, or the container image (docs/operations.md)" ;;
        machine) echo "Sightline's packages are built for x86_64 and aarch64, and this machine is ${verdict#*:}" ;;
        32-bit) echo "$candidate is a 32-bit Python, for which Sightline's packages are not built: a 64-bit system is needed" ;;
        kind) echo "Sightline's packages are not built for $candidate (PyPy, or free-threaded): $how_to_get_python" ;;
        old) echo "Sightline needs Python 3.11 or later, and $candidate is ${verdict#*:}: $how_to_get_python" ;;
        esac
        return
    done
    echo "Sightline needs Python 3.11 or later, and none was found: $how_to_get_python; or run its container image"
}

# Run a program and keep its words in the file `said`, a line of which is all that a person needs of them.
quietly() {
    mkdir -p build 2>/dev/null || true
    said="$repository/build/setup.log"
    { : >"$said"; } 2>/dev/null || said="$(mktemp)"
    "$@" >"$said" 2>&1
}

# Print in one line why what ran `quietly` failed, and what to do. Returns 3 where nothing was changed by it.
why_not_installed() {
    local python="$1" missing last
    missing="$(sed -n 's/^ERROR: No matching distribution found for \([^ =]*\).*/\1/p' "$said" | head -n 1)"
    last="$(grep -v -e '^ *$' -e 'complete log of this run' "$said" | tail -n 1 | cut -c1-300)" || true
    if grep --quiet --ignore-case --extended-regexp 'no space left on device|disk quota exceeded|ENOSPC' "$said"; then
        echo "The disk of $repository is full, or the quota on it is used up: make room (2 GB), and run this again"
    elif grep --quiet --extended-regexp 'Permission denied|Read-only file system' "$said"; then
        echo "$repository/.venv cannot be written by $(id -un): remove it or give it to $(id -un), and run this again"
    elif [[ $missing == [Ss]ecantus* && "$(python_verdict "$venv_python")" != known ]]; then
        echo "There is no embedded database for $python: $how_to_get_python; or have mongod here, or \
SIGHTLINE_MONGODB_URI set"
    elif grep --quiet --extended-regexp 'Retry\(total=0|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT' "$said"; then
        echo "The package index cannot be reached: look at the network, or at the proxy and the index of pip, and run this again"
        return 3
    elif [[ -n $missing && "$(python_verdict "$venv_python")" == known ]]; then
        echo "The package index has no $missing of the pinned version for this machine: look at pip's settings (pip config \
list), and run this again"
        return 3
    elif [[ -n $missing ]]; then
        echo "There is no $missing for $python on this machine: $how_to_get_python"
    elif grep --quiet 'DO NOT MATCH THE HASHES' "$said"; then
        echo "The package index gave another file than the one that is pinned: look at pip's settings, and run this again"
        return 3
    else
        echo "Installing failed: ${last:-it said nothing} (all of it: ${said#"$repository"/})"
    fi
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
