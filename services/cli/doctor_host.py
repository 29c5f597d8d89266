"""What `sightline doctor` finds out about the host. Each check answers, whatever is missing."""

import asyncio
import importlib.metadata
import os
import platform
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from services.cli.data_folder import MINIMUM_FREE_BYTES
from services.common.clocks import synchronised_within_s
from services.common.database.link import DatabaseLink
from services.common.settings.service import given_mongodb_uri
from services.core.errors import BadInputError, SightlineError

PROCESSORS = Path("/proc/cpuinfo")


def processor_name(processors: Path = PROCESSORS) -> str:
    """Give the name of the processor's model; its architecture where the system does not say."""
    try:
        lines = processors.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


State = Literal["good", "note", "wrong", "unknown"]
"""`note` works but should be looked at; `unknown` could not be found out, which is an answer too."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    state: State
    name: str
    text: str
    code: str = ""
    """What was found: stable, for whoever puts it into words of their own; empty of a camera's."""
    params: Mapping[str, str | float] = field(default_factory=dict)


PACKAGES = ("av", "fastapi", "numpy", "onnxruntime", "openvino", "opencv-python-headless", "pymongo")
PORTS = (
    (8080, "page and API"),
    (8070, "JSON stream"),
    (8090, "MJPEG"),
    (8554, "RTSP relay of the cameras"),
    (8555, "RTSP of the annotated pictures"),
)
LITTLE_MEMORY_BYTES = 10**9


def host_checks(data_folder: Path) -> list[Finding]:
    """Look at everything but cameras."""
    ports = (_port(port, purpose) for port, purpose in PORTS)
    return [*machine_checks(data_folder), _database(), *ports]


def machine_checks(data_folder: Path | None, has_engines: bool = True) -> list[Finding]:
    """Look at what a process that runs has under it: no network, and no ports, which may be its own.

    `has_engines`: whether it computes models; to look at engines loads them.
    """
    return [
        _software(),
        _processor(),
        _memory(),
        *([] if data_folder is None else [_disk(data_folder)]),
        _packages(),
        *(_engines() if has_engines else ()),
        _clock(),
    ]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _software() -> Finding:
    version = _version("sightline") or "from source"
    text = f"Sightline {version}, Python {platform.python_version()}, {platform.platform()}"
    params = {"version": version, "python": platform.python_version(), "platform": platform.platform()}
    state: State = "good" if sys.version_info >= (3, 11) else "wrong"
    return Finding(state, "software", text, "host-software", params)


def _processor() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = round(os.getloadavg()[0], 1)
    text = f"{processor_name()}, {usable} cores, load {load:.1f}"
    params: dict[str, str | float] = {"name": processor_name(), "cores": usable or 0, "load": load}
    return Finding("good", "processor", text, "host-processor", params)


def _memory() -> Finding:
    sizes = {}
    for line in _lines(Path("/proc/meminfo")):
        key, _, value = line.partition(":")
        if value.strip().endswith("kB"):
            sizes[key] = int(value.split()[0]) * 1024
    if "MemTotal" not in sizes or "MemAvailable" not in sizes:
        return Finding("unknown", "memory", "the system does not say", "host-memory-unknown")
    available = sizes["MemAvailable"]
    text = f"{_gigabytes(sizes['MemTotal'])} in all, {_gigabytes(available)} available"
    params = {"total": _gigabytes(sizes["MemTotal"]), "available": _gigabytes(available)}
    state: State = "note" if available < LITTLE_MEMORY_BYTES else "good"
    return Finding(state, "memory", text, "host-memory", params)


def _disk(folder: Path) -> Finding:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    shown = str(folder).replace(str(Path.home()), "~", 1)
    text, params = f"{_gigabytes(free)} free for {shown}", {"free": _gigabytes(free), "folder": shown}
    if not os.access(existing, os.W_OK):
        return Finding("wrong", "disk", f"{text}, which is not writable", "host-disk-not-writable", params)
    state: State = "wrong" if free < MINIMUM_FREE_BYTES else "good"
    return Finding(state, "disk", text, "host-disk", params)


def _packages() -> Finding:
    found = {package: _version(package) for package in PACKAGES}
    text = ", ".join(f"{name} {version or '-'}" for name, version in found.items())
    return Finding("good", "packages", text, "host-packages", {"packages": text})


def _engines() -> list[Finding]:
    import onnxruntime

    providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    known = ", ".join(providers)
    checks = [Finding("good", "engine", f"ONNX Runtime: {known}", "host-onnxruntime", {"providers": known})]
    try:
        import openvino

        devices = ", ".join(openvino.Core().available_devices) or "no device"
        text, params = f"OpenVINO: {devices}", {"devices": devices}
        checks.append(Finding("good", "engine", text, "host-openvino", params))
    except ImportError:
        text = "OpenVINO is not installed (often the faster one on Intel)"
        checks.append(Finding("note", "engine", text, "host-openvino-missing"))
    return checks


def _database() -> Finding:
    try:
        uri = given_mongodb_uri()
    except BadInputError as error:
        return Finding("wrong", "database", str(error))
    if uri is None:
        mongod, secantus = shutil.which("mongod"), Path(sys.executable).with_name("secantusd-py").exists()
        if mongod or secantus:
            return Finding("good", "database", f"embedded: {'mongod' if mongod else 'SecantusDB'}")
        return Finding("wrong", "database", "no mongod, no SecantusDB, and SIGHTLINE_MONGODB_URI is not set")
    try:
        version = asyncio.run(_database_version(uri))
    except SightlineError as error:
        return Finding("wrong", "database", f"SIGHTLINE_MONGODB_URI: {error}")
    return Finding("good", "database", f"SIGHTLINE_MONGODB_URI answers, version {version}")


async def _database_version(uri: str) -> str:
    """Ask the database as the services do, with their login and their certificates."""
    link = DatabaseLink(uri)
    try:
        return str((await link.command({"buildInfo": 1})).get("version", "?"))
    finally:
        await link.close()


def _clock() -> Finding:
    error_s = synchronised_within_s()
    if error_s is None:
        text = "the system does not say whether its clock is synchronised"
        return Finding("unknown", "clock", text, "host-clock-unknown")
    if error_s == float("inf"):
        text = "not synchronised by this host: times of counts may drift (install chrony)"
        return Finding("note", "clock", text, "host-clock-not-synchronised")
    error_ms = round(error_s * 1000, 1)
    text = f"synchronised, estimated error {error_ms:.1f} ms"
    return Finding("good", "clock", text, "host-clock", {"error_ms": error_ms})


def _port(port: int, purpose: str) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding("note", f"port {port}", f"{purpose}: {error.strerror} (a running Sightline?)")
    return Finding("good", f"port {port}", f"{purpose}: free")


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
