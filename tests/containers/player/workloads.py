"""The whole of the manifests: from objects as the API gives them to pods that the player runs."""

from dataclasses import dataclass, replace

from tests.containers.player.fields import Change, Fields, Unplayable, reading
from tests.containers.player.plans import Pod, Volume
from tests.containers.player.pods import read_pod, template_hash
from tests.k8s.checks.manifest import Manifest, label, selects

NOT_PLAYED = ("NetworkPolicy",)
FOR_THE_API = ("Namespace", "Role", "RoleBinding")
"""What the API server itself acts on, when it is asked for something."""

DATA = ("ConfigMap", "Secret")


@dataclass(frozen=True)
class Translation:
    """The pods to run, and what is different from a cluster's."""

    pods: tuple[Pod, ...]
    changes: tuple[Change, ...]


def translate(objects: list[Manifest]) -> Translation:
    """Turn all objects of a namespace into pods; fails at what it does not know."""
    changes: list[Change] = []
    pods: list[Pod] = []
    services: dict[str, _Service] = {}
    for found in objects:
        kind = found["kind"]
        if kind in NOT_PLAYED:
            changes.append(Change(label(found), "*"))
        if kind in (*NOT_PLAYED, *FOR_THE_API):
            continue
        with reading(found, changes) as fields:
            if kind in WORKLOADS:
                with fields.inner("spec") as spec:
                    pods.append(WORKLOADS[kind](found, spec))
            elif kind == "Service":
                services[found["metadata"]["name"]] = _read_service(fields)
            elif kind == "PersistentVolumeClaim":
                with fields.inner("spec") as spec:
                    _leave_claim(spec)
            elif kind == "ServiceAccount":
                fields.expect("automountServiceAccountToken", None, False)
            elif kind in DATA:
                for name in ("data", "type"):
                    fields.take(name)
            else:
                raise Unplayable(f"the player does not know the kind {kind}")
    return Translation(tuple(_with_names(pods, services)), tuple(sorted(set(changes))))


def _deployment(found: Manifest, spec: Fields) -> Pod:
    _one_replica(spec)
    spec.leave("strategy", "revisionHistoryLimit")
    name = f"{found['metadata']['name']}-{template_hash(found['spec']['template'])}"
    return _selected(found, spec, name, {})


def _stateful_set(found: Manifest, spec: Fields) -> Pod:
    _one_replica(spec)
    spec.leave("persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit", "updateStrategy")
    name = f"{found['metadata']['name']}-0"
    claims = {}
    for claim in spec.each("volumeClaimTemplates"):
        claim.expect("apiVersion", None, "v1")
        claim.expect("kind", None, "PersistentVolumeClaim")
        with claim.inner("metadata") as metadata:
            volume = metadata.need("name")
            metadata.take("labels")
        with claim.inner("spec") as claim_spec:
            _leave_claim(claim_spec)
        claims[volume] = Volume(volume, "claim", f"{volume}-{name}")
    pod = _selected(found, spec, name, claims)
    return replace(pod, aliases=(f"{name}.{spec.need('serviceName')}",))


def _job(found: Manifest, spec: Fields) -> Pod:
    spec.need("ttlSecondsAfterFinished")
    spec.change("ttlSecondsAfterFinished", "deleted as soon as it has finished")
    pod_name = f"{found['metadata']['name']}-{template_hash(found['spec']['template'])}"
    with spec.inner("template") as template:
        return read_pod(template, pod_name, {}, spec.take("backoffLimit", 6))


WORKLOADS = {"Deployment": _deployment, "StatefulSet": _stateful_set, "Job": _job}


def _one_replica(spec: Fields) -> None:
    spec.expect("replicas", None, 1)


def _selected(found: Manifest, spec: Fields, pod_name: str, claims: dict[str, Volume]) -> Pod:
    """The pod of a template, which the workload's own selector has to match."""
    with spec.inner("selector") as selector:
        labels = selector.need("matchLabels")
    with spec.inner("template") as template:
        pod = read_pod(template, pod_name, claims)
    if not selects(labels, pod.labels):
        raise Unplayable(f"{pod.owner}: its selector {labels} does not match its pods' {pod.labels}")
    return pod


def _leave_claim(spec: Fields) -> None:
    spec.leave("resources")
    spec.expect("accessModes", ["ReadWriteOnce"])


@dataclass(frozen=True)
class _Service:
    selector: dict[str, str]
    ports: dict[int, str | int]
    """Port to target port."""


def _read_service(fields: Fields) -> _Service:
    with fields.inner("spec") as spec:
        spec.expect("clusterIP", None, "None")
        spec.expect("ipFamilyPolicy", None, "PreferDualStack")
        spec.change("selector", "a name of the pod itself, ready or not")
        ports = {}
        for port in spec.each("ports"):
            port.take("name")
            port.expect("protocol", None, "TCP", "UDP")
            number = port.need("port")
            ports[number] = port.take("targetPort", number)
        return _Service(spec.need("selector"), ports)


def _with_names(pods: list[Pod], services: dict[str, _Service]) -> list[Pod]:
    """The pods with the names of the Services that choose them; each Service has to choose one."""
    aliases: dict[str, list[str]] = {pod.name: list(pod.aliases) for pod in pods}
    for name, service in services.items():
        chosen = [pod for pod in pods if selects(service.selector, pod.labels)]
        if len(chosen) != 1:
            raise Unplayable(f"Service/{name} chooses {len(chosen)} pods; the player wants one")
        known = chosen[0].container.ports
        for port, target in service.ports.items():
            if known.get(str(target), target) != port:
                raise Unplayable(f"Service/{name}: port {port} leads to {target}; here they have to be equal")
            if port not in known.values():
                raise Unplayable(f"Service/{name}: its pod does not list port {port}")
        aliases[chosen[0].name].append(name)
    return [replace(pod, aliases=tuple(aliases[pod.name])) for pod in pods]
