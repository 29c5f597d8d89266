"""What FFmpeg logs of missed packets, and which units that is laid to."""

import logging

import pytest

from services.core.codecs import Codec
from services.ingest.loss import OPENING_UNITS, LossListener, SourceDamage

KEY, OTHER = b"\0\0\1\x65\x88\x84" + b"x" * 20, b"\0\0\1\x41\x9a\x24" + b"x" * 20


@pytest.mark.parametrize(
    ("message", "lost"),
    [
        ("RTP: missed 3 packets\n", 3),
        ("RTP: missed -2 packets\n", 1),
        ("RTP: missed 64000 packets\n", 3000),
        ("RTP: PT=60: bad cseq 1f2c expected=0004\n", 1),
        ("RTP: dropping old packet received too late\n", 0),
        ("jitter buffer full\n", 0),
    ],
)
def test_missed_packets_are_heard(message: str, lost: int) -> None:
    listener = LossListener()
    listener.handle(logging.LogRecord("libav.rtsp", logging.WARNING, "", 0, message, None, None))
    assert listener.lost == lost


def marked(losses: list[int], keys: set[int], has_times: bool = True, before: int = 0) -> str:
    """What becomes of units while the reading of which so many packets were lost."""
    loss = LossListener()
    loss.lost = before
    damage, found = SourceDamage(loss, Codec.H264), ""
    for number, more in enumerate(losses):
        loss.lost += more
        is_key = number in keys
        time_s = number / 25 if has_times else None
        found += "x" if damage.see(KEY if is_key else OTHER, is_key, time_s, False) else "."
    return found


def test_a_loss_is_of_the_unit_that_was_read_or_of_the_next() -> None:
    assert marked([0, 0, 1, 0, 0, 0, 0, 0], {0, 5}) == "..xxx..."
    assert marked([0, 0, 0, 0, 1, 0, 0, 0], {0, 5}) == "....x...", "the key frame begins whole"


@pytest.mark.parametrize("has_times", [True, False])
def test_a_loss_while_the_stream_was_opened_may_be_of_any_unit_of_then(has_times: bool) -> None:
    found = marked([0] * 100, set(range(0, 100, 10)), has_times, before=1)
    opening = 40 if has_times else OPENING_UNITS
    assert found == "x" * opening + "." * (100 - opening)
