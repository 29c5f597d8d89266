"""Run as a process: RTSP servers that stop again and again while their clients ask without pause."""

import socket
import threading
import time
from contextlib import suppress

from services.common.rtsp.server import RtspServer

ROUNDS = 15
ASKING_S = 0.06
CLIENTS = 8
REQUESTS = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 5


def ask(port: int) -> None:
    """Ask until the server ends the connection."""
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(REQUESTS)
        while client.recv(65_536):
            client.sendall(REQUESTS)


def stop_while_asked() -> float:
    """Make a server, stop it while it is asked, and tell how long that took."""
    server = RtspServer("127.0.0.1", 0, None, [])
    clients = [threading.Thread(target=ask, args=(server.port,)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(ASKING_S)
    begin_s = time.monotonic()
    server.stop()
    took_s = time.monotonic() - begin_s
    for client in clients:
        client.join()
    return took_s


if __name__ == "__main__":
    print(f"stopped within {max(stop_while_asked() for _ in range(ROUNDS)):.2f} s")
