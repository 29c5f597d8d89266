"""A certificate authority of one test, and a server's certificate by it."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DAYS = "2"
HERE = ("IP:127.0.0.1", "DNS:localhost")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM."""

    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path, names: Sequence[str] = HERE) -> Certificates:
    """Make them anew with openssl, for these names."""
    made = Certificates(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    authority_key, request, extensions = folder / "ca.key", folder / "server.csr", folder / "extensions"
    extensions.write_text(f"subjectAltName={','.join(names)}\nextendedKeyUsage=serverAuth\n")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl(
        *("req", "-x509", *new_key, "-days", DAYS, "-subj", "/CN=test authority"),
        *("-keyout", authority_key, "-out", made.authority),
    )
    _openssl("req", *new_key, "-subj", "/CN=test server", "-keyout", made.key, "-out", request)
    _openssl(
        *("x509", "-req", "-in", request, "-CA", made.authority, "-CAkey", authority_key, "-CAcreateserial"),
        *("-days", DAYS, "-extfile", extensions, "-out", made.certificate),
    )
    return made


def _openssl(*arguments: str | Path) -> None:
    result = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
