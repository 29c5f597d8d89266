"""What waits for a person: a shorter retention that would delete records, and a clock that is in doubt."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.common.database.retention_notices import RetentionNotices, clock_object, retention_object
from services.core.errors import DatabaseUnavailableError
from services.web.context import Context

router = APIRouter(prefix="/api/v1/system", tags=["system"])


class Confirmation(BaseModel):
    """Somebody has seen it and says yes."""

    model_config = ConfigDict(extra="forbid")

    confirm: Annotated[str, Field(max_length=40, description="`id` of what waits, of `GET /api/v1/system`")]


@router.patch("/retention", status_code=204)
async def confirm_retention(wanted: Confirmation, context: Context) -> None:
    """Apply the shorter retention that waits, within half a minute and not only after 24 hours."""
    await context.database.notices.confirm_retention(wanted.confirm)


@router.patch("/clock", status_code=204)
async def confirm_clock(wanted: Confirmation, context: Context) -> None:
    """Say that the clock in doubt is right: deletion goes on, and what was set aside goes to its place."""
    await context.database.notices.confirm_clock(wanted.confirm)


async def upkeep_object(notices: RetentionNotices) -> dict[str, Any]:
    """Give what `GET /api/v1/system` says of retention, clock and events that are set aside."""
    try:
        return {
            "retention": retention_object(await notices.retention_state()),
            "clock": clock_object(await notices.clock_mark()),
            "set_aside": await notices.set_aside_number(),
        }
    except DatabaseUnavailableError:
        return {"retention": None, "clock": None, "set_aside": None}
