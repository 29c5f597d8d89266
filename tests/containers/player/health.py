"""What the answers of a container's probes mean, as the kubelet counts them."""

from dataclasses import dataclass, field

from tests.containers.player.plans import Probe


@dataclass
class Schedule:
    """One probe: when it is due, and what its answers have come to."""

    probe: Probe
    due_s: float
    passed: bool = False
    failed: bool = False
    _failures: int = 0
    """How many answers in a row were bad."""

    def record(self, good: bool, now_s: float) -> None:
        """Count an answer."""
        self.due_s = now_s + self.probe.period_s
        self._failures = 0 if good else self._failures + 1
        if good:
            self.passed, self.failed = True, False
        elif self._failures >= self.probe.failure_threshold:
            self.passed, self.failed = False, True


@dataclass
class Health:
    """The state of one run of a container."""

    probes: tuple[Probe, ...]
    began_s: float
    _schedules: dict[str, Schedule] = field(init=False)

    def __post_init__(self) -> None:
        self._schedules = {probe.kind: Schedule(probe, self.began_s) for probe in self.probes}

    def due(self, now_s: float) -> list[Schedule]:
        """The probes to ask now: the start alone until it is done, then the others."""
        kinds = ("readiness", "liveness") if self.started else ("startup",)
        schedules = [self._schedules[kind] for kind in kinds if kind in self._schedules]
        return [schedule for schedule in schedules if schedule.due_s <= now_s]

    @property
    def started(self) -> bool:
        """Whether the start is done; without a probe for it, it is."""
        return "startup" not in self._schedules or self._schedules["startup"].passed

    @property
    def ready(self) -> bool:
        """Whether a Service would lead to it."""
        return self.started and ("readiness" not in self._schedules or self._schedules["readiness"].passed)

    @property
    def must_end(self) -> bool:
        """Whether the kubelet would end it, for the restart policy to start it again."""
        return any(self._schedules[k].failed for k in ("startup", "liveness") if k in self._schedules)
