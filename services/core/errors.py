"""The errors that the design answers, one class a situation."""

from services.core.sentences.sentence import Sentence, Value, said


class SightlineError(Exception):
    """The root: it says one clear line to a person, without secrets.

    `what` is a code of the catalogue with its parameters, a sentence, or a text that has no code.
    """

    def __init__(self, what: str | Sentence, /, **params: Value | Sentence) -> None:
        self.sentence = said(what, **params)
        super().__init__(self.sentence.text)


class BadInputError(SightlineError):
    """What the user gave cannot be used; the text says what to do (command line: exit 2, HTTP: 422)."""


class NotFoundError(SightlineError):
    """The named camera, line or model does not exist (HTTP: 404)."""


class ConflictError(SightlineError):
    """The id is taken (HTTP: 409)."""


class StreamError(SightlineError):
    """A camera's stream could not be opened or ended: routine, the camera is degraded and retried."""


class DatabaseUnavailableError(SightlineError):
    """The database does not answer now: retried (HTTP: 503)."""


class DiskFullError(DatabaseUnavailableError):
    """The database has no room left: retried, and somebody has to make room (HTTP: 503)."""


class HalfRestoredError(DatabaseUnavailableError):
    """A restore into the database has not ended: nothing is written meanwhile (HTTP: 503)."""


class BusUnavailableError(SightlineError):
    """The message server does not answer now: retried."""


class AccessDeniedError(SightlineError):
    """Who asks may not do this (HTTP: 403)."""


class LoginNeededError(AccessDeniedError):
    """Who asks has not said who they are, or it was wrong (HTTP: 401)."""


class ThrottledError(SightlineError):
    """Who asks has to wait first (HTTP: 429)."""

    def __init__(self, what: str | Sentence, wait_s: float, /, **params: Value | Sentence) -> None:
        super().__init__(what, **params)
        self.wait_s = wait_s


class StoppedError(SightlineError):
    """Work was asked to end before it was done (command line: exit 130)."""


class BadMessageError(SightlineError):
    """A message of the bus is broken, foreign, or of another version: counted and passed over."""


class NoIngestError(BusUnavailableError):
    """No ingest service is there to try an address (HTTP: 503)."""


class FullError(StreamError):
    """Ingest tries as many addresses as it may at once (HTTP: 503)."""
