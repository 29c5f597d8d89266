"""The route of the audit log."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.common.access.accounts import AuditEntry
from services.common.wire import parse_milliseconds, time_text
from services.core.errors import BadInputError
from services.core.times import milliseconds
from services.web.api.answers import AuditAnswer, AuditPage
from services.web.api.problems import refusals
from services.web.context import Context

router = APIRouter(prefix="/api/v1/audit", tags=["users"])


@router.get("", responses=refusals(422))
async def get_audit(
    context: Context,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> AuditPage:
    """Who did what, when and from where, newest first."""
    before = None if cursor is None else _place(cursor)
    found = await context.database.audit.audit(limit + 1, before)
    last = found[limit - 1] if len(found) > limit else None
    return AuditPage(
        items=[_answer(entry) for entry in found[:limit]],
        next=None if last is None else f"{milliseconds(last.time_s)}-{last.id}",
    )


def _place(cursor: str) -> tuple[float, str]:
    time_ms, _, id = cursor.partition("-")
    if not id:
        raise BadInputError("cursor-invalid")
    return parse_milliseconds(time_ms), id


def _answer(entry: AuditEntry) -> AuditAnswer:
    return AuditAnswer(
        time=time_text(entry.time_s),
        user=entry.user,
        by=entry.by,
        action=entry.action,
        target=entry.target,
        address=entry.address,
        count=entry.count,
    )
