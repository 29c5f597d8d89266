"""What every request passes, and what every answer carries."""

from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.http.guard import CROSS_ORIGIN, LoopbackGuard, adding
from services.web.auth.origin import origin_of

__all__ = ["LoopbackGuard", "SecurityHeaders"]

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "style-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    CROSS_ORIGIN: "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}

HTTPS_HEADERS = {**SECURITY_HEADERS, "Strict-Transport-Security": "max-age=31536000"}
"""For a year nobody reaches this host name without TLS, at any port; browsers do so only for names, not for
addresses, and only where they know the certificate."""


class SecurityHeaders:
    """Adds the headers that say to browsers what the page may do."""

    def __init__(self, app: ASGIApp, trusted_proxy: str = "") -> None:
        self._app, self._trusted_proxy = app, trusted_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to the answer what it does not say itself."""
        if scope["type"] == "http":
            is_https = origin_of(scope, self._trusted_proxy).is_https
            send = adding(send, HTTPS_HEADERS if is_https else SECURITY_HEADERS)
        await self._app(scope, receive, send)
