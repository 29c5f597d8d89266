"""The part `scale` of a workload: its number of replicas as an object of its own."""

from tests.k8s.api_server.status import Document


def scale_of(document: Document) -> Document:
    """Give the Scale of a workload."""
    replicas = document["spec"].get("replicas", 1)
    metadata = {name: document["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion")}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas},
    }


def changed_scale(document: Document, scale: Document) -> Document:
    """Give the workload with the replicas of a Scale."""
    return {**document, "spec": {**document["spec"], "replicas": scale["spec"].get("replicas", 0)}}
