"""Whether a camera's pictures cannot be decoded because the next key frame is not there yet. Pure.

A camera that sends key frames rarely (Smart Codec, H.264+, a GOP of many seconds) shows nothing to whoever
begins between two of them, unless the pictures since the last one were kept.
"""

from services.core.sentences.sentence import sentence

WAIT_S = 1.0
"""So much video of which nothing can be decoded says that a key frame is missing."""

REORDERED = 16
"""So many pictures a decoder may keep back before it gives the first, where they come out of their order."""

KEY_FRAME_AWAITED = sentence("key-frame-awaited")


class KeyFrameWatch:
    """Follows the pictures of a camera, of one connection after the other."""

    def __init__(self, reordered: int = REORDERED) -> None:
        """Take how many pictures may come before one of them is decoded though none is missing."""
        self._reordered = reordered
        self._connection: int | None = None
        self._pictures = 0
        self._has_begun = False
        self.since_s: float | None = None
        """Capture time from which on nothing could be decoded, None where the newest picture was."""
        self.is_awaited = False
        """Whether a key frame is missing."""

    def see_keyframe(self, time_s: float, connection: int, is_keyframe: bool) -> None:
        """Take the newest picture where nothing is decoded: all can be from the first key frame on."""
        has_begun = self._has_begun and connection == self._connection
        self.see(time_s, connection, is_keyframe or has_begun)

    def see(self, time_s: float, connection: int, is_decoded: bool) -> None:
        """Take the newest picture that came, and whether anything could be decoded since the one before."""
        if is_decoded or connection != self._connection:
            self.since_s, self.is_awaited, self._pictures = None, False, 0
            self._connection, self._has_begun = connection, is_decoded
        if is_decoded:
            return
        self.since_s = time_s if self.since_s is None else self.since_s
        self._pictures += 1
        if time_s - self.since_s >= WAIT_S and self._pictures > self._reordered:
            self.is_awaited = True
