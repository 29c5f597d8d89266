import socket

import pytest

from services.common.connections.listening import listen
from services.core.errors import BadInputError


def test_a_port_is_taken_for_connections() -> None:
    with listen("127.0.0.1", 0) as listening:
        address = listening.getsockname()
        with socket.create_connection(address, 2), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.parametrize("option", ["--port", "--mjpeg-port", "--health-port"])
def test_a_port_in_use_names_the_option_that_gives_another(option: str) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInputError, match=f"port {port}: it is in use: .* give another with {option}$"):
            listen("127.0.0.1", port, option)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_this_machine_is_told(host: str) -> None:
    with pytest.raises(BadInputError, match=r"(no such address|name is not known here): .* with --host$"):
        listen(host, 0)
