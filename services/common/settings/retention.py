"""How long records are kept: the keys that `up` and the store share."""

from pydantic import Field

from services.common.database.schema import Retention
from services.common.settings.files import Settings

Days = float
LONGEST_DAYS = 36_500


class RetentionSettings(Settings):
    """Days for which each kind of record is kept."""

    crossings_days: Days = Field(400, gt=0, le=LONGEST_DAYS)
    minutes_days: Days = Field(400, gt=0, le=LONGEST_DAYS)
    analysed_days: Days = Field(400, gt=0, le=LONGEST_DAYS)
    trajectories_days: Days = Field(30, gt=0, le=LONGEST_DAYS)
    statuses_days: Days = Field(90, gt=0, le=LONGEST_DAYS)
    audit_days: Days = Field(400, gt=0, le=LONGEST_DAYS)

    @property
    def retention(self) -> Retention:
        """What the store deletes by."""
        return Retention(
            crossings_days=self.crossings_days,
            minutes_days=self.minutes_days,
            analysed_days=self.analysed_days,
            trajectories_days=self.trajectories_days,
            statuses_days=self.statuses_days,
            audit_days=self.audit_days,
        )
