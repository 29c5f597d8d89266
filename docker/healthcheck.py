"""Health check of the images: exit 0 when the given address answers 200, else 1 with the reason.

Without an address it is that of the page in one container, at the port that the environment gives it.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 4.0


def address_of_page() -> str:
    """Give the address of `sightline up` in this container, whose settings come by the environment."""
    scheme = "http" if os.environ.get("SIGHTLINE_TLS_CERT", "") in ("", "null") else "https"
    host = os.environ.get("SIGHTLINE_HOST", "")
    # A name for both protocols: a container may have no address of IPv6, or of IPv6 alone.
    host = "localhost" if host in ("", "0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{os.environ.get('SIGHTLINE_PORT') or 8080}/readyz"


def main(address: str) -> int:
    """Ask once; what is not ready is told by the body of the answer.

    The certificate is not looked at: it is of the name under which people come, and not of this address.
    """
    handlers = [urllib.request.ProxyHandler({})]
    if address.startswith("https:"):
        handlers.append(urllib.request.HTTPSHandler(context=ssl._create_unverified_context()))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(address, timeout=TIMEOUT_S) as answer:
            print(answer.read().decode())
    except urllib.error.HTTPError as error:
        print(f"{error.code} {error.read().decode()}")
        return 1
    except OSError as error:
        print(error)
        return 1
    return 0


sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else address_of_page()))
