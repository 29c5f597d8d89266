import json
from pathlib import Path

import pytest

from services.cli.bench.engines import engines
from services.core.errors import BadInputError
from services.detector.infer.select import EngineSettings, choice_of, make_detector, use_engines


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
