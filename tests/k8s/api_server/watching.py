"""Changes as they happen, for `kubectl wait`, `rollout status` and deletions that are waited for."""

import time
from collections.abc import Callable, Iterator

from tests.k8s.api_server.resources import Address
from tests.k8s.api_server.status import Document, StatusError
from tests.k8s.api_server.store import Store, selected

POLL_S = 0.05
DEFAULT_TIMEOUT_S = 60.0


def watch(
    store: Store, where: Address, query: dict[str, str], is_over: Callable[[], bool]
) -> Iterator[Document]:
    """Give each change after the revision that the client knows, until its time is up.

    StatusError for the kind of watch that begins with a list: kubectl then asks for list and watch.
    """
    if "sendInitialEvents" in query:
        raise StatusError(422, "Invalid", "sendInitialEvents: Forbidden: not supported")
    deadline_s = time.monotonic() + float(query.get("timeoutSeconds", DEFAULT_TIMEOUT_S))
    known = int(query.get("resourceVersion") or 0)
    return _events(
        store,
        where,
        query.get("fieldSelector", ""),
        known,
        lambda: is_over() or time.monotonic() > deadline_s,
    )


def _events(
    store: Store, where: Address, fields: str, known: int, is_over: Callable[[], bool]
) -> Iterator[Document]:
    seen = 0
    while not is_over():
        for change in store.changes[seen:]:
            seen += 1
            plural, namespace, _ = change.key
            matches = plural == where.resource.plural and where.namespace in (None, namespace)
            if matches and change.revision > known and selected([change.document], fields):
                yield {"type": change.kind, "object": change.document}
        time.sleep(POLL_S)
