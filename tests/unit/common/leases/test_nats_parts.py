import pytest

from services.common.leases.nats.held import HeldLeases
from services.common.leases.nats.roster import Claim, Hearing, Heartbeat, Roster, decode, encode
from services.common.leases.protocol import Lease, Member
from services.core.types import CameraId

GATE, YARD = CameraId("gate"), CameraId("yard")
A, B = Member("a", "detector"), Member("b", "detector", "host:1", "secret", "no camera")
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


def test_the_roster_knows_who_lives_and_what_they_claim():
    roster = Roster()
    assert roster.hear(Heartbeat("x", A, {GATE: 5}), 10.0)
    assert not roster.hear(Heartbeat("x", A, {GATE: 5}), 10.5)
    assert roster.hear(Heartbeat("y", B, {GATE: 4, YARD: 6}), 10.0)
    assert roster.members("detector") == (A, B)
    assert roster.members("ingest") == ()
    assert roster.claim("detector", GATE) == Claim(A, 5)
    assert not roster.forget_silent(10.0, but="")
    assert roster.forget_silent(10.2, but="")
    assert roster.members("detector") == (A,) and not roster.is_alive("b")
    assert roster.claim("detector", YARD) is None
    assert roster.highest_epoch("detector", YARD) == 6
    assert not roster.forget_silent(99.0, but="a")
    assert roster.hear(Heartbeat("x", A, has_left=True), 11.0)
    assert roster.members("detector") == () and roster.claim("detector", GATE) is None


def test_listening_is_settled_after_a_while_of_hearing_oneself():
    hearing = Hearing()
    assert not hearing.is_settled(100.0)
    for own_s in (100.0, 100.5, 101.0):
        assert not hearing.is_settled(own_s)
        assert hearing.hear_own(own_s)
    assert hearing.is_settled(101.0) and not hearing.is_sure_of_absence(101.0)
    for own_s in (101.5, 102.0, 102.5):
        hearing.hear_own(own_s)
    assert hearing.is_sure_of_absence(102.5)
    assert hearing.is_settled(103.9) and not hearing.is_settled(104.1)


def test_time_that_passes_unheard_does_not_settle_anything():
    hearing = Hearing()
    hearing.hear_own(100.0)
    assert not hearing.is_settled(101.4)


def test_after_a_gap_or_an_outage_listening_begins_again_for_longer():
    hearing = Hearing()
    hearing.hear_own(100.0)
    hearing.hear_own(101.0)
    assert not hearing.hear_own(103.0)
    assert not hearing.is_settled(103.0)
    for tick in range(7):
        hearing.hear_own(103.5 + tick / 2)
    assert hearing.is_settled(106.5)
    hearing.lose()
    assert not hearing.is_settled(106.5)


def test_a_silence_puts_leases_in_doubt_until_they_are_confirmed():
    held = HeldLeases()
    held.begin(100.0)
    held.add(LEASE)
    assert held.speak(101.9) and held.sure(103.8) == (LEASE,)
    assert held.sure(104.0) == () and held.is_held(LEASE) and held.all() == (LEASE,)
    assert not held.speak(104.0)
    assert held.sure(104.0) == () and held.is_doubted(LEASE)
    held.confirm(LEASE)
    assert held.sure(104.0) == (LEASE,)


def test_only_the_newest_lease_of_a_camera_is_held():
    held, newer = HeldLeases(), Lease("detector", GATE, "a", 8)
    held.begin(0.0)
    held.add(LEASE)
    held.add(newer)
    assert not held.remove(LEASE) and held.sure(0.0) == (newer,)
    assert held.remove(newer) and not held.has(GATE)
