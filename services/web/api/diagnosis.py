"""Routes for who looks for a fault: the newest records of the log, and how the host is. For admins."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.common.recent_log import MOST_RECORDS, Level, LogRecord
from services.common.wire import time_text
from services.core.errors import DatabaseUnavailableError
from services.core.sentences.sentence import Sentence
from services.web.api.system_answers import DoctorAnswer, FindingAnswer, LogAnswer, LogItem
from services.web.api.system_parts import elsewhere_fields
from services.web.context import Context, WebContext
from services.web.findings import camera_findings, service_findings
from services.web.system import SystemFinding

router = APIRouter(prefix="/api/v1/system", tags=["system"])

LARGEST_ID = 2**53 - 1
"""Whole numbers up to this come through JSON everywhere as they are."""


@router.get("/log")
async def get_log(
    context: Context,
    after: Annotated[
        int | None, Query(ge=0, le=LARGEST_ID, description="`id` of a record: only those that follow it")
    ] = None,
    level: Annotated[Level, Query(description="at least this bad")] = "debug",
    limit: Annotated[int, Query(ge=1, le=MOST_RECORDS)] = 500,
) -> LogAnswer:
    """The newest records of the log of this process, in their order, with all secrets masked.

    2000 are kept in memory, each at most 2000 characters long. Without `after` the newest are given; with it
    the first that follow, so that whoever asks again and again misses none.
    """
    records = context.system.log.newest(limit, after, level)
    return LogAnswer(
        items=[_item(record) for record in records],
        process=context.system.process,
        **elsewhere_fields(context.system.elsewhere),
    )


@router.get("/doctor")
async def get_doctor(context: Context) -> DoctorAnswer:
    """How the machine of this process is, and its services, database and cameras as this process sees them.

    No camera is dialled. The machine is looked at no more than every 10 s.
    """
    host = await context.findings.newest()
    services = service_findings(context.system, await _database_trouble(context))
    cameras = camera_findings(
        [context.mirror.setup(id).camera for id in context.mirror.cameras()], context.states
    )
    return DoctorAnswer(
        items=[_finding(found) for found in (*host, *services, *cameras)],
        process=context.system.process,
        **elsewhere_fields(context.system.elsewhere),
    )


async def _database_trouble(context: WebContext) -> Sentence | None:
    try:
        await context.database.probe.check()
    except DatabaseUnavailableError as error:
        return error.sentence
    return None


def _item(record: LogRecord) -> LogItem:
    return LogItem(
        id=record.id,
        time=time_text(record.time_s),
        level=record.level,
        service=record.service,
        text=record.text,
    )


def _finding(found: SystemFinding) -> FindingAnswer:
    what = found.what
    return FindingAnswer(id=found.id, code=what.code, params=what.params, level=found.level, text=what.text)
