"""Whether the clock that the host shows is to be believed: pure.

Two clocks are compared. The wall clock shows the time and can be set to anything; the steady one only counts
how long the machine runs. As long as both advance alike, the wall clock is believed. When it steps by more
than a minute, the believed time goes on by the steady clock, and the wall clock is in doubt: until it comes
back to the believed time, until it has run evenly for a day, or until a person says that it is right.

Nothing is deleted while the clock is in doubt (docs/adr/0023).
"""

from dataclasses import dataclass, replace

from services.core.times import milliseconds

TOLERANCE_S = 60.0
"""By which the wall clock may step and still be believed."""

SLEW = 0.01
"""Share of the time that passes by which the believed time follows a wall clock within the tolerance."""

LONGEST_OFF_S = 86_400.0
"""A machine that was off may have been so for this long before its clock is doubted."""

AGREED_S = 86_400.0
"""A clock in doubt that has run evenly for this long is believed.

One that went back only if a time service kept it all the while: a host without a battery for its clock begins
in 1970, however evenly it runs.
"""

SYNCHRONISED_S = 600.0
"""A clock in doubt that a time service has kept for this long is good enough to place events by."""

AHEAD_S = 60.0
"""By which an event may be dated ahead of a believed clock."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a host's clocks show at one moment."""

    wall_s: float
    steady_s: float
    """Seconds since the machine was started, its sleep included; nothing sets it."""
    boot: str
    """Names the start of the machine from which `steady_s` counts."""
    is_synchronised: bool = False
    """Whether the kernel says that a time service keeps its clock."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A wall clock that stepped, and what speaks for it since."""

    id: str
    since_s: float
    """The believed time at which it stepped."""
    clock_s: float
    """What it showed when it was read last."""
    agreed_s: float = 0.0
    """For how long it has run evenly since."""
    synchronised_s: float = 0.0
    """For how long a time service has kept it since, without a break."""
    places: bool = False
    """Whether events are placed by it all the same."""


@dataclass(frozen=True, slots=True)
class ClockMark:
    """What is known of the clock; kept in the database, so that a restart forgets nothing."""

    believed_s: float
    steady_s: float
    boot: str
    doubt: Doubt | None = None


def first_mark(newest_s: float | None, reading: ClockReading) -> ClockMark:
    """Begin without a mark: the newest record shows a time that has been, else the clock is believed."""
    return ClockMark(reading.wall_s if newest_s is None else newest_s, 0.0, "")


def judged(mark: ClockMark, reading: ClockReading) -> ClockMark:
    """Give what is known after one more reading."""
    if reading.boot == mark.boot and reading.steady_s >= mark.steady_s:
        return _judged_within_boot(mark, reading)
    return _judged_after_boot(mark, reading)


def confirmed(reading: ClockReading) -> ClockMark:
    """Believe what the clock shows now."""
    return ClockMark(reading.wall_s, reading.steady_s, reading.boot)


def now_s(mark: ClockMark, reading: ClockReading) -> float:
    """Give the time by which events are placed: the later one where both may be right."""
    is_placing = mark.doubt is None or mark.doubt.places
    return max(mark.believed_s, reading.wall_s) if is_placing else mark.believed_s


def _judged_within_boot(mark: ClockMark, reading: ClockReading) -> ClockMark:
    passed_s = reading.steady_s - mark.steady_s
    expected_s = mark.believed_s + passed_s
    difference_s = reading.wall_s - expected_s
    if abs(difference_s) <= TOLERANCE_S:
        most_s = passed_s * SLEW
        followed_s = expected_s + max(-most_s, min(most_s, difference_s))
        return ClockMark(followed_s, reading.steady_s, reading.boot)
    doubt = mark.doubt
    if doubt is None or abs(reading.wall_s - doubt.clock_s - passed_s) > TOLERANCE_S:
        return ClockMark(expected_s, reading.steady_s, reading.boot, _doubt(expected_s, reading))
    synchronised_s = doubt.synchronised_s + passed_s if reading.is_synchronised else 0.0
    agreed_s = doubt.agreed_s + passed_s
    lasted_s = agreed_s if reading.wall_s > expected_s else synchronised_s
    if lasted_s >= AGREED_S:
        return confirmed(reading)
    doubt = replace(
        doubt,
        clock_s=doubt.clock_s + passed_s,
        agreed_s=agreed_s,
        synchronised_s=synchronised_s,
        places=doubt.places or synchronised_s >= SYNCHRONISED_S,
    )
    return ClockMark(expected_s, reading.steady_s, reading.boot, doubt)


def _judged_after_boot(mark: ClockMark, reading: ClockReading) -> ClockMark:
    """Nothing says how long the machine was off: the clock alone says so."""
    if _may_follow(mark.believed_s, reading.wall_s):
        return confirmed(reading)
    doubt = mark.doubt
    if doubt is None or not _may_follow(doubt.clock_s, reading.wall_s):
        # A machine that was off for weeks counts again at once: its clock is the only one there is.
        doubt = replace(_doubt(mark.believed_s, reading), places=reading.wall_s > mark.believed_s)
    doubt = replace(doubt, clock_s=reading.wall_s, synchronised_s=0.0)
    return ClockMark(mark.believed_s, reading.steady_s, reading.boot, doubt)


def _may_follow(earlier_s: float, later_s: float) -> bool:
    return -TOLERANCE_S <= later_s - earlier_s <= LONGEST_OFF_S


def _doubt(believed_s: float, reading: ClockReading) -> Doubt:
    return Doubt(str(milliseconds(reading.wall_s)), believed_s, reading.wall_s)
