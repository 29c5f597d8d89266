"""The audit log: who did what, when and from where; never a secret."""

import logging

from services.common.accounts import AuditEntry
from services.common.database import Repository
from services.core.errors import DatabaseUnavailableError
from services.web.auth.caller import Caller

log = logging.getLogger(__name__)

API = "/api/v1/"
VERBS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "remove"}


async def record(repository: Repository, entry: AuditEntry) -> None:
    """Write an entry; what it tells of has happened already, so a database that has gone undoes nothing."""
    try:
        await repository.add_audit(entry)
    except DatabaseUnavailableError as error:
        log.warning("%s of %r is not in the audit log: %s", entry.action, entry.target, error)


async def record_change(repository: Repository, caller: Caller, method: str, path: str) -> None:
    """Write that somebody changed what lies at a path."""
    await record(repository, entry_of(caller, *change_of(method, path)))


def entry_of(caller: Caller, action: str, target: str = "", user: str | None = None) -> AuditEntry:
    """Make the entry of something that somebody does now."""
    return AuditEntry(action, target[:200], user or caller.name, caller.by[:100], caller.origin.address[:64])


def change_of(method: str, path: str) -> tuple[str, str]:
    """Name a change: of PATCH on `/api/v1/cameras/gate/lines/main`, `line.change` of `gate/lines/main`."""
    parts = [part for part in path.removeprefix(API).split("/") if part]
    collection = parts[(len(parts) - 1) // 2 * 2] if parts else "unknown"
    return f"{collection.removesuffix('s')}.{VERBS.get(method, method.lower())}", "/".join(parts[1:])
