"""docker-compose.yml says what k8s/ says, and no secret."""

import re
from dataclasses import replace
from importlib.metadata import version

import pytest

from tests.containers.service_facts import (
    SECRETS,
    ServiceFacts,
    facts_of_compose,
    facts_of_manifests,
    read_compose,
)
from tests.k8s.checks.manifest import of_kind, workloads
from tests.k8s.rendering import DEFAULT, rendered
from tests.processes import REPOSITORY

TEXT = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
SECRET_NAME = re.compile("PASSWORD|SECRET|TOKEN|URI|URL")
PUBLISHED = {8080, 8070, 8090, 8554, 8555}


def compared(facts: dict[str, ServiceFacts]) -> dict[str, ServiceFacts]:
    """Leave out what has to differ: who makes the secrets, and the port that tells living from ready."""
    common = {name: one for name, one in facts.items() if name != "bootstrap"}
    web = common["web"]
    environment = {key: value for key, value in web.environment.items() if key != "SIGHTLINE_HEALTH_PORT"}
    return common | {"web": replace(web, environment=environment)}


def test_the_services_are_those_of_the_cluster() -> None:
    in_cluster, in_compose = facts_of_manifests(rendered(DEFAULT)), facts_of_compose(read_compose(TEXT))
    assert compared(in_compose) == compared(in_cluster)
    assert in_compose["bootstrap"].image == in_cluster["bootstrap"].image
    assert all(one.is_hardened for one in in_compose.values())


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ("mongo:8.0", "mongo:7.0"),
        ('user: "10001:10001"', 'user: "0:0"'),
        ("read_only: true", "read_only: false"),
        ("cap_drop: [ALL]", "cap_drop: [NET_RAW]"),
        ("security_opt: [no-new-privileges]", "security_opt: []"),
        ("mem_limit: 2g", "mem_limit: 3g"),
        ("./configmaps/store.yaml", "./configmaps/web.yaml"),
        ("secrets-admin:/etc/sightline/secrets/admin:ro", "videos:/somewhere"),
        ("mongodb:/data/db", "mongodb:/data"),
        ("200MiB", "300MiB"),
        ("/data/configdb:", "/var/log:"),
        ("stop_grace_period: 90s", "stop_grace_period: 10s"),
        ("config/nats.conf]", "config/other.conf]"),
    ],
)
def test_a_difference_is_noticed(find: str, put: str) -> None:
    assert find in TEXT
    in_compose = facts_of_compose(read_compose(TEXT.replace(find, put)))
    assert compared(in_compose) != compared(facts_of_manifests(rendered(DEFAULT)))


def test_the_ports_are_those_of_the_cluster() -> None:
    published = {
        name: {int(port.rpartition(":")[2]) for port in service.get("ports", ())}
        for name, service in read_compose(TEXT)["services"].items()
    }
    offered = {
        one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]}
        for one in of_kind(rendered(DEFAULT), "Service")
    }
    assert set().union(*published.values()) == PUBLISHED
    assert all(ports <= offered.get(name, set()) for name, ports in published.items())


def test_the_database_is_asked_for_its_health_as_in_the_cluster() -> None:
    (database,) = [one for one in workloads(rendered(DEFAULT)) if one.name == "mongodb"]
    (container,) = database.containers
    asked = read_compose(TEXT)["services"]["mongodb"]["healthcheck"]["test"]
    assert asked == ["CMD", *container["readinessProbe"]["exec"]["command"]]


def test_the_message_server_is_asked_for_its_health_as_in_the_cluster() -> None:
    (server,) = [one for one in workloads(rendered(DEFAULT)) if one.name == "nats"]
    (container,) = server.containers
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    probe = container["readinessProbe"]["httpGet"]
    address = f"http://127.0.0.1:{ports[probe['port']]}{probe['path']}"
    assert read_compose(TEXT)["services"]["nats"]["healthcheck"]["test"][-1] == address


def test_everybody_waits_until_what_they_need_is_well() -> None:
    services = read_compose(TEXT)["services"]
    conditions = {
        (name, needed): wait["condition"]
        for name, service in services.items()
        for needed, wait in service.get("depends_on", {}).items()
    }
    assert {needed for _, needed in conditions} == {"bootstrap", "mongodb", "nats"}
    for (_, needed), condition in conditions.items():
        ended = needed == "bootstrap"
        assert condition == ("service_completed_successfully" if ended else "service_healthy")


def test_it_names_the_version_of_this_repository() -> None:
    assert set(re.findall(r"SIGHTLINE_VERSION:-([^}]+)", TEXT)) == {version("sightline")}


def test_it_holds_no_secret() -> None:
    for service in read_compose(TEXT)["services"].values():
        for name, value in service.get("environment", {}).items():
            assert not SECRET_NAME.search(name) or (name.endswith("_FILE") and value.startswith(SECRETS))
    assert "@" not in TEXT
