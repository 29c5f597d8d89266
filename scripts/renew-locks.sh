#!/usr/bin/env bash
# Fill the lock files with the hashes of all files that the index has of the versions in them, so that an
# installation takes nothing else. With --upgrade, the newest versions that pyproject.toml allows come first.
# torch and torchvision have a file of their own without hashes: which build of them there is, for processors or for
# CUDA, is for the index at hand to say.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

case "${1:-}" in
"" | --upgrade) ;;
*)
    say "usage: scripts/renew-locks.sh [--upgrade]"
    exit 2
    ;;
esac

[[ -x $venv_python ]] || scripts/setup.sh
make_tool .venv-tools requirements-tools.lock
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

resolve() {
    .venv-tools/bin/uv pip compile --quiet --python-version 3.11.5 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url "$@"
}

# Keep the comments at the head of a lock file, and put what has been resolved below them.
replace() {
    { sed -n '/^#/!q;p' "$1"; cat "$2"; } >"$work/whole"
    cp "$work/whole" "$1"
}

if [[ ${1:-} == --upgrade ]]; then
    say "Resolving pyproject.toml anew"
    echo "setuptools>=77" | resolve pyproject.toml - --extra dev --extra embedded --extra openvino \
        --output-file "$work/base"
    # What training adds to the base, less torch, torchvision and the parts of their builds for CUDA.
    train() {
        resolve pyproject.toml --extra train --constraint "$work/base" --constraint requirements-torch.lock "$@" \
            --no-emit-package torch --no-emit-package torchvision --output-file "$work/training"
    }
    names() { sed -n "s/^\($1\)==.*/--no-emit-package=\1/p" "$2"; }
    mapfile -t known < <(names '[^=# ]*' "$work/base")
    train "${known[@]}"
    mapfile -t cuda < <(names '\(cuda\|nvidia\|triton\)[^=]*' "$work/training")
    train "${known[@]}" "${cuda[@]}"
    replace requirements.lock "$work/base"
    replace requirements-train.lock "$work/training"
fi

for lock in requirements.lock requirements-{train,node,tools,checkov,ultralytics}.lock; do
    say "$lock"
    resolve --no-deps "$lock" --output-file "$work/lock"
    replace "$lock" "$work/lock"
done
for wanted in docker/requirements/*.in; do
    lock="${wanted%.in}.lock"
    say "$lock"
    resolve "$wanted" --constraint requirements.lock --python-platform linux --output-file "$work/lock"
    { printf '# Made from %s by scripts/renew-locks.sh.\n' "${wanted##*/}"; cat "$work/lock"; } >"$lock"
done
