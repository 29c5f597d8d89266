"""`python -m tests.k8s.api_server --port 6443`: try kubectl, and manifests, with no cluster."""

import argparse
import signal
import threading
from pathlib import Path

from tests.certificates import make_certificates
from tests.k8s.api_server.server import api_server


def main() -> None:
    """Serve until SIGTERM or Ctrl+C."""
    parser = argparse.ArgumentParser(prog="tests.k8s.api_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of loopback (default: a free one)")
    parser.add_argument("--tls", type=Path, metavar="DIR", help="speak TLS; the certificates go into DIR")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    certificates = make_certificates(arguments.tls) if arguments.tls else None
    with api_server(arguments.port, certificates) as server:
        print(server.url, flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
