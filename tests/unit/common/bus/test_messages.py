import base64
import json
import zlib
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.access.check import Access
from services.common.bus import messages
from services.common.bus.messages import (
    CameraUpdate,
    CostReport,
    RateReport,
    StateReport,
    decode_event,
    encode_event,
    event_identity,
)
from services.core.costs import AnalysisCost
from services.core.errors import BadMessageError
from services.core.types import (
    AccessAction,
    AccessNote,
    AnalysedSecond,
    CameraId,
    CameraSetup,
    CameraState,
    CameraStatus,
    LineId,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    StatusChange,
    TrackedFrame,
    TrackedObject,
    Trajectory,
    TrajectoryPoint,
)
from tests.makers import GATE, analysis_cost, camera, crossing, line, trajectory

NOON_S = 1_790_000_000.0
ON_GRID = Trajectory(
    "gate-1-9",
    GATE,
    9,
    1,
    "car",
    0.75,
    (
        TrajectoryPoint(NOON_S + 0.125, (0.1, 0.2, 0.3, 0.4)),
        TrajectoryPoint(NOON_S + 0.25, (-0.05, 0.0, 1.0, 1.05)),
        TrajectoryPoint(NOON_S + 4000.0, (0.0001, 0.5, 0.9999, 1.0)),
    ),
)
EVENTS = {
    "crossing": replace(crossing(1, NOON_S + 0.1 / 3), mask="mask", direction="backward"),
    "trajectory": ON_GRID,
    "empty trajectory": replace(ON_GRID, points=()),
    "piece": replace(ON_GRID, piece=17, class_name="no_mask"),
    "analysed": AnalysedSecond(GATE, int(NOON_S), 1_790_000_000_123),
    "positions": PositionSeconds(GATE, (int(NOON_S), int(NOON_S) + 2), 1_790_000_000_123, 5),
    "missing positions": PositionSeconds(GATE, (int(NOON_S),), 1_790_000_000_123, 5, are_missing=True),
    "ownership": Ownership(GATE, 1_790_000_000_123, NOON_S),
    "access note": AccessNote("access-1", NOON_S, AccessAction.THROTTLED, "anna", "relay", "2001:db8::1", 7),
    "repeated": RepeatedSpan(GATE, NOON_S - 60, NOON_S, 1_790_000_000_123, NOON_S - 60, "set back"),
    "status": StatusChange(GATE, NOON_S, CameraStatus.DEGRADED, "no answer – “gone”\n"),
}
OTHERS = {
    "tracks": TrackedFrame(GATE, 7, NOON_S, (TrackedObject(1, (0.1, 0.2, 1 / 3, 0.4), "bus", 0.9, "mask"),)),
    "update": CameraUpdate(
        "f00",
        {GATE: StateReport(NOON_S, CameraState(CameraStatus.LIVE, NOON_S, 9.5, (1920, 1080), None))},
        {
            GATE: RateReport(NOON_S, 9.5),
            CameraId("yard"): RateReport(
                NOON_S, 0.0, fault=StatusChange(CameraId("yard"), NOON_S, CameraStatus.DEGRADED, "no model")
            ),
        },
        {GATE: CostReport(NOON_S, analysis_cost())},
    ),
    "setups": (
        CameraSetup(
            camera(url="rtsp://u:p@h/c?x=ü"), (replace(line(), classes=("car",), forward_name="in"),), 12
        ),
    ),
    "access": Access({"anna": "$argon2id$"}, frozenset({"ab", "cd"})),
}
OF_AN_EARLIER_VERSION = (
    "c2lnaHRsaW5lIDEgdHJhamVjdG9yeQp4AU2M0QrDIAxF/yXPodW6IvNXihRn3VY6ddQ+FMb+fckqY4EEPecmwwvm"
    "CQzc3BZa3chGdq0CBO9iWF0V9N9W5xcwCiE8s7+D0ZR5uFLGREnKpTxGVxZezek6TyF5wqLRPcJX/EdiATNIfRZH"
    "ya7HTghui3DJe2A/SLLMBCoeJxoWKyVXKb1+lI8cWT5l3/YDydQ7XQ=="
)
"""A closed track as it waits in a stream since before there were pieces: with its mask state."""

TWICE = RepeatedSpan(GATE, 5.0, 9.0, 1, 5.0, "x")


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_events_come_back_as_they_were(event):
    assert decode_event(encode_event(event)) == event


def evidence(**values: object) -> bytes:
    """The message of an analysed second with other values; a release before this one names none of them."""
    content = {"camera": "gate", "second": int(NOON_S), "epoch": 7, "connection": 9} | values
    return b"sightline 1 analysed\n" + json.dumps([content]).encode()


def test_evidence_tells_what_was_counted() -> None:
    event = AnalysedSecond(GATE, int(NOON_S), 7, 9, "0123456789abcdef", (LineId("exit"), LineId("main")))
    found = decode_event(encode_event(event))
    assert isinstance(found, AnalysedSecond)
    assert (found, found.revision, found.lacking) == (event, event.revision, event.lacking)


