"""Pod Security "restricted": what an API server refuses in a namespace that enforces this profile.

https://kubernetes.io/docs/concepts/security/pod-security-standards
"""

from collections.abc import Iterator, Mapping
from typing import Any

VOLUME_KINDS = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SECCOMP_PROFILES = {"RuntimeDefault", "Localhost"}
ADDABLE_CAPABILITIES = {"NET_BIND_SERVICE"}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}

PodSpec = Mapping[str, Any]
Container = Mapping[str, Any]


def restricted_violations(spec: PodSpec) -> list[str]:
    """Say what the profile forbids in this pod's spec; an empty list is a pod that is let in."""
    return [*_pod_violations(spec), *_volume_violations(spec), *_container_violations(spec)]


def _containers(spec: PodSpec) -> Iterator[Container]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(kind, [])


def _pod_violations(spec: PodSpec) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield f"{key} is true"
    context = spec.get("securityContext", {})
    for sysctl in context.get("sysctls", []):
        if sysctl["name"] not in SAFE_SYSCTLS:
            yield f"sysctl {sysctl['name']} is not a safe one"
    yield from _either_violations("the pod", context)


def _volume_violations(spec: PodSpec) -> Iterator[str]:
    for volume in spec.get("volumes", []):
        for kind in volume.keys() - VOLUME_KINDS - {"name"}:
            yield f"volume {volume['name']} is of the kind {kind}"


def _container_violations(spec: PodSpec) -> Iterator[str]:
    pod = spec.get("securityContext", {})
    for container in _containers(spec):
        name, context = f"container {container['name']}", container.get("securityContext", {})
        yield from _either_violations(name, context)
        yield from _host_violations(name, container)
        if context.get("privileged"):
            yield f"{name} is privileged"
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: allowPrivilegeEscalation is not false"
        if context.get("procMount", "Default") != "Default":
            yield f"{name}: procMount is not Default"
        yield from _capability_violations(name, context.get("capabilities", {}))
        if context.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
            yield f"{name}: runAsNonRoot is not true"
        if _seccomp(context) is None and _seccomp(pod) is None:
            yield f"{name} has no seccomp profile"


def _either_violations(name: str, context: Mapping[str, Any]) -> Iterator[str]:
    """What is forbidden in a pod's security context as well as in a container's."""
    if context.get("runAsUser") == 0:
        yield f"{name}: runAsUser is 0"
    if context.get("runAsNonRoot") is False:
        yield f"{name}: runAsNonRoot is false"
    seccomp = _seccomp(context)
    if seccomp is not None and seccomp not in SECCOMP_PROFILES:
        yield f"{name}: the seccomp profile is {seccomp}"
    selinux = context.get("seLinuxOptions", {})
    if selinux.get("type", "") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield f"{name}: seLinuxOptions name a type, user or role that is not allowed"
    if context.get("appArmorProfile", {}).get("type") == "Unconfined":
        yield f"{name}: the AppArmor profile is Unconfined"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield f"{name}: windowsOptions.hostProcess is true"


def _host_violations(name: str, container: Container) -> Iterator[str]:
    for port in container.get("ports", []):
        if port.get("hostPort"):
            yield f"{name} takes port {port['hostPort']} of the host"
    handlers = [container.get(kind, {}) for kind in ("livenessProbe", "readinessProbe", "startupProbe")]
    handlers += container.get("lifecycle", {}).values()
    for handler in handlers:
        for action in ("httpGet", "tcpSocket"):
            if handler.get(action, {}).get("host"):
                yield f"{name}: a probe or hook names the host {handler[action]['host']}"


def _capability_violations(name: str, capabilities: Mapping[str, Any]) -> Iterator[str]:
    if "ALL" not in capabilities.get("drop", []):
        yield f"{name} does not drop ALL capabilities"
    for capability in capabilities.get("add", []):
        if capability not in ADDABLE_CAPABILITIES:
            yield f"{name} adds the capability {capability}"


def _seccomp(context: Mapping[str, Any]) -> str | None:
    kind = context.get("seccompProfile", {}).get("type")
    return None if kind is None else str(kind)
