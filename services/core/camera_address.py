"""The address of a camera: what it names, what it may hold, and where its secrets stand.

A secret is the password in front of the host, or the value of a parameter whose name means one, in the
query or in the path (some cameras carry `user=admin_password=…_channel=1` there). Everything here costs
time in proportion to the length of the text, whatever it holds, and reads addresses too that no door
takes, so that they are masked as well. Where an address can be read in two ways, the one that hides more
is taken.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from services.core.errors import BadInputError
from services.core.identifiers import can_be_kept

MASK = "***"
LONGEST_ADDRESS = 2000
"""Characters that an address may have."""

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
NETWORK_SCHEMES = tuple(DEFAULT_PORTS)
DEMO_TRAFFIC, DEMO_MASKS = "traffic", "masks"
LONGEST_LOGIN = 127
"""Bytes of user and password, as they are encoded for a camera, that FFmpeg sends whole."""

DEMOS = (DEMO_TRAFFIC, DEMO_MASKS)
KINDS = "give rtsp://, rtsps://, a file path, demo://traffic or demo://masks"

_SEPARATOR = "://"
_DEMO = "demo://"
_LONGEST_NAME = 64
_LONGEST_SEED = 9

_SECRET_WORDS = (
    *("pass", "pwd", "psw", "secret", "token", "key", "auth", "credential", "signature", "session"),
    *("loginpas", "ticket", "jwt", "bearer", "hmac"),
)
_SECRET_NAMES = ("pw", "pas", "pin", "sig", "sign", "sid", "psd", "otp")
"""Too short to be looked for within a name."""

_SRTP = "?enablesrtp"
PLAIN = "!$&'()*;=,~"
"""What stands in a password as it is, beside letters, digits, `_`, `.` and `-`."""

_HOST_ADDRESS = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\])(?=[:/?#]|\Z)")
_ENCODED_CHARACTER = re.compile(r"%[0-9a-fA-F]{2}")
_NAME = re.compile(rf"[\w.\[\]%-]{{0,{_LONGEST_NAME}}}")
_AUTHORITY_END = re.compile(r"[/?#]")
_ZONE = re.compile(r"(\A[a-zA-Z]+://(?:[^/?#]*@)?\[[0-9a-fA-F:.]+)%25(?=[^\[\]/?#@%]+\])")
_PLACE = re.compile(r"(?:\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?")
_COLON = re.compile(r":|%3a", re.IGNORECASE)
_USER = re.compile(r"(?:rtsps?:)?[/\\]{0,2}[^/\\:@?#&=\s]+:", re.IGNORECASE)
_TOKEN_SCHEME = re.compile(r"(?:nats|tls|wss?|https?)\Z", re.IGNORECASE)
"""Where a name in front of the host, without a password, is a token; a camera's is that of a user."""

_ENCODED_AUTHORITY = re.compile(r"%3a%2f%2f([^/?#&;=\s]*)", re.IGNORECASE)
_NESTED = re.compile(r"://|%3a%2f%2f", re.IGNORECASE)
"""Begins an address that stands in another one."""

_ENCODED_EQUALS = re.compile(r"%3d", re.IGNORECASE)
_ENCODED_END = re.compile(r"[&;\s]|%26|%3b", re.IGNORECASE)
"""Of a value that stands in an address that is itself the value of a parameter."""

_HOST_BEGIN = re.compile(r"[^\W_]|\[")
_AFTER_PLACE = ".,;:)'\""
"""What may follow an address in a sentence."""

_OF_A_PATH = "_(?:channel|ch|stream|subtype|user|s)="
_VALUE_END = re.compile(
    rf"[&;](?![\w.\[\]%-]{{0,{_LONGEST_NAME}}}{_OF_A_PATH})(?=[\w.\[\]%-]{{1,{_LONGEST_NAME}}}=)"
    rf"|{_OF_A_PATH}(?=[^=&;])",
    re.IGNORECASE,
)
"""A value goes on to the next parameter: what only looks like its end is hidden with it."""


class AddressKind(Enum):
    """What an address names."""

    NETWORK = auto()
    """A camera that is dialled."""
    DEMO = auto()
    """A scripted scene."""
    FILE = auto()
    """A video file, by its path."""


@dataclass(frozen=True, slots=True)
class DemoName:
    """The scene that a `demo://` address names, and the number that varies it; None: the usual one."""

    name: str
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class SecretSpan:
    """A secret that stands in a text: its first character, and the one after its last."""

    name: str
    """The parameter that it is the value of, in lower case; empty for the password in front of a host."""
    start: int
    end: int


def scheme_of(address: str) -> str:
    """Give the scheme in lower case; empty for the path of a file."""
    scheme, separator, _ = address.partition(_SEPARATOR)
    return scheme.lower() if separator else ""


