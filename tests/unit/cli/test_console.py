"""What the command line prints beside its results."""

from io import StringIO

import pytest
from rich.console import Console

from services.cli import console


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_bar_is_for_terminals_alone(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    notes = Console(file=StringIO(), force_terminal=is_terminal)
    monkeypatch.setattr(console, "notes", notes)
    with console.progress("counting", 3) as advance:
        advance(2)
    text = notes.file.getvalue()  # type: ignore[attr-defined]
    assert ("counting" in text) is is_terminal
    assert is_terminal or text == ""
