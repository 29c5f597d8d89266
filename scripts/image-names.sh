# Sourced by the scripts that build and push images: what there is, under which version, and by which program.

version="$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)"

# Each is the stage of its name of docker/Dockerfile.
known_images=(store web detector ingest rtsp sightline detector-gpu)

# All but the large one for GPUs, which has to be asked for.
images=(store web detector ingest rtsp sightline)

# Print what an image is called: `sightline` is all of them in one container.
image_name() {
    if [[ $1 == sightline ]]; then echo sightline; else echo "sightline-$1"; fi
}

# Take what is asked for in place of that.
choose_images() {
    local name
    for name in "$@"; do
        if [[ " ${known_images[*]} " != *" $name "* ]]; then
            say "There is no image '$name': give some of ${known_images[*]}"
            exit 2
        fi
    done
    (($# == 0)) || images=("$@")
}

# Print `docker` where its engine answers, else `buildah`; IMAGES_BUILDER goes before both.
choose_builder() {
    if [[ -n ${IMAGES_BUILDER:-} ]]; then
        echo "$IMAGES_BUILDER"
    elif docker info >/dev/null 2>&1; then
        echo docker
    elif command -v buildah >/dev/null; then
        echo buildah
    else
        say "Images need Docker, whose engine does not answer here, or buildah, which is missing."
        return 1
    fi
}
