"""The connection to the NATS server: dialled for as long as it takes, and dialled again when it is lost."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import AuthorizationError
from nats.errors import Error as NatsError

from services.common.bus.nats.publishing import until_connected
from services.common.connections.cluster_tls import client_context
from services.common.secrets import redact
from services.common.tasks import kept_running, watched
from services.core.errors import BadInputError
from services.core.sentences.sentence import Sentence, sentence

log = logging.getLogger(__name__)

NATS_URL_VARIABLE = "SIGHTLINE_NATS_URL"
CONNECT_TIMEOUT_S = 2.0
RETRY_S = 0.5
PING_S = 2.0
"""A server that stands still is taken to be gone after two of these."""

PENDING_BYTES = 8 * 1024 * 1024
"""What is kept to be sent while the server is away; publishers of events keep their own."""

INBOX = "_INBOX"
REFUSALS_LIMIT = 16
"""Refused subjects that are named."""

LOOK_AGAIN_S = 10.0
"""How often is looked whether NATS still refuses what it has refused."""

CONFIRM_S = 5.0
"""What a service does all the time is tried again within this."""

REMEDY = "its user needs the permissions of configmaps/nats-users.conf"
_REFUSED = re.compile(
    r'^nats: permissions violation for (publish|subscription)(?: with reply of| to) "(.*?)"'
)
_LOGIN_REFUSED = "'authorization violation'"
"""The protocol of NATS has no codes, only these fixed words behind `-ERR`, and the library hands on no more:
it has a class for a login that is refused, but does not use it while it dials."""

_VERBS = {"publish": "publish to", "subscription": "subscribe to"}


def check_nats_url(url: str) -> str:
    """Give the address if it can be one; BadInputError, without its password, when it cannot."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("nats", "tls", "ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise BadInputError(
            f"{redact(url)!r} is no address of a NATS server: set {NATS_URL_VARIABLE} to one like nats://host:4222"
        )
    return url


def why_closed(client: Client) -> Sentence:
    """Say why a connection was closed that is not dialled again."""
    if isinstance(client.last_error, AuthorizationError):
        return sentence("nats-login-now", variable=NATS_URL_VARIABLE)
    return sentence("nats-closed")


def password_of(url: str) -> str:
    """Give the secret in an address, which all processes of a service share; empty without one."""
    parts = urlsplit(url)
    return parts.password or parts.username or ""


class Refusals:
    """What the server refuses this process: its login, or what its user has not the permission for."""

    def __init__(self) -> None:
        self._refused: dict[str, bool] = {}
        """Whether it was refused since the last look."""
        self.is_login_refused = False

    def note(self, what: str) -> None:
        """Keep what was refused, and log it once."""
        if what in self._refused:
            self._refused[what] = True
        elif len(self._refused) < REFUSALS_LIMIT:
            self._refused[what] = True
            log.error("NATS refuses to let this service %s: %s", what, REMEDY)

    def clear(self) -> None:
        """Forget all permissions: those of another connection may be others."""
        self._refused.clear()

    def doubt(self) -> bool:
        """Begin to look whether it is still refused; False when nothing is."""
        self._refused = dict.fromkeys(self._refused, False)
        return bool(self._refused)

    def forget_doubted(self) -> None:
        """Forget what was not refused again since the look began."""
        self._refused = {what: True for what, is_confirmed in self._refused.items() if is_confirmed}

    def missing(self) -> Sequence[Sentence]:
        """Give what keeps the service from its work, in words for a person."""
        if self.is_login_refused:
            return (sentence("nats-login", variable=NATS_URL_VARIABLE),)
        if not self._refused:
            return ()
        return (sentence("nats-rights", what=", ".join(self._refused)),)


@asynccontextmanager
async def nats_connection(
    url: str,
    name: str,
    role: str = "",
    refusals: Refusals | None = None,
    look_again_s: float = LOOK_AGAIN_S,
    confirm_s: float = CONFIRM_S,
) -> AsyncIterator[Client]:
    """Connect, waiting until the server answers, and close at the end.

    `role` names the service whose user it is: answers come to an inbox of its own. While the server cannot
    be reached that is logged once, and again with each other cause; what it refuses is noted in `refusals`,
    and tried again each `look_again_s`, which takes `confirm_s`. BadInputError when the server refuses the
    login: that is retried for nobody.
    """
    link = _Link(redact(url), refusals or Refusals())
    client = await link.connect(check_nats_url(url), name, f"{INBOX}.{role}" if role else INBOX)
    what = "the look at what NATS refuses"
    looking = watched(kept_running(lambda: link.look_again(look_again_s, confirm_s), what), what)
    try:
        yield client
    finally:
        looking.cancel()
        await asyncio.wait([looking])
        await _close(client)


