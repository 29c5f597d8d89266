"""Who may use the system: what web tells the other services, as hashes only."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Access:
    """Accounts and tokens that open the media ports."""

    users: dict[str, str] = field(default_factory=dict, repr=False)
    """Argon2 hash of the password by user name."""
    tokens: frozenset[str] = field(default=frozenset(), repr=False)
    """SHA-256 of each bearer token, in hexadecimal; tokens are long random texts, which need no slow hash."""
