"""Secrets as objects of a Kubernetes cluster, made over its API with the ServiceAccount of this pod.

It only ever creates: a name that is taken answers 409. So its Role need not allow to read any Secret.
"""

import http.client
import json
import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.cli.bootstrap.material import Secret
from services.core.errors import BadInputError, SightlineError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
LABELS = {"app.kubernetes.io/part-of": "sightline"}

REQUEST_TIMEOUT_S = 10.0
PATIENCE_S = 60.0
"""How long an API server may be away; after that the Job's next pod tries again."""

LONGEST_PAUSE_S = 8.0

REASONS = {
    401: "it does not know the token of this pod's ServiceAccount",
    403: 'the Role "bootstrap" must let this pod\'s ServiceAccount create Secrets in namespace "{namespace}"',
    404: 'there is no namespace "{namespace}"',
}


class _AwayError(Exception):
    """The API server does not answer now."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the API server is, and the folder with what it knows this pod by."""

    host: str
    port: int
    account: Path

    @classmethod
    def of_this_pod(cls, account: Path, environment: Mapping[str, str] = os.environ) -> "Cluster":
        """Read what Kubernetes gives each pod; BadInputError where this is none."""
        host = environment.get("KUBERNETES_SERVICE_HOST")
        port = environment.get("KUBERNETES_SERVICE_PORT", "443")
        if not host or not port.isdigit():
            raise BadInputError("this is no pod of a Kubernetes cluster: KUBERNETES_SERVICE_HOST is not set")
        return cls(host, int(port), account)

    def read(self, name: str) -> str:
        """Read a file of the ServiceAccount. The token changes while a pod runs, so nobody keeps it."""
        try:
            return (self.account / name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"{self.account / name} cannot be read: the pod needs its token") from error


class KubernetesSink:
    """Creates Secrets in the namespace of this pod."""

    def __init__(
        self,
        cluster: Cluster,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._namespace = cluster.read("namespace")
        self._tls = _tls(cluster.account / "ca.crt")
        self._pause = pause
        self._clock = clock

    def create(self, secret: Secret) -> bool:
        """Create a Secret unless its name is taken; SightlineError says what stands in the way."""
        status = self._patiently(json.dumps(self._document(secret)))
        if status == http.client.CREATED:
            return True
        if status == http.client.CONFLICT:
            return False
        reason = REASONS.get(status, "it answers {status}").format(namespace=self._namespace, status=status)
        raise SightlineError(f"the API server does not take the Secret {secret.name}: {reason}")

    def _document(self, secret: Secret) -> dict[str, object]:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": secret.name, "namespace": self._namespace, "labels": LABELS},
            "type": "Opaque",
            "stringData": dict(secret.files),
        }

    def _patiently(self, body: str) -> int:
        """Post until there is an answer, for as long as is reasonable."""
        deadline_s = self._clock() + PATIENCE_S
        pause_s = 1.0
        while True:
            try:
                return self._post(body)
            except _AwayError as error:
                if self._clock() + pause_s > deadline_s:
                    raise SightlineError(f"the API server does not answer: {error}") from None
            self._pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _post(self, body: str) -> int:
        cluster = self._cluster
        headers = {"Authorization": f"Bearer {cluster.read('token')}", "Content-Type": "application/json"}
        connection = http.client.HTTPSConnection(
            cluster.host, cluster.port, context=self._tls, timeout=REQUEST_TIMEOUT_S
        )
        try:
            connection.request("POST", f"/api/v1/namespaces/{self._namespace}/secrets", body, headers)
            response = connection.getresponse()
            response.read()
        except ssl.SSLCertVerificationError as error:
            raise SightlineError(f"the API server is not the one of ca.crt: {error.verify_message}") from None
        except (OSError, http.client.HTTPException) as error:
            raise _AwayError(str(error) or type(error).__name__) from None
        finally:
            connection.close()
        if response.status == http.client.TOO_MANY_REQUESTS or response.status >= 500:
            raise _AwayError(f"{response.status} {response.reason}")
        return response.status


def _tls(authority: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise BadInputError(f"{authority} cannot be used: {error.strerror or error}") from error
