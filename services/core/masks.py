"""Mask wearing: what a class says of it, and the share that complies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.core.types import MASK_CLASSES

COMPLIANT = "mask"
"""Only this state complies: a mask under the nose or the chin (mask_incorrect) does not."""


def mask_state(class_name: str) -> str | None:
    """Give the mask state that a class stands for; None for a class of traffic."""
    return class_name if class_name in MASK_CLASSES else None


def counts_all_states(classes: Iterable[str] | None) -> bool:
    """Whether a line that counts these classes (None: all) counts all mask states, or none of them.

    One that leaves out a state would give a rate of something else.
    """
    return classes is None or len(set(classes) & set(MASK_CLASSES)) in (0, len(MASK_CLASSES))


@dataclass(frozen=True, slots=True)
class MaskCompliance:
    """How many of the people counted wore their mask over mouth and nose."""

    counted: int
    """People whose mask state was counted: mask, no_mask and mask_incorrect together."""
    compliant: int

    @classmethod
    def of(cls, *counts: Mapping[str, int]) -> "MaskCompliance":
        """Take counts by class; other classes than the three mask states say nothing here."""
        counted = sum(by_class.get(name, 0) for by_class in counts for name in MASK_CLASSES)
        return cls(counted, sum(by_class.get(COMPLIANT, 0) for by_class in counts))

    @property
    def rate(self) -> float | None:
        """The share that complied, 0 to 1; None where nobody was counted."""
        return self.compliant / self.counted if self.counted else None
