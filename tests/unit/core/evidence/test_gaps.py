"""Gaps where time comes twice: arithmetic alone."""

from collections.abc import Mapping

import pytest

from services.core.errors import BadInputError
from services.core.evidence.coverage import AnalysedSeconds, coverage_of
from services.core.evidence.gaps import Gap, find_gaps, gaps_with_repeats
from services.core.evidence.passes import seen_once
from services.core.sentences.sentence import sentence
from services.core.types import CameraId, CameraStatus, RepeatedSpan, StatusChange, status_change

FULL = (1 << 60) - 1
BASE = 1_000_000 * 60
M = BASE // 60
LATER = BASE + 100_000.0
BACK = "the clock of this machine was set back by 1 h"
LIVE = StatusChange(CameraId("gate"), BASE - 9000.0, CameraStatus.LIVE)


def twice(from_s: float, to_s: float) -> RepeatedSpan:
    return RepeatedSpan(CameraId("gate"), BASE + from_s, BASE + to_s, 1, BASE + from_s, BACK)


def once_of(minutes: Mapping[int, int], repeats: list[RepeatedSpan]) -> AnalysedSeconds:
    return AnalysedSeconds(
        (minute, seen_once(minute, seconds, repeats)) for minute, seconds in sorted(minutes.items())
    )


def gaps(
    minutes: Mapping[int, int], repeats: list[RepeatedSpan], to_s: float, now_s: float = LATER
) -> list[tuple[float, float, str]]:
    """The gaps from the base on, of what was analysed once."""
    once = once_of(minutes, repeats)

    def find(start_s: float, end_s: float) -> list[Gap]:
        return find_gaps(once, [LIVE], start_s, end_s, now_s)

    found = gaps_with_repeats(find, repeats, BASE, BASE + to_s)
    return [(gap.from_s - BASE, gap.to_s - BASE, gap.cause.text) for gap in found]


def test_a_time_that_comes_twice_is_never_covered() -> None:
    minutes = {M + n: FULL for n in range(120)}
    repeats = [twice(1800.4, 5400.2)]
    once = once_of(minutes, repeats)
    assert coverage_of(once, BASE, BASE + 1800, LATER) == 1.0
    assert coverage_of(once, BASE + 1800, BASE + 5401, LATER) == 0.0
    assert coverage_of(once, BASE + 5401, BASE + 7200, LATER) == 1.0
    assert gaps(minutes, repeats, 7200) == [(1800, 5401, BACK)]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 0), (0, 3), (2, 4)])
def test_the_seconds_around_it_belong_to_it(before: int, after: int) -> None:
    minutes = {M: FULL, M + 1: 0, M + 2: FULL}
    minutes[M] &= ~(((1 << before) - 1) << (60 - before))
    minutes[M + 2] &= ~((1 << after) - 1)
    assert gaps(minutes, [twice(60, 120)], 180) == [(60 - before, 120 + after, BACK)]


def test_a_longer_gap_beside_it_keeps_its_own_cause() -> None:
    assert gaps({M: FULL}, [twice(60, 120)], 240) == [
        (60, 120, BACK),
        (120, 240, "too few frames analysed"),
    ]


def test_all_parts_together_are_bounded_as_one() -> None:
    minutes = {M + n: 1 for n in range(10)}

    def find(start_s: float, end_s: float) -> list[Gap]:
        return find_gaps(once_of(minutes, []), [LIVE], start_s, end_s, LATER, most=4)

    with pytest.raises(BadInputError, match="there are more than 4 gaps"):
        gaps_with_repeats(find, [twice(180, 181)], BASE, BASE + 360, most=4)
    assert len(gaps_with_repeats(find, [twice(60, 61)], BASE, BASE + 180, most=4)) == 3


def test_repeats_that_touch_or_overlap_are_one_gap() -> None:
    minutes = {M + n: FULL for n in range(4)}
    assert gaps(minutes, [twice(60, 120), twice(100, 180), twice(60, 120)], 240) == [(60, 180, BACK)]