def kind_of(address: str) -> AddressKind | None:
    """Give what an address names; None where Sightline opens nothing of the kind."""
    if scheme_of(address) in NETWORK_SCHEMES:
        return AddressKind.NETWORK
    if address.startswith(_DEMO):
        return AddressKind.DEMO
    return AddressKind.FILE if _SEPARATOR not in address else None


def demo_of(address: str) -> DemoName | None:
    """Give the scene that an address names, None where it names something else.

    BadInputError when there is no such scene.
    """
    if not address.startswith(_DEMO):
        return None
    name, has_query, query = address.removeprefix(_DEMO).partition("?")
    key, _, value = query.partition("=")
    is_seed = key == "seed" and value.isascii() and value.isdecimal() and len(value) <= _LONGEST_SEED
    if name not in DEMOS or (has_query and not is_seed):
        raise BadInputError("demo-unknown")
    return DemoName(name, int(value) if has_query else None)


def place_of(address: str) -> tuple[str, int | None] | None:
    """Give host and port of a network camera, as libraries read them; None where there is none."""
    if kind_of(address) is not AddressKind.NETWORK:
        return None
    scheme, _, rest = _split(address)
    try:
        parts = urlsplit(with_plain_zone(f"{scheme}://{rest}"))
        return (parts.hostname, parts.port) if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _split(address: str) -> tuple[str, str | None, str]:
    """Give the scheme in lower case, user and password, None where there is no `@`, and from the host on."""
    start = address.find(_SEPARATOR) + len(_SEPARATOR)
    at = address.rfind("@", start, _authority_end(address, start))
    return scheme_of(address), address[start:at] if at >= 0 else None, address[max(start, at + 1) :]


def login_of(address: str) -> str | None:
    """Give user and password of a network address, as they are written in it; None where there are none."""
    return _split(address)[1] or None


def has_encoded_login(address: str) -> bool:
    """Return whether `%41` or the like stands in user or password, which is another character then."""
    return _ENCODED_CHARACTER.search(login_of(address) or "") is not None


def dialled_address(address: str) -> str:
    """Give a network address as libraries dial it, with the user and password that were meant.

    What is percent-encoded is meant decoded, all else is meant as it is written, a `%` too that encodes
    nothing. A user without a password has an empty one. What asks for pictures that are encrypted within the
    session, as the addresses of one make do, is left out: the session itself is encrypted already.
    """
    scheme, login, rest = _split(address)
    if rest.lower().endswith(_SRTP):
        rest = rest[: -len(_SRTP)]
    if not login:
        return with_plain_zone(f"{scheme}://{rest}")
    user, _, password = login.partition(":")
    return with_plain_zone(f"{scheme}://{_encoded_part(user)}:{_encoded_part(password)}@{rest}")


def _encoded_part(written: str) -> str:
    """Encode what has a meaning in an address, and no more: libraries take logins of a bounded length."""
    return quote(unquote_to_bytes(written), safe=PLAIN)


def with_plain_zone(address: str) -> str:
    """Give an address with the interface of a link-local one as libraries read it.

    `[fe80::1%25eth0]` is how an address writes it (RFC 6874), `fe80::1%eth0` what is dialled.
    """
    return _ZONE.sub(r"\1%", address, count=1)


def check_address(address: str) -> None:
    """Refuse what the address of no camera may hold; BadInputError says what to do and shows nothing of it.

    Whether a file is there is left to whoever may look.
    """
    if not 0 < len(address) <= LONGEST_ADDRESS:
        raise BadInputError("address-length", most=LONGEST_ADDRESS)
    kind = kind_of(address)
    _check_characters(address, is_path=kind is AddressKind.FILE)
    if kind is None:
        raise _unsupported(scheme_of(address))
    if kind is AddressKind.DEMO:
        demo_of(address)
    elif kind is AddressKind.NETWORK:
        check_place(address)


def check_place(address: str) -> None:
    """Refuse a network address that names no host, or a login that cannot be sent; BadInputError says why."""
    place = place_of(address)
    if place is None or (login_of(address) is None and _cuts_password(address, place)):
        raise BadInputError("address-no-host")
    sent = _split(dialled_address(address))[1] or ""
    if len(sent) > LONGEST_LOGIN:
        raise BadInputError("address-login-long", most=LONGEST_LOGIN)


def _cuts_password(address: str, place: tuple[str, int | None]) -> bool:
    """Return whether what was read as host and port is a user with the begin of a password.

    A name with a port can be a host, but hardly where an `@` with the address of a host follows.
    """
    follows = _HOST_ADDRESS.match(address, address.rfind("@") + 1) if "@" in address else None
    return place[1] is not None and place[0].isalnum() and follows is not None


