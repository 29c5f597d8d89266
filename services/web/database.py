"""What web needs of the database: what people set up and who they are; of the past it only reads."""

from collections.abc import Callable
from dataclasses import dataclass

from services.common.database.accounts import Accounts, AuditTrail
from services.common.database.generations import Generations
from services.common.database.ownership import OwnershipReader
from services.common.database.probe import DatabaseProbe
from services.common.database.reading import Records
from services.common.database.repeats import RepeatReader
from services.common.database.retention_notices import RetentionNotices
from services.common.database.schema import Schema
from services.common.database.setups import Setups


@dataclass(frozen=True, slots=True)
class WebDatabase:
    """Web's parts of the database. None deletes a record or finishes what the store left half done."""

    setups: Setups
    generations: Generations
    """Each making of a camera, and word for the store of those that are to be removed."""
    accounts: Accounts
    audit: AuditTrail
    records: Callable[[float], Records]
    """Gives reads of the past that may go on for so many seconds; they block, and belong into a thread."""
    ownerships: OwnershipReader
    repeats: RepeatReader
    notices: RetentionNotices
    """How long records are kept, and a person's word that a shorter retention or the clock is right."""
    schema: Schema
    probe: DatabaseProbe
    """Whether the database works, and what is free on its disk."""
    address: str
    """Host and port, without user and password."""
    now_s: Callable[[], float]
    """The time by which records are dated."""
