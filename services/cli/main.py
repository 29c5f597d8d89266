"""The command line: every command in one place, and errors as one clear line."""

import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import click
import typer

from services.cli.console import notes, shown
from services.common.connections.descriptors import raise_descriptor_limit
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

app = typer.Typer(
    name="sightline",
    help="Counts that people can trust, from ordinary IP cameras.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("up", "services.cli.up_command", "up"),
    ("count", "services.cli.count_command", "count"),
    ("detect", "services.cli.detect_command", "detect"),
    ("models", "services.cli.models_command", "models_command"),
    ("train", "services.cli.model_commands", "train"),
    ("evaluate", "services.cli.model_commands", "evaluate"),
    ("export", "services.cli.model_commands", "export"),
    ("quantize", "services.cli.quantize_command", "quantize"),
    ("import-model", "services.cli.import_command", "import_model_command"),
    ("backup", "services.cli.backup", "backup_command"),
    ("restore", "services.cli.backup", "restore_command"),
    ("retention", "services.cli.retention_command", "retention_command"),
    ("set-password", "services.cli.set_password", "set_password_command"),
    ("bootstrap", "services.cli.bootstrap.command", "bootstrap_command"),
    ("install-service", "services.cli.install_service", "install_service_command"),
    ("doctor", "services.cli.doctor", "doctor_command"),
)
"""Name, module and function of each command."""

GROUPS: tuple[tuple[str, str], ...] = (
    ("bench", "services.cli.bench.command"),
    ("serve", "services.cli.serve.command"),
)
"""Name and module of the commands with commands of their own."""


@app.callback()
def _root() -> None:
    """Counts that people can trust, from ordinary IP cameras."""


def _register(arguments: Sequence[str]) -> None:
    """Load the command that is asked for, all of them for a list: a service must start fast.

    A container has the packages of its service only: the list leaves out what cannot run there.
    """
    asked = arguments[0] if arguments else ""
    parts: dict[str, Callable[[], None]] = {
        **{name: partial(_add_command, name, module, function) for name, module, function in COMMANDS},
        **{name: partial(_add_group, module) for name, module in GROUPS},
    }
    if asked in parts:
        parts[asked]()
        return
    for add in parts.values():
        with suppress(ModuleNotFoundError):
            add()


def _add_command(name: str, module: str, function: str) -> None:
    app.command(name)(getattr(importlib.import_module(module), function))


def _add_group(module: str) -> None:
    app.add_typer(importlib.import_module(module).app)


def main() -> None:
    """Run the command line: exit 0 good, 1 failed, 2 bad input with one line on stderr."""
    raise_descriptor_limit()
    try:
        _register(sys.argv[1:])
        code = app(standalone_mode=False)
    except BrokenPipeError:
        sys.exit(FAILED)
    except BaseException as error:
        explained = explain(error)
        if explained is None:
            raise
        text, exit_code = explained
        if text:
            notes.print(f"sightline: {text}", style="bold red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(exit_code)
    sys.exit(code if isinstance(code, int) else 0)


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
    message = getattr(error, "format_message", None)
    return str(message() if callable(message) else error)


def _one_line(text: str) -> str:
    return " ".join(shown(redact(cut(text, LONGEST_LINE))).split())
