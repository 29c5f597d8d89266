"""Names that people give, and ids of cameras and lines: what one is, and how an id is made from a name."""

import re
import unicodedata
from collections.abc import Container

MAX_LENGTH = 63
ID_PATTERN = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_LENGTH - 1}}}")

MOST_READ = 1000
"""Characters of a name that are looked at."""

_SPELLINGS = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "æ": "ae",
        "ø": "o",
        "å": "a",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
    }
)
"""Letters that lose nothing but their mark only when they are spelled out."""


_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no name holds: control characters and ends of lines, which forge lines of a log or a file; what turns
the direction of the text behind it; halves of characters, which nothing can send or keep."""


_UNSEEN = frozenset({"Zs", "Cf"})
"""Kinds of characters that show nothing by themselves: spaces, joiners, marks of direction."""


def can_be_kept(text: str) -> bool:
    """Return whether nothing stands in a text that no name or password holds."""
    return _REFUSED.search(text) is None


def clean_name(text: str, most: int) -> str | None:
    """Give a name as it is kept, without space around it; None for what cannot be one.

    Any script, space and joined sign may stand in it, up to so many characters. Letters with marks are put
    together (NFC), so that a name is the same from whatever keyboard it comes. A name of which nothing can be
    seen is empty.
    """
    if len(text) > MOST_READ or not can_be_kept(text):
        return None
    name = unicodedata.normalize("NFC", text).strip()
    if all(unicodedata.category(character) in _UNSEEN for character in name):
        return ""
    return name if len(name) <= most else None


def is_id(text: object) -> bool:
    """Return whether a text may name a camera or a line."""
    return isinstance(text, str) and ID_PATTERN.fullmatch(text) is not None


def id_from_name(name: str, taken: Container[str] = (), fallback: str = "item") -> str:
    """Make an id of a name that is not among the taken ones: `Tür Süd` gives `tuer-sued`, then `tuer-sued-2`.

    A name of which no Latin letter or digit is left gives the fallback.
    """
    spelled = unicodedata.normalize("NFC", name[:MOST_READ]).lower().translate(_SPELLINGS)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode("ascii").lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_LENGTH].rstrip("-") or fallback
    candidate, number = base, 2
    while candidate in taken:
        suffix = f"-{number}"
        candidate = base[: MAX_LENGTH - len(suffix)].rstrip("-") + suffix
        number += 1
    return candidate
