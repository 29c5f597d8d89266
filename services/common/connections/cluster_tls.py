"""TLS between the services of a cluster: with whom they talk is proved by one certificate authority.

Without these variables the services meet in plain text, which is for one machine, or for a network that
encrypts by itself. With them nothing is sent in plain text, and no server without a certificate is talked to.
"""

import os
import ssl
from collections.abc import Mapping

from services.core.errors import BadInputError

CA_VARIABLE = "SIGHTLINE_CLUSTER_CA_FILE"
"""Certificates of the authority that NATS, MongoDB and the video server are proved by."""

CERTIFICATE_VARIABLE = "SIGHTLINE_CLUSTER_CERT_FILE"
KEY_VARIABLE = "SIGHTLINE_CLUSTER_KEY_FILE"
"""Certificate and key of the video server (ingest)."""

VIDEO_SERVER_NAME = "ingest"
"""The name that the certificate of the video server holds: readers reach it by the address of its pod."""


def client_context(environment: Mapping[str, str] = os.environ) -> ssl.SSLContext | None:
    """What a client checks servers by; None where TLS is not wanted.

    BadInputError when the file cannot be used.
    """
    path = environment.get(CA_VARIABLE)
    if not path:
        return None
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise _unusable(CA_VARIABLE, path, error) from None


def server_context(environment: Mapping[str, str] = os.environ) -> ssl.SSLContext | None:
    """What the video server proves itself with; None where TLS is not wanted.

    BadInputError when only one of the two files is named, or one cannot be used.
    """
    certificate, key = environment.get(CERTIFICATE_VARIABLE), environment.get(KEY_VARIABLE)
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise BadInputError(f"{CERTIFICATE_VARIABLE} and {KEY_VARIABLE} go together: set both")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise _unusable(
            f"{CERTIFICATE_VARIABLE} or {KEY_VARIABLE}", f"{certificate} with {key}", error
        ) from None
    return context


def _unusable(variable: str, path: str, error: OSError) -> BadInputError:
    reason = (
        "they are no certificate and key that belong together" if isinstance(error, ssl.SSLError) else None
    )
    return BadInputError(f"{variable}: {path} cannot be used: {reason or error.strerror or error}")
