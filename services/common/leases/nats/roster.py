"""What heartbeats say: who lives, who claims which camera, and whether all of them arrive. Pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from services.common.leases.protocol import RUNNING, Member, Role
from services.core.sentences.sentence import Sentence, is_sayable, plain, sentence_from
from services.core.types import CameraId

HEARTBEAT_S = 0.5

DEAD_AFTER_S = 2.5
"""A member is dead when none of its heartbeats came for this long: well within a hand-over."""

ECHO_LIMIT_S = 1.5
"""Without one's own heartbeat for this long those of the others do not arrive either."""

ABSENT_AFTER_S = 1.3
"""Who holds a lease and neither answered the hello of a process that has just come nor sent one of two
heartbeats is gone; one that lives and was only slow is fenced off by its older epoch."""

FIRST_SETTLE_S = 0.9
"""A newcomer says hello and all answer at once; this bears with one that is slow to."""

RETURN_SETTLE_S = 3.5
"""After an outage the others have to dial again too: a try, a pause, a heartbeat."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One sign of life, with everything that others must know."""

    sender: str
    """Distinguishes the processes that ever bore a member's id."""
    member: Member
    leased: Mapping[CameraId, int] = field(default_factory=dict)
    """Epoch of each lease."""
    has_left: bool = False


def encode(heartbeat: Heartbeat) -> bytes:
    """Give the message of a heartbeat."""
    member = asdict(heartbeat.member)
    status = heartbeat.member.status
    fields = member | {
        "status": status.text,
        "status_code": status.code,
        "status_params": status.params,
        "sender": heartbeat.sender,
        "held": dict(heartbeat.leased),
        "left": heartbeat.has_left,
    }
    return json.dumps(fields).encode()


def decode(data: bytes) -> Heartbeat | None:
    """Read a message; None when it is no heartbeat."""
    try:
        fields = json.loads(data)
        role = fields["role"]
        if role not in get_args(Role):
            return None
        texts = {name: str(fields[name]) for name in ("id", "address", "key")}
        status = _status(fields)
        leased = {CameraId(camera): int(epoch) for camera, epoch in fields["held"].items()}
        member = Member(role=role, status=status, **texts)
        return Heartbeat(str(fields["sender"]), member, leased, bool(fields["left"]))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def _status(fields: Mapping[str, Any]) -> Sentence:
    """Read how a member is doing; one of an older release says it without a code."""
    text, code, params = str(fields["status"]), fields.get("status_code", ""), fields.get("status_params", {})
    if text == RUNNING.text or not is_sayable(code, params):
        return RUNNING if text == RUNNING.text else plain(text)
    return sentence_from(text, code, params)


@dataclass(frozen=True, slots=True)
class Claim:
    """A living member says that it has the lease of a camera."""

    member: Member
    epoch: int


class Roster:
    """Everybody whose heartbeats came and who is not known to be dead. Reading is safe from any thread."""

    def __init__(self) -> None:
        self._received: dict[str, Heartbeat] = {}
        self._received_s: dict[str, float] = {}
        self._epochs: dict[tuple[Role, CameraId], int] = {}
        self._role: Role | None = None
        self._cameras: Collection[CameraId] | None = None
        """The cameras that there are; None while nobody has said."""
        self._claims: dict[tuple[Role, CameraId], Claim] = {}

    def begin(self, role: Role) -> None:
        """Remember the epochs of this role, whose cameras this process may take."""
        self._role = role

    def receive(self, heartbeat: Heartbeat, now_s: float) -> bool:
        """Note a heartbeat; True when it says something new."""
        key = heartbeat.member.id
        if heartbeat.has_left:
            return self._forget([key])
        self._received_s[key] = now_s
        if self._received.get(key) == heartbeat:
            return False
        self._received[key] = heartbeat
        self._rebuild()
        return True

    def forget_silent(self, before_s: float, but: str) -> bool:
        """Remove those whose last heartbeat came before, but one; True when there were any."""
        return self._forget(
            [id for id, received_s in self._received_s.items() if received_s < before_s and id != but]
        )

    def members(self, role: Role) -> tuple[Member, ...]:
        """Give the living members of a role, by id."""
        found = [received.member for received in self._received.values() if received.member.role == role]
        return tuple(sorted(found, key=lambda member: member.id))

    def is_alive(self, member: str) -> bool:
        """Say whether a member lives."""
        return member in self._received

    def claim(self, role: Role, camera: CameraId) -> Claim | None:
        """Give the living holder of a camera; of two the one of the higher epoch."""
        return self._claims.get((role, camera))

    def highest_epoch(self, role: Role, camera: CameraId) -> int:
        """Give the highest epoch that anybody ever claimed within this process's role, 0 without one."""
        return self._epochs.get((role, camera), 0)

    def retain(self, cameras: Collection[CameraId]) -> None:
        """Forget the epochs of all other cameras, also when they are still claimed."""
        self._cameras = frozenset(cameras)
        self._epochs = {key: epoch for key, epoch in self._epochs.items() if key[1] in self._cameras}
        self._note_epochs()

    def _forget(self, ids: list[str]) -> bool:
        gone = [id for id in ids if self._received.pop(id, None) is not None]
        for id in ids:
            self._received_s.pop(id, None)
        if gone:
            self._rebuild()
        return bool(gone)

    def _rebuild(self) -> None:
        claims: dict[tuple[Role, CameraId], Claim] = {}
        for received in self._received.values():
            for camera, epoch in received.leased.items():
                key = received.member.role, camera
                known = claims.get(key)
                if known is None or (epoch, received.member.id) > (known.epoch, known.member.id):
                    claims[key] = Claim(received.member, epoch)
        self._claims = claims
        self._note_epochs()

    def _note_epochs(self) -> None:
        for key, claim in self._claims.items():
            if key[0] == self._role and (self._cameras is None or key[1] in self._cameras):
                self._epochs[key] = max(claim.epoch, self._epochs.get(key, 0))


class Reception:
    """Whether heartbeats of everybody alive arrive: those of others do while one's own come back.

    Messages of one connection arrive in order, so that with one's own heartbeat all earlier ones of the
    others have been noted, however late this process comes to read them.
    """

    def __init__(self) -> None:
        self._settle_s = FIRST_SETTLE_S
        self._since_s: float | None = None
        self._own_s = 0.0

    def begin(self) -> None:
        """Listen for the first time: all who live answer the hello."""
        self._since_s, self._settle_s = None, FIRST_SETTLE_S

    def lose(self) -> None:
        """Begin again: the server was away, or this process was."""
        self._since_s = None
        self._settle_s = RETURN_SETTLE_S

    def receive_own(self, now_s: float) -> bool:
        """Note the own heartbeat; False when it was missed for so long that listening begins again."""
        is_late = self._since_s is not None and now_s - self._own_s > ECHO_LIMIT_S
        if is_late:
            self.lose()
        if self._since_s is None:
            self._since_s = now_s
        self._own_s = now_s
        return not is_late

    def is_settled(self, now_s: float) -> bool:
        """Say whether all that live are known."""
        return self._received_for_s(now_s) >= self._settle_s

    def is_sure_of_absence(self, now_s: float) -> bool:
        """Say whether somebody of whom nothing came can be taken for dead."""
        return self._received_for_s(now_s) >= max(self._settle_s, ABSENT_AFTER_S)

    def _received_for_s(self, now_s: float) -> float:
        if self._since_s is None or now_s - self._own_s > ECHO_LIMIT_S:
            return -1.0
        return self._own_s - self._since_s
