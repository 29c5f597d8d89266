"""What is said to a person: a code and parameters, by which a page translates it, and the English text. Pure.

The text is made from the catalogue, so that text and code cannot drift. A parameter that is a sentence
itself is laid flat: `reason` is its text, `reason_code` its code, and `reason_…` are its parameters.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.core.sentences.requests import REQUESTS
from services.core.sentences.streams import STREAMS
from services.core.sentences.system import SYSTEM

Value = str | int | float
Params = dict[str, Value]

OTHER = "other"
"""The code of a text that has none of its own; the text is its parameter."""

CATALOGUE: dict[str, str] = {OTHER: "{text}", **REQUESTS, **STREAMS, **SYSTEM}
"""The English text of each code, with its parameters by name."""

LONGEST_VALUE = 500
"""Characters of a parameter."""

MOST_PARAMS = 30
_CODE = re.compile(r"[a-z][a-z0-9-]{0,62}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence for a person. `text` is in English; it may be of another release."""

    code: str
    params: Params = field(hash=False)
    text: str

    def __str__(self) -> str:
        """Give the English text."""
        return self.text

    def masked(self, mask: Callable[[str], str]) -> "Sentence":
        """Give the same with each of its texts passed through `mask`."""
        params = {
            name: mask(value) if isinstance(value, str) else value for name, value in self.params.items()
        }
        return Sentence(self.code, params, mask(self.text))


def sentence(code: str, /, **params: "Value | Sentence") -> Sentence:
    """Say what a code of the catalogue stands for."""
    flat: Params = {}
    texts: dict[str, Value] = {}
    for name, value in params.items():
        if isinstance(value, Sentence):
            flat |= {f"{name}_{inner}": given for inner, given in value.params.items()}
            flat |= {name: _bounded(value.text), f"{name}_code": value.code}
            texts[name] = value.text
        else:
            flat[name] = _bounded(value)
            texts[name] = flat[name] if isinstance(value, str) else value
    return Sentence(code, flat, CATALOGUE[code].format(**texts))


def plain(text: str) -> Sentence:
    """Say a text that has no code."""
    return Sentence(OTHER, {"text": _bounded(text)}, text)


def said(what: "str | Sentence", /, **params: "Value | Sentence") -> Sentence:
    """Give the sentence of a code with its parameters, or of a text without a code, or as it is."""
    if isinstance(what, Sentence):
        return what
    return sentence(what, **params) if what in CATALOGUE else plain(what)


def sentence_from(text: str, code: str, params: Params) -> Sentence:
    """Give what another process or release said; without a code it is a text alone."""
    return Sentence(code, params, text) if code else plain(text)


def is_sayable(code: str, params: Mapping[str, Value]) -> bool:
    """Return whether code and parameters that came from elsewhere are within bounds; no code is one too."""
    return (
        (not code or _CODE.fullmatch(code) is not None)
        and len(params) <= MOST_PARAMS
        and all(
            _NAME.fullmatch(name) is not None
            and isinstance(value, str | int | float)
            and (not isinstance(value, str) or (len(value) <= LONGEST_VALUE and "\0" not in value))
            for name, value in params.items()
        )
    )


def _bounded(value: Value) -> Value:
    """Cut a text, of an address that is cut nothing but its scheme; a number that JSON lacks becomes one."""
    if not isinstance(value, str):
        return value if math.isfinite(value) else f"{value}"
    if len(value) <= LONGEST_VALUE:
        return value
    head = value[: LONGEST_VALUE - 1]
    address = head.rfind("://")
    return (head[: address + 3] if address >= 0 else head) + "…"
