"""Settings of the store."""

from pydantic import Field

from services.common.settings.retention import RetentionSettings
from services.common.settings.service import ServiceSettings
from services.common.settings.space import SpaceLimits


class StoreSettings(ServiceSettings, RetentionSettings, SpaceLimits):
    """How long records are kept, and which while the disk fills.

    The database's address comes from `SIGHTLINE_MONGODB_URI` alone.
    """

    batch_events: int = Field(500, ge=1, le=10_000)
    """Events that are written and acknowledged together."""