def test_evidence_of_an_older_release_is_read() -> None:
    found = decode_event(evidence())
    assert isinstance(found, AnalysedSecond)
    assert (found, found.revision, found.lacking) == (AnalysedSecond(GATE, int(NOON_S), 7), "", ())


def test_setups_of_an_older_release_are_read() -> None:
    """They know less of lines and cameras, and whoever passes over what he does not know reads newer ones."""
    head, body = messages.encode_setups((CameraSetup(camera(), (line(),)),)).split(b"\n", 1)
    content = json.loads(zlib.decompress(body))
    for name in ("forward_name", "backward_name"):
        del content[0][0]["lines"][0][name]
    del content[0][0]["camera"]["tiles"]
    del content[0][0]["camera"]["verify"]
    found = messages.decode_setups(head + b"\n" + zlib.compress(json.dumps(content).encode()))
    assert found == (CameraSetup(camera(), (line(),)),)


@pytest.mark.parametrize("kind", OTHERS)
def test_other_messages_come_back_as_they_were(kind):
    encode, decode = getattr(messages, f"encode_{kind}"), getattr(messages, f"decode_{kind}")
    assert decode(encode(OTHERS[kind])) == OTHERS[kind]


def without_costs(data: bytes) -> bytes:
    """The message of an update as a release before this one sends it."""
    head, _, body = data.partition(b"\n")
    (content,) = json.loads(body)
    assert content.pop("costs")
    return head + b"\n" + json.dumps([content]).encode()


def test_an_update_of_an_older_release_has_no_costs() -> None:
    update = OTHERS["update"]
    found = messages.decode_update(without_costs(messages.encode_update(update)))
    assert found == replace(update, costs={})


HUGE = replace(analysis_cost().engine.tried[0], engine="x" * 201)


@pytest.mark.parametrize(
    "cost",
    [
        replace(analysis_cost(), engine=replace(analysis_cost().engine, tried=(HUGE,))),
        replace(analysis_cost(), engine=replace(analysis_cost().engine, model="x" * 201)),
        replace(
            analysis_cost(),
            engine=replace(analysis_cost().engine, tried=9 * analysis_cost().engine.tried[:1]),
        ),
        replace(analysis_cost(), cores=-1.0),
        replace(analysis_cost(), dropped=10**13),
        replace(analysis_cost(), delay_ms=1e300),
    ],
)
def test_a_cost_is_bounded(cost: AnalysisCost) -> None:
    data = messages.encode_update(CameraUpdate("f00", costs={GATE: CostReport(NOON_S, cost)}))
    with pytest.raises(BadMessageError):
        messages.decode_update(data)


@pytest.mark.parametrize(
    ("event", "other", "is_same"),
    [
        (crossing(1, NOON_S), replace(crossing(1, NOON_S), confidence=0.1), True),
        (crossing(1, NOON_S), crossing(2, NOON_S), False),
        (crossing(1, NOON_S), replace(trajectory(1, NOON_S), id=crossing(1, NOON_S).id), False),
        (replace(ON_GRID, piece=1), replace(ON_GRID, piece=2), False),
        (replace(ON_GRID, piece=1), ON_GRID, False),
        (replace(ON_GRID, piece=1), replace(ON_GRID, piece=1, points=ON_GRID.points[:2]), False),
        (PositionSeconds(GATE, (5, 6), 1), PositionSeconds(GATE, (5, 6), 1), True),
        (PositionSeconds(GATE, (5, 6), 1), PositionSeconds(GATE, (5, 7), 1), False),
        (PositionSeconds(GATE, (5, 6), 1), PositionSeconds(GATE, (5, 6), 2), False),
        (PositionSeconds(GATE, (5,), 1), PositionSeconds(GATE, (5,), 1, are_missing=True), False),
        (AnalysedSecond(GATE, 5, 1), AnalysedSecond(GATE, 5, 1), True),
        (AnalysedSecond(GATE, 5, 1), AnalysedSecond(GATE, 5, 2), False),
        (AnalysedSecond(GATE, 5, 1), AnalysedSecond(GATE, 6, 1), False),
        (Ownership(GATE, 5, 1.0), Ownership(GATE, 6, 1.0), False),
        (Ownership(GATE, 5, 1.0), Ownership(GATE, 5, 0.5), False),
        (TWICE, replace(TWICE, cause="y"), True),
        (TWICE, replace(TWICE, to_s=6.0), False),
        (TWICE, replace(TWICE, since_s=6.0), False),
        (StatusChange(GATE, 5.0, CameraStatus.LIVE), StatusChange(GATE, 5.0, CameraStatus.LIVE, "x"), True),
        (StatusChange(GATE, 5.0, CameraStatus.LIVE), StatusChange(GATE, 5.001, CameraStatus.LIVE), False),
        (StatusChange(GATE, 5.0, CameraStatus.LIVE), StatusChange(GATE, 5.0, CameraStatus.DEGRADED), False),
    ],
)
def test_identity_is_what_makes_an_event_the_same(event, other, is_same):
    assert (event_identity(event) == event_identity(other)) is is_same


