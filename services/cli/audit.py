"""Commands that read or write everything stand in the audit log of the database that they worked on."""

from services.cli.console import notes
from services.common.access.accounts import AuditEntry
from services.common.database.accounts import AuditTrail
from services.core.errors import DatabaseUnavailableError

COMMAND_LINE = "command line"


async def record_command(trail: AuditTrail, action: str, target: str = "") -> None:
    """Write that a command did something; one that did is not undone where the log cannot be written."""
    try:
        await trail.add_audit(AuditEntry(action, target[:200], by=COMMAND_LINE))
    except DatabaseUnavailableError as error:
        notes.print(f"{action} is not in the audit log: {error}", highlight=False)
