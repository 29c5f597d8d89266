"""What may come over NATS, and as video between processes: read, or refused as is routine."""

import copy
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.access.check import Access
from services.common.bus import messages
from services.common.bus.messages import CameraUpdate, CostReport, RateReport, StateReport
from services.common.database.documents import (
    crossing_document,
    note_document,
    status_document,
    trajectory_document,
)
from services.common.database.positions import position_changes
from services.common.leases.nats import records as leases_nats_records
from services.common.leases.nats import roster as leases_nats_roster
from services.common.leases.protocol import Member
from services.common.video.wire import decode_unit, encode_unit
from services.core.errors import BadMessageError, StreamError
from services.core.evidence.fencing import believed
from services.core.types import (
    AccessAction,
    AccessNote,
    AccessUnit,
    AnalysedSecond,
    CameraSetup,
    CameraState,
    CameraStatus,
    Crossing,
    Event,
    Ownership,
    PositionSeconds,
    StatusChange,
    TrackedFrame,
    TrackedObject,
    Trajectory,
)
from tests.fuzz.memory import LIMIT_BYTES, resident_bytes
from tests.makers import GATE, analysis_cost, camera, crossing, line, trajectory

NOON_S = 1_790_000_000.0
MANY = settings(max_examples=250, derandomize=True, database=None, deadline=None)

WHOLE: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    name: (messages.decode_event, messages.encode_event(event))
    for name, event in {
        "crossing": crossing(1, NOON_S),
        "trajectory": trajectory(1, NOON_S, points=3),
        "piece": replace(trajectory(1, NOON_S, points=3), piece=2),
        "analysed": AnalysedSecond(GATE, int(NOON_S), 7),
        "positions": PositionSeconds(GATE, (int(NOON_S), int(NOON_S) + 2), 7, 3),
        "ownership": Ownership(GATE, 7, NOON_S),
        "status": StatusChange(GATE, NOON_S, CameraStatus.LIVE, "why"),
        "note": AccessNote("access-1", NOON_S, AccessAction.LOGIN, "anna", "relay", "192.0.2.1"),
    }.items()
}
WHOLE |= {
    "tracks": (
        messages.decode_tracks,
        messages.encode_tracks(TrackedFrame(GATE, 1, NOON_S, (TrackedObject(1, (0, 0, 1, 1), "car", 0.9),))),
    ),
    "news": (
        messages.decode_update,
        messages.encode_update(
            CameraUpdate(
                "f00",
                {GATE: StateReport(NOON_S, CameraState(CameraStatus.LIVE, NOON_S, 9.5, (1920, 1080)))},
                {GATE: RateReport(NOON_S, 9.5)},
                {GATE: CostReport(NOON_S, analysis_cost())},
            )
        ),
    ),
    "setups": (messages.decode_setups, messages.encode_setups((CameraSetup(camera(), (line(),), 12),))),
    "access": (
        messages.decode_access,
        messages.encode_access(Access({"anna": "hash"}, frozenset({"ab"}), {"anna": ("192.0.2.1",)})),
    ),
    "record": (
        lambda data: leases_nats_records._decode(data),
        json.dumps({"member": "a", "epoch": 7, "released": False}).encode(),
    ),
    "heartbeat": (
        leases_nats_roster.decode,
        leases_nats_roster.encode(leases_nats_roster.Heartbeat("s", Member("m", "ingest"), {GATE: 7})),
    ),
}
NAMES = sorted(WHOLE)

ODD = st.one_of(
    st.sampled_from(
        [None, True, "", "\x00", "x" * 5000, -1, 0, 2**63, 2**64, 10**400, 1e308, -1e308, [], {}, [[[]]]]
    ),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=3),
)


def _body(data: bytes) -> tuple[bytes, bytes, bool]:
    """Head, JSON and whether that is compressed."""
    if not data.startswith(b"sightline "):
        return b"", data, False
    head, _, body = data.partition(b"\n")
    is_compressed = body[:1] != b"["
    return head + b"\n", zlib.decompress(body) if is_compressed else body, is_compressed


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, item in inner for found in _places(item, (*place, key)))]


def _put(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    if not place:
        return other
    value[place[0]] = _put(value[place[0]], place[1:], other)
    return value


def _take(decode: Callable[[bytes], Any], data: bytes) -> None:
    """Read a message; what is read, the database must be able to hold."""
    try:
        found = decode(data)
    except BadMessageError:
        return
    if isinstance(found, Event):
        _hold(found)


def _hold(event: Event) -> None:
    documents: dict[type, Callable[[Any], dict[str, Any]]] = {
        Crossing: crossing_document,
        Trajectory: trajectory_document,
        StatusChange: status_document,
        AccessNote: note_document,
    }
    make = documents.get(type(event))
    if make is not None and not (isinstance(event, Trajectory) and not event.points):
        bson.encode(make(event))
    if isinstance(event, Crossing):
        bson.encode({"forward": {event.class_name: 1}})
    if isinstance(event, PositionSeconds):
        for change in position_changes([event]):
            bson.encode({"filter": change._filter, "update": change._doc})
        messages.event_identity(event)
    if isinstance(event, Ownership):
        bson.encode({"epoch": event.epoch, "from": believed(event).from_s})


@pytest.mark.parametrize("name", NAMES)
def test_a_value_of_another_kind_is_refused_or_held(name: str) -> None:
    decode, whole = WHOLE[name]
    head, body, is_compressed = _body(whole)

    @MANY
    @given(data=st.data())
    def one(data: st.DataObject) -> None:
        value = json.loads(body)
        for _ in range(data.draw(st.integers(1, 2))):
            value = _put(value, data.draw(st.sampled_from(_places(value))), copy.deepcopy(data.draw(ODD)))
        changed = json.dumps(value).encode("utf-8", "surrogatepass")
        _take(decode, head + (zlib.compress(changed) if is_compressed else changed))

    one()


@pytest.mark.parametrize("name", NAMES)
def test_damaged_and_foreign_bytes_are_refused(name: str) -> None:
    decode, whole = WHOLE[name]

    @MANY
    @given(at=st.integers(0, len(whole)), put=st.binary(max_size=30), cut=st.integers(0, 30))
    def one(at: int, put: bytes, cut: int) -> None:
        _take(decode, whole[:at] + put + whole[at + cut :])
        _take(decode, put)

    one()


@pytest.mark.parametrize("name", NAMES)
def test_messages_that_would_grow_without_end(name: str) -> None:
    decode, whole = WHOLE[name]
    head, _, is_compressed = _body(whole)
    before = resident_bytes()
    for text in (b"[", b'{"a":', b"1", b" ", b"[0,"):
        number = (60_000_000 if is_compressed else 1_000_000) // len(text)
        _take(decode, head + (zlib.compress(text * number) if is_compressed else text * number))
    assert resident_bytes() - before < LIMIT_BYTES


@MANY
@given(put=st.binary(max_size=60), at=st.integers(0, 60), text=st.text(max_size=5))
def test_video_messages(put: bytes, at: int, text: str) -> None:
    whole = encode_unit(AccessUnit(GATE, 5, NOON_S, True, b"picture", 3))
    for message in (put, whole[:at], whole[:at] + put + whole[at + len(put) :], text):
        try:
            unit = decode_unit(message)
        except StreamError:
            continue
        assert 0 <= unit.time_s < 1e12 and unit.camera.isascii()
