"""A file is written whole or not at all, and nothing of a failed one is left, on a full disk too."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from model.files import replacing as replacing_model
from services.cli.bootstrap.folder import FolderSink
from services.cli.bootstrap.material import Secret
from services.cli.console import write_json
from services.cli.video_output import annotated_video
from services.common.files import read_text, replacing, write_whole
from services.core.errors import BadInputError
from services.core.types import CameraId, TrackedFrame


def _names(folder: Path) -> set[str]:
    return {item.name for item in folder.rglob("*") if item.is_file()}


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Fill the disk: what is written does not get there."""

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return lambda: monkeypatch.setattr(os, "fsync", fail)


def test_a_file_takes_its_name_at_the_end_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path, 0o640) as draft:
        draft.write_text("new")
        assert (draft.stat().st_mode & 0o777, path.read_text()) == (0o600, "old")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert _names(tmp_path) == {"a.txt"}


@pytest.mark.parametrize("unfinished", [None, ".unfinished"])
def test_nothing_is_left_of_one_that_failed(tmp_path: Path, unfinished: str | None) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    name = None if unfinished is None else tmp_path / unfinished
    with pytest.raises(KeyboardInterrupt), replacing(path, unfinished=name) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert (path.read_text(), _names(tmp_path)) == ("old", {"a.txt"})


def test_what_a_killed_run_left_is_written_over(tmp_path: Path) -> None:
    left = tmp_path / ".unfinished"
    left.write_text("of a killed run")
    write_whole(tmp_path / "a.txt", "new", unfinished=left)
    assert (tmp_path / "a.txt").read_text() == "new"
    assert _names(tmp_path) == {"a.txt"}


def _write_video(folder: Path) -> None:
    with annotated_video(folder / "a.mp4", (64, 48), 10.0) as video:
        picture = VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")
        video.write(picture, TrackedFrame(CameraId("c"), 0, 0.0), (), {})


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: write_json(folder / "a.json", {"a": 1}),
        _write_video,
        lambda folder: FolderSink(folder).create(Secret("made", {"password": "x"})),
    ],
    ids=["json", "video", "secret"],
)
def test_a_full_disk_leaves_no_file_behind(
    write: Callable[[Path], object], full: Callable[[], None], tmp_path: Path
) -> None:
    full()
    with pytest.raises(BadInputError, match="cannot be written: No space left on device"):
        write(tmp_path)
    assert not _names(tmp_path)


def test_a_video_whose_counting_fails_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), annotated_video(tmp_path / "a.mp4", (64, 48), 10.0):
        raise RuntimeError("the counting failed")
    assert not _names(tmp_path)
    _write_video(tmp_path)
    assert _names(tmp_path) == {"a.mp4"}


def test_a_model_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    told = pytest.raises(BadInputError, match="cannot be written: No space left")
    with told, replacing_model(tmp_path / "a.onnx") as draft:
        draft.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not _names(tmp_path)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_ordinary_file_is_not_replaced(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "a"
    make(path)
    kind = path.stat().st_mode
    with pytest.raises(OSError, match="no ordinary file"), replacing(path):
        pass
    assert path.stat().st_mode == kind and _names(tmp_path) == set()


def test_json_goes_into_a_device_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_json(pipe, {"a": 1})
    assert os.read(reader, 100) == b'{\n "a": 1\n}\n' and pipe.is_fifo()
    os.close(reader)


def test_a_text_without_an_end_is_not_read_for_ever() -> None:
    with pytest.raises(OSError, match="too large"):
        read_text("/dev/zero", 2_000_000)
