"""Which service is given which parts of the database: here they are composed, and nowhere else.

Store alone gets what writes events, deletes records and heals. Ingest, detector and rtsp get nothing of it. A
command composes the few parts that it needs itself; restore alone writes the past, while nobody else may.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from services.common.database.accounts import Accounts, AuditTrail
from services.common.database.aside import Aside
from services.common.database.events import EventWriter
from services.common.database.generation_removal import GenerationRemoval, RemovedGenerations
from services.common.database.generations import Generations
from services.common.database.link import DatabaseLink
from services.common.database.minutes import Minutes
from services.common.database.ownership import Fences, OwnershipReader
from services.common.database.probe import DatabaseProbe
from services.common.database.reading import Records
from services.common.database.repeats import RepeatKeeper, RepeatReader
from services.common.database.retention import RecordRetention
from services.common.database.retention_notices import RetentionNotices
from services.common.database.schema import Schema
from services.common.database.setups import Setups
from services.core.sentences.sentence import Sentence
from services.store.database import StoreDatabase
from services.web.database import WebDatabase


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """What all parts of one process stand on. Bound to the event loop that uses it first."""

    link: DatabaseLink
    schema: Schema
    probe: DatabaseProbe
    now_s: Callable[[], float]
    """The time by which records are dated."""


def database_access(link: DatabaseLink, now_s: Callable[[], float] = time.time) -> DatabaseAccess:
    """Make it once in a process: its parts make the indexes together."""
    return DatabaseAccess(link, Schema(link), DatabaseProbe(link), now_s)


def audit_trail(access: DatabaseAccess, refusal: Callable[[], Sentence | None] | None = None) -> AuditTrail:
    """Give the audit log; `refusal` gives the reason why it takes no entry now."""
    return AuditTrail(access.link, access.schema, access.now_s, refusal)


def web_database(access: DatabaseAccess, audit: AuditTrail) -> WebDatabase:
    """Give web what people set up, who they are, and reads of the past."""
    link, schema, now_s = access.link, access.schema, access.now_s
    return WebDatabase(
        setups=Setups(link, schema, now_s),
        generations=Generations(link, schema, now_s),
        accounts=Accounts(link, schema, now_s),
        audit=audit,
        records=partial(Records, link),
        ownerships=OwnershipReader(link),
        repeats=RepeatReader(link),
        notices=RetentionNotices(link, schema),
        schema=schema,
        probe=access.probe,
        address=link.address,
        now_s=now_s,
    )


def store_database(access: DatabaseAccess, audit: AuditTrail) -> StoreDatabase:
    """Give the store what writes events, deletes records and heals."""
    link, schema, now_s = access.link, access.schema, access.now_s
    minutes = Minutes(link, now_s)
    ownerships, repeats = OwnershipReader(link), RepeatReader(link)
    fences = Fences(link, ownerships, repeats, now_s)
    passes, removed = RepeatKeeper(link), RemovedGenerations(link)
    events = EventWriter(link, schema, minutes, ownerships, repeats, fences, passes, removed)
    return StoreDatabase(
        events=events,
        aside=Aside(link, events, minutes, ownerships, repeats),
        notices=RetentionNotices(link, schema),
        retention=RecordRetention(link, schema, minutes),
        removal=GenerationRemoval(link, schema),
        audit=audit,
    )
