"""Masking of credentials in addresses and in all texts that people and programs see.

A secret is the password of an address, or the value of a parameter whose name tells of one, in the
query or in the path (some cameras carry `user=admin_password=…_channel=1` there).
"""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from services.core.errors import BadInputError

MASK = "***"

_WORDS = "pass|pwd|psw|secret|token|key|auth|credential|signature|session"
_NAME = rf"[\w.\[\]-]*?(?:{_WORDS})[\w.\[\]-]*?"
_SHORT_NAME = r"(?:pw|pin|sig|sid)"

_USER_INFO = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^\s/?#@:]*:)(?P<secret>[^\s]*)@(?=[^\s@/?#]+)", re.I)
_PARAMETER = re.compile(
    rf"(?P<head>[?&;/_](?P<name>{_NAME}|{_SHORT_NAME})=)"
    r"(?P<secret>[^&\s;#'\"]+?)(?=_[a-z]+=|[&\s;#'\"]|$)",
    re.I,
)

SHORTEST_LITERAL = 3
"""A shorter secret stands in too many innocent words to be masked wherever it occurs."""


def redact(text: str, *urls: str) -> str:
    """Mask the secrets of each address in a text, and those of the given addresses wherever they stand.

    A password may itself hold `/`, `?`, `#` or `@`: everything up to the last `@` of the word is masked.
    """
    literals = {form for url in urls for secret in secrets_of(url) for form in _forms(secret)}
    for literal in sorted(literals, key=len, reverse=True):
        text = text.replace(literal, MASK)
    text = _USER_INFO.sub(rf"\g<head>{MASK}@", text)
    return _PARAMETER.sub(rf"\g<head>{MASK}", text)


def mask_url(url: str) -> str:
    """Give an address as it may be shown: `rtsp://user:***@host/…`."""
    return redact(url)


def secrets_of(url: str) -> tuple[str, ...]:
    """Give the secrets that an address carries, as they are written in it."""
    return tuple(secret for _, secret in _found(url) if secret and secret != MASK)


def restore_secrets(url: str, stored: str = "") -> str:
    """Put the stored secrets where an address holds `***`, so that what was shown can be given back.

    BadInputError when there is a `***` for which nothing is stored.
    """
    known = dict(_found(stored))

    def replaced(match: re.Match[str]) -> str:
        if match["secret"] != MASK:
            return match[0]
        name = (match.groupdict().get("name") or "").lower()
        if known.get(name, MASK) == MASK:
            raise BadInputError(f"the address holds {MASK} in place of a secret: give the secret itself")
        return match[0].replace(match["head"] + MASK, match["head"] + known[name], 1)

    return _PARAMETER.sub(replaced, _USER_INFO.sub(replaced, url))


def _found(url: str) -> Iterator[tuple[str, str]]:
    """Give (name of the parameter, secret); the password of the address has the empty name."""
    match = _USER_INFO.search(url)
    if match is not None:
        yield "", match["secret"]
        url = url[match.end() :]
    for parameter in _PARAMETER.finditer(url):
        yield parameter["name"].lower(), parameter["secret"]


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which libraries write a secret into their messages."""
    for form in (secret, unquote(secret), quote(unquote(secret), safe="")):
        if len(form) >= SHORTEST_LITERAL:
            yield form
