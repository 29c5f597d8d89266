#!/usr/bin/env bash
# Make a stand-in for the base image that the Dockerfiles name, so that they build unchanged where no image
# registry is reached: Debian by mmdebstrap, and this machine's own CPython laid out in /usr/local as in
# the official image. Where there is none to be copied the official image is pulled. Once a machine: it does
# nothing where the image is there. Needs root.
# usage: base-image.sh IMAGE, like docker.io/library/python:3.11-slim-bookworm
#   PYTHON_PREFIX=FOLDER  the CPython to copy, where none that can be copied is found (Debian's cannot)
set -euo pipefail

image="$1"
tag="${image##*:}"
version="${tag%%-*}"
suite="${tag##*-}"

# What a CPython links to, as in the official image.
libraries=(ca-certificates netbase tzdata libbz2-1.0 libexpat1 libffi8 libgdbm6 liblzma5 libncursesw6 libnsl2
    libreadline8 libsqlite3-0 libssl3 libtirpc3 libuuid1 zlib1g)

python_prefix() {
    local candidate prefix
    [[ -n ${PYTHON_PREFIX:-} ]] && echo "$PYTHON_PREFIX" && return
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
        prefix="$("$candidate" -c 'import sys; print(sys.base_prefix)' 2>/dev/null)" || continue
        [[ $prefix != /usr ]] && echo "$prefix" && return
    done
    return 1
}

buildah inspect --type image "$image" >/dev/null 2>&1 && exit 0

if ! prefix="$(python_prefix)"; then
    buildah pull --quiet "$image" && exit 0
    echo "$image is neither in a registry that is reached, nor made: set PYTHON_PREFIX to a CPython $version" >&2
    exit 1
fi
work="$(mktemp -d)"
container=""
clean_up() {
    [[ -z $container ]] || buildah rm "$container" >/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${libraries[*]}")" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$work/root.tar" /etc/apt/sources.list.d/debian.sources

container="$(buildah from scratch)"
buildah add --quiet "$container" "$work/root.tar" / >/dev/null
root="$(buildah mount "$container")"
# The image must not carry this machine's package sources and name servers.
rm -rf "$root"/etc/apt/sources.list* "$root"/etc/apt/apt.conf.d/99mmdebstrap \
    "$root"/etc/resolv.conf "$root"/var/lib/apt/lists/*
mkdir "$root/etc/apt/sources.list.d"

# As the official image: apt leaves nothing behind in the layer of an installation.
cat >"$root/etc/apt/apt.conf.d/docker-clean" <<'END'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
END
printf '%s\n' 'Acquire::Languages "none";' >"$root/etc/apt/apt.conf.d/docker-no-languages"

tar --directory "$prefix" --create --exclude=__pycache__ --exclude='*.a' --exclude=test --exclude=tests \
    --exclude='site-packages/*' "bin/python$version" "lib/python$version" include \
    $(cd "$prefix" && compgen -G 'lib/libpython*.so*' || true) |
    tar --directory "$root/usr/local" --extract --no-same-owner
ln -s "python$version" "$root/usr/local/bin/python3"
ln -s python3 "$root/usr/local/bin/python"
chroot "$root" /sbin/ldconfig
chroot "$root" /usr/local/bin/python -m ensurepip >/dev/null 2>&1
ln -s pip3 "$root/usr/local/bin/pip"
chroot "$root" /usr/local/bin/python -c 'import bz2, ctypes, hashlib, lzma, readline, sqlite3, ssl, uuid, zlib'
buildah umount "$container" >/dev/null

buildah config --cmd python3 --env LANG=C.UTF-8 \
    --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit --quiet "$container" "$image" >/dev/null
