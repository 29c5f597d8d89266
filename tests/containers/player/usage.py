"""What a container takes of the machine, from its cgroup (both versions of them)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Reading:
    """The figures of one moment."""

    time_s: float
    memory_bytes: int
    """Without the files' pages that the kernel can take back: what a cluster's limit is compared with."""
    cpu_s: float
    throttled: float
    """Share of the scheduler's periods in which the CPU limit held it back."""
    killed: int
    """Processes ended for want of memory."""


@dataclass
class Usage:
    """What one container took, over its restarts."""

    readings: list[Reading] = field(default_factory=list)
    cores_peak: float = 0.0

    def add(self, reading: Reading) -> None:
        """Take one more moment into account."""
        if self.readings and reading.cpu_s >= self.readings[-1].cpu_s:
            last = self.readings[-1]
            self.cores_peak = max(
                self.cores_peak, (reading.cpu_s - last.cpu_s) / (reading.time_s - last.time_s)
            )
        self.readings.append(reading)

    @property
    def memory_peak_bytes(self) -> int:
        return max((reading.memory_bytes for reading in self.readings), default=0)

    @property
    def cores(self) -> float:
        """The mean over the last run."""
        first = max(
            (i for i, r in enumerate(self.readings) if i and r.cpu_s < self.readings[i - 1].cpu_s), default=0
        )
        run = self.readings[first:]
        if len(run) < 2:
            return 0.0
        return (run[-1].cpu_s - run[0].cpu_s) / (run[-1].time_s - run[0].time_s)

    @property
    def throttled(self) -> float:
        return max((reading.throttled for reading in self.readings), default=0.0)

    @property
    def killed(self) -> int:
        return max((reading.killed for reading in self.readings), default=0)


def read_usage(pid: int, processes: Path = Path("/proc"), cgroups: Path = CGROUPS) -> Reading | None:
    """The figures of a container by its first process; None when it has just ended.

    The kernel counts a process that ends to the root of the cgroups, whose figures are the machine's.
    """
    try:
        told = _told(processes / str(pid))
        if told.get("memory", told.get("")) == "/" or told == _told(processes / "self"):
            return None
        folders = _folders(told, cgroups)
        reading = _version_1(folders) if "memory" in folders else _version_2(folders[""])
        return reading if _told(processes / str(pid)) == told else None
    except OSError:
        return None


def _told(process: Path) -> dict[str, str]:
    """The path of a process's cgroup by controllers; that of version 2 has no name."""
    lines = (line.split(":", 2) for line in (process / "cgroup").read_text().splitlines())
    return {names: path for _, names, path in lines}


def _folders(told: Mapping[str, str], cgroups: Path) -> dict[str, Path]:
    """Each controller's folder."""
    return {
        name: cgroups / name / path.lstrip("/") for names, path in told.items() for name in names.split(",")
    }


def _version_1(paths: dict[str, Path]) -> Reading:
    memory = _table(paths["memory"] / "memory.stat")
    periods = _table(paths["cpu"] / "cpu.stat")
    return Reading(
        time.monotonic(),
        int((paths["memory"] / "memory.usage_in_bytes").read_text()) - memory["total_inactive_file"],
        int((paths["cpuacct"] / "cpuacct.usage").read_text()) / 1e9,
        periods["nr_throttled"] / max(1, periods["nr_periods"]),
        _table(paths["memory"] / "memory.oom_control").get("oom_kill", 0),
    )


def _version_2(path: Path) -> Reading:
    cpu = _table(path / "cpu.stat")
    return Reading(
        time.monotonic(),
        int((path / "memory.current").read_text()) - _table(path / "memory.stat")["inactive_file"],
        cpu["usage_usec"] / 1e6,
        cpu.get("nr_throttled", 0) / max(1, cpu.get("nr_periods", 0)),
        _table(path / "memory.events")["oom_kill"],
    )


def _table(file: Path) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in file.read_text().splitlines())}
