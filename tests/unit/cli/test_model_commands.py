from pathlib import Path

import pytest

from services.cli import model_commands


@pytest.mark.parametrize(
    ("source", "expected"), [("demo@0.5", "{run}/demo@0.5"), ("demo", "{run}/demo"), ("x/demo@2", "x/demo@2")]
)
def test_demo_stands_for_rendered_scenes(tmp_path: Path, monkeypatch, source: str, expected: str):
    made = []

    def write(folder: Path, seeds: range, pictures: int, validation: range) -> None:
        made.append(folder)
        (folder / "labels" / "val").mkdir(parents=True)
        assert min(seeds) >= 1000 and min(validation) >= 1000
        assert not set(seeds) & set(validation)

    monkeypatch.setattr(model_commands, "write_dataset", write)
    for _ in range(2):
        assert model_commands._with_demo(source, tmp_path) == expected.format(run=tmp_path)
    assert made == ([tmp_path / "demo"] if source.startswith("demo") else [])
