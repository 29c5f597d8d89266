"""The classes of a person's own pictures, and how their mistakes are told."""

from pathlib import Path

import pytest

from model.data.own_classes import own_classes
from model.data.samples import DataSource
from model.training.config import TrainConfig
from services.core.errors import BadInputError


def folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "data.yaml").write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("names", ["[helmet, head]", "{0: helmet, 1: head}", "{1: head, 0: ' helmet '}"])
def test_data_yaml_names_the_classes_as_a_list_or_by_number(tmp_path: Path, names: str) -> None:
    one = folder(tmp_path / "one", f"path: .\nnames: {names}\n")
    assert own_classes([one, tmp_path / "without"]) == ("helmet", "head")


def test_the_command_line_says_them_first(tmp_path: Path) -> None:
    assert own_classes([folder(tmp_path / "one", "names: [other]")], ["helmet", " head"]) == (
        "helmet",
        "head",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: []", "says no names"),
        ("nc: 2", "says no names"),
        ("names: {0: a, 2: b}", "without a gap"),
        ("names: {a: 0}", "without a gap"),
        ("names: [a, a]", "class 'a' comes twice"),
        ("names: ['']", "class '' is no name"),
        ('names: ["a\\nb"]', "is no name: give at most 60 characters"),
        ("names: [yes, other]", "called True, which is no text"),
        ("names: [~, other]", "called None, which is no text"),
        ("{names: [a, b], nc: 3}", "nc: 3 and names 2 classes"),
        ("names: [a", "no YAML"),
        (f"names: {list(range(1001))}", "1 to 1000 classes"),
    ],
)
def test_names_that_are_none_are_refused_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message) as refused:
        own_classes([folder(tmp_path / "one", text)])
    assert "data.yaml" in str(refused.value)


def test_somebody_has_to_say_them_and_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="which classes"):
        own_classes([tmp_path])
    one, two = folder(tmp_path / "one", "names: [a]"), folder(tmp_path / "two", "names: [b]")
    with pytest.raises(BadInputError, match="other classes than"):
        own_classes([one, two])


@pytest.mark.parametrize(("task", "classes"), [("own", ()), ("mask", ("helmet",))])
def test_classes_belong_to_the_task_own(tmp_path: Path, task: str, classes: tuple[str, ...]) -> None:
    with pytest.raises(BadInputError, match="classes are those of --task own"):
        TrainConfig((DataSource(tmp_path),), tmp_path / "run", task=task, classes=classes)


def test_a_task_that_is_mistyped_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no task 'traffik', there are traffic, mask, joint, own"):
        TrainConfig((DataSource(tmp_path),), tmp_path / "run", task="traffik")
