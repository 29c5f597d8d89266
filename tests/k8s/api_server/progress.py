"""What controllers would report: a workload counts as rolled out as soon as it is stored."""

from tests.k8s.api_server.status import Document

KINDS = ("Deployment", "StatefulSet")


def rolled_out(document: Document) -> Document:
    """Give a workload with the status that `kubectl rollout status` waits for."""
    if document["kind"] not in KINDS:
        return document
    replicas = document["spec"].get("replicas", 1)
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    status: Document = {"observedGeneration": document["metadata"]["generation"]}
    return {**document, "status": status | dict.fromkeys(counts, replicas)}
