"""The way to one's own model is walked as it is written, with rendered pictures, few and small."""

import shlex
import subprocess
from pathlib import Path

import pytest

from services.cli.main import main
from tests.docs.commands import OWN_MODEL, REPOSITORY, Block, blocks_of
from tests.parcels import write_parcels

SMALLER = {
    "--data parcels --init": "--data parcels@8 --init",
    "--minutes 60": "--epochs 2 --input-px 96 --batch 4 --threads 1",
    "--width 640 --height 384": "--width 128 --height 128",
    "imgsz=640 epochs=100": "imgsz=96 epochs=1 batch=8 workers=0 device=cpu plots=False",
    "imgsz=384,640": "imgsz=96,128",
}
"""What stands for what is written."""


def _blocks(place: str) -> list[Block]:
    return [block for block in blocks_of(OWN_MODEL.read_text(encoding="utf-8")) if block.place == place]


def _smaller(block: Block) -> str:
    text = block.text
    for written, meant in SMALLER.items():
        text = text.replace(written, meant)
    return text


def _sightline(
    block: Block, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> str:
    monkeypatch.chdir(folder)
    for command in _smaller(block).splitlines():
        monkeypatch.setattr("sys.argv", shlex.split(command))
        with pytest.raises(SystemExit) as end:
            main()
            raise SystemExit(0)
        assert not end.value.code, capsys.readouterr().err
    shown = capsys.readouterr().out
    assert all(expected.is_met(shown) for expected in block.expectations), shown
    return shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's folder, in which Sightline's own folders are at hand."""
    folder = tmp_path_factory.mktemp("own")
    write_parcels(folder)
    for name in ("model", ".venv-ultralytics"):
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


@pytest.fixture(scope="module")
def trained_there(folder: Path, ultralytics_environment: Path) -> Path:
    """The folder after Ultralytics has trained and exported in it."""
    (block,) = _blocks("ultralytics")
    command = ["bash", "-euc", _smaller(block)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_all_that_is_made_smaller_is_written() -> None:
    document = OWN_MODEL.read_text(encoding="utf-8")
    assert not [written for written in SMALLER if written not in document]


def test_pictures_become_a_model_that_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, counted = [_sightline(block, monkeypatch, capsys, folder) for block in _blocks("model")]
    assert "1 parcel" in counted
    assert (folder / "counted.mp4").stat().st_size > 0


def test_ultralytics_trains_and_exports(trained_there: Path) -> None:
    weights = trained_there / "runs" / "theirs" / "weights"
    assert (weights / "best.pt").is_file() and (weights / "best.onnx").stat().st_size > 1_000_000


def test_its_model_comes_back(
    trained_there: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = _blocks("import")
    assert "belt" in _sightline(block, monkeypatch, capsys, trained_there)
