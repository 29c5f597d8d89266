"""The kinds that the server knows, and the addresses under which it keeps them."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object: `deployments` of the group `apps` in version `v1`."""

    api_version: str
    plural: str
    kind: str
    short: str = ""
    namespaced: bool = True

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def root(self) -> str:
        """The address of its group: `/apis/apps/v1`, or `/api/v1`."""
        return f"/{'apis' if self.group else 'api'}/{self.api_version}"

    @property
    def full_name(self) -> str:
        """As it stands in messages: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


SCALABLE = ("deployments", "statefulsets", "replicasets")

RESOURCES = (
    Resource("v1", "namespaces", "Namespace", "ns", namespaced=False),
    Resource("v1", "persistentvolumes", "PersistentVolume", "pv", namespaced=False),
    Resource("v1", "configmaps", "ConfigMap", "cm"),
    Resource("v1", "secrets", "Secret"),
    Resource("v1", "services", "Service", "svc"),
    Resource("v1", "serviceaccounts", "ServiceAccount", "sa"),
    Resource("v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc"),
    Resource("v1", "pods", "Pod", "po"),
    Resource("v1", "limitranges", "LimitRange", "limits"),
    Resource("v1", "resourcequotas", "ResourceQuota", "quota"),
    Resource("apps/v1", "deployments", "Deployment", "deploy"),
    Resource("apps/v1", "statefulsets", "StatefulSet", "sts"),
    Resource("apps/v1", "daemonsets", "DaemonSet", "ds"),
    Resource("apps/v1", "replicasets", "ReplicaSet", "rs"),
    Resource("batch/v1", "jobs", "Job"),
    Resource("batch/v1", "cronjobs", "CronJob", "cj"),
    Resource("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb"),
    Resource("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa"),
    Resource("networking.k8s.io/v1", "ingresses", "Ingress", "ing"),
    Resource("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", "netpol"),
    Resource("rbac.authorization.k8s.io/v1", "roles", "Role"),
    Resource("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"),
)

ROOTS = tuple(dict.fromkeys(resource.root for resource in RESOURCES))

_PATH = re.compile(
    r"(?P<root>/api/v1|/apis/[^/]+/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<part>[^/]+))?"
)


@dataclass(frozen=True, slots=True)
class Address:
    """What a path means: all objects of a kind, one of them, or a part of one (`scale`)."""

    resource: Resource
    namespace: str | None
    name: str | None
    part: str | None


def address(path: str) -> Address | None:
    """Read a path; None where nothing is kept."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    for resource in RESOURCES:
        if (resource.root, resource.plural) == (match["root"], match["plural"]):
            part = match["part"]
            known = part is None or (part == "scale" and resource.plural in SCALABLE)
            return Address(resource, match["namespace"], match["name"], part) if known else None
    return None
