"""How a camera is dialled: by which transport, with how much patience, and what it answered. Pure.

TCP comes first, because it loses nothing; a camera that refuses it, or sends nothing over it, is dialled by
UDP at once. What worked is remembered for an address, and left when it works no more.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from services.core.limits import CAMERA_PATIENCE_S
from services.core.sentences.sentence import Sentence, sentence

ANSWERS = 3
"""So many times that, all its answers may take together."""

MOST_REMEMBERED = 2000
"""Addresses whose transport is remembered; the one that was not dialled the longest is forgotten."""


class Transport(StrEnum):
    """By what the pictures of an RTSP session come."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Dialling:
    """One attempt at a camera."""

    transport: Transport = Transport.TCP
    patience_s: float = CAMERA_PATIENCE_S
    minds_numbers: bool = True
    """Whether the numbers of its packets are looked at over TCP, by which it is known what never came."""

    @property
    def limit_s(self) -> float:
        """Most time for all answers together, in seconds."""
        return ANSWERS * self.patience_s


USUAL_DIALLING = Dialling()

OTHER_WAY = ("camera-transport", "camera-silent", "camera-bad-request", "camera-no-session")
"""Codes of failures after which the other transport may work; of a 400 nobody knows what it answers."""

NUMBERS_RESTART = "camera-numbers-restart"
"""Code of the failure after which the numbers of a camera's packets are no longer looked at."""

LOGIN_REFUSED = (
    *("camera-login", "camera-login-percent", "camera-login-kind", "camera-login-missing"),
    "camera-login-later",
)
ACCESS_REFUSED = (*LOGIN_REFUSED, "camera-forbidden")
"""Codes of failures that a camera may answer by locking out who tries again too soon."""