def changed(**values: object) -> bytes:
    """A crossing's message with other values."""
    head, _, body = encode_event(crossing(1, NOON_S)).partition(b"\n")
    content = json.loads(body)
    content[0] |= values
    return head + b"\n" + json.dumps(content).encode()


def unpacked(**values: object) -> bytes:
    """A trajectory's message with other values."""
    head, _, body = encode_event(ON_GRID).partition(b"\n")
    content = json.loads(zlib.decompress(body))
    content[0] |= values
    return head + b"\n" + zlib.compress(json.dumps(content).encode())


BROKEN = {
    "nothing": b"",
    "bytes": b"\xff\xfe\x00",
    "another version": encode_event(crossing(1, NOON_S)).replace(b" 1 ", b" 2 ", 1),
    "another kind": messages.encode_tracks(OTHERS["tracks"]),
    "a cut end": encode_event(crossing(1, NOON_S))[:-1],
    "a longer end": encode_event(crossing(1, NOON_S)) + b"x",
    "a text for a number": changed(time_s="1"),
    "a flag for a number": changed(track=True),
    "a fraction for a number": changed(track=1.5),
    "a number for a text": changed(line=1),
    "no number": changed(time_s=float("nan")),
    "an endless number": changed(along=float("inf")),
    "a time before all times": changed(time_s=-1.0),
    "a time after all times": changed(time_s=1e12),
    "an epoch that no database holds": changed(epoch=2**63),
    "an unknown direction": changed(direction="up"),
    "a camera that is none": changed(camera="a.*"),
    "an empty camera": changed(camera=""),
    "no crossing at all": changed(id=None),
    "points that do not match": unpacked(ms=[1]),
    "a negative time of a point": unpacked(ms=[1, -5, 1]),
    "a revision that is none": evidence(revision="a/b"),
    "a line that is none": evidence(lacking=["main", "$x.y"]),
    "a cut trajectory": encode_event(ON_GRID)[:-3],
    "a piece before the first": unpacked(piece=-1),
    "positions of no second": encode_event(PositionSeconds(GATE, ())),
    "positions of all times": encode_event(PositionSeconds(GATE, (1, 10**11))),
    "positions of seconds in disorder": encode_event(PositionSeconds(GATE, (2, 1))),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_event_is_refused(data):
    with pytest.raises(BadMessageError):
        decode_event(data)


def test_a_message_that_grows_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(messages, "LARGEST_BYTES", 1000)
    head = messages.encode_setups(()).partition(b"\n")[0]
    with pytest.raises(BadMessageError):
        messages.decode_setups(head + b"\n" + zlib.compress(b"[[" + b" " * 10_000 + b"]]"))


@pytest.mark.parametrize("kind", OTHERS)
def test_refusals_show_nothing_of_the_message(kind):
    decode = getattr(messages, f"decode_{kind}")
    head = getattr(messages, f"encode_{kind}")(OTHERS[kind]).partition(b"\n")[0]
    wrong = b'[{"url":"secret","users":"secret"}]'
    for body in (wrong, zlib.compress(wrong), zlib.compress(b"secret")):
        with pytest.raises(BadMessageError) as refusal:
            decode(head + b"\n" + body)
        assert "secret" not in str(refusal.value)
        assert refusal.value.__cause__ is None


def test_what_cannot_be_written_is_refused():
    with pytest.raises(BadMessageError):
        encode_event(replace(crossing(1, NOON_S), id="\ud800"))


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_damage_is_refused_and_nothing_else_happens(data):
    whole = bytearray(encode_event(data.draw(st.sampled_from(list(EVENTS.values())))))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadMessageError):
        decode_event(bytes(whole))


def test_a_closed_track_of_an_earlier_version_is_one_piece():
    track = decode_event(base64.b64decode(OF_AN_EARLIER_VERSION))
    assert (track.id, track.piece, track.piece_id) == ("gate/7.1.12/3", 0, "gate/7.1.12/3")
    assert (track.class_name, track.epoch, len(track.points)) == ("no_mask", 7, 3)
    assert track.points[2] == TrajectoryPoint(1_790_000_000.525, (0.1, 0.22, 0.3, 0.42))
    assert event_identity(track) == "trajectory/gate/7.1.12/3", "as it was published"


def test_a_long_trajectory_is_small():
    assert len(encode_event(trajectory(1, NOON_S, points=3000))) < 64 * 1024


def test_a_fault_that_nobody_could_say_is_refused() -> None:
    fault = StatusChange(GATE, NOON_S, CameraStatus.DEGRADED, "no model", "No Code")
    update = CameraUpdate("f00", rates={GATE: RateReport(NOON_S, 0.0, fault=fault)})
    with pytest.raises(BadMessageError):
        messages.decode_update(messages.encode_update(update))
