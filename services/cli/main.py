"""The command line: every command in one place, and errors as one clear line."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import click
import typer

from services.cli.console import notes
from services.core.errors import BadInputError, SightlineError

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
    ("bench", "services.cli.bench_command", "bench"),
    ("backup", "services.cli.backup", "backup_command"),
    ("restore", "services.cli.backup", "restore_command"),
    ("install-service", "services.cli.install_service", "install_service_command"),
    ("doctor", "services.cli.doctor", "doctor_command"),
)
"""Name, module and function of each command."""


def _register() -> None:
    for name, module, function in COMMANDS:
        command: Callable[..., Any] = getattr(importlib.import_module(module), function)
        app.command(name)(command)


def main() -> None:
    """Run the command line: exit 0 good, 1 failed, 2 bad input with one line on stderr."""
    _register()
    try:
        code = app(standalone_mode=False)
    except click.exceptions.Abort:
        _fail("stopped", 1)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except BadInputError as error:
        _fail(str(error), 2)
    except SightlineError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("stopped", 130)
    except BrokenPipeError:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(text: str, code: int) -> None:
    notes.print(
        f"sightline: {' '.join(text.split())}",
        style="bold red",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    sys.exit(code)
