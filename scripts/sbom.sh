#!/usr/bin/env bash
# Write what is in the built images, with versions and licences, to build/sbom/NAME.spdx.json.
# usage: scripts/sbom.sh [NAME]...      (all but detector-gpu where none is named)
#   IMAGES_SCANNER="syft scan"          in place of the syft that is installed for it
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/image-names.sh

choose_images "$@"
builder="$(choose_builder)"
if [[ -n ${IMAGES_SCANNER:-} ]]; then
    read -ra scanner <<<"$IMAGES_SCANNER"
else
    [[ -x $venv_python ]] || scripts/setup.sh
    make_tool .venv-tools requirements-tools.lock
    scanner=(.venv-tools/bin/syft scan)
fi
export SYFT_CHECK_FOR_APP_UPDATE=false
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p build/sbom

for name in "${images[@]}"; do
    title="$(image_name "$name")"
    image="$title:$version"
    case "$builder" in
    buildah) buildah push --quiet "$image" "docker-archive:$work/image.tar:$image" ;;
    *) "$builder" save --output "$work/image.tar" "$image" ;;
    esac
    say "Writing build/sbom/$title.spdx.json"
    "${scanner[@]}" "docker-archive:$work/image.tar" --quiet --source-name "$title" \
        --source-version "$version" --output "spdx-json=build/sbom/$title.spdx.json"
    rm -f "$work/image.tar"
done
