import json

import pytest

from services.common.leases.nats.keeper import OwnLeases
from services.common.leases.nats.roster import Claim, Heartbeat, Reception, Roster, decode, encode
from services.common.leases.protocol import RUNNING, Lease, Member
from services.core.sentences.sentence import plain
from services.core.types import CameraId

GATE, YARD = CameraId("gate"), CameraId("yard")
A, B = Member("a", "detector"), Member("b", "detector", "host:1", "secret", plain("no camera"))
LEASE = Lease("detector", GATE, "a", 7)


def test_a_heartbeat_comes_back_as_it_went():
    heartbeat = Heartbeat("x", B, {GATE: 1_700_000_000_000, YARD: 2}, has_left=True)
    assert decode(encode(heartbeat)) == heartbeat
    assert "secret" not in repr(heartbeat)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"7",
        b"{}",
        b'{"role":"cook"}',
        encode(Heartbeat("x", A)).replace(b'"held": {}', b'"held": 3'),
    ],
)
def test_what_is_no_heartbeat_is_passed_over(data):
    assert decode(data) is None


def test_a_heartbeat_of_a_release_without_codes_is_read() -> None:
    without = json.loads(encode(Heartbeat("x", B)))
    del without["status_code"], without["status_params"]
    assert decode(json.dumps(without).encode()) == Heartbeat("x", B)
    assert decode(encode(Heartbeat("x", A))).member.status == RUNNING
    assert decode(json.dumps(without | {"status": "running"}).encode()).member.status == RUNNING


def test_a_heartbeat_whose_code_is_none_keeps_its_text() -> None:
    fields = json.loads(encode(Heartbeat("x", B)))
    for code, params in (("No Code", {}), ("up", {"a": [1]}), (7, {}), ("up", {"x": "y" * 9999})):
        odd = json.dumps(fields | {"status_code": code, "status_params": params}).encode()
        read = decode(odd)
        assert read is None or read.member.status == plain("no camera")


def test_the_roster_knows_who_lives_and_what_they_claim():
    roster = Roster()
    roster.begin("detector")
    assert roster.receive(Heartbeat("x", A, {GATE: 5}), 10.0)
    assert not roster.receive(Heartbeat("x", A, {GATE: 5}), 10.5)
    assert roster.receive(Heartbeat("y", B, {GATE: 4, YARD: 6}), 10.0)
    assert roster.members("detector") == (A, B)
    assert roster.members("ingest") == ()
    assert roster.claim("detector", GATE) == Claim(A, 5)
    assert not roster.forget_silent(10.0, but="")
    assert roster.forget_silent(10.2, but="")
    assert roster.members("detector") == (A,) and not roster.is_alive("b")
    assert roster.claim("detector", YARD) is None
    assert roster.highest_epoch("detector", YARD) == 6
    assert not roster.forget_silent(99.0, but="a")
    assert roster.receive(Heartbeat("x", A, has_left=True), 11.0)
    assert roster.members("detector") == () and roster.claim("detector", GATE) is None


def test_the_epochs_of_deleted_cameras_are_forgotten_also_when_they_are_still_claimed():
    roster = Roster()
    roster.begin("detector")
    claims = {CameraId(f"camera-{number}"): 7 for number in range(100)}
    roster.receive(Heartbeat("x", A, claims | {GATE: 5}), 10.0)
    roster.retain([GATE])
    roster.receive(Heartbeat("y", B, claims), 10.0)
    roster.receive(Heartbeat("x", A, has_left=True), 11.0)
    assert roster._epochs == {("detector", GATE): 5}


def test_who_takes_no_cameras_remembers_no_epochs():
    roster = Roster()
    roster.begin("web")
    roster.receive(Heartbeat("x", A, {GATE: 5}), 10.0)
    assert roster.claim("detector", GATE) == Claim(A, 5)
    assert roster._epochs == {}


def test_listening_is_settled_after_a_while_of_reception_oneself():
    reception = Reception()
    assert not reception.is_settled(100.0)
    for own_s in (100.0, 100.5, 101.0):
        assert not reception.is_settled(own_s)
        assert reception.receive_own(own_s)
    assert reception.is_settled(101.0) and not reception.is_sure_of_absence(101.0)
    for own_s in (101.5, 102.0, 102.5):
        reception.receive_own(own_s)
    assert reception.is_sure_of_absence(102.5)
    assert reception.is_settled(103.9) and not reception.is_settled(104.1)


def test_time_that_passes_unheard_does_not_settle_anything():
    reception = Reception()
    reception.receive_own(100.0)
    assert not reception.is_settled(101.4)


def test_after_a_gap_or_an_outage_listening_begins_again_for_longer():
    reception = Reception()
    reception.receive_own(100.0)
    reception.receive_own(101.0)
    assert not reception.receive_own(103.0)
    assert not reception.is_settled(103.0)
    for tick in range(7):
        reception.receive_own(103.5 + tick / 2)
    assert reception.is_settled(106.5)
    reception.lose()
    assert not reception.is_settled(106.5)


def test_a_silence_puts_leases_in_doubt_until_they_are_confirmed():
    leases = OwnLeases()
    leases.begin(100.0)
    leases.add(LEASE)
    assert leases.beat(101.9) and leases.verified(103.8) == (LEASE,)
    assert leases.verified(104.0) == () and leases.has(LEASE) and leases.all() == (LEASE,)
    assert not leases.beat(104.0)
    assert leases.verified(104.0) == () and leases.is_unverified(LEASE)
    leases.confirm(LEASE)
    assert leases.verified(104.0) == (LEASE,)


def test_only_the_newest_lease_of_a_camera_is_leases():
    leases, newer = OwnLeases(), Lease("detector", GATE, "a", 8)
    leases.begin(0.0)
    leases.add(LEASE)
    leases.add(newer)
    assert not leases.remove(LEASE) and leases.verified(0.0) == (newer,)
    assert leases.remove(newer) and not leases.has_camera(GATE)
