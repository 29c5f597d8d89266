"""The leases that this member holds, and how sure it can be of them. Pure."""

from services.common.leases.protocol import Lease
from services.core.types import CameraId

SILENT_AFTER_S = 2.0
"""A process that stood still for this long may be thought dead: less than after what others do so."""


class HeldLeases:
    """All leases of one member. After a silence of its own each is in doubt until its record was read."""

    def __init__(self) -> None:
        self._leases: dict[CameraId, Lease] = {}
        self._doubted: set[CameraId] = set()
        self._spoke_s = 0.0

    def begin(self, now_s: float) -> None:
        """Hold nothing, and be awake."""
        self._leases, self._doubted, self._spoke_s = {}, set(), now_s

    def speak(self, now_s: float) -> bool:
        """Note that a heartbeat is due now; False after a silence."""
        was_awake = self._is_awake(now_s)
        self._spoke_s = now_s
        return was_awake

    def sure(self, now_s: float) -> tuple[Lease, ...]:
        """Give the leases without those in doubt."""
        self._is_awake(now_s)
        return tuple(lease for camera, lease in self._leases.items() if camera not in self._doubted)

    def all(self) -> tuple[Lease, ...]:
        """Give all leases, those in doubt too."""
        return tuple(self._leases.values())

    def is_held(self, lease: Lease) -> bool:
        """Tell whether a lease was neither lost nor released; it may be in doubt."""
        return self._leases.get(lease.camera) == lease

    def has(self, camera: CameraId) -> bool:
        """Tell whether there is a lease of a camera, be it in doubt."""
        return camera in self._leases

    def is_doubted(self, lease: Lease) -> bool:
        """Tell whether a lease waits for its record to be read."""
        return lease.camera in self._doubted

    def add(self, lease: Lease) -> None:
        """Hold one more."""
        self._leases[lease.camera] = lease
        self._doubted.discard(lease.camera)

    def confirm(self, lease: Lease) -> None:
        """Doubt a lease no more."""
        if self.is_held(lease):
            self._doubted.discard(lease.camera)

    def remove(self, lease: Lease) -> bool:
        """Hold a lease no more; False when it was not held."""
        if not self.is_held(lease):
            return False
        del self._leases[lease.camera]
        self._doubted.discard(lease.camera)
        return True

    def _is_awake(self, now_s: float) -> bool:
        if now_s - self._spoke_s <= SILENT_AFTER_S:
            return True
        self._doubted = set(self._leases)
        return False
