"""Every base, component and overlay, rendered: well-formed, complete, and within our own rules."""

import pytest

from services.cli.bootstrap.material import make_secrets
from tests.k8s.checks.probes import probe_problems
from tests.k8s.checks.problems import object_problems, set_problems
from tests.k8s.checks.rules import rule_problems
from tests.k8s.checks.schema import is_custom
from tests.k8s.rendering import (
    ALL_COMPONENTS,
    BASES,
    COMPONENTS,
    EXTERNAL_MONGODB,
    IMAGES,
    OVERLAYS,
    TLS,
    WHOLE,
    rendered,
)

VERSIONS = ("1.29", "1.37")
"""The oldest and the newest that a cluster of today runs."""

WITH_CUSTOM_KINDS = {"k8s/components/monitoring", ALL_COMPONENTS}
"""Components that say so: their kinds have to be added to a cluster first."""

URI = {"external-mongodb": ["uri"]}
CERTIFICATES = {"cluster-tls": ["ca.crt", "tls.crt", "tls.key", "tls-combined.pem"]}
PREPARED = {EXTERNAL_MONGODB: URI, TLS: CERTIFICATES, ALL_COMPONENTS: URI | CERTIFICATES}
"""Secrets that a component wants its user to make."""


def _secrets(folder: str) -> dict[str, list[str]]:
    return {secret.name: list(secret.files) for secret in make_secrets()} | PREPARED.get(folder, {})


def test_nothing_is_left_out() -> None:
    names = {folder.removeprefix("k8s/") for folder in [*BASES, *COMPONENTS, *OVERLAYS, IMAGES]}
    services = ("bootstrap", "ingest", "detector", "store", "web", "rtsp", "mongodb", "nats")
    assert {f"base/{name}" for name in services} <= names
    assert {f"components/{name}" for name in ("gpu", "external-mongodb", "ingress", "images")} <= names
    assert {f"overlays/{name}" for name in ("dev", "edge", "cloud")} <= names


@pytest.mark.parametrize("folder", BASES)
def test_each_base_is_well_formed(folder: str) -> None:
    assert rendered(folder)
    assert object_problems(rendered(folder)) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", WHOLE)
def test_each_whole_has_no_problem(folder: str, version: str) -> None:
    assert set_problems(rendered(folder), _secrets(folder), version) == []


@pytest.mark.parametrize("folder", WHOLE)
def test_only_who_says_so_needs_kinds_that_a_cluster_lacks(folder: str) -> None:
    assert any(map(is_custom, rendered(folder))) is (folder in WITH_CUSTOM_KINDS)


@pytest.mark.parametrize("folder", WHOLE)
def test_each_whole_keeps_the_rules(folder: str) -> None:
    assert [*rule_problems(rendered(folder)), *probe_problems(rendered(folder))] == []
