#!/usr/bin/env bash
# Tag the images that `make images` built, and push them.
# usage: scripts/push-images.sh REGISTRY [NAME]...      like registry.example.com/team
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/image-names.sh

registry="${1:-}"
registry="${registry%/}"
if [[ -z $registry ]]; then
    say "Say where to: make push REGISTRY=registry.example.com/team"
    exit 2
fi
shift
choose_images "$@"
builder="$(choose_builder)"

for name in "${images[@]}"; do
    image="$(image_name "$name"):$version"
    "$builder" tag "$image" "$registry/$image"
    say "Pushing $registry/$image"
    "$builder" push "$registry/$image"
done
