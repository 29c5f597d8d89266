import json
from pathlib import Path

import pytest

from services.cli.bench import engines as bench
from services.cli.bench.engines import engines
from services.core.errors import BadInputError
from services.detector.infer.select import EngineSettings, choice_of, make_detector, use_engines
from tests.stand_in_models import write_finder


def test_what_is_measured_is_shown_kept_and_taken_by_the_next_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    report = tmp_path / "report.json"
    engines(["traffic-n"], rounds=2, json_file=report, data=tmp_path / "data")
    shown = capsys.readouterr()
    assert "onnxruntime-cpu" in shown.out and "reference" in shown.out
    assert str(tmp_path / "data" / "engines") in shown.err.replace("\n", "")
    measured = json.loads(report.read_text())["models"]["traffic-n"]
    assert all(len(samples) == 2 for samples in measured["samples_ms"].values())
    assert {trial["engine"] for trial in measured["engines"] if trial["passed"]} == set(
        measured["samples_ms"]
    )
    use_engines(EngineSettings(tmp_path / "data" / "engines"))
    try:
        choice = choice_of(make_detector("traffic-n"))
    finally:
        use_engines(EngineSettings())
    assert choice.is_remembered and choice.chosen == measured["chosen"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="not remembered"):
        engines(["traffic-n"], rounds=1, data=tmp_path / "file")


def test_what_cannot_be_measured_or_written_is_refused_before_anything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bench, "measure_and_remember", lambda *arguments: pytest.fail("it measured"))
    model = write_finder(tmp_path / "mine.onnx", [])
    with pytest.raises(BadInputError, match="unknown model"):
        engines(["traffic-n", "absent"], data=tmp_path)
    with pytest.raises(BadInputError, match="there is no folder"):
        engines(["traffic-n"], json_file=tmp_path / "none" / "report.json", data=tmp_path)
    with pytest.raises(BadInputError, match="is what is read"):
        engines([str(model)], json_file=model, data=tmp_path)
