"""What happens to an object before it is kept: checked, and turned into what the server stores."""

import base64
import binascii
import re
from collections.abc import Callable

from tests.k8s.api_server.status import Document, StatusError, forbidden, invalid
from tests.k8s.checks.manifest import workloads
from tests.k8s.checks.pod_security import restricted_violations
from tests.k8s.checks.problems import object_problems

Validate = Callable[[Document], list[str]]
"""Says what is wrong with one object by itself."""

OF_THE_SERVER = ("uid", "creationTimestamp", "resourceVersion", "generation", "managedFields")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ENFORCE = "pod-security.kubernetes.io/enforce"
DEFAULTS: dict[str, Document] = {"StatefulSet": {"updateStrategy": {"type": "RollingUpdate"}}}
DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


def validate(document: Document) -> list[str]:
    """Check an object as its user wrote it against the schemas and rules of the official API."""
    written = {name: value for name, value in document["metadata"].items() if name not in OF_THE_SERVER}
    annotations = {key: value for key, value in written.pop("annotations", {}).items() if key != LAST_APPLIED}
    if annotations:
        written["annotations"] = annotations
    bare = {key: value for key, value in document.items() if key != "status"}
    return object_problems([{**bare, "metadata": written}])


def stored_secret(document: Document) -> Document:
    """Turn `stringData` into `data`; refuse what is no base64."""
    secret = {key: value for key, value in document.items() if key != "stringData"}
    data = dict(document.get("data") or {})
    for key, value in data.items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise StatusError(400, "BadRequest", f"Secret: data.{key}: illegal base64 data") from None
    for key, text in (document.get("stringData") or {}).items():
        data[key] = base64.b64encode(text.encode()).decode()
    wrong = [f"data[{key}]: Invalid value: no valid key" for key in data if not DATA_KEY.fullmatch(key)]
    if wrong:
        raise invalid("Secret", document["metadata"]["name"], wrong)
    return {**secret, "type": document.get("type", "Opaque"), **({"data": data} if data else {})}


def with_defaults(document: Document) -> Document:
    """Fill in what kubectl relies on; a cluster fills in far more."""
    defaults = DEFAULTS.get(document["kind"])
    return {**document, "spec": {**defaults, **document["spec"]}} if defaults else document


def admit(document: Document, namespace: Document) -> None:
    """Refuse what may not go into this namespace."""
    if "deletionTimestamp" in namespace["metadata"]:
        name = namespace["metadata"]["name"]
        raise forbidden(f"unable to create new content in namespace {name} because it is being terminated")
    _admit_pods(document, namespace)


def _admit_pods(document: Document, namespace: Document) -> None:
    """Refuse pods that break the profile "restricted" where the namespace enforces it.

    A cluster takes a workload with a warning, and then never starts its pods; here the workload itself is
    refused, since nothing here makes pods.
    """
    if (namespace["metadata"].get("labels") or {}).get(ENFORCE) != "restricted":
        return
    pods = [document["spec"]] if document["kind"] == "Pod" else [one.pod for one in workloads([document])]
    violations = [violation for pod in pods for violation in restricted_violations(pod)]
    if violations:
        name = f"{document['kind']} {document['metadata']['name']!r}"
        raise forbidden(f'{name}: pods violate PodSecurity "restricted:latest": {", ".join(violations)}')
