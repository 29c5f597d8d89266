"""Where a request comes from: the address behind a proxy, and the page that made a browser send it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from services.common.http.forwarded import trusted_proxies

DEFAULT_PORTS = {"http": 80, "https": 443}
HTTPS = ("https", "wss")
OWN_SITES = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a request says of its way here, as far as that can be believed."""

    address: str
    is_https: bool
    host: str
    """Host, with its port where it has one, under which the service was called."""
    foreign: str | None
    """The origin of another site whose page sent the request; None when there was none."""
    is_known: bool
    """Whether anything was said about the page: browsers always do where something changes."""


def origin_of(scope: Scope, trusted_proxy: str = "") -> Origin:
    """Read a request. What a proxy adds is believed only when it comes from `trusted_proxy`."""
    headers, proxies = Headers(scope=scope), trusted_proxies(trusted_proxy)
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    scheme = proxies.last_word(headers, "x-forwarded-proto", peer) or scope.get("scheme")
    host = proxies.last_word(headers, "x-forwarded-host", peer) or headers.get("host", "")
    foreign, is_known = _page_of(headers, host)
    return Origin(proxies.client_address(headers, peer), scheme in HTTPS, host, foreign, is_known)


def foreign_page(headers: Headers, origin: Origin) -> str | None:
    """Give the page of another site that opens a WebSocket; None where there is none.

    Browsers always say Origin then. What they say beside it counts only where there is none: not all of them
    take the addresses of WebSockets for those of the page.
    """
    for page in headers.getlist("origin"):
        if not _is_same(page, origin.host):
            return page or "a page without an origin"
    return None if "origin" in headers else origin.foreign


def _page_of(headers: Headers, host: str) -> tuple[str | None, bool]:
    """Give the foreign page, if it is one, and whether anything was said about it."""
    site, page = headers.get("sec-fetch-site"), headers.get("origin") or headers.get("referer")
    if site is not None:
        return (None if site in OWN_SITES else page or site), True
    if page is None:
        return None, False
    return (None if _is_same(page, host) else page), True


def _is_same(page: str, host: str) -> bool:
    """Compare host and port only: a proxy that ends TLS changes the scheme."""
    try:
        parts = urlsplit(page)
        own = urlsplit(f"{parts.scheme}://{host}")
        default = DEFAULT_PORTS.get(parts.scheme)
        return (
            default is not None
            and parts.hostname is not None
            and (parts.hostname, parts.port or default) == (own.hostname, own.port or default)
        )
    except ValueError:
        return False
