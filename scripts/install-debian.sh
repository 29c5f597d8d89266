#!/usr/bin/env bash
# Install the Debian packages that a purpose needs and that are missing: `run` or `test`.
# Without root it says which are missing and goes on: what needs them then says so itself.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

case "${1:-}" in
run) packages=() ;;
test)
    packages=(
        # an RTSP camera to test against, and the annotated streams
        ffmpeg python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0 gir1.2-gst-rtsp-server-1.0
        gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
        gstreamer1.0-plugins-ugly gstreamer1.0-libav
        # a browser that uses the page, letters for it, and what the program that drives it links to
        chromium fonts-dejavu-core libatomic1
        # images are built and containers run, with podman and with an engine of Docker's; no image registry
        # is needed, since the base image is made on the machine
        aardvark-dns buildah catatonit curl docker-compose docker.io iptables mmdebstrap netavark podman runc
        # tests of the whole repository read its list of files, and those of the API make certificates
        git openssl
    )
    ;;
*)
    say "usage: scripts/install-debian.sh run|test"
    exit 2
    ;;
esac
find_python >/dev/null || packages+=(python3 python3-venv)

# What running lacks after this is told by scripts/setup.sh, with what to do.
if ! command -v dpkg-query >/dev/null; then
    [[ $1 == run ]] || ((${#packages[@]} == 0)) || say "Not a Debian system: please install the like of: ${packages[*]}"
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    status="$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)"
    [[ $status == "install ok installed" ]] || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

as_root=()
if [[ $EUID -ne 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
        [[ $1 == run ]] || say "Debian packages missing for '$1' (and not root to install them): ${missing[*]}"
        exit 0
    fi
    as_root=(sudo -n)
fi

say "Installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
