"""Masking of credentials in all texts that people and programs see, and the bounds of such texts.

Every text costs time in proportion to its length. One that a stranger may have written is cut first.
"""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote

from services.core.camera_address import (
    LONGEST_ADDRESS,
    MASK,
    PLAIN,
    is_broken_off,
    masked,
    secrets_in,
    secrets_of,
)

SHORTEST_LITERAL = 3
"""A shorter secret stands in too many innocent words to be masked wherever it occurs."""

CUT = "…"

_DELIMITER = re.compile(r"""\s|['"](?=[\s,:;.)\]}>'"]|\Z)""")
"""What ends an address in a text: a quotation mark does where it closes a quotation."""

_OPENING = re.compile(r"""['"](?=[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)""")

_HEADER = re.compile(
    r"""\b(bearer\s{1,8}|authorization['"]?\s?[:=]\s?b?['"]?(?:basic|digest)\s{1,8})[\w.~+/=-]{8,}""",
    re.IGNORECASE,
)
_OWN_TOKEN = re.compile(r"\b(sl_)[\w-]{20,}")
_QUOTED = re.compile(
    r"""((?:password|passwd|secret|token)['"]\s?:\s?b?['"])[^'"\n]+(?=['"])""", re.IGNORECASE
)
"""Secrets that stand in no address: of a header, of a program, and the value of a name in a dictionary."""


def redact(text: str, *urls: str) -> str:
    """Mask the secrets of each address in a text, and those of the given addresses wherever they stand."""
    literals = {form for url in urls for secret in secrets_of(url) for form in _forms(secret)}
    for literal in sorted(literals, key=len, reverse=True):
        text = text.replace(literal, MASK)
    for named in (_HEADER, _OWN_TOKEN, _QUOTED):
        text = named.sub(rf"\g<1>{MASK}", text)
    if "://" not in text and "=" not in text:
        return text
    parts: list[str] = []
    position = 0
    for start, end in _words(text):
        word = text[start:end]
        parts += [text[position:start], masked(word, secrets_in(word))]
        position = end
    return "".join((*parts, text[position:]))


def cut(text: str, limit: int) -> str:
    """Give at most `limit` characters of a text and a mark, without an address that would be cut in two."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    begin = head.rfind("://")
    if begin >= 0 and (is_broken_off(head) or len(head[begin:].split(None, 1)) == 1):
        head = head[: begin + 3]
    return head + CUT


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Give the spans of a text that may hold a secret."""
    start = 0
    while start < len(text):
        end = _word_end(text, start)
        word = text[start:end]
        if "://" in word:
            end = _quotation_end(text, word, end) or end
            if is_broken_off(text[start:end]):
                end = _rest_of_address(text, end)
            yield start, end
        elif "=" in word:
            yield start, end
        start = max(start + 1, end + 1)


def _word_end(text: str, start: int) -> int:
    found = _DELIMITER.search(text, start)
    return found.start() if found is not None else len(text)


def _quotation_end(text: str, word: str, end: int) -> int | None:
    """Give the end of an address with a space in it that stands in quotation marks."""
    opening = _OPENING.search(word)
    if opening is None:
        return None
    stop = _first_of(text, ("\n", "://"), end)
    closing = text.find(opening[0], end, stop)
    return closing if closing >= 0 else None


def _first_of(text: str, marks: tuple[str, ...], start: int) -> int:
    """Give the place of the first of some marks, or where an address would be too long without any."""
    stop = min(len(text), start + LONGEST_ADDRESS)
    for mark in marks:
        found = text.find(mark, start, stop)
        stop = found if found >= 0 else stop
    return stop


def _rest_of_address(text: str, end: int) -> int:
    """Give the end of an address whose password holds a space: its host follows the last `@` of the line."""
    at = text.rfind("@", end, _first_of(text, ("\n", "://"), end))
    return _word_end(text, at) if at >= 0 else end


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which libraries write a secret into their messages."""
    meant = unquote(secret)
    encoded = quote(meant, safe="")
    found = {
        secret,
        meant,
        encoded,
        encoded.lower(),
        quote(meant),
        quote_plus(meant),
        quote(meant, safe=PLAIN),
    }
    escaped = meant.encode("ascii", "backslashreplace").decode()
    for form in found | {escaped, json.dumps(meant)[1:-1], repr(meant)[1:-1]}:
        if len(form) >= SHORTEST_LITERAL:
            yield form
