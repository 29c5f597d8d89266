"""`sightline bootstrap --kubernetes` against an API server over TLS, whole and broken."""

import base64
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.cli.bootstrap.kubernetes import PATIENCE_S, Cluster, KubernetesSink
from services.cli.bootstrap.material import Secret, make_secrets
from services.cli.main import main
from services.core.errors import BadInputError, SightlineError
from tests.certificates import Certificates, make_certificates
from tests.k8s.api_server.api import Api, Request
from tests.k8s.api_server.server import ApiServer, api_server
from tests.k8s.api_server.status import Document
from tests.processes import free_port

NAMESPACE = "here"
SECRET = Secret("nats", {"url": "nats://sightline:s3cret@nats:4222"})
RULE = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}


def _object(kind: str, group: str = "v1", name: str = "bootstrap", **fields: Any) -> Document:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, **fields}


def _put(server: ApiServer, path: str, document: Document) -> None:
    code, answer = server.api.answer(Request("POST", path, body=document))
    assert code == 201, answer


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[ApiServer]:
    """A server with a namespace, and in it a ServiceAccount that may create Secrets and nothing else."""
    rbac = "rbac.authorization.k8s.io"
    here = f"namespaces/{NAMESPACE}"
    role = {"apiGroup": rbac, "kind": "Role", "name": "bootstrap"}
    subjects = [{"kind": "ServiceAccount", "name": "bootstrap"}]
    with api_server(certificates=certificates) as running:
        _put(running, "/api/v1/namespaces", _object("Namespace", name=NAMESPACE))
        _put(running, f"/api/v1/{here}/serviceaccounts", _object("ServiceAccount"))
        _put(running, f"/apis/{rbac}/v1/{here}/roles", _object("Role", f"{rbac}/v1", rules=[RULE]))
        binding = _object("RoleBinding", f"{rbac}/v1", roleRef=role, subjects=subjects)
        _put(running, f"/apis/{rbac}/v1/{here}/rolebindings", binding)
        yield running


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path) -> Cluster:
    account = server.service_account(tmp_path / "account", NAMESPACE, "bootstrap")
    return Cluster("127.0.0.1", server.port, account)


class Time:
    """A clock that goes on only by pauses."""

    def __init__(self) -> None:
        self.pauses_s: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses_s.append(seconds)

    def now(self) -> float:
        return sum(self.pauses_s)


class ScriptedApi(Api):
    """Answers with these status codes, one after the other, the last one for ever."""

    def __init__(self, *codes: int) -> None:
        super().__init__()
        self._codes = list(codes)

    def answer(self, request: Request) -> tuple[int, Document]:
        return self._codes.pop(0) if len(self._codes) > 1 else self._codes[0], {}


def stored(server: ApiServer) -> dict[str, dict[str, str]]:
    secrets = server.api.store.all("secrets", NAMESPACE)
    return {
        secret["metadata"]["name"]: {
            name: base64.b64decode(value).decode() for name, value in secret["data"].items()
        }
        for secret in secrets
    }


def test_secrets_are_made_once_and_left_alone(server: ApiServer, cluster: Cluster) -> None:
    sink, first = KubernetesSink(cluster), make_secrets()
    assert [sink.create(secret) for secret in first] == [True] * len(first)
    assert stored(server) == {secret.name: secret.files for secret in first}
    assert [sink.create(secret) for secret in make_secrets()] == [False] * len(first)
    assert stored(server) == {secret.name: secret.files for secret in first}
    labels = [secret["metadata"]["labels"] for secret in server.api.store.all("secrets")]
    assert labels == [{"app.kubernetes.io/part-of": "sightline"}] * len(first)


def test_two_jobs_at_once_make_one_set(server: ApiServer, cluster: Cluster) -> None:
    def run(_: int) -> list[tuple[str, bool, Secret]]:
        sink = KubernetesSink(cluster)
        return [(secret.name, sink.create(secret), secret) for secret in make_secrets()]

    with ThreadPoolExecutor(4) as threads:
        results = [result for results in threads.map(run, range(4)) for result in results]
    assert Counter(name for name, made, _ in results if made) == {secret.name: 1 for secret in make_secrets()}
    assert stored(server) == {name: secret.files for name, made, secret in results if made}


