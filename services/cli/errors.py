"""How the command line ends when something goes wrong: one line on stderr, and a code for scripts."""

import click
import typer

from services.common.secrets import cut, redact
from services.core.errors import BadInputError, SightlineError, StoppedError

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

LONGEST_LINE = 4000
"""Characters of the one line: what is wrong may be a whole file of somebody else's."""

# Newer typer carries a click of its own, whose classes are not those of the package `click`.
USAGE_ERRORS: tuple[type[Exception], ...] = (
    click.ClickException,
    next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"),
)
ABORTS: tuple[type[BaseException], ...] = (click.Abort, typer.Abort, KeyboardInterrupt)


def explain(error: BaseException) -> tuple[str, int] | None:
    """Give the line to show and the exit code; None for what nobody foresaw, which deserves a traceback."""
    if isinstance(error, USAGE_ERRORS):
        return _one_line(_usage(error)), BAD_INPUT
    if isinstance(error, BadInputError):
        return _one_line(str(error)), BAD_INPUT
    if isinstance(error, StoppedError):
        return _one_line(str(error)), INTERRUPTED
    if isinstance(error, SightlineError):
        return _one_line(str(error)), FAILED
    if isinstance(error, ModuleNotFoundError):
        return f"the package {error.name} is not installed here (an image has those of its service)", FAILED
    if isinstance(error, ABORTS):
        return "stopped", INTERRUPTED
    return None


def _usage(error: Exception) -> str:
    """Give what is wrong with the command line, with the name of the option."""
    told = getattr(error, "format_message", None)
    return str(told() if callable(told) else error)


def _one_line(text: str) -> str:
    return " ".join(redact(cut(text, LONGEST_LINE)).split())
