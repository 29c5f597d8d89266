"""The command line: every command in one place, and errors as one clear line."""

import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import typer

from services.cli.console import notes
from services.cli.errors import FAILED, explain

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
    ("set-password", "services.cli.set_password", "set_password_command"),
    ("bootstrap", "services.cli.bootstrap.command", "bootstrap_command"),
    ("install-service", "services.cli.install_service", "install_service_command"),
    ("doctor", "services.cli.doctor", "doctor_command"),
)
"""Name, module and function of each command."""

SERVE = "serve"
"""The command with commands of its own."""


@app.callback()
def _root() -> None:
    """Counts that people can trust, from ordinary IP cameras."""


def _register(arguments: Sequence[str]) -> None:
    """Load the command that is asked for, all of them for a list: a service must start fast.

    A container has the packages of its service only: the list leaves out what cannot run there.
    """
    asked = arguments[0] if arguments else ""
    known = {name for name, _, _ in COMMANDS} | {SERVE}
    for name, module, function in COMMANDS:
        if name == asked:
            app.command(name)(_load(module, function))
        elif asked not in known:
            with suppress(ModuleNotFoundError):
                app.command(name)(_load(module, function))
    if asked == SERVE or asked not in known:
        app.add_typer(importlib.import_module("services.cli.serve.command").app)


def _load(module: str, function: str) -> Callable[..., Any]:
    command: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return command


def main() -> None:
    """Run the command line: exit 0 good, 1 failed, 2 bad input with one line on stderr."""
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
