"""The host's check-up answers on any machine, and shows no secret."""

import platform
import socket
from pathlib import Path

import pytest

from services.cli.doctor_host import Finding, host_checks, load_state, mongodb_check, processor_name


def _by_name(checks: list[Finding]) -> dict[str, Finding]:
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
        "MongoDB",
        "clock",
        "port 8080",
    ):
        assert checks[name].what.text
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
    assert (check.state, check.what.text) == (
        "wrong",
        "SIGHTLINE_MONGODB_URI: the database at 127.0.0.1:9 does not answer",
    )


def test_the_processor_is_named_by_its_model(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: Some Chip 9000\nprocessor\t: 1\nmodel name\t: Other\n")
    assert processor_name(told) == "Some Chip 9000"


def test_else_by_its_architecture(tmp_path: Path) -> None:
    assert processor_name(tmp_path / "absent") == platform.machine()


def test_a_processor_with_more_to_do_than_it_can_is_noted() -> None:
    assert load_state(3.0, 2) == "good"
    assert load_state(3.1, 2) == "note"
    assert load_state(24.1, 32) == "good"


def test_what_computes_elsewhere_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    found = ["AzureExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: found)
    texts = [check.what.text for check in host_checks(tmp_path) if check.name == "engine"]
    assert texts[0] == "ONNX Runtime: CPU"


ARM_8_0 = "fp asimd evtstrm crc32 cpuid"
ARM_8_2 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"


@pytest.mark.parametrize(
    ("machine", "line", "state", "words"),
    [
        ("x86_64", "flags\t\t: fpu sse sse4_2 avx avx2", "good", "can run MongoDB 8"),
        ("x86_64", "flags\t\t: fpu sse sse4_2 xsave", "note", "no AVX"),
        ("aarch64", f"Features\t: {ARM_8_2}", "good", "can run MongoDB 8"),
        ("aarch64", f"Features\t: {ARM_8_0}", "note", "older than ARMv8.2-A"),
        ("aarch64", "Features\t: fp asimd atomics asimdrdm", "note", "older than ARMv8.2-A"),
        ("riscv64", "isa\t: rv64imafdc", "unknown", "not known"),
        ("x86_64", "model name\t: hidden", "unknown", "not known"),
    ],
)
def test_a_processor_without_what_mongodb_needs_is_told_before(
    tmp_path: Path, machine: str, line: str, state: str, words: str
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(f"processor\t: 0\n{line}\n\nprocessor\t: 1\n{line}\n")
    check = mongodb_check(told, machine)
    assert (check.name, check.state) == ("MongoDB", state)
    assert words in check.what.text
    assert ("one container" in check.what.text) == (state == "note")


def test_where_processors_are_not_told_nothing_is_said_of_them(tmp_path: Path) -> None:
    assert mongodb_check(tmp_path / "absent", "x86_64").state == "unknown"
