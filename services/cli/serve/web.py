"""`sightline serve web`: page, API and live pictures."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from services.cli.database_parts import audit_trail, database_access, web_database
from services.cli.models_command import model_entries
from services.cli.serve.process import Link, ServiceProcess
from services.cli.system_facts import machine_findings, process_name, software_versions
from services.common.connections.addresses import address_to_open
from services.common.connections.listening import listen
from services.common.database.accounts import Accounts
from services.common.database.link import DatabaseLink
from services.common.http.server import HttpServer
from services.common.leases.protocol import Member, Role
from services.common.logs import RECENT
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.common.settings.cameras import CameraFiles
from services.common.settings.service import mongodb_uri
from services.common.tasks import cancellable, watched
from services.common.video.remote import RemoteVideo
from services.core.sentences.sentence import Sentence, sentence
from services.detector.infer.models import check_named_model
from services.web.app import create_app
from services.web.auth.first_admin import ensure_first_admin
from services.web.mirror import SetupMirror
from services.web.serving import bound_send_buffers, server_figures, web_server
from services.web.settings import WebSettings
from services.web.system import ServiceState, SystemInfo

CLOSE_TIMEOUT_S = 5.0
ELSEWHERE = sentence("other-processes")
ITS_OWN_FIGURES = sentence("other-figures")

ROLES: tuple[Role, ...] = ("ingest", "detector", "store", "web", "rtsp")


class WebProcess:
    """Serves people and programs, and publishes to the other services what there is to do."""

    def __init__(self, settings: WebSettings, data: Path | None = None) -> None:
        self._settings, self._data = settings, data
        self._access = database_access(DatabaseLink(mongodb_uri()))
        self._listening = listen(settings.host, settings.port)
        self._video: RemoteVideo | None = None
        self._server: HttpServer | None = None
        self._missing: list[Sentence] = []
        self._process = ServiceProcess("web", settings.host, settings.health_port, figures=self._figures)

    async def run(self) -> None:
        """Run until SIGTERM."""
        await self._process.run(self._serve)

    async def _serve(self, link: Link) -> None:
        database = web_database(self._access, audit_trail(self._access))
        mirror = SetupMirror(database, link.bus.setups, link.bus.access)
        video = self._video = RemoteVideo(lambda camera: link.leases.holder("ingest", camera))
        app = create_app(
            database,
            link.bus.tracks,
            link.bus.states,
            video,
            self._system(link),
            self._settings,
            mirror,
            camera_tests=link.bus.camera_tests,
        )
        server = self._server = web_server(app, self._settings)
        await link.leases.join(Member(self._process.member_id, "web"))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cancellable(mirror.run()))
                tasks.create_task(server.run_until_cancelled(bound_send_buffers(self._listening)))
                if self._settings.wants_login:
                    self._missing = [sentence("admin-not-made")]
                    tasks.create_task(cancellable(self._make_first_admin(database.accounts)))
        finally:
            await asyncio.shield(link.leases.leave())
            closing = watched(self._access.link.close(), "closing the database")
            await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)

    async def _make_first_admin(self, accounts: Accounts) -> None:
        await ensure_first_admin(accounts, self._data)
        self._missing = []

    def _system(self, link: Link) -> SystemInfo:
        models = CameraFiles.of(self._settings.model_folders)
        return SystemInfo(
            version=version("sightline"),
            database="MongoDB",
            started_s=time.time(),
            address=address_to_open(self._settings.host, self._settings.port),
            services=lambda: service_states(link, self._process.member_id, self._queues(link)),
            models=model_entries,
            check_model=partial(check_named_model, files=models, sees_files=False),
            sees_files=False,
            figures=self._process.all_figures,
            missing=lambda: (*self._process.refused(), *self._missing),
            process=process_name("web"),
            own_name=self._process.member_id,
            elsewhere=ELSEWHERE,
            versions=software_versions,
            log=RECENT,
            findings=lambda: machine_findings(self._data, has_engines=False),
        )

    def _queues(self, link: Link) -> Sequence[QueueState]:
        queues = [link.bus.event_queue(), link.bus.track_queue()]
        if self._video is not None:
            queues.append(self._video.queue())
        if self._server is not None:
            queues.append(self._server.queue("connections"))
        return queues

    def _figures(self) -> Iterator[Figure]:
        if self._video is not None:
            yield from self._video.figures()
        if self._server is not None:
            yield from self._server.figures("web")
            yield from server_figures(self._server)


def service_states(
    link: Link, own_id: str = "", own_queues: Sequence[QueueState] = ()
) -> Sequence[ServiceState]:
    """Give each living member; a role without any is named too. Queues are known of this process alone."""
    states = []
    for role in ROLES:
        members = link.leases.members(role)
        if members is None:
            states.append(ServiceState(role, sentence("service-unknown"), role))
        elif not members:
            states.append(ServiceState(role, sentence("service-none"), role))
        else:
            states += [
                ServiceState(member.id, member.status, role, tuple(own_queues))
                if member.id == own_id
                else ServiceState(member.id, member.status, role, elsewhere=ITS_OWN_FIGURES)
                for member in members
            ]
    return states
