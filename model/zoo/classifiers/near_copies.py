"""Near copies of pictures, by a perceptual hash: what measures must not have been trained on.

The hash has a bit for each of the 64 lowest frequencies of a picture's cosine transform, set where it is
above their median; scaling, compression and light change few of them. Source: Zauner, "Implementation and
Benchmarking of Perceptual Image Hash Functions", 2010. A mirrored picture is a copy too. What the hash finds
is looked at again in small: hashes of plain pictures meet by chance.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from model.data.samples import Picture

MOST_BITS = 6
"""Of 64, by which the hashes of two forms of a picture differ."""
LEAST_CORRELATION = 0.92
"""Of two forms of a picture, made 16 pixels wide and high, in colour."""
SMALL_PX = 16
HASHED_PX, FREQUENCIES = 32, 8

Hashes = npt.NDArray[np.bool_]


def perceptual_hash(picture: Picture) -> Hashes:
    """The 64 bits of a picture (H, W, 3)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (HASHED_PX, HASHED_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:FREQUENCIES, :FREQUENCIES].reshape(-1)
    bits: Hashes = low > np.median(low)
    return bits


def near_pairs(first: Sequence[Picture], second: Sequence[Picture]) -> list[tuple[int, int]]:
    """Which pictures of the first are near copies of which of the second, mirrored or not."""
    if not first or not second:
        return []
    ours = np.stack([perceptual_hash(one) for one in first])
    pairs: set[tuple[int, int]] = set()
    for mirrored in (False, True):
        others = [np.ascontiguousarray(one[:, ::-1]) if mirrored else one for one in second]
        theirs = np.stack([perceptual_hash(one) for one in others])
        for index, bits in enumerate(ours):
            for other in np.flatnonzero((theirs != bits).sum(1) <= MOST_BITS):
                if correlation(first[index], others[other]) >= LEAST_CORRELATION:
                    pairs.add((index, int(other)))
    return sorted(pairs)


def correlation(first: Picture, second: Picture) -> float:
    """How alike two pictures are in small, from -1 to 1."""
    a, b = (_small(one) for one in (first, second))
    return float((a * b).mean())


def _small(picture: Picture) -> npt.NDArray[np.float32]:
    small = cv2.resize(picture, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    scaled: npt.NDArray[np.float32] = (small - small.mean()) / max(float(small.std()), 1e-3)
    return scaled
