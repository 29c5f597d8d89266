"""The README's `kubectl apply -k k8s/` against the API server's stand-in, with the Job's own work between."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.cli.bootstrap.material import NATS_USERS
from tests.k8s.api_server.api import Request
from tests.k8s.api_server.server import ApiServer
from tests.k8s.kubectl import Kubectl
from tests.k8s.rendering import DEFAULT, OVERLAYS, REPOSITORY, copy_of_inputs, rendered

NAMESPACE = "sightline"
JOB = "bootstrap"
SECRETS = {
    "mongodb": {"root-password"},
    "mongodb-store": {"password", "uri"},
    "mongodb-web": {"password", "uri"},
    **{f"nats-{user}": {"auth.conf", "url"} for user in NATS_USERS},
    "admin": {"password"},
}
ALWAYS_CONFIGURED = "poddisruptionbudget.policy/"
"""kubectl sends the selector of these each time, though nothing changes (its patch strategy is `replace`)."""


def bootstrap(server: ApiServer, account: Path) -> subprocess.CompletedProcess[str]:
    """Do what the Job's container does."""
    command = [sys.executable, "-m", "services.cli", "bootstrap", "--kubernetes"]
    variables = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.port)}
    return subprocess.run(
        [*command, "--service-account", str(account)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=REPOSITORY,
        env=os.environ | variables,
    )


def stored_secrets(server: ApiServer) -> dict[str, Any]:
    return {secret["metadata"]["name"]: secret["data"] for secret in server.api.store.all("secrets")}


def assert_unchanged(output: str) -> None:
    changed = [line for line in output.splitlines() if not line.endswith(" unchanged")]
    assert not [line for line in changed if not line.startswith(ALWAYS_CONFIGURED)]


def let_job_go(server: ApiServer) -> None:
    """Do what five minutes do in a cluster."""
    server.api.complete_job(NAMESPACE, JOB)
    server.api.remove_completed_jobs()


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("folder", [DEFAULT, *OVERLAYS])
def test_a_second_apply_changes_nothing(folder: str, server: ApiServer, kubectl: Kubectl) -> None:
    first = kubectl("apply", "-k", REPOSITORY / folder).splitlines()
    assert len(first) == len(rendered(folder))
    assert not [line for line in first if not line.endswith(" created")]
    revision = server.api.store.revision
    assert_unchanged(kubectl("apply", "-k", REPOSITORY / folder))
    assert server.api.store.revision == revision


def test_the_job_makes_the_secrets_once(server: ApiServer, kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("apply", "-k", REPOSITORY / DEFAULT)
    account = server.service_account(tmp_path / "account", NAMESPACE, JOB)
    first = bootstrap(server, account)
    assert (first.returncode, first.stdout, first.stderr) == (
        0,
        "".join(f"{name}: made\n" for name in SECRETS),
        "",
    )
    made = stored_secrets(server)
    assert {name: set(data) for name, data in made.items()} == SECRETS

    revision = server.api.store.revision
    assert_unchanged(kubectl("apply", "-k", REPOSITORY / DEFAULT))
    second = bootstrap(server, account)
    assert second.returncode == 0
    assert second.stdout.count("already there") == len(SECRETS)
    assert server.api.store.revision == revision

    let_job_go(server)
    again = kubectl("apply", "-k", REPOSITORY / DEFAULT)
    assert [line for line in again.splitlines() if "unchanged" not in line] == ["job.batch/bootstrap created"]
    assert bootstrap(server, account).returncode == 0
    assert stored_secrets(server) == made


def test_the_jobs_role_allows_nothing_but_its_work(server: ApiServer, kubectl: Kubectl) -> None:
    kubectl("apply", "-k", REPOSITORY / DEFAULT)
    authorization = f"Bearer {server.api.access.token(NAMESPACE, JOB)}"
    other: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}
    here = f"/api/v1/namespaces/{NAMESPACE}"
    for method, path in (
        ("GET", f"{here}/secrets"),
        ("GET", f"{here}/secrets/other"),
        ("DELETE", f"{here}/secrets/nats-web"),
        ("PATCH", f"{here}/secrets/nats-web"),
        ("GET", f"{here}/configmaps"),
        ("POST", f"{here}/configmaps"),
        ("POST", "/api/v1/namespaces/default/secrets"),
        ("POST", f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"),
    ):
        code, answer = server.api.answer(Request(method, path, body=other, authorization=authorization))
        assert code == 403, (method, path, answer)


def test_a_new_image_waits_for_the_jobs_end(server: ApiServer, kubectl: Kubectl, tmp_path: Path) -> None:
    """An upgrade while the Job is still there is refused; five minutes later it is not."""
    inputs = copy_of_inputs(tmp_path)
    kubectl("apply", "-k", inputs / DEFAULT)
    change(inputs / "k8s/components/images/kustomization.yaml", "newTag: 0.1.0", "newTag: 0.1.1")
    told = kubectl.refused("apply", "-k", inputs / DEFAULT)
    assert 'Job.batch "bootstrap" is invalid: spec.template: Invalid value: field is immutable' in told
    let_job_go(server)
    assert "job.batch/bootstrap created" in kubectl("apply", "-k", inputs / DEFAULT)


def test_a_changed_file_rolls_its_pods_and_leaves_the_job(kubectl: Kubectl, tmp_path: Path) -> None:
    inputs = copy_of_inputs(tmp_path)
    kubectl("apply", "-k", inputs / DEFAULT)
    with (inputs / "configmaps/store.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    lines = kubectl("apply", "-k", inputs / DEFAULT).splitlines()
    changed = [line.split(" ")[0].split("-")[0] for line in lines if not line.endswith(" unchanged")]
    assert changed == ["configmap/store", "deployment.apps/store"]


def test_server_side_apply_and_diff(kubectl: Kubectl) -> None:
    for _ in range(2):
        lines = kubectl("apply", "--server-side", "-k", REPOSITORY / DEFAULT).splitlines()
        assert len(lines) == len(rendered(DEFAULT))
        assert not [line for line in lines if not line.endswith(" serverside-applied")]
    assert kubectl("diff", "--server-side", "-k", REPOSITORY / DEFAULT) == ""


def test_everything_can_be_deleted(server: ApiServer, kubectl: Kubectl) -> None:
    kubectl("apply", "-k", REPOSITORY / DEFAULT)
    lines = kubectl("delete", "--wait=false", "-k", REPOSITORY / DEFAULT).splitlines()
    assert len(lines) == len(rendered(DEFAULT))
    kubectl("wait", "--for=delete", f"namespace/{NAMESPACE}", "--timeout=10s")
    assert {key[0] for key in server.api.store.objects} == {"namespaces"}


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("store/workload.yaml", "replicas: 1", "replica: 1", "'replica' was unexpected"),
        ("patches/container.yaml", "drop: [ALL]", "drop: [NET_RAW]", "does not drop ALL capabilities"),
    ],
)
def test_a_broken_manifest_is_refused(
    file: str, old: str, new: str, told: str, kubectl: Kubectl, tmp_path: Path
) -> None:
    inputs = copy_of_inputs(tmp_path)
    change(inputs / "k8s/base" / file, old, new)
    assert told in kubectl.refused("apply", "-k", inputs / DEFAULT)
