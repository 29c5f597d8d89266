"""What `sightline doctor` finds out about the host. Each check answers, whatever is missing."""

import asyncio
import importlib.metadata
import os
import platform
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.cli.data_folder import MINIMUM_FREE_BYTES
from services.common.clocks import synchronised_within_s
from services.common.connections.addresses import loopback
from services.common.database.link import DatabaseLink
from services.common.settings.service import given_mongodb_uri
from services.core.errors import BadInputError, SightlineError
from services.core.sentences.sentence import Sentence, plain, sentence

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
    what: Sentence
    """A text without a code where only the command line says it."""


PACKAGES = ("av", "fastapi", "numpy", "onnxruntime", "openvino", "opencv-python-headless", "pymongo")
PORTS = (
    (8080, "page and API"),
    (8070, "JSON stream"),
    (8090, "MJPEG"),
    (8554, "RTSP relay of the cameras"),
    (8555, "RTSP of the annotated pictures"),
)
LITTLE_MEMORY_BYTES = 10**9
BUSY_LOAD_PER_CORE = 1.5
"""Above it the last five minutes had clearly more to do than the processor can."""
AWAY_PROVIDERS = ("Azure",)
"""What computes elsewhere: Sightline never uses it."""


def host_checks(data_folder: Path) -> list[Finding]:
    """Look at everything but cameras."""
    ports = (_port(port, purpose) for port, purpose in PORTS)
    return [*machine_checks(data_folder), _database(), mongodb_check(), *ports]


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
    what = sentence(
        "host-software", version=version, python=platform.python_version(), platform=platform.platform()
    )
    state: State = "good" if sys.version_info >= (3, 11) else "wrong"
    return Finding(state, "software", what)


def _processor() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    minute, five_minutes, _ = os.getloadavg()
    what = sentence("host-processor", name=processor_name(), cores=usable or 0, load=round(minute, 1))
    return Finding(load_state(min(minute, five_minutes), usable or 1), "processor", what)


def load_state(load: float, cores: int) -> State:
    """Judge how much there is to do: processes that want to run, by the cores that may run them."""
    return "note" if load > BUSY_LOAD_PER_CORE * cores else "good"


def _memory() -> Finding:
    sizes = {}
    for line in _lines(Path("/proc/meminfo")):
        key, _, value = line.partition(":")
        if value.strip().endswith("kB"):
            sizes[key] = int(value.split()[0]) * 1024
    if "MemTotal" not in sizes or "MemAvailable" not in sizes:
        return Finding("unknown", "memory", sentence("host-memory-unknown"))
    available = sizes["MemAvailable"]
    total, free = _gigabytes(sizes["MemTotal"]), _gigabytes(available)
    state: State = "note" if available < LITTLE_MEMORY_BYTES else "good"
    return Finding(state, "memory", sentence("host-memory", total=total, available=free))


def _disk(folder: Path) -> Finding:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    shown = str(folder).replace(str(Path.home()), "~", 1)
    size = _gigabytes(free)
    if not os.access(existing, os.W_OK):
        return Finding("wrong", "disk", sentence("host-disk-not-writable", free=size, folder=shown))
    state: State = "wrong" if free < MINIMUM_FREE_BYTES else "good"
    return Finding(state, "disk", sentence("host-disk", free=size, folder=shown))


def _packages() -> Finding:
    found = {package: _version(package) for package in PACKAGES}
    text = ", ".join(f"{name} {version or '-'}" for name, version in found.items())
    return Finding("good", "packages", sentence("host-packages", packages=text))


def _engines() -> list[Finding]:
    import onnxruntime

    providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    known = ", ".join(name for name in providers if name not in AWAY_PROVIDERS)
    checks = [Finding("good", "engine", sentence("host-onnxruntime", providers=known))]
    try:
        import openvino

        devices = ", ".join(openvino.Core().available_devices)
        what = sentence("host-openvino", devices=devices) if devices else sentence("host-openvino-no-device")
        checks.append(Finding("good", "engine", what))
    except ImportError:
        checks.append(Finding("note", "engine", sentence("host-openvino-missing")))
    return checks


def _database() -> Finding:
    try:
        uri = given_mongodb_uri()
    except BadInputError as error:
        return Finding("wrong", "database", error.sentence)
    if uri is None:
        mongod, secantus = shutil.which("mongod"), Path(sys.executable).with_name("secantusd-py").exists()
        if mongod or secantus:
            return Finding("good", "database", plain(f"embedded: {'mongod' if mongod else 'SecantusDB'}"))
        missing = "no mongod, no SecantusDB, and SIGHTLINE_MONGODB_URI is not set"
        return Finding("wrong", "database", plain(missing))
    try:
        version = asyncio.run(_database_version(uri))
    except SightlineError as error:
        return Finding("wrong", "database", plain(f"SIGHTLINE_MONGODB_URI: {error}"))
    return Finding("good", "database", plain(f"SIGHTLINE_MONGODB_URI answers, version {version}"))


NEEDED_BY_MONGODB = {"x86_64": {"avx"}, "aarch64": {"atomics", "dcpop"}}
"""What a processor has that can run MongoDB 5 or later: AVX, and on ARM the instructions of version 8.2."""


def mongodb_check(processors: Path = PROCESSORS, machine: str | None = None) -> Finding:
    """Tell whether this processor can run the MongoDB of docker-compose.yml and k8s/; `up` needs none."""
    machine = machine or platform.machine()
    needed = NEEDED_BY_MONGODB.get(machine.replace("AMD64", "x86_64").replace("arm64", "aarch64"))
    flags = next(
        (
            set(line.partition(":")[2].split())
            for line in _lines(processors)
            if line.partition(":")[0].strip() in ("flags", "Features")
        ),
        None,
    )
    if needed is None or flags is None:
        return Finding("unknown", "MongoDB", plain("whether this processor can run MongoDB 8 is not known"))
    if needed <= flags:
        return Finding("good", "MongoDB", plain("this processor can run MongoDB 8, as compose does"))
    lacking = "no AVX" if "avx" in needed else "older than ARMv8.2-A"
    return Finding(
        "note",
        "MongoDB",
        plain(
            f"this processor cannot run MongoDB 5 or later ({lacking}), which docker-compose.yml and k8s/ "
            "start: take one container (docs/operations.md), `sightline up`, or a MongoDB on another machine"
        ),
    )


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
        return Finding("unknown", "clock", sentence("host-clock-unknown"))
    if error_s == float("inf"):
        return Finding("note", "clock", sentence("host-clock-not-synchronised"))
    return Finding("good", "clock", sentence("host-clock", error_ms=round(error_s * 1000, 1)))


def _port(port: int, purpose: str) -> Finding:
    host = loopback()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = plain(f"{purpose}: {error.strerror} (a running Sightline?)")
            return Finding("note", f"port {port}", taken)
    return Finding("good", f"port {port}", plain(f"{purpose}: free"))


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
