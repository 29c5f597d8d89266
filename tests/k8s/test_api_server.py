"""The API server's stand-in by itself: it changes, keeps and refuses what a cluster would."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.k8s.api_server.api import Api, Request
from tests.k8s.api_server.fields import Field
from tests.k8s.api_server.patches import server_side_apply, strategic_merge
from tests.k8s.api_server.server import ApiServer, api_server
from tests.k8s.api_server.status import Document
from tests.k8s.kubectl import Kubectl
from tests.processes import REPOSITORY

LABELS = {"app": "web"}
POD_SPEC: Document = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "web",
            "image": "web:1",
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        },
        {
            "name": "log",
            "image": "log:1",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        },
    ],
}
TEMPLATE: Document = {"metadata": {"labels": LABELS}, "spec": POD_SPEC}
NEVER = {"metadata": {"labels": LABELS}, "spec": {**POD_SPEC, "restartPolicy": "Never"}}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
SELECTOR = {"matchLabels": LABELS}
ROLE_REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"}

OBJECTS: dict[str, tuple[str, Document]] = {
    "Deployment": ("apps/v1", {"spec": {"replicas": 1, "selector": SELECTOR, "template": TEMPLATE}}),
    "StatefulSet": (
        "apps/v1",
        {"spec": {"serviceName": "web", "replicas": 1, "selector": SELECTOR, "template": TEMPLATE}},
    ),
    "Job": ("batch/v1", {"spec": {"ttlSecondsAfterFinished": 300, "template": NEVER}}),
    "PersistentVolumeClaim": ("v1", {"spec": CLAIM}),
    "Service": ("v1", {"spec": {"clusterIP": "None", "selector": LABELS, "ports": [{"port": 80}]}}),
    "Secret": ("v1", {"type": "Opaque", "immutable": True, "stringData": {"a": "1"}}),
    "ConfigMap": ("v1", {"immutable": True, "data": {"a": "1"}}),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", {"roleRef": ROLE_REF, "subjects": []}),
}


def made(kind: str) -> Document:
    api_version, fields = OBJECTS[kind]
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, **deepcopy(fields)}


def path_of(document: Document) -> str:
    group = "apis" if "/" in document["apiVersion"] else "api"
    return f"/{group}/{document['apiVersion']}/namespaces/here/{document['kind'].lower()}s"


def with_value(document: Document, place: str, value: Any) -> Document:
    changed = deepcopy(document)
    *way, last = place.split(".")
    inner: Any = changed
    for step in way:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return changed


@pytest.fixture
def api() -> Api:
    known = Api()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    here = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "here", "labels": labels}}
    assert known.answer(Request("POST", "/api/v1/namespaces", body=here))[0] == 201
    return known


def post(api: Api, document: Document) -> tuple[int, Document]:
    return api.answer(Request("POST", path_of(document), body=document))


def put(api: Api, document: Document) -> tuple[int, Document]:
    return api.answer(Request("PUT", f"{path_of(document)}/web", body=document))


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_are_kept_and_unchanged_ones_cost_no_revision(kind: str, api: Api) -> None:
    code, kept = post(api, made(kind))
    assert code == 201, kept
    revision = api.store.revision
    assert put(api, made(kind)) == (200, kept)
    assert api.store.revision == revision
    assert post(api, made(kind))[0] == 409


@pytest.mark.parametrize(
    ("kind", "place", "value", "told"),
    [
        ("Deployment", "spec.replicas", 2, None),
        ("Deployment", "spec.template.spec.containers.0.image", "web:2", None),
        ("Deployment", "spec.selector.matchLabels", {"app": "other"}, "does not select"),
        ("StatefulSet", "spec.template.spec.containers.0.image", "web:2", None),
        ("StatefulSet", "spec.serviceName", "other", "updates to statefulset spec for fields other than"),
        (
            "StatefulSet",
            "spec.volumeClaimTemplates",
            [{"metadata": {"name": "v"}, "spec": CLAIM}],
            "forbidden",
        ),
        ("Job", "spec.ttlSecondsAfterFinished", 60, None),
        (
            "Job",
            "spec.template.spec.containers.0.image",
            "web:2",
            "spec.template: Invalid value: field is imm",
        ),
        ("PersistentVolumeClaim", "spec.resources.requests.storage", "2Gi", None),
        ("PersistentVolumeClaim", "spec.accessModes", ["ReadWriteMany"], "spec is immutable after creation"),
        ("Service", "spec.ports.0.port", 81, None),
        ("Service", "spec.clusterIP", None, "may not change once set"),
        ("Secret", "metadata.labels", {"a": "b"}, None),
        ("Secret", "stringData.a", "2", "data: Forbidden: field is immutable"),
        ("Secret", "immutable", None, "immutable: Forbidden"),
        ("Secret", "type", "other", "type: Invalid value: field is immutable"),
        ("ConfigMap", "data.a", "2", "data: Forbidden: field is immutable"),
        ("RoleBinding", "roleRef.name", "two", "roleRef: Invalid value: field is immutable"),
    ],
)
def test_what_may_change_later(kind: str, place: str, value: Any, told: str | None, api: Api) -> None:
    post(api, made(kind))
    code, answer = put(api, with_value(made(kind), place, value))
    if told is None:
        assert code == 200, answer
    else:
        assert (code, told in answer["message"]) == (422, True), answer


def test_a_selector_is_immutable(api: Api) -> None:
    post(api, made("Deployment"))
    other = with_value(made("Deployment"), "spec.selector.matchLabels", {"app": "other"})
    code, answer = put(api, with_value(other, "spec.template.metadata.labels", {"app": "other"}))
    assert code == 422
    assert 'Deployment.apps "web" is invalid: spec.selector: Invalid value: field is imm' in answer["message"]


@pytest.mark.parametrize(
    ("place", "value", "code", "told"),
    [
        ("spec.replica", 2, 422, "'replica' was unexpected"),
        ("spec.replicas", "two", 422, "'two' is not"),
        ("kind", "StatefulSet", 400, "no Deployment of apps/v1"),
        ("spec.template.spec.containers.0.securityContext", None, 403, 'violate PodSecurity "restricted'),
    ],
)
def test_what_is_refused_at_once(place: str, value: Any, code: int, told: str, api: Api) -> None:
    document = with_value(made("Deployment"), place, value)
    answer = api.answer(Request("POST", path_of(made("Deployment")), body=document))
    assert (answer[0], told in answer[1]["message"]) == (code, True), answer
    assert api.store.all("deployments") == []


def test_a_dry_run_keeps_nothing(api: Api) -> None:
    request = Request("POST", path_of(made("Job")), {"dryRun": "All"}, body=made("Job"))
    assert api.answer(request)[0] == 201
    assert api.store.all("jobs") == []


def test_a_change_of_what_has_changed_meanwhile_is_refused(api: Api) -> None:
    kept = post(api, made("Deployment"))[1]
    assert put(api, with_value(kept, "spec.replicas", 2))[0] == 200
    code, answer = put(api, with_value(kept, "spec.replicas", 3))
    assert (code, answer["reason"]) == (409, "Conflict")


def test_secrets_are_kept_as_base64(api: Api) -> None:
    secret = {**made("Secret"), "data": {"b": base64.b64encode(b"2").decode()}}
    kept = post(api, secret)[1]
    assert {name: base64.b64decode(value) for name, value in kept["data"].items()} == {"a": b"1", "b": b"2"}
    assert "stringData" not in kept
    for data, code in (({"a": "no base64!"}, 400), ({"a/b": "MQ=="}, 422)):
        other = {**secret, "metadata": {"name": "other"}, "data": data}
        assert post(api, other)[0] == code


def test_a_completed_job_goes_when_it_has_a_time(api: Api) -> None:
    post(api, made("Job"))
    api.remove_completed_jobs()
    api.complete_job("here", "web")
    assert api.store.all("jobs")[0]["status"]["conditions"] == [{"type": "Complete", "status": "True"}]
    api.remove_completed_jobs()
    assert api.store.all("jobs") == []
    post(api, with_value(made("Job"), "spec.ttlSecondsAfterFinished", None))
    api.complete_job("here", "web")
    api.remove_completed_jobs()
    assert len(api.store.all("jobs")) == 1


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/api/v1/secrets", 405),
        ("DELETE", "/api/v1/namespaces/here/secrets", 405),
        ("GET", "/api/v1/namespaces/here/deployments", 404),
        ("GET", "/apis/apps/v1/namespaces/here/deployments/web/log", 404),
    ],
)
def test_addresses_that_mean_nothing(method: str, path: str, code: int, api: Api) -> None:
    assert api.answer(Request(method, path, body=made("Secret")))[0] == code


def test_strategic_merge_follows_the_schema() -> None:
    field = Field.of_kind("apps/v1", "Deployment")
    patch = {
        "spec": {
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
            "template": {
                "spec": {
                    "$setElementOrder/containers": [{"name": "log"}, {"name": "web"}],
                    "containers": [
                        {
                            "name": "web",
                            "env": [{"name": "A", "$patch": "delete"}, {"name": "C", "value": "3"}],
                        },
                        {"name": "log", "command": ["log"]},
                    ],
                    "securityContext": {"runAsNonRoot": None},
                }
            },
        }
    }
    current = with_value(made("Deployment"), "spec.strategy", {"type": "RollingUpdate", "rollingUpdate": {}})
    spec = strategic_merge(current, patch, field)["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    log, web = spec["template"]["spec"]["containers"]
    assert (log["image"], log["command"], web["image"]) == ("log:1", ["log"], "web:1")
    assert web["env"] == [{"name": "B", "value": "2"}, {"name": "C", "value": "3"}]
    assert spec["template"]["spec"]["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert spec["selector"] == SELECTOR
    removed = {"spec": {"template": {"spec": {"containers": [{"name": "log", "$patch": "delete"}]}}}}
    spec = strategic_merge(current, removed, field)["spec"]
    assert [container["name"] for container in spec["template"]["spec"]["containers"]] == ["web"]


def test_server_side_apply_removes_only_what_it_applied() -> None:
    field = Field.of_kind("apps/v1", "Deployment")
    previous = made("Deployment")
    foreign = {"name": "X", "value": "9"}
    current = deepcopy(previous)
    current["spec"]["template"]["spec"]["containers"][0]["env"].append(foreign)
    current["spec"]["paused"] = True
    wanted = with_value(previous, "spec.replicas", None)
    wanted["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "B", "value": "3"}]
    spec = server_side_apply(current, previous, wanted, field)["spec"]
    assert spec["template"]["spec"]["containers"][0]["env"] == [{"name": "B", "value": "3"}, foreign]
    assert (spec["paused"], "replicas" in spec) == (True, False)


@pytest.fixture(scope="module")
def plain(kubectl_home: Path) -> Iterator[tuple[ApiServer, Kubectl]]:
    with api_server() as server:
        yield server, Kubectl(server.url, kubectl_home)


def as_file(folder: Path, document: Document) -> Path:
    file = folder / f"{document['kind']}.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_the_commands_of_an_operator(plain: tuple[ApiServer, Kubectl], tmp_path: Path) -> None:
    server, kubectl = plain
    file = as_file(tmp_path, made("Deployment"))
    assert kubectl("create", "-f", file) == "deployment.apps/web created\n"
    kubectl("set", "image", "deployment/web", "web=web:2")
    kubectl("scale", "deployment/web", "--replicas=3")
    kubectl("rollout", "restart", "deployment/web")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    kubectl("patch", "deployment", "web", "--type=merge", "--patch", '{"spec":{"paused":true}}')
    spec = server.api.store.all("deployments")[0]["spec"]
    assert (spec["replicas"], spec["paused"]) == (3, True)
    assert [container["image"] for container in spec["template"]["spec"]["containers"]] == ["web:2", "log:1"]
    assert "restartedAt" in str(spec["template"]["metadata"]["annotations"])
    assert kubectl("get", "deploy,svc", "-o", "name") == "deployment.apps/web\n"
    assert 'deployments.apps "absent" not found' in kubectl.refused("get", "deployment", "absent")
    kubectl("delete", "deployment", "web", "--timeout=10s")
    assert server.api.store.all("deployments") == []


def test_a_stateful_set_is_rolled_out(plain: tuple[ApiServer, Kubectl], tmp_path: Path) -> None:
    kubectl = plain[1]
    kubectl("apply", "-f", as_file(tmp_path, made("StatefulSet")))
    assert "complete" in kubectl("rollout", "status", "statefulset/web", "--timeout=10s")


def test_what_it_does_not_know_is_refused(plain: tuple[ApiServer, Kubectl], tmp_path: Path) -> None:
    kubectl = plain[1]
    unknown = as_file(tmp_path, {**made("Deployment"), "kind": "Deploymint"})
    assert "could not find the requested resource" in kubectl.refused("apply", "-f", unknown)
    assert "apply a file instead" in kubectl.refused("create", "configmap", "web")


def test_a_change_is_waited_for(plain: tuple[ApiServer, Kubectl], tmp_path: Path) -> None:
    server, kubectl = plain
    kubectl("apply", "-f", as_file(tmp_path, made("Job")))
    command = kubectl.command("wait", "--for=condition=complete", "job/web", "--timeout=20s")
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=kubectl.environment, text=True) as waiting:
        server.api.complete_job("default", "web")
        assert waiting.communicate(timeout=30)[0] == "job.batch/web condition met\n"


def test_a_namespace_takes_its_objects_along(plain: tuple[ApiServer, Kubectl], tmp_path: Path) -> None:
    server, kubectl = plain
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "short"}}
    claim = as_file(tmp_path, made("PersistentVolumeClaim"))
    kubectl("apply", "-f", as_file(tmp_path, namespace))
    kubectl("apply", "--namespace=short", "-f", claim)
    kubectl("delete", "namespace", "short", "--wait=false")
    path = "/api/v1/namespaces/short/services"
    code, answer = server.api.answer(Request("POST", path, body=made("Service")))
    assert (code, "it is being terminated" in answer["message"]) == (403, True)
    kubectl("wait", "--for=delete", "namespace/short", "--timeout=10s")
    assert 'namespaces "short" not found' in kubectl.refused("apply", "--namespace=short", "-f", claim)
    assert server.api.store.all("persistentvolumeclaims") == []


def test_it_runs_by_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.k8s.api_server", "--tls", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("https://127.0.0.1:")
        process.terminate()
        assert process.wait(20) == 0
    assert (tmp_path / "ca.crt").exists()
