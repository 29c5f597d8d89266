#!/usr/bin/env bash
# Make .venv-ultralytics, in which GB-YOLO is trained by Ultralytics and Ultralytics' own detectors are trained to be
# compared. Its command `yolo` is Ultralytics' with our definitions, and sends and downloads nothing.
# scripts/setup.sh --ultralytics calls this. Does nothing, quickly, when nothing has changed.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

environment=".venv-ultralytics"
lock="requirements-ultralytics.lock"
torch="requirements-torch.lock"
stamp="$environment/.installed"

pip_install() {
    "$venv_python" -m pip --python "$environment/bin/python" install --quiet --disable-pip-version-check --no-compile \
        --no-deps "$@"
}

# Say in one line why something could not be installed, and end.
give_up() {
    say "$(why_not_installed "$("$venv_python" -c 'import platform; print("Python", platform.python_version())')")" || true
    exit 1
}

# Sightline's folder on the path of the environment, and its `yolo` in the place of Ultralytics' own.
write_entries() {
    local packages
    packages="$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    echo "$repository" >"$packages/sightline.pth"
    printf '#!/bin/sh\nexec "%s/bin/python" -m model.zoo.ultralytics "$@"\n' "$repository/$environment" \
        >"$environment/bin/yolo"
}

wanted="$(fingerprint "$0" "$lock" "$torch")"
exec 9<"$lock"
flock 9
# The entries name the environment by its full path: a moved folder needs a new one.
if [[ -f $stamp && "$(<"$stamp")" == "$wanted" ]] && grep --quiet --fixed-strings "$repository/" "$environment/bin/yolo"; then
    exit
fi
say "Installing Ultralytics into $environment: it is licensed under AGPL-3.0 (https://ultralytics.com/license)"
quietly "$venv_python" -m venv --clear --without-pip "$environment" || give_up
quietly pip_install --require-hashes --only-binary :all: -r "$lock" || give_up
quietly pip_install -r "$torch" || give_up
write_entries
quietly "$environment/bin/yolo" settings sync=False || give_up
printf '%s' "$wanted" >"$stamp"
