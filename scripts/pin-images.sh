#!/usr/bin/env bash
# Hold the images of others to one build: put the digests that their registry has for the tags now behind these,
# wherever the repository names them. Run again it renews them. Needs skopeo, or Docker with its buildx plug-in.
# Nothing is changed unless all of them are known. `--tags` takes the digests away again.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

names=(python:3.11-slim-bookworm mongo:8.0 nats:2.15.1-alpine)
kustomization=k8s/components/images/kustomization.yaml
files=(docker/Dockerfile docker-compose.yml)

digest_of() {
    if command -v skopeo >/dev/null; then
        skopeo inspect --format '{{.Digest}}' "docker://docker.io/library/$1"
    else
        docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "docker.io/library/$1"
    fi
}

declare -A digests
case "${1:-}" in
"")
    for name in "${names[@]}"; do
        if ! digest="$(digest_of "$name")" || ! [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
            say "The registry does not tell the digest of $name: nothing is changed"
            exit 1
        fi
        digests[$name]="$digest"
    done
    ;;
--tags) for name in "${names[@]}"; do digests[$name]=""; done ;;
*)
    say "usage: scripts/pin-images.sh [--tags]"
    exit 2
    ;;
esac

for name in "${names[@]}"; do
    digest="${digests[$name]}"
    sed -i -E "s#(=|image: )$name(@sha256:[0-9a-f]{64})?\$#\1$name${digest:+@$digest}#" "${files[@]}"
    # kustomize takes a digest in place of the tag.
    held="newTag: \"${name#*:}\""
    [[ -z $digest ]] || held="digest: $digest"
    sed -i -E "/^  - name: ${name%%:*}\$/{n;s#^    .*#    $held#;}" "$kustomization"
    [[ -z $digest ]] || say "$name@$digest"
done
