"""Files that may be cameras: by folder, with links and `..` resolved, and nothing looked at outside."""

import math
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from services.common.settings.cameras import CameraFiles, Folders, check_url, validate_camera
from services.core.errors import BadInputError
from tests.makers import camera


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder of clips beside one that is nobody's business."""
    (tmp_path / "clips" / "more").mkdir(parents=True)
    (tmp_path / "clips" / "a.mp4").touch()
    (tmp_path / "clips-private").mkdir()
    (tmp_path / "clips-private" / "b.mp4").touch()
    (tmp_path / "clips" / "out").symlink_to(tmp_path / "clips-private")
    (tmp_path / "clips" / "b.mp4").symlink_to(tmp_path / "clips-private" / "b.mp4")
    (tmp_path / "clips" / "in.mp4").symlink_to("a.mp4")
    return tmp_path / "clips"


def test_files_within_a_folder(clips: Path) -> None:
    files = CameraFiles.of([clips])
    assert files.real_path(f"{clips}/a.mp4") == clips / "a.mp4"
    assert files.real_path(f"{clips}/in.mp4") == clips / "a.mp4"
    assert files.real_path(f"{clips}/more/../a.mp4") == clips / "a.mp4"
    assert files.real_path(f"{clips}/absent.mp4") == clips / "absent.mp4"


@pytest.mark.parametrize(
    "path",
    [
        "{}-private/b.mp4",
        "{}/../clips-private/b.mp4",
        "{}/b.mp4",
        "{}/out/b.mp4",
        "{}/out/absent.mp4",
        "{}",
        "/",
    ],
)
def test_files_outside(clips: Path, path: str) -> None:
    with pytest.raises(BadInputError, match="file_camera_folders"):
        CameraFiles.of([clips]).real_path(path.format(clips))
    with pytest.raises(BadInputError):
        CameraFiles().real_path(path.format(clips))


def test_nothing_outside_is_looked_at(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(os.path, "realpath", lambda path, **_: looked_at.append(str(path)) or str(path))
    for name in ("b.mp4", "absent.mp4"):
        with pytest.raises(BadInputError):
            CameraFiles.of([clips]).real_path(f"{clips}-private/{name}")
    assert looked_at == []


def test_a_folder_that_is_a_link_is_a_folder(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(clips)
    assert CameraFiles.of([tmp_path / "link"]).real_path(f"{tmp_path}/link/a.mp4") == clips / "a.mp4"


def test_a_file_that_was_named_itself(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clips.parent / "clips-private")
    files = CameraFiles.of([], ["b.mp4"])
    assert files.real_path("b.mp4") == clips.parent / "clips-private" / "b.mp4"
    assert files.real_path(f"{clips}-private/b.mp4") == clips.parent / "clips-private" / "b.mp4"
    with pytest.raises(BadInputError):
        files.real_path("c.mp4")


def test_the_setting() -> None:
    adapter = TypeAdapter(Folders)
    assert adapter.validate_python("/a:/b/c:") == (Path("/a"), Path("/b/c"))
    assert adapter.validate_python(["/a"]) == (Path("/a"),)
    with pytest.raises(ValidationError, match="full path"):
        adapter.validate_python(["clips"])


def test_a_file_of_this_machine_has_to_be_there(tmp_path: Path) -> None:
    video = tmp_path / "street.mp4"
    video.touch()
    check_url(str(video), sees_files=True)
    with pytest.raises(BadInputError, match="there is no file"):
        check_url(str(tmp_path / "absent.mp4"), sees_files=True)


def test_a_file_of_another_machine_is_left_to_whoever_opens_it() -> None:
    check_url("/videos/street.mp4", sees_files=False)
    with pytest.raises(BadInputError, match="no full path of a file"):
        check_url("street.mp4", sees_files=False)


@pytest.mark.parametrize(("model", "is_taken"), [("mask", True), ("own.onnx", True), ("face+x", False)])
def test_a_second_opinion_is_for_mask_models(model: str, is_taken: bool) -> None:
    given = replace(camera(), model=model, verify=True)
    if is_taken:
        assert validate_camera(given, lambda _: None) == given
        return
    with pytest.raises(BadInputError, match=f"model '{re.escape(model)}' is no mask model of one stage"):
        validate_camera(given, lambda _: None)
    validate_camera(replace(given, verify=False), lambda _: None)


@pytest.mark.parametrize("fps", [4, 10, 60])
def test_a_rate_that_can_be_counted_is_taken(fps: float) -> None:
    given = replace(camera(), fps=fps)
    assert validate_camera(given, lambda _: None) == given


def test_tiles_that_are_none_are_refused() -> None:
    given = replace(camera(), tiles="3x2")
    assert validate_camera(given, lambda _: None) == given
    with pytest.raises(BadInputError, match="tiles is '5x1': give columns by rows, 1x1 to 4x4"):
        validate_camera(replace(camera(), tiles="5x1"), lambda _: None)


@pytest.mark.parametrize("fps", [0, -1, 1, 1.5, 2, 3, 60.1, math.nan, math.inf])
def test_a_rate_that_cannot_be_counted_is_refused(fps: float) -> None:
    with pytest.raises(BadInputError, match=f"fps is {fps:g}: give 4 to 60 frames to analyse a second"):
        validate_camera(replace(camera(), fps=fps), lambda _: None)
