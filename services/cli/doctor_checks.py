"""The word that the parts of `sightline doctor` share."""

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "note", "wrong", "unknown"]
"""`note` works but should be looked at; `unknown` could not be found out, which is an answer too."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    state: State
    name: str
    text: str
