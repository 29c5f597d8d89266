"""What has to reach the store before what."""

from dataclasses import replace

from services.core.evidence.ranks import LOST_KEPT_S, RANKS, LostSeconds, rank_of, seconds_of
from services.core.types import (
    AnalysedSecond,
    CameraId,
    CameraStatus,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    StatusChange,
)
from tests.makers import GATE, crossing, trajectory


def test_owners_come_first_and_evidence_comes_last() -> None:
    ranks = {
        "ownership": [Ownership(GATE, 1, 5.0), RepeatedSpan(GATE, 5.0, 9.0, 1, 5.0, "x")],
        "record": [crossing(1, 5.0), StatusChange(GATE, 5.0, CameraStatus.LIVE)],
        "piece": [trajectory(1, 5.0)],
        "evidence": [AnalysedSecond(GATE, 5)],
        "positions": [PositionSeconds(GATE, (5,))],
    }
    assert {rank: {rank_of(event) for event in events} for rank, events in ranks.items()} == {
        rank: {rank} for rank in ranks
    }
    assert [rank for together in RANKS for rank in together] == list(ranks)


def test_a_crossing_is_of_the_second_that_the_database_keeps_it_in() -> None:
    assert seconds_of(crossing(1, 100.9994)) == (100,)
    assert seconds_of(crossing(1, 100.9996)) == (101,)
    assert seconds_of(StatusChange(GATE, 5.0, CameraStatus.LIVE)) == ()


def test_a_piece_is_of_its_newest_seconds_and_a_whole_track_vouches_for_none() -> None:
    whole = trajectory(1, 103.0, points=30)
    assert seconds_of(replace(whole, piece=1)) == (105,)
    assert seconds_of(whole) == ()


def test_a_lost_piece_withholds_the_word_of_its_positions_and_no_evidence() -> None:
    lost = LostSeconds(lambda: 0.0)
    lost.lose("piece", GATE, (7,))
    lost.lose("record", GATE, (9,))
    assert lost.withholds("positions", GATE, (6, 7))
    assert not lost.withholds("positions", GATE, (9,))
    assert not lost.withholds("evidence", GATE, (7,))


def test_what_is_lost_withholds_the_evidence_of_its_seconds_for_a_while() -> None:
    now_s = [0.0]
    lost = LostSeconds(lambda: now_s[0])
    lost.lose("record", GATE, (7, 8))
    lost.lose("evidence", GATE, (9,))
    assert [lost.withholds("evidence", GATE, (second,)) for second in (6, 7, 8, 9)] == [
        False,
        True,
        True,
        False,
    ]
    assert not lost.withholds("record", GATE, (7,))
    now_s[0] = LOST_KEPT_S + 1.0
    assert not lost.withholds("evidence", GATE, (7,))


def test_what_was_lost_of_a_camera_that_is_gone_is_forgotten() -> None:
    now_s = [0.0]
    lost = LostSeconds(lambda: now_s[0])
    for number in range(100):
        lost.lose("record", CameraId(f"gone-{number}"), (7,))
    now_s[0] = LOST_KEPT_S + 1.0
    assert not lost.withholds("evidence", GATE, (7,))
    assert not lost._lost
