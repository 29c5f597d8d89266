"""How much one camera, file or picture may cost. Pure.

What is larger comes from a broken camera or an ill-meaning one, and would be paid by all others. Pictures of
8 and 12 megapixels (4K, 4000x3000) and panoramas of several sensors pass.
"""

from services.core.sentences.sentence import Sentence, sentence

PICTURE_LIMIT_PIXELS = 4096 * 4096
"""Most pixels of a picture in a video: 25 MB decoded, of which a decoder holds several."""

SIDE_LIMIT_PIXELS = 8192
"""Longest side of a picture in a video."""

REFERENCED_LIMIT_PIXELS = 4 * PICTURE_LIMIT_PIXELS
"""Most pixels of all the pictures together that a stream has its decoder keep to refer to."""

STILL_LIMIT_PIXELS = 8192 * 8192
"""Most pixels of a picture that is a file of its own: 200 MB decoded, one at a time."""

TRIAL_WIDTH = 640
"""Most pixels from left to right of the picture by which an address is tried."""

TRIAL_LIMIT_BYTES = 400_000
"""Most bytes of that picture, as a JPEG."""

UNIT_LIMIT_BYTES = 8_000_000
"""Most bytes of one access unit; a key frame of 12 megapixels in the best quality has half of that."""

UNIT_PARTS_LIMIT = 4096
"""Most parts (NAL units) of one access unit; a large picture in slices of one packet each has 1500."""

UNITS_PER_S_LIMIT = 250
"""Most access units a second, in the long run."""

BYTES_PER_S_LIMIT = 25_000_000
"""Most bytes a second, in the long run: 200 Mbit/s."""

QUEUE_LIMIT_BYTES = 32_000_000
"""Most bytes of access units that wait in one queue, or are kept of one group of pictures."""


def size_fault(width: int, height: int) -> Sentence | None:
    """Say why pictures of a video are too large, None when they are not."""
    if width * height <= PICTURE_LIMIT_PIXELS and max(width, height) <= SIDE_LIMIT_PIXELS:
        return None
    return sentence(
        "picture-too-large",
        width=width,
        height=height,
        megapixels=round(PICTURE_LIMIT_PIXELS / 1e6, 1),
        side=SIDE_LIMIT_PIXELS,
    )


CAMERA_PATIENCE_S = 15.0
"""So long a camera may take for each answer, and for its first picture, where no setting says otherwise."""
