"""A host's clocks that tests set."""

from services.core.evidence.clock_belief import ClockReading


class SettableClock:
    """Runs only when it is told to; its wall clock may step by itself."""

    def __init__(self, wall_s: float, steady_s: float = 1000.0, boot: str = "first") -> None:
        self.wall_s, self.steady_s, self.boot = wall_s, steady_s, boot
        self.is_synchronised = False

    def __call__(self) -> ClockReading:
        return ClockReading(self.wall_s, self.steady_s, self.boot, self.is_synchronised)

    def run(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.wall_s += seconds
        self.steady_s += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock."""
        self.wall_s += seconds

    def reboot(self, boot: str, off_s: float = 0.0) -> None:
        """Start the machine again after some time."""
        self.wall_s += off_s
        self.steady_s, self.boot = 5.0, boot
