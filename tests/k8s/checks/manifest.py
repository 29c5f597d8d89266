"""Rendered Kubernetes objects, and the pods that they make."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]
"""One object, as YAML gives it."""

POD_MAKERS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that makes pods, and the template of those pods."""

    manifest: Manifest
    template: Manifest

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.template.get("metadata", {}).get("labels") or {})

    @property
    def pod(self) -> Manifest:
        spec: Manifest = self.template["spec"]
        return spec

    @property
    def containers(self) -> list[Manifest]:
        """Every container, those that run at the start first."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def replicas(self) -> int:
        return int(self.manifest["spec"].get("replicas", 1))

    @property
    def claim_templates(self) -> list[str]:
        templates = self.manifest["spec"].get("volumeClaimTemplates", [])
        return [template["metadata"]["name"] for template in templates]


def label(manifest: Manifest) -> str:
    """Name an object in a message: `Deployment/web`."""
    return f"{manifest.get('kind')}/{manifest.get('metadata', {}).get('name')}"


def workloads(manifests: Iterable[Manifest]) -> list[Workload]:
    """Everything that makes pods."""
    return list(_workloads(manifests))


def _workloads(manifests: Iterable[Manifest]) -> Iterator[Workload]:
    for manifest in manifests:
        if manifest["kind"] in POD_MAKERS:
            yield Workload(manifest, manifest["spec"]["template"])
        elif manifest["kind"] == "CronJob":
            yield Workload(manifest, manifest["spec"]["jobTemplate"]["spec"]["template"])


def of_kind(manifests: Iterable[Manifest], kind: str) -> list[Manifest]:
    """The objects of one kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Tell whether a set of wanted labels is met; the empty set is met by everything."""
    return all(labels.get(key) == value for key, value in selector.items())


def matches(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector (`matchLabels`, `matchExpressions`) is met."""
    expressions = selector.get("matchExpressions", [])
    return selects(selector.get("matchLabels", {}), labels) and all(
        _expression(expression, labels) for expression in expressions
    )


def _expression(expression: Manifest, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    answers = {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return answers[expression["operator"]]
