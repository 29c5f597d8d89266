from pathlib import Path

import pytest

from services.cli import model_commands
from services.core.errors import BadInputError


@pytest.mark.parametrize(
    ("source", "task", "expected", "scene"),
    [
        ("demo@0.5", "traffic", "{run}/demo@0.5", "traffic"),
        ("demo", "traffic", "{run}/demo", "traffic"),
        ("demo@0.5", "mask", "{run}/demo-masks@0.5", "masks"),
        ("mask=demo", "joint", "mask={run}/demo-masks", "masks"),
        ("traffic=demo@2", "joint", "traffic={run}/demo@2", "traffic"),
        ("x/demo@2", "traffic", "x/demo@2", None),
        ("mask=x/demo@2", "joint", "mask=x/demo@2", None),
    ],
)
def test_demo_stands_for_rendered_scenes_of_the_task(
    tmp_path: Path, monkeypatch, source: str, task: str, expected: str, scene: str | None
):
    made = []

    def write(folder: Path, seeds: range, pictures: int, validation: range, demo: str) -> None:
        made.append(demo)
        (folder / "labels" / "val").mkdir(parents=True)
        assert min(seeds) >= 1000 and min(validation) >= 1000
        assert not set(seeds) & set(validation)

    monkeypatch.setattr(model_commands, "write_dataset", write)
    for _ in range(2):
        assert model_commands.with_demo(source, tmp_path, task) == expected.format(run=tmp_path)
    assert made == ([scene] if scene else [])


def test_scenes_that_were_rendered_half_way_are_rendered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def write(folder: Path, *parts: object, demo: str) -> None:
        (folder / "labels" / "val").mkdir(parents=True)
        if not (tmp_path / "again").exists():
            (tmp_path / "again").touch()
            raise KeyboardInterrupt
        (folder / "labels" / "val" / "whole.txt").touch()

    monkeypatch.setattr(model_commands, "write_dataset", write)
    with pytest.raises(KeyboardInterrupt):
        model_commands.with_demo("demo", tmp_path, "mask")
    model_commands.with_demo("demo", tmp_path, "mask")
    assert (tmp_path / "demo-masks" / "labels" / "val" / "whole.txt").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "demo-masks"]


def test_a_joint_training_says_which_demo_it_wants(tmp_path: Path):
    with pytest.raises(BadInputError, match="traffic=demo or mask=demo"):
        model_commands.with_demo("demo", tmp_path, "joint")
