"""How much of the database's disk has to be free for what."""

from typing import Self

from pydantic import Field, model_validator

from services.common.settings.files import Settings


class SpaceLimits(Settings):
    """What is stored while the disk fills, in megabytes (2**20 bytes) that have to be free.

    What can best be done without goes first. What is not stored is logged and counted.
    """

    trajectories_free_mb: int = Field(500, ge=0)
    """Below this, the paths of tracks are not stored any more."""
    statuses_free_mb: int = Field(300, ge=0)
    """Below this, changes of cameras' status and entries of the audit log are not stored either."""
    counts_free_mb: int = Field(150, ge=0)
    """Below this nothing is written: crossings and the evidence of analysed seconds wait for room, within the
    bound of what may wait, and become a gap beyond it. The database itself needs some room to stay alive."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.trajectories_free_mb >= self.statuses_free_mb >= self.counts_free_mb:
            raise ValueError("trajectories_free_mb, statuses_free_mb and counts_free_mb must not rise")
        return self

    @property
    def space(self) -> "SpaceLimits":
        """These limits alone, without what else a settings class holds."""
        return SpaceLimits(
            trajectories_free_mb=self.trajectories_free_mb,
            statuses_free_mb=self.statuses_free_mb,
            counts_free_mb=self.counts_free_mb,
        )
