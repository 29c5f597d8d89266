"""What the page may know of its process: versions, disk, queues of its services, and how its host is."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.cli import doctor_host
from services.cli.doctor_host import Finding, host_checks, machine_checks
from services.cli.serve.web import service_states
from services.cli.system_facts import disk_of, machine_findings, software_versions
from services.common.leases.protocol import Member
from services.common.queues import QueueState
from services.core.sentences.sentence import OTHER, sentence

QUEUE = QueueState("video", 3, 150, 7, "to-key-frame")


def test_versions_name_what_the_process_runs_on() -> None:
    found = software_versions()
    assert found.keys() >= {"sightline", "python", "onnxruntime", "av", "ffmpeg"}
    assert all(text and text[0].isdigit() for text in found.values())


def test_the_disk_of_a_folder(tmp_path: Path) -> None:
    disk = disk_of(tmp_path)
    assert disk is not None
    assert disk.path == str(tmp_path)
    assert 0 < disk.free_bytes + disk.used_bytes <= disk.total_bytes
    assert disk_of(tmp_path / "absent") is None


def test_findings_are_data_with_ids_of_their_own(tmp_path: Path) -> None:
    findings = machine_findings(tmp_path, has_engines=True)
    ids = [finding.id for finding in findings]
    assert len(set(ids)) == len(ids)
    assert ids[:2] == ["software", "processor"]
    assert not [finding for finding in findings if finding.what.code == OTHER]
    (disk,) = (finding for finding in findings if finding.id == "disk")
    assert (disk.what.code, disk.level, disk.what.params["folder"]) == ("host-disk", "ok", str(tmp_path))


def test_without_folder_and_engines_neither_is_looked_at() -> None:
    ids = {finding.id for finding in machine_findings(None, has_engines=False)}
    assert not {"disk", "engine"} & ids
    assert ids >= {"software", "memory", "clock"}


def test_a_process_that_runs_does_not_look_at_its_own_ports_and_database(tmp_path: Path) -> None:
    own = {check.name for check in machine_checks(tmp_path)}
    all_of_them = {check.name for check in host_checks(tmp_path)}
    assert own < all_of_them
    assert all_of_them - own == {"database", "MongoDB", *(f"port {port}" for port, _ in doctor_host.PORTS)}


def test_levels_and_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "rtsp://u:s3cret@h/s"
    checks = [
        Finding("wrong", "clock", sentence("host-disk", free="3 GB", folder=url)),
        Finding("unknown", "clock", sentence("host-clock-unknown")),
    ]
    monkeypatch.setattr("services.cli.system_facts.machine_checks", lambda *_: checks)
    wrong, unknown = machine_findings(tmp_path, has_engines=False)
    assert (wrong.level, unknown.level, unknown.id) == ("problem", "note", "clock-2")
    assert wrong.what.text == "3 GB free for rtsp://u:***@h/s"
    assert wrong.what.params == {"free": "3 GB", "folder": "rtsp://u:***@h/s"}


@dataclass
class Leases:
    """Members of some roles; None while nobody knows."""

    known: dict[str, list[Member]] | None = field(default_factory=dict)

    def members(self, role: str) -> list[Member] | None:
        return None if self.known is None else self.known.get(role, [])


def states_of(leases: Leases) -> dict[str, Any]:
    link: Any = SimpleNamespace(leases=leases)
    return {state.name: state for state in service_states(link, "web-a", [QUEUE])}


def test_of_queues_a_process_knows_its_own_and_says_where_the_others_are() -> None:
    members = {"web": [Member("web-a", "web"), Member("web-b", "web")], "store": [Member("store-a", "store")]}
    states = states_of(Leases(members))
    assert (states["web-a"].queues, states["web-a"].elsewhere) == ((QUEUE,), None)
    for name, role in (("web-b", "web"), ("store-a", "store")):
        assert (states[name].queues, states[name].role) == ((), role)
        assert states[name].elsewhere.code == "other-figures"
    assert states["ingest"].status.code == "service-none"
    assert {state.status.code for state in states_of(Leases(None)).values()} == {"service-unknown"}
