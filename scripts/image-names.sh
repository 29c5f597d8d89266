# Sourced by the scripts that build and push images: what there is, under which version, and by which program.

version="$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)"

# Each image with its Dockerfile, of which it is the stage of the same name.
declare -A dockerfile_of=(
    [store]=core [web]=core [detector]=core [ingest]=media [rtsp]=media [detector-gpu]=gpu
)

# All but the large one for GPUs, which has to be asked for.
images=(store web detector ingest rtsp)

# Take what is asked for in place of that.
choose_images() {
    local name
    for name in "$@"; do
        if [[ -z ${dockerfile_of[$name]:-} ]]; then
            say "There is no image '$name': give some of ${!dockerfile_of[*]}"
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
