"""Kubernetes' quantities: 250m, 64Mi, 1e3."""

import re

QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE]?)")
SUFFIXES = {
    "": 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    **{suffix: 1000.0**power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": 1024.0**power for power, suffix in enumerate("KMGTPE", 1)},
}


def amount(quantity: object) -> float | None:
    """Give a quantity as a number; None where it is none."""
    found = QUANTITY.fullmatch(str(quantity))
    if found is None:
        return None
    number, suffix = found.groups()
    if suffix in SUFFIXES:
        return float(number) * SUFFIXES[suffix]
    return float(number + suffix)