def test_a_secret_of_the_users_own_stays_alone(server: ApiServer, cluster: Cluster) -> None:
    own = _object("Secret", name="mongodb", stringData={"uri": "mongodb://elsewhere/"})
    _put(server, f"/api/v1/namespaces/{NAMESPACE}/secrets", own)
    made = [KubernetesSink(cluster).create(secret) for secret in make_secrets()]
    assert made == [False] + [True] * (len(made) - 1)
    assert stored(server)["mongodb"] == {"uri": "mongodb://elsewhere/"}


def refusal(cluster: Cluster, time: Time | None = None) -> str:
    clock = time or Time()
    with pytest.raises(SightlineError) as caught:
        KubernetesSink(cluster, clock.pause, clock.now).create(SECRET)
    assert "s3cret" not in str(caught.value)
    assert time is not None or not clock.pauses_s, "waiting would not help"
    return str(caught.value)


def test_without_its_role_it_names_it(server: ApiServer, cluster: Cluster) -> None:
    server.api.store.remove(("rolebindings", NAMESPACE, "bootstrap"))
    assert refusal(cluster) == (
        'the API server does not take the Secret nats: the Role "bootstrap" must let this pod\'s '
        'ServiceAccount create Secrets in namespace "here"'
    )
    assert stored(server) == {}


def test_a_foreign_token_is_told(cluster: Cluster) -> None:
    (cluster.account / "token").write_text("foreign")
    assert "does not know the token" in refusal(cluster)


def test_another_namespace_is_refused(server: ApiServer, cluster: Cluster) -> None:
    (cluster.account / "namespace").write_text("default")
    assert 'create Secrets in namespace "default"' in refusal(cluster)


@pytest.mark.parametrize(("code", "said"), [(404, 'no namespace "here"'), (422, "answers 422"), (302, "302")])
def test_other_refusals_are_told_at_once(
    code: int, said: str, cluster: Cluster, certificates: Certificates
) -> None:
    with api_server(certificates=certificates, api=ScriptedApi(code)) as broken:
        assert said in refusal(Cluster(cluster.host, broken.port, cluster.account))


def test_a_server_that_fails_is_tried_again(cluster: Cluster, certificates: Certificates) -> None:
    time = Time()
    with api_server(certificates=certificates, api=ScriptedApi(500, 503, 429, 201)) as broken:
        sink = KubernetesSink(Cluster(cluster.host, broken.port, cluster.account), time.pause, time.now)
        assert sink.create(SECRET)
    assert time.pauses_s == [1, 2, 4]


def test_a_server_that_is_away_is_told_after_a_minute(cluster: Cluster) -> None:
    time = Time()
    told = refusal(Cluster(cluster.host, free_port(), cluster.account), time)
    assert told == "the API server does not answer: [Errno 111] Connection refused"
    assert 0.8 * PATIENCE_S < time.now() <= PATIENCE_S


def test_a_server_of_another_authority_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificates(tmp_path / "other")
    (cluster.account / "ca.crt").write_bytes(other.authority.read_bytes())
    assert refusal(cluster).startswith("the API server is not the one of ca.crt: ")


@pytest.mark.parametrize("name", ["token", "namespace", "ca.crt"])
def test_a_pod_without_its_account_is_bad_input(name: str, cluster: Cluster) -> None:
    (cluster.account / name).unlink()
    with pytest.raises(BadInputError, match=name):
        KubernetesSink(cluster).create(SECRET)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kubernetes"], "this is no pod of a Kubernetes cluster: KUBERNETES_SERVICE_HOST is not set"),
        ([], "give either --folder DIR or --kubernetes"),
        (["--kubernetes", "--folder", "."], "give either --folder DIR or --kubernetes"),
    ],
)
def test_what_cannot_work_is_one_line(
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr("sys.argv", ["sightline", "bootstrap", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert (caught.value.code, capsys.readouterr().err) == (2, f"sightline: {said}\n")
