"""What addresses of hosts mean."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine itself."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_and_port(host: str, port: int) -> str:
    """Give `host:port`, with the brackets that an IPv6 address needs."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"
