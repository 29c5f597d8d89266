"""Who uses the system: users, their sessions and tokens, and what they did."""

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from services.core.identifiers import MOST_READ, clean_name

LONGEST_USER_NAME = 63
_USER_NAME_SIGNS = frozenset("._- ")

SESSION_IDLE_S = 12 * 3600.0
"""A session that nobody has used for this long has ended."""

SESSION_LONGEST_S = 7 * 86_400.0
"""A session ends after this, used or not."""

TOKEN_LIFETIME_S = 90 * 86_400.0
"""A token that says nothing else expires after this."""

MOST_NETWORKS = 32
"""Networks that are remembered of an account."""

SECONDS_BETWEEN_MARKS = 60.0
"""How exactly the last use of a session or token is kept."""


def folded_name(name: str) -> str:
    """Give the one spelling of a user's name: written small and narrow, however somebody types it.

    So that no two accounts look the same, and a login is the same from every keyboard.
    """
    narrow = unicodedata.normalize("NFKC", name[:MOST_READ])
    return unicodedata.normalize("NFKC", narrow.casefold())


def user_name_from(text: str) -> str | None:
    """Give the name of a new user as it is kept; None for what cannot be one.

    Of ASCII only letters, digits, dot, _, - and single spaces stand in it: `:` parts a name from its
    password, and `/` parts of an address. It begins with none of the signs.
    """
    name = clean_name(folded_name(text), LONGEST_USER_NAME)
    if not name or name[0] in _USER_NAME_SIGNS or "  " in name:
        return None
    is_good = all(
        character.isalnum() or character in _USER_NAME_SIGNS for character in name if character.isascii()
    )
    return name if is_good else None


class UserRole(StrEnum):
    """What somebody may do."""

    ADMIN = "admin"
    """Everything."""
    VIEWER = "viewer"
    """See cameras, counts and pictures, and change nothing."""


def weaker_role(one: UserRole, other: UserRole) -> UserRole:
    """Give what both may do."""
    return UserRole.ADMIN if one is other is UserRole.ADMIN else UserRole.VIEWER


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    name: str
    role: UserRole
    password_hash: str = field(repr=False)
    created_s: float = 0.0
    id: str = ""
    """What its tokens are bound to: another account of the same name has another, and so has this one after
    a new password that ended them."""
    stamp: str = field(default="", repr=False)
    """Changes with password and role; sessions that were begun under another have ended."""
    networks: tuple[str, ...] = ()
    """Where somebody logged in to it from, the newest last: guesses from elsewhere do not slow these down."""


@dataclass(frozen=True, slots=True)
class Session:
    """A login of a browser; its cookie is known by its hash alone."""

    hash: str = field(repr=False)
    user: str
    stamp: str = field(repr=False)
    created_s: float
    seen_s: float

    def is_over(self, now_s: float) -> bool:
        """Return whether it has expired."""
        return now_s - self.seen_s >= SESSION_IDLE_S or now_s - self.created_s >= SESSION_LONGEST_S


@dataclass(frozen=True, slots=True)
class Token:
    """A key for a program; known by its hash alone, and no stronger than the user who made it."""

    name: str
    role: UserRole
    hash: str = field(repr=False)
    created_s: float
    expires_s: float | None = None
    owner: str | None = None
    """Name of the user who made it; None when it was made where no login is wanted."""
    owner_id: str = ""

    @property
    def id(self) -> str:
        """What names it: the beginning of its hash, which reveals nothing about the token."""
        return self.hash[:16]

    def is_over(self, now_s: float) -> bool:
        """Return whether it has expired."""
        return self.expires_s is not None and now_s >= self.expires_s


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when and from where; never holds a secret."""

    action: str
    """Like `camera.add` or `login.failed`."""
    target: str = ""
    """What it was done to, like `gate/lines/main`."""
    user: str | None = None
    """Name of the user; None where nobody has to log in."""
    by: str = ""
    """`session`, or `token` with the token's name."""
    address: str = ""
    time_s: float = 0.0
    """When it was written; by the clock of the database's part."""
    id: str = ""
    count: int = 1
    """How often it happened since it was written last."""
