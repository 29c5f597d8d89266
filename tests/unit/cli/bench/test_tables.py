import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from model.zoo.table import Table
from services.cli.bench import command, tables
from services.core.errors import BadInputError

TABLE = ("models", "--table", "detectors")


def run(*arguments: str) -> str:
    """What a command prints; raises what it raises."""
    result = CliRunner().invoke(command.app, arguments, catch_exceptions=False)
    return " ".join(result.output.split())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The settings with which tables are asked for, in place of making one."""
    found: list[Any] = []

    def make_table(settings: Any, step: Any) -> Table:
        found.append(settings)
        if settings.samples_file is not None:
            settings.samples_file.write_text('{"samples": []}')
        step("first", 0.5)
        step("second", 1.0)
        return Table("detectors", "Detectors", "", ("a",), [("1",), ("2",)], "")

    load = tables.load_module

    def load_module(name: str) -> Any:
        fake = SimpleNamespace(make_table=make_table, check_rows=lambda only: None)
        return fake if name.endswith(".making") else load(name)

    monkeypatch.setattr(tables, "load_module", load_module)
    return found


def test_a_table_is_made_as_asked_and_put_into_the_document(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = "--data a --data b@0.5 --only ssd --shown 100 --seed 3 --threads 2 --rounds 7 --no-train"
    shown = run(*TABLE, *options.split(), "--document", "figures.md", "--json", "samples.json")
    assert "first second figures.md: 2 rows of the table detectors" in shown
    assert "| 2 |" in (tmp_path / "figures.md").read_text()
    (settings,) = asked
    assert [(one.folder.name, one.repeat) for one in settings.data] == [("a", 1.0), ("b", 0.5)]
    assert settings.only == ("ssd",) and settings.shown == 100 and not settings.trains
    assert (settings.seed, settings.threads, settings.rounds) == (3, 2, 7)
    assert settings.runs == Path("runs/zoo/detectors") and settings.samples_file == Path("samples.json")


def test_the_samples_of_a_table_can_go_to_stdout(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command.app, [*TABLE, "--data", "a", "--document", "b.md", "--json", "-"])
    assert json.loads(result.stdout) == {"samples": []}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.md", "runs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (),
            "give --speed, GB-YOLO's against YOLOv5's, or --table with detectors, classifiers or small-faces",
        ),
        (("--speed", "--table", "detectors"), "there are two comparisons"),
        (("--table", "cars", "--data", "x"), "no table 'cars': give detectors, classifiers or small-faces"),
        (("--table", "detectors"), "give --data FOLDER"),
        (("--table", "detectors", "--size", "n"), "--size is not for this comparison"),
        (("--speed", "--no-train"), "--no-train is not for this comparison"),
        (("--table", "detectors", "--data", "x@0"), "after @ stands how often"),
        (("--table", "detectors", "--data", "x", "--document", "absent/b.md"), "there is no folder absent"),
        (("--table", "detectors", "--data", "demo@x"), "after @ stands how often"),
        (("--table", "detectors", "--data", "x", "--document", "figures"), "name ends with .md"),
        (("--table", "detectors", "--data", "x", "--document", "bytes.md"), "is no text that can be read"),
        (
            ("--table", "detectors", "--data", "x", "--runs", "bytes.md/runs"),
            "cannot be made: Not a directory",
        ),
        (("--table", "detectors", "--data", "x", "--finder-file", "y"), "is for the table classifiers"),
        (("--speed", "--input", "1000000"), "no multiple of 32 up to 4096"),
        (("--speed", "--json", "absent/x.json"), "there is no folder absent"),
    ],
)
def test_bad_input_is_told_in_one_line(
    arguments: tuple[str, ...],
    message: str,
    asked: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match=message):
        run("models", *(arguments + (() if "--document" in arguments else ("--document", "b.md"))))
    assert not asked


@pytest.mark.parametrize("table", tables.TABLES)
def test_a_row_that_is_none_is_refused_before_anything_is_rendered(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "with_demo", lambda *_: pytest.fail("it was rendered"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInputError, match="no row 'yolo9'"):
        run("models", "--table", table, "--data", "demo", "--only", "yolo9", "--document", "b.md")
