"""The audit log: who did what, when and from where; never a secret."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from services.common.access.accounts import AuditEntry
from services.common.access.audit_tally import AuditTally
from services.common.database.accounts import AuditTrail
from services.common.tasks import watched
from services.core.errors import DatabaseUnavailableError
from services.web.auth.caller import CAMERA_TEST_PATH, Caller

log = logging.getLogger(__name__)

API = "/api/v1/"
VERBS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "remove"}
SHORTEST_WAIT_S = 1.0


class AuditLog:
    """Writes what happens. What anybody can make happen again and again goes through a bound."""

    def __init__(
        self,
        trail: AuditTrail,
        monotonic_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._trail, self._sleep = trail, sleep
        self._tally = AuditTally(monotonic_s)
        self._writing: asyncio.Task[None] | None = None

    async def record(self, entry: AuditEntry) -> None:
        """Write an entry; what it records has happened, so a database that has gone undoes nothing."""
        try:
            await self._trail.add_audit(entry)
        except DatabaseUnavailableError as error:
            log.warning("%s of %r is not in the audit log: %s", entry.action, entry.target, error)

    async def count(self, entry: AuditEntry) -> None:
        """Write an entry at once, or with the number of its repetitions later."""
        now = self._tally.add(entry)
        if self._writing is None or self._writing.done():
            self._writing = watched(self._write_counted(), "the audit log")
        if now is not None:
            await self.record(now)

    async def close(self) -> None:
        """Write what was only counted so far."""
        if self._writing is not None:
            self._writing.cancel()
        for entry in self._tally.rest():
            await self.record(entry)

    async def _write_counted(self) -> None:
        while (wait_s := self._tally.wait_s) is not None:
            await self._sleep(max(wait_s, SHORTEST_WAIT_S))
            for entry in self._tally.due():
                await self.record(entry)


def entry_of(caller: Caller, action: str, target: str = "", user: str | None = None) -> AuditEntry:
    """Make the entry of something that somebody does now."""
    return AuditEntry(action, target[:200], user or caller.name, caller.by[:100], caller.origin.address[:64])


def refusal_of(caller: Caller, method: str, path: str) -> AuditEntry:
    """Make the entry of a change that somebody may not make."""
    action, target = change_of(method, path)
    return entry_of(caller, "refused", f"{action} {target}".strip())


def change_of(method: str, path: str) -> tuple[str, str]:
    """Name a change: of PATCH on `/api/v1/cameras/gate/lines/main`, `line.change` of `gate/lines/main`."""
    if path == CAMERA_TEST_PATH:
        return "camera.test", ""
    parts = [part for part in path.removeprefix(API).split("/") if part]
    collection = parts[(len(parts) - 1) // 2 * 2] if parts else "unknown"
    return f"{collection.removesuffix('s')}.{VERBS.get(method, method.lower())}", "/".join(parts[1:])
