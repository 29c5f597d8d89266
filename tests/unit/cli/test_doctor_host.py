"""The host's check-up answers on any machine, and shows no secret."""

import socket
from pathlib import Path

import pytest

from services.cli.doctor_checks import Check
from services.cli.doctor_host import host_checks


def _by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_every_check_answers(tmp_path: Path) -> None:
    checks = _by_name(host_checks(tmp_path / "not" / "there" / "yet"))
    for name in (
        "software",
        "processor",
        "memory",
        "disk",
        "packages",
        "engine",
        "database",
        "clock",
        "port 8080",
    ):
        assert checks[name].text
    assert checks["disk"].state == "good"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 8070))
            taken.listen()
        except OSError:
            pass  # taken by another program, which is just as good
        assert _by_name(host_checks(tmp_path))["port 8070"].state == "note"


def test_a_database_that_is_away_is_wrong_and_its_password_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_MONGODB_URI", "mongodb://user:s3cret@127.0.0.1:9/")
    check = _by_name(host_checks(tmp_path))["database"]
    assert (check.state, check.text) == (
        "wrong",
        "SIGHTLINE_MONGODB_URI: the database at 127.0.0.1:9 does not answer",
    )
