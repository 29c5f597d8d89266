"""TLS between the services, with the settings of components/tls: no plain text, no other's certificate."""

import asyncio
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nats
import pytest

from services.cli.doctor_host import host_checks
from services.common.bus.nats.connection import nats_connection
from services.common.connections.cluster_tls import client_context, server_context
from services.common.database.link import DatabaseLink
from services.common.leases.protocol import Member
from services.common.video.hub import VideoHub
from services.common.video.remote import RemoteVideo
from services.core.errors import BadInputError, DatabaseUnavailableError
from services.ingest.video_server import VideoServer
from tests.certificates import Certificates, make_certificates
from tests.database_server import DatabaseServer
from tests.integration.cluster.video_processes import CAMERA, KEY, Camera
from tests.processes import REPOSITORY, free_port, wait_until
from tests.tables import Tables

NAMES = ("IP:127.0.0.1", "DNS:ingest", "DNS:nats", "DNS:mongodb")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ours"), NAMES)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Of an authority that nobody here trusts."""
    return make_certificates(tmp_path_factory.mktemp("others"), NAMES)


@pytest.fixture
def by_tls(ours: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of a cluster with TLS."""
    monkeypatch.setenv("SIGHTLINE_CLUSTER_CA_FILE", str(ours.authority))


@contextmanager
def nats_with(folder: Path, certificates: Certificates | None) -> Iterator[str]:
    """A NATS server with the file of components/tls, or in plain text; gives its address."""
    port, settings = free_port(), folder / "nats.conf"
    settings.write_text(f'listen: "127.0.0.1:{port}"\n')
    if certificates is not None:
        text = (REPOSITORY / "k8s/components/tls/nats-tls.conf").read_text(encoding="utf-8")
        text = text.replace("/etc/sightline/secrets/tls/tls.crt", str(certificates.certificate))
        text = text.replace("/etc/sightline/secrets/tls/tls.key", str(certificates.key))
        settings = folder / "nats-tls.conf"
        settings.write_text(text)
    log = folder / "log"
    with log.open("wb") as output:
        program = Path(sys.executable).with_name("nats-server")
        process = subprocess.Popen([program, "--config", settings], stdout=output, stderr=output)
    try:
        wait_until(lambda: "Server is ready" in log.read_text(), 10, "nats-server listens")
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def _reach(url: str) -> None:
    async with nats_connection(url, "test") as client:
        await client.flush()


@pytest.mark.usefixtures("by_tls")
async def test_services_meet_by_tls(tmp_path: Path, ours: Certificates) -> None:
    with nats_with(tmp_path, ours) as url:
        await asyncio.wait_for(_reach(url), 10)
        with pytest.raises((nats.errors.Error, OSError, asyncio.TimeoutError)):
            await asyncio.wait_for(nats.connect(url, allow_reconnect=False, connect_timeout=1), 5)


@pytest.mark.usefixtures("by_tls")
@pytest.mark.parametrize("server", ["others", None])
async def test_a_nats_that_proves_nothing_is_not_talked_to(
    tmp_path: Path, server: str | None, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = request.getfixturevalue(server) if server else None
    with nats_with(tmp_path, certificates) as url, pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(_reach(url), 4)
    assert "cannot be reached" in caplog.text


@contextmanager
def video_of(certificates: Certificates | None) -> Iterator[tuple[Member, VideoServer]]:
    """A video server with a camera, in a thread of its own."""
    variables = {}
    if certificates is not None:
        names = {"CERT": certificates.certificate, "KEY": certificates.key}
        variables = {f"SIGHTLINE_CLUSTER_{name}_FILE": str(path) for name, path in names.items()}
    hub = VideoHub()
    server = VideoServer(hub, KEY)
    with asyncio.Runner() as runner:
        stop = asyncio.Event()
        ports: list[int] = []

        async def serve() -> None:
            async with server.listening("127.0.0.1", 0, server_context(variables)) as port:
                ports.append(port)
                await stop.wait()

        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        try:
            wait_until(lambda: ports, 5, "the video server listens")
            scheme = "ws" if certificates is None else "wss"
            with Camera(hub):
                yield Member("m", "ingest", f"{scheme}://127.0.0.1:{ports[0]}", KEY), server
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(5)


@pytest.mark.usefixtures("by_tls")
def test_video_comes_by_tls(ours: Certificates) -> None:
    with (
        video_of(ours) as (member, _),
        RemoteVideo(lambda camera: member).reader(CAMERA) as reader,
    ):
        assert reader.read(5) is not None


@pytest.mark.usefixtures("by_tls")
@pytest.mark.parametrize("server", ["others", None])
def test_a_video_server_that_proves_nothing_is_not_given_the_key(
    server: str | None, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = request.getfixturevalue(server) if server else None
    caplog.set_level(logging.WARNING)
    with (
        video_of(certificates) as (member, running),
        RemoteVideo(lambda camera: member).reader(CAMERA) as reader,
    ):
        wait_until(lambda: "no video of camera" in caplog.text, 5, "the refusal is told")
        assert reader.read(0.3) is None
        assert running.readers == 0
    assert re.search("TLS|certificate", caplog.text)


@pytest.mark.usefixtures("by_tls")
async def test_the_database_is_reached_by_tls(
    tmp_path: Path, ours: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = DatabaseServer(tmp_path / "database", tls=(ours.certificate, ours.key))
    server.start()
    try:
        link = DatabaseLink(server.uri)
        await link.ping()
        await link.close()
        tables = Tables(server.uri, "first")
        assert await tables.records.minute_counts("gate", 0.0, 60.0) == [], (
            "reads by a thread go the same way"
        )
        await tables.close()
        monkeypatch.setenv("SIGHTLINE_MONGODB_URI", server.uri)
        checks = await asyncio.to_thread(host_checks, tmp_path)
        assert [check.state for check in checks if check.name == "database"] == ["good"]
        plain = DatabaseLink(f"{server.uri}&tls=false")
        with pytest.raises(DatabaseUnavailableError):
            await plain.ping()
        await plain.close()
    finally:
        server.end()


@pytest.mark.usefixtures("by_tls")
async def test_a_database_that_proves_nothing_is_not_talked_to(tmp_path: Path, others: Certificates) -> None:
    server = DatabaseServer(tmp_path / "database", tls=(others.certificate, others.key))
    server.start()
    try:
        link = DatabaseLink(server.uri)
        with pytest.raises(DatabaseUnavailableError):
            await link.ping()
        await link.close()
    finally:
        server.end()


def test_files_that_cannot_be_used_are_bad_input(
    tmp_path: Path, ours: Certificates, others: Certificates
) -> None:
    absent, words = tmp_path / "absent", tmp_path / "words"
    words.write_text("no certificate")
    for path in (absent, words):
        with pytest.raises(BadInputError, match="SIGHTLINE_CLUSTER_CA_FILE"):
            client_context({"SIGHTLINE_CLUSTER_CA_FILE": str(path)})
    for certificate, key in ((ours.certificate, others.key), (ours.certificate, absent), (words, ours.key)):
        variables = {
            "SIGHTLINE_CLUSTER_CERT_FILE": str(certificate),
            "SIGHTLINE_CLUSTER_KEY_FILE": str(key),
        }
        with pytest.raises(BadInputError, match="SIGHTLINE_CLUSTER_KEY_FILE"):
            server_context(variables)
        with pytest.raises(BadInputError, match="set both"):
            server_context({"SIGHTLINE_CLUSTER_CERT_FILE": str(certificate)})
    assert client_context({}) is None and server_context({}) is None
