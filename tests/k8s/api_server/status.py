"""How an API server says that something went wrong."""

from typing import Any

Document = dict[str, Any]
"""One object, or one answer, as JSON gives it."""


class StatusError(Exception):
    """A request that is refused: becomes the `Status` that kubectl shows."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message

    def document(self) -> Document:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": self.code,
            "reason": self.reason,
            "message": self.message,
        }


def not_found(resource: str, name: str) -> StatusError:
    return StatusError(404, "NotFound", f'{resource} "{name}" not found')


def invalid(kind: str, name: str, problems: list[str]) -> StatusError:
    return StatusError(422, "Invalid", f'{kind} "{name}" is invalid: {"; ".join(problems)}')


def forbidden(message: str) -> StatusError:
    return StatusError(403, "Forbidden", message)
