"""Ids of cameras and lines: what one is, and how it is made from the name that people give."""

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
