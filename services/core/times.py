"""Time in whole milliseconds: the one place where seconds become milliseconds and back. Pure.

Inside the code a time is seconds since 1970 as a float, and two floats of one millisecond need not be equal.
`whole` gives the one float that stands for a millisecond: times that have passed through it are compared as
they are. A time passes through it where it is born (a capture time, a crossing) or read (a request).
"""

MS = 1000
"""Milliseconds of a second."""


def milliseconds(time_s: float) -> int:
    """Give a time as whole milliseconds, to the nearest; the database and identities of events hold these."""
    return round(time_s * MS)


def seconds(time_ms: int) -> float:
    """Give whole milliseconds as seconds: equal for equal milliseconds."""
    return time_ms / MS


def whole(time_s: float) -> float:
    """Round a time to the millisecond; doing so again changes nothing."""
    return seconds(milliseconds(time_s))


def second_of(time_s: float) -> int:
    """Give the second since 1970 in which a time lies, by its milliseconds."""
    return milliseconds(time_s) // MS


def minute_of(time_s: float) -> int:
    """Give the minute since 1970 in which a time lies, by its milliseconds."""
    return second_of(time_s) // 60
