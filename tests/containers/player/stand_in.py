"""The API stand-in as the player's node sees it."""

from dataclasses import dataclass

from tests.k8s.api_server.server import HOST, ApiServer
from tests.k8s.checks.manifest import Manifest


@dataclass(frozen=True)
class StandIn:
    """One namespace of a server that speaks TLS."""

    server: ApiServer
    namespace: str

    def objects(self) -> list[Manifest]:
        """Everything in the namespace."""
        stored = list(self.server.api.store.objects.items())
        return [document for (_, namespace, _), document in stored if namespace == self.namespace]

    def token_files(self, service_account: str) -> dict[str, bytes]:
        """`token`, `ca.crt` and `namespace`, as a pod of the account finds them."""
        assert self.server.authority is not None, "a pod speaks TLS with the API server"
        token = self.server.api.access.token(self.namespace, service_account)
        authority = self.server.authority.read_bytes()
        return {"token": token.encode(), "ca.crt": authority, "namespace": self.namespace.encode()}

    def environment(self) -> dict[str, str]:
        """Where a pod finds the API."""
        return {"KUBERNETES_SERVICE_HOST": HOST, "KUBERNETES_SERVICE_PORT": str(self.server.port)}

    def finish_job(self, name: str) -> None:
        """Take note that a Job has ended well, and that the time is over for which it is kept."""
        self.server.api.complete_job(self.namespace, name)
        self.server.api.remove_completed_jobs()

    def secret(self, name: str) -> dict[str, str]:
        """The values of a Secret, coded as they are stored."""
        found = self.server.api.store.find("secrets", self.namespace, name)
        assert found is not None, f"no Secret {name}"
        data: dict[str, str] = found["data"]
        return data
