"""A pod's container: from the manifest's fields to what the player runs."""

from typing import Any

from tests.containers.player.fields import Fields, Unplayable
from tests.containers.player.plans import Container, Mount, Probe, Resources, Security
from tests.k8s.checks.quantities import amount


def read_container(fields: Fields, pod_security: dict[str, Any]) -> Container:
    """Everything that a container's manifest says."""
    fields.expect("imagePullPolicy", None, "IfNotPresent", "Never")
    ports = _ports(fields)
    return Container(
        name=fields.need("name"),
        image=fields.need("image"),
        command=tuple(_plain(fields, "command", fields.take("command") or [])),
        arguments=tuple(_plain(fields, "args", fields.take("args") or [])),
        environment=_environment(fields),
        ports=ports,
        mounts=tuple(_mounts(fields)),
        security=_security(fields, pod_security),
        resources=_resources(fields),
        probes=tuple(
            probe for kind in ("startup", "readiness", "liveness") if (probe := _probe(fields, kind, ports))
        ),
    )


def _plain(fields: Fields, name: str, texts: list[str]) -> list[str]:
    """Texts in which a cluster would put no variable's value."""
    if any("$(" in text for text in texts):
        raise Unplayable(f"{fields.owner} {fields.path}.{name}: the player does not fill in $(...)")
    return texts


def _ports(fields: Fields) -> dict[str, int]:
    ports = {}
    for port in fields.each("ports"):
        port.expect("protocol", None, "TCP", "UDP")
        number = port.need("containerPort")
        ports[port.take("name", str(number))] = number
    return ports


def _environment(fields: Fields) -> dict[str, str]:
    return {
        variable.need("name"): _plain(variable, "value", [variable.take("value", "")])[0]
        for variable in fields.each("env")
    }


def _mounts(fields: Fields) -> list[Mount]:
    return [
        Mount(
            mount.need("name"),
            mount.need("mountPath"),
            mount.take("readOnly", False),
        )
        for mount in fields.each("volumeMounts")
    ]


def _security(fields: Fields, pod: dict[str, Any]) -> Security:
    with fields.inner("securityContext") as own:
        user = own.take("runAsUser", pod.get("runAsUser"))
        non_root = own.take("runAsNonRoot", pod.get("runAsNonRoot", False))
        with own.inner("capabilities") as capabilities:
            dropped = capabilities.take("drop", [])
        security = Security(
            user=-1 if user is None else user,
            group=own.take("runAsGroup", pod.get("runAsGroup", 0)),
            fs_group=pod.get("fsGroup"),
            read_only_root=own.take("readOnlyRootFilesystem", False),
            privilege_escalation=own.take("allowPrivilegeEscalation", True),
            dropped=tuple(dropped),
        )
    if user is None or (non_root and user == 0):
        raise Unplayable(f"{fields.owner} {fields.path}: the player wants runAsUser, not 0 with runAsNonRoot")
    return security


def _resources(fields: Fields) -> Resources:
    with fields.inner("resources") as resources:
        with resources.inner("requests") as requests:
            cpu_request = amount(requests.take("cpu", 0)) or 0
            memory_request = amount(requests.take("memory", 0)) or 0
            if memory_request:
                requests.change("memory")
        with resources.inner("limits") as limits:
            cpu, memory = limits.take("cpu"), limits.take("memory")
    return Resources(
        cpu_request=cpu_request,
        memory_request_bytes=int(memory_request),
        cpu_limit=None if cpu is None else amount(cpu),
        memory_limit_bytes=None if memory is None else int(amount(memory) or 0),
    )


def _probe(fields: Fields, kind: Any, ports: dict[str, int]) -> Probe | None:
    with fields.inner(f"{kind}Probe") as probe:
        times = {
            "period_s": probe.take("periodSeconds", 10),
            "timeout_s": probe.take("timeoutSeconds", 1),
            "failure_threshold": probe.take("failureThreshold", 3),
        }
        with probe.inner("httpGet") as get, probe.inner("exec") as execute:
            port, path = get.take("port"), get.take("path", "/")
            command = execute.take("command", [])
    if port is None and not command:
        return None
    return Probe(kind, tuple(command), 0 if port is None else _number(port, ports), path, **times)


def _number(port: str | int, ports: dict[str, int]) -> int:
    if isinstance(port, int):
        return port
    if port not in ports:
        raise Unplayable(f"a probe asks the port {port}, which the container does not name")
    return ports[port]
