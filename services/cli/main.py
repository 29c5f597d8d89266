"""The command line: every command in one place, and errors as one clear line."""

import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import typer

from services.cli.console import notes
from services.cli.errors import FAILED, explain
from services.common.connections.descriptors import raise_descriptor_limit

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
