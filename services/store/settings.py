"""Settings of the store."""

from pydantic import Field

from services.common.database import Retention
from services.common.service_settings import ServiceSettings
from services.common.space_limits import SpaceLimits

Days = float


class StoreSettings(ServiceSettings, SpaceLimits):
    """How long records are kept, and which while the disk fills.

    The database's address comes from `SIGHTLINE_MONGODB_URI` alone.
    """

    crossings_days: Days = Field(400, gt=0, le=36_500)
    minutes_days: Days = Field(400, gt=0, le=36_500)
    analysed_days: Days = Field(400, gt=0, le=36_500)
    trajectories_days: Days = Field(30, gt=0, le=36_500)
    statuses_days: Days = Field(90, gt=0, le=36_500)
    audit_days: Days = Field(400, gt=0, le=36_500)
    batch_events: int = Field(500, ge=1, le=10_000)
    """Events that are written and acknowledged together."""

    @property
    def retention(self) -> Retention:
        """What the repository keeps its records by."""
        return Retention(
            crossings_days=self.crossings_days,
            minutes_days=self.minutes_days,
            analysed_days=self.analysed_days,
            trajectories_days=self.trajectories_days,
            statuses_days=self.statuses_days,
            audit_days=self.audit_days,
        )
