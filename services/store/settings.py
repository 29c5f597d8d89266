"""Settings of the store."""

from pydantic import Field

from services.common.retention_settings import RetentionSettings
from services.common.service_settings import ServiceSettings


class StoreSettings(ServiceSettings, RetentionSettings):
    """How long records are kept. The database's address comes from `SIGHTLINE_MONGODB_URI` alone."""

    batch_events: int = Field(500, ge=1, le=10_000)
    """Events that are written and acknowledged together."""