@dataclass
class Dialler:
    """The patience of a process with cameras, and the transports that worked. Callable from any thread."""

    patience_s: float = CAMERA_PATIENCE_S
    _worked: dict[str, Transport] = field(default_factory=dict)
    _restarting: dict[str, None] = field(default_factory=dict)
    """Addresses whose packets are numbered anew within a session."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ways(self, url: str) -> tuple[Dialling, ...]:
        """Give how an address is to be dialled, one after the other; first what worked last."""
        with self._lock:
            first = self._worked.get(url, Transport.TCP)
            minds_numbers = url not in self._restarting
        others = (transport for transport in Transport if transport is not first)
        return tuple(Dialling(transport, self.patience_s, minds_numbers) for transport in (first, *others))

    def learn(self, url: str, failure: Sentence) -> None:
        """Take why a session of an address ended."""
        if failure.code == NUMBERS_RESTART:
            with self._lock:
                self._restarting[url] = None
                if len(self._restarting) > MOST_REMEMBERED:
                    del self._restarting[next(iter(self._restarting))]

    def remember(self, url: str, transport: Transport) -> None:
        """Keep what worked."""
        with self._lock:
            self._worked.pop(url, None)
            self._worked[url] = transport
            if len(self._worked) > MOST_REMEMBERED:
                del self._worked[next(iter(self._worked))]


def failure_of(failures: Sequence[Sentence]) -> Sentence:
    """Say why a camera cannot be dialled, from what came of each transport, in the order that was tried."""
    if len(failures) == 1:
        return failures[0]
    by_transport = {str(failure.params.get("transport")): failure for failure in failures}
    refused = [failure for failure in failures if failure.code == "camera-transport"]
    if len(refused) == len(failures):
        if not any(failure.params.get("answer") in (UNSUPPORTED, MISMATCH) for failure in refused):
            return sentence("camera-cannot-serve")
        answer = by_transport.get("UDP", failures[-1]).params.get("answer")
        return sentence("camera-multicast") if answer == MISMATCH else sentence("camera-no-transport")
    if all(failure.code == "camera-silent" for failure in failures):
        return sentence("camera-silent-both", seconds=failures[0].params["seconds"])
    return next((failure for failure in failures if failure.code != "camera-transport"), failures[0])


UNSUPPORTED = 461
"""Status of a camera that does not take the transport that it was asked for."""

MISMATCH = "another transport"
"""What a camera answers that was asked for one transport and takes another one."""

_FAILED = re.compile(r"method (\w+) failed: (\d{3})")
_CHALLENGE = "www-authenticate"
_PART = re.compile(r'\b([a-zA-Z]{2,12})=(?:"([^"]{0,400})"|([^",\s]{0,400}))')
_NOT_OF_A_NAME = re.compile(r"[^\w,-]")

KEPT_STATUSES = (401, 403, 404, 453, 503)
"""Of a SETUP: what has nothing to do with the transport."""

LONGEST_REALM, LONGEST_NONCE = 199, 299
"""Bytes that FFmpeg keeps of them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request that a camera refused, as FFmpeg tells it in its log."""

    method: str = ""
    """Empty: none was refused."""
    status: int = 0
    headers: str = ""
    is_mismatch: bool = False
    """Whether it took a transport that it was not asked for."""
    is_described: bool = False
    """Whether it had described its stream before."""


def refusal_from(messages: Iterable[str]) -> Refusal:
    """Read what FFmpeg said while it opened a session; the newest counts."""
    refusal, is_next = Refusal(), False
    for message in messages:
        if found := _FAILED.match(message):
            refusal, is_next = Refusal(found[1], int(found[2]), is_described=refusal.is_described), True
        elif message.startswith("SDP:"):
            refusal, is_next = replace(refusal, is_described=True), False
        elif message.startswith("Nonmatching transport"):
            refusal, is_next = Refusal("SETUP", 200, "", True, refusal.is_described), False
        elif is_next:
            refusal, is_next = replace(refusal, headers=message), False
    return refusal


def cause_of_refusal(refusal: Refusal, dialling: Dialling, login: str | None) -> Sentence | None:
    """Say what a refusal means; None where its status says it all. `login`: user and password as given."""
    if refusal.status == 401:
        headers = (line.partition(":") for line in refusal.headers.splitlines())
        challenges = [value.strip() for name, _, value in headers if name.strip().lower() == _CHALLENGE]
        cause = _cause_of_login(challenges, login)
        is_later = refusal.is_described and cause.code == "camera-login"
        return sentence("camera-login-later", method=refusal.method) if is_later else cause
    name = str(dialling.transport).upper()
    if refusal.is_mismatch:
        return sentence("camera-transport", transport=name, answer=MISMATCH)
    is_of_set_up = refusal.method == "SETUP" and refusal.status not in KEPT_STATUSES
    if is_of_set_up or refusal.status == UNSUPPORTED:
        return sentence("camera-transport", transport=name, answer=refusal.status)
    return None


def _cause_of_login(challenges: Sequence[str], login: str | None) -> Sentence:
    """Say why a login was refused: it was none, it could not be given in this way, or it is wrong."""
    if login is None:
        return sentence("camera-login-missing")
    if kind := unanswered_kind(challenges):
        return sentence("camera-login-kind", kind=kind)
    return sentence("camera-login")


def unanswered_kind(challenges: Sequence[str]) -> str:
    """Give the login that FFmpeg cannot answer, empty where it can: it takes the last Digest, else Basic."""
    schemes = [challenge.partition(" ")[0].lower() for challenge in challenges]
    if "digest" not in schemes:
        return "" if "basic" in schemes or not schemes else _shown(challenges[-1].partition(" ")[0])
    last = len(schemes) - 1 - schemes[::-1].index("digest")
    parts = {name.lower(): quoted or plain for name, quoted, plain in _PART.findall(challenges[last])}
    algorithm, qop = parts.get("algorithm", ""), parts.get("qop", "auth")
    if algorithm not in ("", "MD5", "MD5-sess"):
        return f"Digest {_shown(algorithm)}"
    if "auth" not in [one.strip() for one in qop.split(",")]:
        return f"Digest qop={_shown(qop)}"
    if parts.get("stale", "").lower() == "true":
        return "Digest stale=true"
    realm, nonce = parts.get("realm", ""), parts.get("nonce", "")
    is_odd = "\\" in realm or len(realm.encode()) > LONGEST_REALM or len(nonce.encode()) > LONGEST_NONCE
    return "Digest realm, nonce" if is_odd else ""


def _shown(text: str) -> str:
    """Give a name that a stranger chose, so far as it is one."""
    return _NOT_OF_A_NAME.sub("", text)[:20]
