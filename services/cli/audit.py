"""Commands that read or write everything stand in the audit log of the database that they worked on."""

from services.cli.console import notes
from services.common.access.accounts import AuditEntry
from services.common.database.repository import Repository
from services.core.errors import DatabaseUnavailableError

COMMAND_LINE = "command line"


async def record_command(repository: Repository, action: str, target: str = "") -> None:
    """Write that a command did something; one that did is not undone where the log cannot be written."""
    try:
        await repository.add_audit(AuditEntry(action, target[:200], by=COMMAND_LINE))
    except DatabaseUnavailableError as error:
        notes.print(f"{action} is not in the audit log: {error}", highlight=False)
