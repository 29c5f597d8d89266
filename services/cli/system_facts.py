"""What the page may know of the process that serves it: versions, its disk, and how its host is."""

import platform
import shutil
import socket
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av

from services.cli.doctor_host import Finding, State, machine_checks
from services.common.rtsp.gstreamer import gstreamer_version
from services.common.secrets import redact
from services.web.system import DiskState, Level, SystemFinding

PACKAGES = ("sightline", "onnxruntime", "onnxruntime-gpu", "openvino", "av")
LEVELS: Mapping[State, Level] = {"good": "ok", "note": "note", "unknown": "note", "wrong": "problem"}


def process_name(role: str) -> str:
    """Name a process for people: what it is, and its machine."""
    return f"{role} on {socket.gethostname()}"


def software_versions() -> Mapping[str, str]:
    """Give the versions of what this process runs on; what is not there, or not loaded, is left out."""
    gstreamer = gstreamer_version()
    return {**_installed(), **({"gstreamer": gstreamer} if gstreamer else {})}


@cache
def _installed() -> Mapping[str, str]:
    """Read once: it looks through the files of all packages."""
    found = {"python": platform.python_version(), "ffmpeg": str(getattr(av, "ffmpeg_version_info", ""))}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {name: text for name, text in found.items() if text}


def disk_of(folder: Path) -> DiskState | None:
    """Give the disk of a folder; None where it cannot be asked."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return DiskState(str(folder), usage.free, usage.used, usage.total)


def machine_findings(data_folder: Path | None, has_engines: bool) -> Sequence[SystemFinding]:
    """Look at the machine of this process as `sightline doctor` does; for a thread."""
    findings: list[SystemFinding] = []
    for check in machine_checks(data_folder, has_engines):
        taken = sum(finding.id.partition("-")[0] == check.name for finding in findings)
        findings.append(_as_data(check, f"{check.name}-{taken + 1}" if taken else check.name))
    return findings


def _as_data(check: Finding, id: str) -> SystemFinding:
    return SystemFinding(id, check.what.masked(redact), LEVELS[check.state])
