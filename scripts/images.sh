#!/usr/bin/env bash
# Build the images, with Docker where its engine answers, else with buildah.
# usage: scripts/images.sh [NAME]...       (all but detector-gpu where none is named)
#   IMAGES_BUILDER=docker|buildah          in place of that choice
#   IMAGES_BUILD_OPTIONS="--network host"  further options of the builder, separated by blanks
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/image-names.sh

choose_images "$@"
builder="$(choose_builder)"
revision="$(git rev-parse HEAD 2>/dev/null || echo unknown)"
read -ra options <<<"${IMAGES_BUILD_OPTIONS:-}"
# Images in the OCI format, which is buildah's own, have no health check.
[[ $builder != buildah ]] || options+=(--layers --format docker)

for name in "${images[@]}"; do
    image="$(image_name "$name")"
    tags=(--tag "$image:$version")
    # So that `docker run … sightline` is all that has to be typed.
    [[ $name != sightline ]] || tags+=(--tag "$image:latest")
    say "Building $image:$version with $builder"
    "$builder" build --file docker/Dockerfile --target "$name" \
        --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
        "${tags[@]}" "${options[@]}" .
done

printf '\n%-28s %s\n' image "size with the layers that it shares"
for name in "${images[@]}"; do
    image="$(image_name "$name"):$version"
    # One line for each of its tags.
    sizes="$("$builder" images --format '{{.Size}}' "$image")"
    printf '%-28s %s\n' "$image" "${sizes%%$'\n'*}"
done
