"""Each kind of error has its exit code, its one line, and no secret in it."""

import click
import pytest
import typer

from services.cli.main import explain
from services.core.errors import BadInputError, StoppedError, StreamError


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (BadInputError("no such\n  file"), "no such file", 2),
        (StoppedError("runs/a: stopped"), "runs/a: stopped", 130),
        (StreamError("rtsp://user:secret@host/ does not answer"), "rtsp://user:***@host/ does not answer", 1),
        (typer.BadParameter("not a number"), "Invalid value: not a number", 2),
        (click.UsageError("no such option"), "no such option", 2),
        (typer.Abort(), "stopped", 130),
        (KeyboardInterrupt(), "stopped", 130),
    ],
)
def test_foreseen(error: BaseException, text: str, code: int) -> None:
    assert explain(error) == (text, code)


def test_a_bug_keeps_its_traceback() -> None:
    assert explain(ZeroDivisionError()) is None


def test_usage_errors_of_a_real_command_line_are_foreseen() -> None:
    app = typer.Typer()

    @app.command()
    def number(value: int) -> None:
        typer.echo(value)

    with pytest.raises(Exception) as caught:
        app(["none"], standalone_mode=False)
    explained = explain(caught.value)
    assert explained is not None
    assert explained[1] == 2
