"""What happens at the doors that do not see the database, on its way to the audit log: by the store."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence

from services.common.access.accounts import AuditEntry
from services.common.access.audit_tally import AuditTally
from services.core.types import AccessAction, AccessNote, Event

SHORTEST_WAIT_S = 1.0


class AccessNotes:
    """Publishes who came in and who was refused, within the bound of the tally. Callable from any thread."""

    def __init__(
        self,
        publish: Callable[[Sequence[Event]], None],
        place: str,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what publishes, such as `bus.events.publish`, and the name of the door."""
        self._publish, self._place, self._now_s = publish, place, now_s
        self._tally = AuditTally(monotonic_s)
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def report(self, action: AccessAction, user: str, address: str) -> None:
        """Report what somebody did at an address. The name is one that an account has."""
        with self._lock:
            entry = self._tally.add(AuditEntry(action, "", user, self._place, address[:64]))
            self._set_timer()
        if entry is not None:
            self._publish([self._note(entry)])

    def report_counted(self) -> None:
        """Publish what was counted and is due."""
        with self._lock:
            self._timer = None
            due = self._tally.due()
            self._set_timer()
        if due:
            self._publish([self._note(entry) for entry in due])

    def _set_timer(self) -> None:
        wait_s = self._tally.wait_s
        if self._timer is None and wait_s is not None:
            self._timer = threading.Timer(max(wait_s, SHORTEST_WAIT_S), self.report_counted)
            self._timer.daemon = True
            self._timer.start()

    def _note(self, entry: AuditEntry) -> AccessNote:
        return AccessNote(
            id=f"access-{secrets.token_hex(8)}",
            time_s=self._now_s(),
            action=AccessAction(entry.action),
            user=entry.user or "",
            place=entry.by,
            address=entry.address,
            count=entry.count,
        )
