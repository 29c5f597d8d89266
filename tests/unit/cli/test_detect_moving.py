"""`sightline detect` of videos and webcams, and the pictures of before; with models of two stages."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from services.cli import count_command, detect_command
from services.cli.count_command import count
from services.cli.detect_command import DetectOptions, run_detect
from services.cli.detect_video import TimedPictures, open_webcam
from services.core.errors import BadInputError
from services.detector.decode.file import VideoFile
from services.detector.infer.classifier import OnnxRuntimeClassifier
from services.detector.infer.detector import Faces
from tests.stand_in_models import write_classifier, write_finder

SIZE = (96, 72)
FPS, FRAMES = 10, 12
STATES = ["mask", "mask_incorrect"]


def picture(left: tuple[int, int, int] = (255, 0, 0), right: tuple[int, int, int] = (0, 0, 255)):
    """A BGR picture: the classifier sees a mask in the blue half, one that is worn wrongly in the red one."""
    canvas = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    canvas[:, : SIZE[0] // 2], canvas[:, SIZE[0] // 2 :] = left, right
    return canvas


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a picture, and beside it a clip and a model of two stages."""
    folder = tmp_path_factory.mktemp("detect")
    rows = [(16.0, 24.0, 16.0, 24.0, 0.0, 0.9, 0.0), (48.0, 24.0, 16.0, 24.0, 0.8, 0.0, 0.0)]
    write_finder(folder / "faces.onnx", rows)
    write_classifier(folder / "colours.onnx")
    (folder / "pictures").mkdir()
    cv2.imwrite(str(folder / "pictures" / "a.png"), picture())
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        for _ in range(FRAMES):
            container.mux(stream.encode(VideoFrame.from_ndarray(picture(), format="bgr24")))
        container.mux(stream.encode(None))
    return folder


@pytest.fixture
def options(folder: Path, tmp_path: Path) -> DetectOptions:
    model = f"{folder / 'faces.onnx'}+{folder / 'colours.onnx'}"
    return DetectOptions(model, json_output=tmp_path / "found.json", save=tmp_path / "saved")


def found(options: DetectOptions) -> list[dict]:
    assert options.json_output is not None
    return json.loads(options.json_output.read_text())


def saved(options: DetectOptions, name: str) -> Path:
    assert options.save is not None
    return options.save / name


def differs(path: Path) -> bool:
    """Whether something is drawn in the pictures of a video."""
    with VideoFile(path) as video:
        _, first = next(video.pictures())
    changed = np.abs(first.to_ndarray(format="bgr24").astype(int) - picture().astype(int)).max(axis=2) > 60
    return changed.mean() > 0.03


def no_webcam(number: int):
    raise AssertionError(f"camera {number} is not asked for")


def test_every_picture_of_a_video_has_its_entry(folder: Path, options: DetectOptions) -> None:
    run_detect(folder / "clip.mp4", options, no_webcam)
    entries = found(options)
    assert [(entry["frame"], entry["time"]) for entry in entries] == [(n, n / FPS) for n in range(FRAMES)]
    for entry in entries:
        assert (entry["image"], entry["width"], entry["height"]) == ("clip.mp4", *SIZE)
        assert sorted(item["class"] for item in entry["detections"]) == STATES
        assert all(set(item) == {"class", "confidence", "box"} for item in entry["detections"])
    with VideoFile(saved(options, "clip.mp4")) as video:
        assert (len(list(video.pictures())), video.size) == (FRAMES, SIZE)
    assert differs(saved(options, "clip.mp4"))
    assert not differs(folder / "clip.mp4")


def test_a_part_of_a_video_by_a_model_of_one_stage(folder: Path, options: DetectOptions) -> None:
    one_stage = replace(options, model=str(folder / "faces.onnx"), seconds=0.45, save=None)
    run_detect(folder / "clip.mp4", one_stage, no_webcam)
    assert [entry["frame"] for entry in found(options)] == [0, 1, 2, 3, 4]
    assert {item["class"] for entry in found(options) for item in entry["detections"]} == {"mask", "no_mask"}