class _Link:
    """Dials, and logs what happens in words for a person.

    The library retries by itself without an end, also a login that was refused: what went wrong reaches
    its error callback only.
    """

    def __init__(self, shown_url: str, refusals: Refusals) -> None:
        self._shown_url, self._refusals = shown_url, refusals
        self._logged = ""
        self._is_looking = False
        self._client = Client()
        self._refused = asyncio.Event()

    async def connect(self, url: str, name: str, inbox: str) -> Client:
        dialling = asyncio.create_task(self._dial(url, name, inbox))
        refusal = asyncio.create_task(self._refused.wait())
        try:
            await asyncio.wait([dialling, refusal], return_when=asyncio.FIRST_COMPLETED)
            if not dialling.done():
                raise BadInputError("nats-login-at", address=self._shown_url, variable=NATS_URL_VARIABLE)
            dialling.result()
        finally:
            refusal.cancel()
            if not dialling.done():
                dialling.cancel()
                await asyncio.wait([dialling])
        self._logged = ""
        return self._client

    async def look_again(self, every_s: float, confirm_s: float) -> None:
        """While something is refused connect anew now and then, until cancelled.

        The server says nothing of permissions that were put right, and a subscription that it has refused
        comes to it again with another connection alone.
        """
        while True:
            await asyncio.sleep(every_s)
            if self._client.is_connected and self._refusals.doubt():
                self._is_looking = True
                try:
                    await self._client.force_reconnect()
                    await until_connected(self._client)
                    await asyncio.sleep(confirm_s)
                    self._refusals.forget_doubted()
                finally:
                    self._is_looking = False

    async def _dial(self, url: str, name: str, inbox: str) -> None:
        options: dict[str, Any] = {
            "name": name,
            "inbox_prefix": inbox,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "allow_reconnect": True,
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": RETRY_S,
            "ping_interval": PING_S,
            "max_outstanding_pings": 2,
            "pending_size": PENDING_BYTES,
            "error_cb": self._on_error,
            "disconnected_cb": self._on_loss,
            "reconnected_cb": self._on_return,
        }
        if (tls := client_context()) is not None:
            # Before the server's first word: one that speaks in plain text is not talked to.
            options |= {"tls": tls, "tls_handshake_first": True}
        await self._client.connect(url, **options)

    def _log(self, text: str) -> None:
        if text != self._logged:
            log.warning("%s", text)
        self._logged = text

    async def _on_error(self, error: Exception) -> None:
        refused = _REFUSED.search(str(error))
        if refused is not None:
            self._refusals.note(f"{_VERBS[refused[1]]} {refused[2]}")
        elif self._client.is_connected:
            log.debug("NATS: %s", _words(error))
        elif _is_login_refused(error):
            self._refused.set()
            self._refusals.is_login_refused = True
            self._log(f"NATS at {self._shown_url} refuses the login; trying again")
        else:
            self._refusals.is_login_refused = False
            self._log(f"NATS at {self._shown_url} cannot be reached ({_words(error)}); trying again")

    async def _on_loss(self) -> None:
        if not self._client.is_closed and not self._is_looking:
            self._refusals.clear()
            self._log(f"NATS at {self._shown_url} is away; trying again")

    async def _on_return(self) -> None:
        self._refusals.is_login_refused = False
        if self._logged:
            log.info("NATS at %s is back", self._shown_url)
        self._logged = ""


async def _close(client: Client) -> None:
    """Close within a limited time; a server that is gone need not know."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await client.close()
    except (NatsError, OSError, TimeoutError) as error:
        log.debug("NATS: the connection did not end in order (%s)", _words(error))


def _is_login_refused(error: Exception) -> bool:
    return isinstance(error, AuthorizationError) or _LOGIN_REFUSED in str(error).lower()


def _words(error: BaseException) -> str:
    return redact(str(error)) or type(error).__name__
