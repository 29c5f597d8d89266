"""Causes cross the bus with their codes; those of an older release, without, are read too."""

import json
from dataclasses import asdict, replace

import pytest

from services.common.bus.messages import (
    CameraUpdate,
    StateReport,
    decode_event,
    decode_update,
    encode_event,
    encode_update,
)
from services.common.database.documents import status_document, status_from
from services.common.wire import camera_object
from services.core.errors import BadMessageError
from services.core.sentences.sentence import OTHER, plain, sentence
from services.core.types import (
    CameraState,
    CameraStatus,
    Ownership,
    RepeatedSpan,
    StatusChange,
    status_change,
)
from services.ingest.apart.wire import TEXT_LIMIT_BYTES, body_of, sentence_of
from tests.makers import GATE, camera

NOON_S = 1_790_000_000.0
BACK = sentence("clock-set-back", span="1 h")
CODEC = sentence("stream-codec", codec="hevc")
CAUSED = {
    "status": status_change(GATE, NOON_S, CameraStatus.DEGRADED, CODEC),
    "repeated": RepeatedSpan(GATE, 1.0, 2.0, 1, 3.0, BACK.text, BACK.code, BACK.params),
    "ownership": Ownership(GATE, 7, NOON_S, 9, BACK.text, BACK.code, BACK.params),
}


def _sent(kind: str, fields: dict[str, object]) -> bytes:
    return f"sightline 1 {kind}\n".encode() + json.dumps([fields]).encode()


@pytest.mark.parametrize("kind", CAUSED)
def test_a_cause_comes_with_its_code(kind: str) -> None:
    event = CAUSED[kind]
    found = decode_event(encode_event(event))
    assert (found.cause, found.reason) == (event.cause, event.reason)
    assert found.reason.code != OTHER


@pytest.mark.parametrize("kind", CAUSED)
def test_an_event_of_an_older_release_has_the_text_alone(kind: str) -> None:
    fields = asdict(CAUSED[kind])
    del fields["code"], fields["params"]
    assert decode_event(_sent(kind, fields)).reason == plain(CAUSED[kind].cause)


@pytest.mark.parametrize("kind", CAUSED)
@pytest.mark.parametrize(
    "wrong", [{"code": "No Code"}, {"params": {"a": "x" * 10_000}}, {"params": {"$a": 1}}]
)
def test_a_code_beyond_bounds_is_refused(kind: str, wrong: dict[str, object]) -> None:
    with pytest.raises(BadMessageError):
        decode_event(_sent(kind, asdict(CAUSED[kind]) | wrong))


def test_a_state_comes_with_the_code_of_its_error() -> None:
    state = CameraState(CameraStatus.DEGRADED, 90.0).with_error(CODEC)
    update = CameraUpdate("me", {GATE: StateReport(100.0, state)})
    assert decode_update(encode_update(update)).states[GATE].state.error == CODEC
    broken = replace(state, last_error_code="No Code")
    with pytest.raises(BadMessageError):
        decode_update(encode_update(CameraUpdate("me", {GATE: StateReport(100.0, broken)})))


def test_a_state_without_an_error_has_none_after_one() -> None:
    state = CameraState().with_error(CODEC).with_error(None)
    assert (state, state.error) == (CameraState(), None)


def test_a_stored_status_without_a_code_is_read() -> None:
    event = StatusChange(GATE, NOON_S, CameraStatus.DEGRADED, "connection refused")
    document = status_document(event)
    del document["code"], document["params"]
    assert status_from(document).reason == plain("connection refused")
    known = CAUSED["status"]
    assert status_from(status_document(known)) == known


def test_no_secret_of_the_address_is_in_an_error_or_its_parameters() -> None:
    stored = camera(url="rtsp://user:s3cret@cam/live")
    state = CameraState(CameraStatus.DEGRADED).with_error(
        sentence("stream-broken", reason=plain("user s3cret was refused"))
    )
    shown = camera_object(stored, state)
    assert shown["last_error_code"] == "stream-broken"
    assert "s3cret" not in json.dumps(shown)


def test_the_reader_of_a_stream_hands_on_why_it_ended() -> None:
    assert sentence_of(body_of(CODEC)) == CODEC
    long = sentence_of(
        body_of(replace(CODEC, params={str(n): "é" * 400 for n in range(30)}, text="é" * 9000))
    )
    assert len(body_of(long)) <= TEXT_LIMIT_BYTES
    assert long.code == OTHER
    assert sentence_of(b'["odd", "up", {"a": [1]}]') == plain("odd")