def _check_characters(address: str, is_path: bool) -> None:
    for character in address:
        if can_be_kept(character) if is_path else character.isprintable() and not character.isspace():
            continue
        name = unicodedata.name(character, f"character U+{ord(character):04X}").lower()
        if is_path:
            raise BadInputError("path-character", character=name)
        encoded = quote(character, safe="", errors="replace")
        raise BadInputError("address-character", character=name, encoded=encoded)


def _unsupported(scheme: str) -> BadInputError:
    """A scheme is short; what else stands there may be anything."""
    if scheme.isascii() and scheme.isalnum() and len(scheme) <= 10:
        return BadInputError("address-scheme", scheme=scheme)
    return BadInputError("address-scheme-odd")


def mask_address(address: str) -> str:
    """Give an address as it may be shown: `rtsp://user:***@host/…`."""
    return masked(address, secrets_in(address))


def masked(text: str, secrets: tuple[SecretSpan, ...]) -> str:
    """Give a text with secrets of it masked."""
    parts, position = [], 0
    for secret in secrets:
        parts += [text[position : secret.start], MASK]
        position = secret.end
    return "".join((*parts, text[position:]))


def secrets_of(address: str) -> tuple[str, ...]:
    """Give the secrets that an address carries, as they are written in it."""
    found = (address[secret.start : secret.end] for secret in secrets_in(address))
    return tuple(secret for secret in found if secret != MASK)


def restore_secrets(address: str, stored: str = "") -> str:
    """Put the stored secrets where an address holds `***`, so that what was shown can be given back.

    BadInputError when there is a `***` for which nothing is stored, and when the stored secret would go to
    another host, port or scheme than the one that it was given for: who changes these has to know it.
    """
    if len(address) > LONGEST_ADDRESS:
        raise BadInputError("address-length", most=LONGEST_ADDRESS)
    known: defaultdict[str, list[str]] = defaultdict(list)
    for secret in secrets_in(stored):
        known[secret.name].append(stored[secret.start : secret.end])
    parts, position, is_restored = [], 0, False
    for secret in secrets_in(address):
        kept = known[secret.name].pop(0) if known[secret.name] else MASK
        given = address[secret.start : secret.end]
        parts += [address[position : secret.start], kept if given == MASK else given]
        position, is_restored = secret.end, is_restored or given == MASK
    restored = "".join((*parts, address[position:]))
    if MASK in restored:
        raise BadInputError("address-masked")
    if is_restored and not _goes_where(restored, stored):
        raise BadInputError("address-masked-elsewhere")
    return restored


def is_same_server(address: str, other: str) -> bool:
    """Return whether two network addresses are answered by the same server, whatever its path."""
    server = _server_of(address) if address.isprintable() and " " not in address else None
    return server is not None and server == _server_of(other)


def _goes_where(address: str, stored: str) -> bool:
    """Return whether whoever dials an address gives its secrets to the one that has those of the stored one.

    Of addresses within addresses nobody here knows who dials them: they are the same, or lead elsewhere.
    """
    if address == stored:
        return True
    if _NESTED.search(address, address.find(_SEPARATOR) + 1) is not None:
        return False
    server = _server_of(address)
    return server is not None and server == _server_of(stored)


def _server_of(address: str) -> tuple[str, str, int] | None:
    """Give scheme, host and port that are dialled; None where an address names no such thing."""
    scheme, place = scheme_of(address), place_of(address)
    return (scheme, place[0], place[1] or DEFAULT_PORTS[scheme]) if place is not None else None


def secrets_in(address: str) -> tuple[SecretSpan, ...]:
    """Find the secrets of one address, and of others within it; in the order in which they stand."""
    found: list[SecretSpan] = []
    every = (*_without_scheme(address), *_passwords(address), *_parameters(address), *_encoded(address))
    for secret in sorted(every, key=lambda one: one.start):
        if not found or secret.start > found[-1].end:
            found.append(secret)
        elif secret.end > found[-1].end:
            found[-1] = SecretSpan(found[-1].name, found[-1].start, secret.end)
    return tuple(found)


def is_broken_off(text: str) -> bool:
    """Return whether a text ends within an address whose host may be still to come."""
    start = text.rfind(_SEPARATOR) + len(_SEPARATOR)
    if start < len(_SEPARATOR) or text.find("@", start) >= 0:
        return False
    return not _is_place(text, start, _authority_end(text, start))


def _without_scheme(text: str) -> Iterator[SecretSpan]:
    """Find the password of an address whose `rtsp://` was left out, or was mistyped."""
    user = _USER.match(text) if _SEPARATOR not in text else None
    at = text.rfind("@")
    if user is not None and at > user.end():
        yield SecretSpan("", user.end(), at)


def _authority_end(text: str, start: int) -> int:
    found = _AUTHORITY_END.search(text, start)
    return found.start() if found is not None else len(text)


