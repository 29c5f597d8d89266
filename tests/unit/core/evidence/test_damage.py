"""How many pictures come damaged: what is said of a camera, and when it cannot be counted."""

from services.core.evidence.damage import MOST_DAMAGED, NOTICE_S, SOME, SPAN_S, DamageMeter

FPS = 10


def watched(meter: DamageMeter, first_s: float, span_s: float, damaged_each: int = 0) -> float:
    """Show it pictures for a while, one of so many damaged; gives when that ends."""
    for number in range(round(span_s * FPS)):
        meter.see(first_s + number / FPS, damaged_each > 0 and number % damaged_each == 0)
    return first_s + span_s


def test_a_camera_whose_pictures_come_whole_is_told_nothing_of() -> None:
    meter = DamageMeter()
    watched(meter, 1000.0, 120.0)
    assert (meter.notice, meter.cause, meter.share, meter.take_changes()) == (None, None, 0.0, (False, False))


def test_the_first_damaged_picture_is_told_at_once_and_for_a_minute() -> None:
    meter = DamageMeter()
    now_s = watched(meter, 1000.0, 25.0)
    assert meter.see(now_s, True) is None
    assert meter.notice == SOME
    assert meter.take_changes() == (True, False)
    now_s = watched(meter, now_s + 0.1, SPAN_S)
    assert 0 < meter.share < 0.01
    assert meter.notice == SOME
    watched(meter, now_s, NOTICE_S + SPAN_S)
    assert (meter.notice, meter.share) == (None, 0.0)


def test_too_many_damaged_pictures_are_the_cause_until_they_are_few() -> None:
    meter = DamageMeter()
    now_s = watched(meter, 1000.0, 2 * SPAN_S, damaged_each=8)
    assert meter.cause is None, "an eighth is not too many"
    now_s = watched(meter, now_s, 2 * SPAN_S + 0.1, damaged_each=2)
    assert meter.cause is not None
    assert (meter.cause.code, meter.cause.params) == ("camera-damaged", {"percent": 50})
    assert 0.25 < meter.share < 0.35
    now_s = watched(meter, now_s, 2 * SPAN_S, damaged_each=8)
    assert meter.cause is not None, "an eighth is not few"
    assert MOST_DAMAGED > 1 / 8
    watched(meter, now_s, 2 * SPAN_S)
    assert meter.cause is None
    assert (meter.pictures, meter.damaged) == (801, 151)


def test_a_clock_that_was_set_begins_a_new_span() -> None:
    meter = DamageMeter()
    watched(meter, 1000.0, SPAN_S / 2, damaged_each=1)
    watched(meter, 90_000.0, SPAN_S + 0.2)
    assert meter.share == 0.0
    watched(meter, 500.0, SPAN_S + 0.2)
    assert (meter.share, meter.cause) == (0.0, None)
