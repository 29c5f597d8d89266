#!/usr/bin/env bash
# Print options for `buildah build` by which the steps of a Dockerfile reach the package registries as this
# machine does: its sources for apt and pip and its certificates are mounted while building, so that
# neither a Dockerfile nor an image carries them.
# usage: network-options.sh FOLDER      (a folder to copy the set-up into)
set -euo pipefail

folder="$1"
inside=/run/machine
mkdir -p "$folder"
cp /etc/ssl/certs/ca-certificates.crt "$folder/certificates.pem"

{
    echo "[global]"
    echo "cert = $inside/certificates.pem"
    echo "disable-pip-version-check = true"
    echo "root-user-action = ignore"
    python3 -m pip config list 2>/dev/null |
        sed -nE "s/^global\.(index-url|extra-index-url|trusted-host|timeout)='(.*)'$/\1 = \2/p" |
        grep --invert-match file:// || true
} >"$folder/pip.conf"

{
    echo "cafile=$inside/certificates.pem"
    if command -v npm >/dev/null; then echo "registry=$(npm config get registry)"; fi
} >"$folder/npmrc"

rm -rf "$folder/sources.list.d"
mkdir "$folder/sources.list.d"
cp --dereference /etc/apt/sources.list.d/debian.sources "$folder/sources.list.d/"
cat >"$folder/apt.conf" <<END
Acquire::https::CAInfo "$inside/certificates.pem";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
END

# Where root is at home here, it is in the image too.
home=~root
echo --pull-never --network host \
    --volume "$folder:$inside:ro" \
    --volume "$folder/pip.conf:/etc/pip.conf:ro" \
    --volume "$folder/npmrc:$home/.npmrc:ro" \
    --volume "$folder/apt.conf:/etc/apt/apt.conf.d/99machine:ro" \
    --volume "$folder/sources.list.d:/etc/apt/sources.list.d:ro"