def _is_place(text: str, start: int, end: int) -> bool:
    """Return whether a span can be a host with its port, or several of them."""
    place = text[start:end].rstrip(_AFTER_PLACE)
    return all(_PLACE.fullmatch(part) is not None for part in place.split(","))


def _passwords(text: str) -> Iterator[SecretSpan]:
    """Find what stands between the first colon behind a `://` and the host.

    The host begins after the last `@` of the authority. A password that should have been encoded may hold
    `/`, `?`, `#` and `@`: where a later `@` can be the one in front of the host, all before it is hidden.
    """
    last_at = text.rfind("@")
    reach = later_at = -1
    begin = text.find(_SEPARATOR)
    while begin >= 0:
        start = begin + len(_SEPARATOR)
        end = _authority_end(text, start)
        if reach < end:
            equals = text.find("=", end)
            reach = equals if equals >= 0 else len(text)
            later_at = text.rfind("@", end, reach)
        at = text.rfind("@", start, end)
        has_no_host = start <= at and _HOST_BEGIN.match(text, at + 1, end) is None
        if has_no_host or not _is_place(text, max(start, at + 1), end):
            span = _up_to(text, start, last_at if last_at >= start else end)
        else:
            span = _in_front_of(text, start, at, end, later_at if later_at >= end else -1)
            if span is None and start < at and _TOKEN_SCHEME.search(text, max(0, begin - 5), begin):
                span = SecretSpan("", start, at)
        if span is not None:
            yield span
            end = max(end, span.end)
        begin = text.find(_SEPARATOR, end - 1)


def _up_to(text: str, start: int, stop: int) -> SecretSpan | None:
    return _behind(_COLON.search(text, start, stop), stop)


def _behind(colon: re.Match[str] | None, stop: int) -> SecretSpan | None:
    return SecretSpan("", colon.end(), stop) if colon is not None and colon.end() < stop else None


def _in_front_of(text: str, start: int, at: int, end: int, later_at: int) -> SecretSpan | None:
    """Give the password of an address that can be read; a host with a port alone may be none."""
    if at >= 0:
        return _behind(_COLON.search(text, start, at), max(at, later_at))
    if later_at >= 0 and not text.startswith("[", start):
        return _behind(_COLON.search(text, start, end), later_at)
    return None


def _parameters(text: str) -> Iterator[SecretSpan]:
    equals = text.find("=")
    while equals >= 0:
        start, name = equals + 1, _secret_name(text, equals)
        if name:
            found = _VALUE_END.search(text, start)
            end = found.start() if found is not None else len(text)
            if end > start:
                yield SecretSpan(name, start, end)
            start = end
        equals = text.find("=", start)


def _encoded(text: str) -> Iterator[SecretSpan]:
    """Find the secrets of an address that stands percent-encoded within another one."""
    for found in _ENCODED_AUTHORITY.finditer(text):
        inner = found[1].lower()
        colon, at = inner.find("%3a"), inner.rfind("%40")
        if 0 <= colon < at - 3:
            yield SecretSpan("", found.start(1) + colon + 3, found.start(1) + at)
    equals = _ENCODED_EQUALS.search(text)
    while equals is not None:
        end, name = equals.end(), _encoded_name(text, equals.start())
        if name:
            stop = _ENCODED_END.search(text, end)
            end = stop.start() if stop is not None else len(text)
            if end > equals.end():
                yield SecretSpan(name, equals.end(), end)
        equals = _ENCODED_EQUALS.search(text, end)


def _encoded_name(text: str, equals: int) -> str:
    """Give the name in front of an encoded `=`, empty unless it names a secret."""
    tail = unquote(text[max(0, equals - _LONGEST_NAME) : equals]).lower()
    found = _NAME.match(tail[::-1])
    name = found[0][::-1] if found is not None else ""
    return name if _names_secret(name) else ""


def _secret_name(text: str, equals: int) -> str:
    """Give the name in front of a `=` in lower case, empty unless it names a secret.

    At the beginning of a text, and behind the value of another parameter, it begins after an underscore.
    """
    tail = text[max(0, equals - _LONGEST_NAME) : equals]
    found = _NAME.match(tail[::-1])
    size = found.end() if found is not None else 0
    if size == 0:
        return ""
    name, begin = tail[len(tail) - size :], equals - size
    before = text[begin - 1 : begin]
    if before in ("", "="):
        _, underscore, behind = name.partition("_")
        name = behind if underscore else name if before else ""
    name = unquote(unquote(name)).lower()
    return name if _names_secret(name) else ""


def _names_secret(name: str) -> bool:
    return any(word in name for word in _SECRET_WORDS) or name.rpartition("_")[2] in _SECRET_NAMES
