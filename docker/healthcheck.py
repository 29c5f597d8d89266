"""Health check of the images: exit 0 when the given address answers 200, else 1 with the reason."""

import sys
import urllib.error
import urllib.request

TIMEOUT_S = 4.0


def main(address: str) -> int:
    """Ask once; what is not ready is told by the body of the answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
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


sys.exit(main(sys.argv[1]))
