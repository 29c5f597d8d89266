"""What the server answers, with no network: discovery, reading, writing, deleting."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from tests.k8s.api_server.access import Access
from tests.k8s.api_server.admission import Validate, admit, stored_secret, validate, with_defaults
from tests.k8s.api_server.discovery import discovery
from tests.k8s.api_server.fields import Field
from tests.k8s.api_server.patches import json_merge, server_side_apply, strategic_merge
from tests.k8s.api_server.resources import Address, address
from tests.k8s.api_server.rules import update_problems
from tests.k8s.api_server.scale import changed_scale, scale_of
from tests.k8s.api_server.status import Document, StatusError, invalid, not_found
from tests.k8s.api_server.store import Key, Store, selected
from tests.k8s.api_server.watching import watch

MERGE, STRATEGIC, APPLY = (f"application/{kind}-patch" for kind in ("merge", "strategic-merge", "apply"))
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its body read."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    body: Any = None
    authorization: str | None = None

    @property
    def is_dry(self) -> bool:
        return "dryRun" in self.query

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") in ("1", "true")


class Api:
    """The requests of kubectl and of pods, answered one at a time."""

    def __init__(self, validate: Validate = validate) -> None:
        self.store = Store()
        self.access = Access(self.store)
        self._validate = validate
        self._lock = RLock()

    def answer(self, request: Request) -> tuple[int, Document]:
        """Give the status code and the document of the answer."""
        with self._lock:
            try:
                return self._answer(request)
            except StatusError as error:
                return error.code, error.document()

    def watch(self, request: Request, is_over: Callable[[], bool]) -> Iterator[Document]:
        """Give changes as they happen; StatusError when that is refused."""
        where = _address(request.path)
        self.access.check(request.authorization, "watch", where)
        return watch(self.store, where, request.query, is_over)

    def complete_job(self, namespace: str, name: str) -> None:
        """Do what a cluster does when the pod of a Job has ended well; nothing where the Job is gone."""
        with self._lock:
            job = self.store.find("jobs", namespace, name)
            if job is not None:
                complete = [{"type": "Complete", "status": "True"}]
                self.store.keep(("jobs", namespace, name), {**job, "status": {"conditions": complete}})

    def remove_completed_jobs(self) -> None:
        """Do what a cluster does when `ttlSecondsAfterFinished` is over."""
        with self._lock:
            for job in self.store.all("jobs"):
                if "status" in job and "ttlSecondsAfterFinished" in job["spec"]:
                    self.store.remove(("jobs", job["metadata"]["namespace"], job["metadata"]["name"]))

    def _answer(self, request: Request) -> tuple[int, Document]:
        about = discovery(request.path) if request.method == "GET" else None
        if about is not None:
            return 200, about
        where = _address(request.path)
        if request.method == "GET" and where.resource.kind == "Namespace":
            self.store.end_terminated()
        verb = VERBS.get(request.method) or ("get" if where.name else "list")
        self.access.check(request.authorization, verb, where)
        if where.name is None and request.method == "GET":
            return 200, self._list(request, where)
        if where.resource.namespaced and where.namespace is None:
            raise StatusError(405, "MethodNotAllowed", f"{request.method} needs a namespace")
        if request.method == "POST":
            return self._create(request, where)
        if where.name is None:
            raise StatusError(405, "MethodNotAllowed", f"{request.method} needs a name")
        key = (where.resource.plural, where.namespace, where.name)
        if where.part == "scale":
            return 200, self._scale(request, where, key)
        if request.method == "GET":
            return 200, self._stored(where, key)
        if request.method == "DELETE":
            return 200, self._delete(request, where, key)
        return self._update(request, where, key)

    def _stored(self, where: Address, key: Key) -> Document:
        document = self.store.find(*key)
        if document is None:
            raise not_found(where.resource.full_name, key[2])
        return document

    def _list(self, request: Request, where: Address) -> Document:
        known = self.store.all(where.resource.plural, where.namespace)
        return {
            "kind": f"{where.resource.kind}List",
            "apiVersion": where.resource.api_version,
            "metadata": {"resourceVersion": str(self.store.revision)},
            "items": selected(known, request.query.get("fieldSelector", "")),
        }

    def _create(self, request: Request, where: Address) -> tuple[int, Document]:
        name = _metadata(request.body).get("name", "")
        key = (where.resource.plural, where.namespace, name)
        if self.store.find(*key) is not None:
            message = f'{where.resource.full_name} "{name}" already exists'
            raise StatusError(409, "AlreadyExists", message)
        return 201, self._keep(request, where, key, request.body)

    def _update(self, request: Request, where: Address, key: Key) -> tuple[int, Document]:
        old = self.store.find(*key)
        is_applied = request.content_type.startswith(APPLY)
        if old is None and is_applied:
            new = request.body
        elif old is None:
            raise not_found(where.resource.full_name, key[2])
        else:
            new = self._changed(request, key, old)
            seen = _metadata(request.body).get("resourceVersion")
            if seen not in (None, "", old["metadata"]["resourceVersion"]):
                raise StatusError(409, "Conflict", f'{where.resource.kind} "{key[2]}" has been modified')
        kept = self._keep(request, where, key, new)
        if is_applied and not request.is_dry:
            self.store.applied[key, request.query.get("fieldManager", "")] = request.body
        return (201 if old is None else 200), kept

    def _changed(self, request: Request, key: Key, old: Document) -> Document:
        whole = Field.of_kind(old["apiVersion"], old["kind"])
        kind = request.content_type
        new: Document = request.body
        if request.method == "PUT":
            return new
        if kind.startswith(MERGE):
            new = json_merge(old, request.body)
            return new
        if kind.startswith(STRATEGIC):
            return strategic_merge(old, request.body, whole)
        if kind.startswith(APPLY):
            previous = self.store.applied.get((key, request.query.get("fieldManager", "")), {})
            new = server_side_apply(old, previous, request.body, whole)
            return new
        raise StatusError(415, "UnsupportedMediaType", f"{kind} is not known")

    def _keep(self, request: Request, where: Address, key: Key, document: Document) -> Document:
        """Check an object as a cluster would, and store it."""
        new, kind = deepcopy(document), where.resource.kind
        if (new.get("apiVersion"), new.get("kind")) != (where.resource.api_version, kind):
            raise StatusError(400, "BadRequest", f"this is no {kind} of {where.resource.api_version}")
        problems = self._validate(new)
        if problems:
            raise invalid(kind, key[2], problems)
        if key[1] is not None:
            namespace = self.store.find("namespaces", None, key[1])
            if namespace is None:
                raise not_found("namespaces", key[1])
            admit(new, namespace)
        new = stored_secret(new) if kind == "Secret" else with_defaults(new)
        old = self.store.find(*key)
        problems = update_problems(old, new) if old else []
        if problems:
            raise invalid(f"{kind}.{where.resource.group}".rstrip("."), key[2], problems)
        return self.store.stamped(key, new) if request.is_dry else self.store.keep(key, new)

    def _delete(self, request: Request, where: Address, key: Key) -> Document:
        document = self._stored(where, key)
        if not request.is_dry:
            self.store.delete(key)
        details = {"name": key[2], "kind": where.resource.plural, "uid": document["metadata"]["uid"]}
        return {"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details}

    def _scale(self, request: Request, where: Address, key: Key) -> Document:
        document = self._stored(where, key)
        if request.method == "GET":
            return scale_of(document)
        change = request.body
        if request.method == "PATCH":
            change = json_merge(scale_of(document), request.body)
        return scale_of(self._keep(request, where, key, changed_scale(document, change)))


def _address(path: str) -> Address:
    where = address(path)
    if where is None:
        raise StatusError(404, "NotFound", "the server could not find the requested resource")
    return where


def _metadata(document: Any) -> Document:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    return metadata if isinstance(metadata, dict) else {}
