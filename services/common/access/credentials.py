"""What a request says of who sends it, and who judges that: the same at every door."""

import base64
import binascii
from collections.abc import Sequence
from typing import Protocol, runtime_checkable


class Check(Protocol):
    """What opens the door (`services.common.access.check.AccessCheck`)."""

    def check_token(self, token: str) -> bool:
        """Return whether a token opens the door; never blocks."""

    def check_password(self, user: str, password: str, address: str = "") -> bool:
        """Return whether a user has this password; may block."""

    def stamp(self, user: str) -> str:
        """Give what changes when a user gets a new password or goes; empty for nobody. Never blocks."""


@runtime_checkable
class TokenWatch(Protocol):
    """A `Check` that also wants to know of tokens that open nothing, for the audit log."""

    def refuse_token(self, address: str) -> None:
        """Note that somebody at an address showed one."""


def note_refused_token(check: Check, address: str) -> None:
    """Let a check know of a token that opens nothing, if it wants to."""
    if isinstance(check, TokenWatch):
        check.refuse_token(address)


def authorization(headers: Sequence[str]) -> tuple[str, str]:
    """Give scheme, in small letters, and value of the headers `Authorization`; empty where they say nothing.

    Of two such headers nobody knows which is meant: they say nothing either.
    """
    scheme, _, value = headers[0].strip().partition(" ") if len(headers) == 1 else ("", "", "")
    return (scheme.lower(), value.strip()) if value.strip() else ("", "")


def basic_credentials(value: str) -> tuple[str, str] | None:
    """Read user and password of a value `base64(user:password)`; None where it is something else."""
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    user, separator, password = text.partition(":")
    return (user, password) if separator else None
