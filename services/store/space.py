"""What is stored while the database's disk fills: first the paths of tracks go, counts last.

With a piece of a path goes the word that the positions of its seconds are stored: these are noted as missing,
which holds even if the word comes when there is room again.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Literal

from services.common.database.documents import connection_of
from services.common.settings.space import SpaceLimits
from services.core.errors import DiskFullError
from services.core.pieces import newest_seconds
from services.core.sentences.sentence import Sentence, sentence
from services.core.types import AccessNote, Event, PositionSeconds, StatusChange, Trajectory

log = logging.getLogger(__name__)

Kind = Literal["trajectories", "statuses", "audit"]
KINDS: tuple[Kind, ...] = ("trajectories", "statuses", "audit")
MEGABYTE = 2**20
ROOM_TO_RETURN = 1.1
"""What was given up is taken again when this share of its limit is free, so that it does not flicker."""


class Step(IntEnum):
    """How far the store has cut back."""

    EVERYTHING, NO_TRAJECTORIES, COUNTS_ONLY, NOTHING = range(4)


def _shortage(step: Step, free_bytes: int | None) -> Sentence | None:
    """Say what is not stored, with what is free; None where everything is, or nobody knows."""
    if step is Step.EVERYTHING or free_bytes is None:
        return None
    megabytes = free_bytes // MEGABYTE
    if step is Step.NO_TRAJECTORIES:
        return sentence("disk-no-trajectories", megabytes=megabytes)
    if step is Step.COUNTS_ONLY:
        return sentence("disk-counts-only", megabytes=megabytes)
    return sentence("disk-full", megabytes=megabytes)


def next_step(now: Step, free_bytes: int, limits: SpaceLimits) -> Step:
    """Give the step for what is free; back up only with some room to spare."""
    step = Step.EVERYTHING
    bounds = (
        (Step.NO_TRAJECTORIES, limits.trajectories_free_mb),
        (Step.COUNTS_ONLY, limits.statuses_free_mb),
        (Step.NOTHING, limits.counts_free_mb),
    )
    for candidate, limit_mb in bounds:
        spare = ROOM_TO_RETURN if candidate <= now else 1.0
        if free_bytes < limit_mb * MEGABYTE * spare:
            step = candidate
    return step


class SpaceGate:
    """Asks for the free space before each batch. Logs each step once, and its end."""

    def __init__(self, limits: SpaceLimits, free_bytes: Callable[[], int | None]) -> None:
        self._limits, self._free_bytes = limits, free_bytes
        self.step = Step.EVERYTHING
        self.given_up: Counter[Kind] = Counter()
        """Records that were not stored, since the start."""
        self._free: int | None = None

    @property
    def shortage(self) -> Sentence | None:
        """What is not stored now, with what is free; None while everything is."""
        return _shortage(self.step, self._free)

    def look(self) -> None:
        """Ask for the free space, and log a change of the step. Without an answer nothing changes."""
        try:
            free = self._free_bytes()
        except OSError as error:
            log.debug("the disk cannot be asked: %s", error)
            return
        if free is None:
            return
        self._free = free
        before, self.step = self.step, next_step(self.step, free, self._limits)
        if self.step > before:
            log.warning("the disk is nearly full: %s", self.shortage)
        elif self.step < before:
            log.warning("the disk has room again: %s", self.shortage or "everything is stored")

    def admit(self, events: Sequence[Event]) -> tuple[list[Event], Counter[Kind]]:
        """Give the events that are to be stored now, and the number of the others by kind.

        The caller adds them to `given_up` when the batch is done with. DiskFullError at the last step.
        """
        if self.step is Step.NOTHING:
            raise DiskFullError(self.shortage or sentence("disk-full-unmeasured"))
        kept: list[Event] = []
        refused: Counter[Kind] = Counter()
        for event in events:
            kind = self._refused(event)
            if kind is None:
                kept.append(event)
            elif not isinstance(event, PositionSeconds):
                refused[kind] += 1
        if refused["trajectories"]:
            kept += _missing(events)
        return kept, refused

    def _refused(self, event: Event) -> Kind | None:
        if _is_of_positions(event) and self.step >= Step.NO_TRAJECTORIES:
            return "trajectories"
        if isinstance(event, StatusChange) and self.step >= Step.COUNTS_ONLY:
            return "statuses"
        if isinstance(event, AccessNote) and self.step >= Step.COUNTS_ONLY:
            return "audit"
        return None

    def has_room(self) -> bool:
        """Return whether anything at all is stored now."""
        self.look()
        return self.step is not Step.NOTHING

    def refuses_audit(self) -> Sentence | None:
        """Give the reason why an entry of the audit log is not taken, which counts it; None when it is."""
        self.look()
        if self.step < Step.COUNTS_ONLY:
            return None
        self.given_up["audit"] += 1
        return self.shortage


def _is_of_positions(event: Event) -> bool:
    return isinstance(event, Trajectory) or (isinstance(event, PositionSeconds) and not event.are_missing)


def _missing(events: Sequence[Event]) -> list[PositionSeconds]:
    """Give the seconds whose positions go with the pieces of trajectories, each once."""
    found = [
        PositionSeconds(
            event.camera, newest_seconds(event), event.epoch, connection_of(event.id), are_missing=True
        )
        for event in events
        if isinstance(event, Trajectory) and event.piece and event.points
    ]
    return list(dict.fromkeys(found))