def test_a_video_is_known_by_what_is_in_it(folder: Path, options: DetectOptions, tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes((folder / "clip.mp4").read_bytes())
    (tmp_path / "photo").write_bytes((folder / "pictures" / "a.png").read_bytes())
    run_detect(tmp_path / "clip", replace(options, save=None), no_webcam)
    assert len(found(options)) == FRAMES
    run_detect(tmp_path / "photo", replace(options, save=None), no_webcam)
    assert [set(entry) for entry in found(options)] == [{"image", "width", "height", "detections"}]


def test_pictures_have_the_entries_of_before(folder: Path, options: DetectOptions) -> None:
    run_detect(folder / "pictures", options, no_webcam)
    (entry,) = found(options)
    assert list(entry) == ["image", "width", "height", "detections"]
    assert [item["class"] for item in entry["detections"]] == STATES
    assert saved(options, "a.png").is_file()


@contextmanager
def shown(on_picture: Callable[[int], None] = lambda number: None) -> Iterator[TimedPictures]:
    """A webcam that shows the same for ever."""

    def pictures() -> TimedPictures:
        number = 0
        while True:
            on_picture(number)
            yield number / FPS, VideoFrame.from_ndarray(picture(), format="bgr24")
            number += 1

    yield pictures()


def test_a_webcam_is_looked_at_for_some_seconds(options: DetectOptions) -> None:
    asked: list[int] = []

    def open_camera(number: int):
        asked.append(number)
        return shown()

    run_detect(Path("2"), replace(options, seconds=0.95), open_camera)
    entries = found(options)
    assert asked == [2]
    assert [(entry["image"], entry["frame"]) for entry in entries] == [("camera 2", n) for n in range(10)]
    assert sorted(item["class"] for item in entries[-1]["detections"]) == STATES
    assert differs(saved(options, "camera-2.mp4"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_webcam_is_looked_at_until_somebody_ends_it(options: DetectOptions, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    run_detect(
        Path("0"),
        options,
        lambda _: shown(lambda place: os.kill(os.getpid(), number) if place == 4 else None),
    )
    assert len(found(options)) in (4, 5)
    assert saved(options, "camera-0.mp4").is_file()
    assert signal.getsignal(number) == before


def test_a_webcam_that_is_not_there(options: DetectOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def __init__(self, number: int) -> None:
            self.released = 0

        def isOpened(self) -> bool:
            return False

        def release(self) -> None:
            self.released += 1

    monkeypatch.setattr(cv2, "VideoCapture", Nothing)
    with pytest.raises(BadInputError, match="there is no camera 7 that can be opened"):
        run_detect(Path("7"), options, open_webcam)
    assert not list(saved(options, "x").parent.iterdir())


def test_a_webcam_that_shows_nothing(options: DetectOptions) -> None:
    @contextmanager
    def empty() -> Iterator[TimedPictures]:
        yield iter(())

    with pytest.raises(BadInputError, match="camera 0 shows no picture"):
        run_detect(Path("0"), options, lambda _: empty())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"seconds": 0.0}, "--seconds 0 makes no sense"),
        ({"seconds": float("nan")}, "--seconds nan makes no sense"),
        ({"confidence": 2.0}, "--conf 2 makes no sense"),
        ({"model": "traffic+mobilenetv2"}, "unknown model 'mobilenetv2'|finds no faces"),
        ({"save": "here"}, "is the folder that is read"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    folder: Path, options: DetectOptions, change: dict, complaint: str
) -> None:
    if "save" in change:
        change = {"save": folder}
    with pytest.raises(BadInputError, match=complaint):
        run_detect(folder / "clip.mp4", replace(options, **change), no_webcam)
    assert options.json_output is not None
    assert not options.json_output.exists()


def test_a_file_is_counted_by_two_stages_and_with_a_second_opinion(
    folder: Path, options: DetectOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, out = tmp_path / "lines.json", tmp_path / "counts.json"
    lines.write_text('{"lines":[{"id":"main","x1":0.1,"y1":0.9,"x2":0.9,"y2":0.9}]}')
    count(folder / "clip.mp4", lines, options.model, json_output=out)
    assert json.loads(out.read_text())["frames"] == FRAMES
    with pytest.raises(BadInputError, match="is no mask model of one stage"):
        count(folder / "clip.mp4", lines, options.model, verify=True)
    looks: list[int] = []

    class Noting(OnnxRuntimeClassifier):
        def probabilities(self, faces: Faces) -> Faces:
            looks.append(len(faces))
            return super().probabilities(faces)

    monkeypatch.setattr(count_command, "classifier_path", lambda name: folder / "colours.onnx")
    monkeypatch.setattr(count_command, "OnnxRuntimeClassifier", Noting)
    count(folder / "clip.mp4", lines, str(folder / "faces.onnx"), json_output=out, verify=True)
    assert sum(looks) >= 4, "both faces, each again after a while"
    with pytest.raises(BadInputError, match="--verify needs a video file"):
        count(None, lines, detections=lines, fps=10, verify=True)


def test_seconds_are_for_what_moves(folder: Path, options: DetectOptions) -> None:
    with pytest.raises(BadInputError, match="--seconds is for a video or a webcam"):
        run_detect(folder / "pictures", replace(options, seconds=1.0), no_webcam)


def test_a_file_may_have_a_number_for_its_name(
    folder: Path, options: DetectOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0").write_bytes((folder / "clip.mp4").read_bytes())
    monkeypatch.chdir(tmp_path)
    detect_command.detect(Path("0"), options.model, json_output=options.json_output, seconds=0.05)
    assert [entry["image"] for entry in found(options)] == ["0"]


@pytest.mark.parametrize("stage", ["faces.onnx", "colours.onnx"])
@pytest.mark.parametrize("source", ["clip.mp4", "pictures"])
def test_results_are_not_written_over_a_stage_of_the_model(
    folder: Path, options: DetectOptions, source: str, stage: str
) -> None:
    before = (folder / stage).read_bytes()
    with pytest.raises(BadInputError, match="is what is read"):
        run_detect(folder / source, replace(options, json_output=folder / stage), no_webcam)
    assert (folder / stage).read_bytes() == before


def test_videos_among_the_pictures_of_a_folder_are_named(
    folder: Path, options: DetectOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name in ("clip.mp4", "pictures/a.png"):
        (mixed / Path(name).name).write_bytes((folder / name).read_bytes())
    run_detect(mixed, options, no_webcam)
    assert [entry["image"] for entry in found(options)] == ["a.png"]
    assert "has 1 video(s), which are left out" in capsys.readouterr().err


def test_what_is_saved_takes_the_place_of_nothing(
    folder: Path, options: DetectOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert options.save is not None
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        for name in ("clip.mp4", "pictures/a.png"):
            (tmp_path / place / Path(name).name).write_bytes((folder / name).read_bytes())
            run_detect(tmp_path / place / Path(name).name, options, no_webcam)
        if place == "one":
            before = {path.name: path.read_bytes() for path in options.save.iterdir()}
    after = {path.name: path.read_bytes() for path in options.save.iterdir()}
    assert sorted(after) == ["a-2.png", "a.png", "clip-2.mp4", "clip.mp4"]
    assert after | before == after
    assert "clip.mp4 is there already: clip-2.mp4 is written" in " ".join(capsys.readouterr().err.split())


def test_pictures_that_cannot_be_read_cost_no_others(
    folder: Path, options: DetectOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    (mixed / "a.png").write_bytes(b"no picture")
    (mixed / "b.jpg").write_bytes(b"")
    os.mkfifo(mixed / "d.jpg")
    with pytest.raises(BadInputError, match=r"a\.png is no picture that can be read"):
        run_detect(mixed, options, no_webcam)
    (mixed / "c.png").write_bytes((folder / "pictures" / "a.png").read_bytes())
    run_detect(mixed, options, no_webcam)
    assert [entry["image"] for entry in found(options)] == ["c.png"]
    told = " ".join(capsys.readouterr().err.split())
    assert f"3 of 4 pictures are left out, the first one since {mixed / 'a.png'} is no picture" in told
