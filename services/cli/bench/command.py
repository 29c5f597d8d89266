"""`sightline bench`: what a frame costs, and what the model costs beside others."""

from typing import Any

import typer
from typer.core import TyperGroup

from services.cli.bench.frame import frame
from services.cli.bench.models import models

FRAME = "frame"


class FrameUnlessNamed(TyperGroup):
    """Takes arguments that begin with no command's name for those of `frame`: `bench VIDEO`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `frame` before arguments that name no command."""
        if not args or args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = [FRAME, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="bench",
    cls=FrameUnlessNamed,
    help="Measure the cost of a frame (`sightline bench [VIDEO]`), or the model beside others.",
)
app.command(FRAME)(frame)
app.command("models")(models)
