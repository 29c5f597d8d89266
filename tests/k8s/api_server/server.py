"""The server on a port of loopback, plain or with TLS, in a thread of its own."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from tests.certificates import Certificates
from tests.k8s.api_server.api import Api, Request
from tests.k8s.api_server.status import Document, StatusError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ApiServer:
    """A running server."""

    url: str
    port: int
    api: Api
    authority: Path | None
    """The CA certificate of its TLS; None where it speaks plain HTTP."""

    def service_account(self, folder: Path, namespace: str, name: str) -> Path:
        """Write what Kubernetes mounts into a pod: token, ca.crt and namespace. Gives the folder."""
        assert self.authority is not None, "a pod speaks TLS with the API server"
        folder.mkdir()
        (folder / "token").write_text(self.api.access.token(namespace, name))
        (folder / "namespace").write_text(namespace)
        (folder / "ca.crt").write_bytes(self.authority.read_bytes())
        return folder


@contextmanager
def api_server(
    port: int = 0, certificates: Certificates | None = None, api: Api | None = None
) -> Iterator[ApiServer]:
    """Serve for the length of a test, on a free port where none is given."""
    known, ended = api or Api(), threading.Event()
    server = ThreadingHTTPServer((HOST, port), partial(_Handler, known, ended))
    server.daemon_threads = True
    if certificates is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.certificate, certificates.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    scheme = "https" if certificates else "http"
    url = f"{scheme}://{HOST}:{server.server_port}"
    try:
        yield ApiServer(url, server.server_port, known, certificates.authority if certificates else None)
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, api: Api, ended: threading.Event, *arguments: Any) -> None:
        self._api = api
        self._ended = ended
        super().__init__(*arguments)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def _respond(self) -> None:
        try:
            request = self._request()
            if request.is_watch:
                self._stream(self._api.watch(request, self._ended.is_set))
                return
            code, document = self._api.answer(request)
        except StatusError as error:
            code, document = error.code, error.document()
        self._send(code, document)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond

    def _request(self) -> Request:
        url = urlsplit(self.path)
        return Request(
            method=self.command,
            path=url.path.rstrip("/"),
            query=dict(parse_qsl(url.query)),
            content_type=self.headers.get("Content-Type", ""),
            body=self._body(),
            authorization=self.headers.get("Authorization"),
        )

    def _body(self) -> Any:
        kind = self.headers.get("Content-Type", "")
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "protobuf" in kind:
            # `kubectl create KIND` sends it; `--dry-run=client -o yaml | kubectl apply -f -` does not.
            raise StatusError(415, "UnsupportedMediaType", f"{kind} is not known here: apply a file instead")
        try:
            # JSON is YAML, but slow to read as such.
            return yaml.safe_load(content) if "yaml" in kind else json.loads(content or b"null")
        except (ValueError, yaml.YAMLError) as error:
            raise StatusError(400, "BadRequest", f"the body cannot be read: {error}") from None

    def _stream(self, events: Iterator[Document]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        with suppress(ConnectionError):
            for event in events:
                self.wfile.write(json.dumps(event).encode() + b"\n")
        self.close_connection = True

    def _send(self, code: int, document: Document) -> None:
        content = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
