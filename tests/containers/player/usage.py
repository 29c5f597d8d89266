"""What a container takes of the machine, from its cgroup (both versions of them)."""

import time
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


def read_usage(pid: int) -> Reading | None:
    """The figures of a container by its first process; None when it has just ended."""
    try:
        paths = _controllers(Path(f"/proc/{pid}/cgroup").read_text())
        return _version_1(paths) if "memory" in paths else _version_2(paths[""])
    except OSError:
        return None


def _controllers(text: str) -> dict[str, Path]:
    """Each controller's folder of the process; that of version 2 has no name."""
    folders = {}
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            folders[name] = CGROUPS / name / path.lstrip("/")
    return folders


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
