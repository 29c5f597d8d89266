"""A pod as podman's arguments.

Plain `podman create` in a `podman pod create`, not `podman kube play`: podman 4.3's player drops a
StatefulSet, a Job and a volume's file modes without a word, publishes every port on all addresses, and makes
/tmp writable below a read-only root. Here each field of the manifest has the option that does the same.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.containers.player.plans import Container, Pod, Resources, Security

TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
RESTARTS = {"Always": "always", "OnFailure": "on-failure", "Never": "no"}
CPU_SHARES = 1024
"""What a request of one core weighs."""


def pod_arguments(pod: Pod, name: str, network: str, published: Mapping[int, int]) -> list[str]:
    """`podman pod create`: the network, which outlives a container; `published` is port to loopback port."""
    arguments = ["pod", "create", "--name", name, "--label", f"node={network}", "--hostname", pod.name]
    if pod.token_of:
        return [*arguments, "--network", "host"]
    aliases = ",".join(f"alias={alias}" for alias in pod.aliases)
    arguments += ["--network", f"{network}:{aliases}" if aliases else network]
    for port, own_port in published.items():
        arguments += ["--publish", f"127.0.0.1:{own_port}:{port}"]
    return arguments


def container_arguments(
    pod: Pod, pod_name: str, name: str, folders: Mapping[str, Path], environment: Mapping[str, str]
) -> list[str]:
    """`podman create`: the container; `folders` hold the volumes, `environment` is what a node adds."""
    container = pod.container
    retries = "" if pod.retries is None or pod.restart_policy != "OnFailure" else f":{pod.retries}"
    arguments = ["create", "--pod", pod_name, "--name", name, "--pull", "never", "--no-healthcheck"]
    arguments += ["--restart", RESTARTS[pod.restart_policy] + retries, "--stop-timeout", str(pod.grace_s)]
    arguments += [*_security(container.security), *_resources(container.resources)]
    for key, value in {**environment, **container.environment}.items():
        arguments += ["--env", f"{key}={value}"]
    for source, path, read_only in _mounts(pod, folders):
        arguments += ["--volume", f"{source}:{path}{':ro' if read_only else ''}"]
    return [*arguments, *_program(container)]


def _program(container: Container) -> list[str]:
    program = ["--entrypoint", json.dumps(container.command)] if container.command else []
    return [*program, container.image, *container.arguments]


def _security(security: Security) -> Iterator[str]:
    yield from ("--user", f"{security.user}:{security.group}")
    if security.fs_group is not None:
        yield from ("--group-add", str(security.fs_group))
    if security.read_only_root:
        yield from ("--read-only", "--read-only-tmpfs=false")
    if not security.privilege_escalation:
        yield from ("--security-opt", "no-new-privileges")
    for capability in security.dropped:
        yield from ("--cap-drop", capability)


def _resources(resources: Resources) -> Iterator[str]:
    yield from ("--cpu-shares", str(max(2, round(resources.cpu_request * CPU_SHARES))))
    if resources.cpu_limit is not None:
        yield from ("--cpus", f"{resources.cpu_limit:g}")
    if resources.memory_limit_bytes is not None:
        limit = str(resources.memory_limit_bytes)
        yield from ("--memory", limit, "--memory-swap", limit)


def _mounts(pod: Pod, folders: Mapping[str, Path]) -> Iterator[tuple[Path, str, bool]]:
    files_only = {volume.name for volume in pod.volumes if volume.source in ("configMap", "secret", "token")}
    for mount in pod.container.mounts:
        read_only = mount.read_only or mount.volume in files_only
        yield folders[mount.volume], mount.path, read_only
    if "token" in folders:
        yield folders["token"], TOKEN_FOLDER, True
