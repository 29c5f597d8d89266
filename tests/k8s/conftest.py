"""An API server and kubectl for the tests that apply something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Certificates, make_certificates
from tests.k8s.api_server.server import ApiServer, api_server
from tests.k8s.kubectl import Kubectl


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def kubectl_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kubectl")


@pytest.fixture
def server(certificates: Certificates) -> Iterator[ApiServer]:
    with api_server(certificates=certificates) as running:
        yield running


@pytest.fixture
def kubectl(server: ApiServer, kubectl_home: Path) -> Kubectl:
    login = (f"--certificate-authority={server.authority}", f"--token={server.api.access.administrator}")
    return Kubectl(server.url, kubectl_home, login)