def test_what_is_yet_to_come_again_is_no_gap_yet() -> None:
    minutes = {M + n: FULL for n in range(4)}
    assert gaps(minutes, [twice(120, 240)], 240, now_s=BASE + 158.0) == [(120, 150, BACK)]


def test_without_repeats_nothing_changes() -> None:
    assert gaps({M: FULL, M + 2: FULL}, [], 180) == [(60, 120, "too few frames analysed")]


def status(at_s: float, status: str, cause: str = "") -> StatusChange:
    return StatusChange(CameraId("gate"), at_s, CameraStatus(status), cause)


def test_more_gaps_than_one_answer_holds_are_refused() -> None:
    flapping = AnalysedSeconds({M + n: 0b10 for n in range(30)}.items())
    assert len(find_gaps(flapping, [], BASE, BASE + 1800, LATER, most=31)) == 31
    with pytest.raises(BadInputError, match="more than 30 gaps: ask for a shorter span"):
        find_gaps(flapping, [], BASE, BASE + 1800, LATER, most=30)


@pytest.mark.parametrize(
    ("statuses", "cause"),
    [
        ([], "service not running"),
        ([status(BASE - 99, "live")], "too few frames analysed"),
        (
            [status(BASE - 99, "live"), status(BASE + 2, "degraded", "connection refused")],
            "connection refused",
        ),
        ([status(BASE - 99, "live"), status(BASE + 20, "degraded", "no picture")], "no picture"),
        ([status(BASE - 99, "live"), status(BASE + 50, "connecting")], "service not running"),
        ([status(BASE - 99, "degraded", "wrong password")], "wrong password"),
        ([status(BASE - 99, "disabled")], "switched off"),
        ([status(BASE, "connecting")], "connecting"),
    ],
)
def test_a_gap_names_its_cause(statuses: list[StatusChange], cause: str) -> None:
    (gap,) = find_gaps(AnalysedSeconds([]), statuses, BASE, BASE + 60, LATER)
    assert (gap.from_s, gap.to_s, gap.cause.text) == (BASE, BASE + 60, cause)


@pytest.mark.parametrize(
    ("lives_s", "ends_s", "cause"),
    [(30, 600, "too few frames analysed"), (30, 60, "connecting"), (400, 600, "connecting")],
)
def test_a_new_camera_that_is_live_and_never_keeps_up_is_no_longer_connecting(
    lives_s: int, ends_s: int, cause: str
) -> None:
    analysed = AnalysedSeconds([(M + ends_s // 60, FULL)])
    statuses = [status(BASE, "connecting"), status(BASE + lives_s, "live")]
    (gap,) = find_gaps(analysed, statuses, BASE, BASE + ends_s, LATER)
    assert gap.cause.text == cause


def test_the_newest_seconds_are_no_gap_yet() -> None:
    assert find_gaps(AnalysedSeconds([(M, FULL)]), [], BASE, BASE + 3600, BASE + 64) == []


def test_what_was_said_of_a_live_camera_is_the_cause_of_its_gaps() -> None:
    some = sentence("camera-damaged-some")
    seconds = AnalysedSeconds({M: FULL & ~(0b11 << 10) & ~(0b1 << 40)}.items())

    def causes(*changes: StatusChange) -> list[str]:
        found = find_gaps(seconds, [LIVE, *changes], BASE, BASE + 60.0, LATER)
        return [gap.cause.code for gap in found]

    camera = LIVE.camera
    lossy = status_change(camera, BASE + 10.4, CameraStatus.LIVE, some)
    better = status_change(camera, BASE + 30.0, CameraStatus.LIVE)
    lost = status_change(camera, BASE + 11.0, CameraStatus.DEGRADED, sentence("camera-reset"))
    assert causes() == ["too-few-frames", "too-few-frames"]
    assert causes(lossy) == ["camera-damaged-some", "camera-damaged-some"]
    assert causes(lossy, better) == ["camera-damaged-some", "too-few-frames"]
    assert causes(lossy, lost, better) == ["camera-reset", "too-few-frames"]
