import json
import math
import os
import subprocess
import sys
from pathlib import Path

import onnx
import onnxruntime as ort
import pytest

from services.common.settings.cameras import CameraFiles
from services.core.errors import BadInputError
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.metadata import read_metadata
from services.detector.infer.models import (
    METADATA_KEY,
    WEIGHTS,
    check_named_model,
    model_path,
    read_info,
    read_stated,
    stage_paths,
)
from tests.processes import REPOSITORY
from tests.stand_in_models import write_classifier, write_finder

WITHOUT = {
    "store": ("av", "cv2", "google.protobuf", "numpy", "onnx", "onnxruntime", "openvino", "scipy"),
    "web": ("onnx", "onnxruntime", "openvino", "scipy"),
    "ingest": ("google.protobuf", "onnx", "onnxruntime", "openvino", "scipy"),
    "rtsp": ("google.protobuf", "onnx", "onnxruntime", "openvino", "scipy"),
}
"""What the image of a service does not have."""


@pytest.mark.parametrize("path", sorted(WEIGHTS.glob("*.onnx")), ids=lambda path: path.stem)
def test_metadata_is_what_the_engine_reads(path: Path):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert read_metadata(path) == session.get_modelmeta().custom_metadata_map != {}


@pytest.mark.parametrize(
    "content",
    [b"no model at all", b"\x3a\xff\xff\xff\x7f", b"\x3a\xff", b"\x08", b"\x72\x04\x0a\x02\xff\xfe", b""],
    ids=repr,
)
def test_other_files_are_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"other\.onnx"):
        read_info(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input", [64, 10**6]),
        ("input", [64, 0]),
        ("input", [math.inf, 64]),
        ("input", ["9" * 5000, 64]),
        ("confidence", math.nan),
        ("iou", 7),
        ("name", "red\x1b[31m"),
        ("name", "x" * 5000),
        ("name", ""),
        ("task", "mask\n"),
        ("classes", "mask"),
        ("classes", {"0": "mask"}),
        ("classes", [f"class {number}" for number in range(1001)]),
        ("classes", ["mask\u202e"]),
        ("classes", []),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_metadata_made_by_hand_are_held_to_bounds(tmp_path: Path, key: str, value: object):
    path = write_finder(tmp_path / "odd.onnx", [(16.0, 24.0, 16.0, 24.0, 0.0, 0.9, 0.0)])
    restate(path, json.dumps({**read_stated(path), key: value}))
    with pytest.raises(BadInputError, match=r"odd\.onnx") as refused:
        read_info(path)
    assert len(str(refused.value).splitlines()) == 1 and "\x1b" not in str(refused.value)


@pytest.mark.parametrize("text", ["[" * 200_000, "{", "[]"], ids=lambda text: text[:5])
def test_metadata_of_no_form_are_refused(tmp_path: Path, text: str):
    path = write_finder(tmp_path / "odd.onnx", [(16.0, 24.0, 16.0, 24.0, 0.0, 0.9, 0.0)])
    restate(path, text)
    with pytest.raises(BadInputError, match=r"odd\.onnx"):
        read_info(path)


@pytest.mark.parametrize("stated", [{"input": [64, 64]}, {"classes": ["mask"]}], ids=repr)
def test_a_network_that_is_another_one_than_is_stated_is_refused(tmp_path: Path, stated: dict[str, object]):
    path = write_finder(tmp_path / "odd.onnx", [(16.0, 24.0, 16.0, 24.0, 0.0, 0.9, 0.0)])
    restate(path, json.dumps(read_stated(path) | stated))
    with pytest.raises(BadInputError, match=r"network of .*odd\.onnx is not what its metadata state"):
        OnnxRuntimeDetector(path)


def restate(path: Path, text: str) -> None:
    """Have a model file state something else about itself."""
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {METADATA_KEY: text})
    onnx.save(model, path)


def test_a_model_that_is_cut_off_is_refused(tmp_path: Path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(next(WEIGHTS.glob("*.onnx")).read_bytes()[:-20])
    with pytest.raises(BadInputError, match=r"cut\.onnx is no ONNX model: .* cut off"):
        read_info(path)


@pytest.mark.parametrize("service", WITHOUT)
def test_service_starts_without_what_its_image_lacks(service: str):
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({WITHOUT[service]!r})); "
        f"import services.cli.serve.command, services.cli.serve.{service}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def _refusal(name: str, files: CameraFiles) -> str:
    with pytest.raises(BadInputError) as refused:
        check_named_model(name, files)
    return str(refused.value).replace(repr(name[:80]), "NAME")


def test_a_caller_learns_of_no_file_outside_of_the_folders(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    for there in ("outside.onnx", "mine/good.onnx", "mine/text.txt"):
        (tmp_path / there).touch()
    (tmp_path / "mine" / "link.onnx").symlink_to(tmp_path / "outside.onnx")
    files = CameraFiles.of([tmp_path / "mine"])
    within = ("absent.onnx", "text.txt", "link.onnx", "good", "x\0.onnx", "../outside.onnx")
    names = [f"{tmp_path}/{name}" for name in ("outside.onnx", "absent.onnx", "outside", "absent")]
    names += [f"{tmp_path}/mine/{name}" for name in within]
    names += [f"{'../' * 20}{tmp_path}/outside", "outside.onnx", "traffic-n.onnx", "", ".", "/"]
    assert len({_refusal(name, files) for name in names}) == 1
    for name in ("traffic", "mask-n", f"{tmp_path}/mine/good.onnx"):
        check_named_model(name, files)
    check_named_model(f"{tmp_path}/outside.onnx", CameraFiles.of([], [f"{tmp_path}/outside.onnx"]))
    check_named_model(f"{tmp_path}/mine/absent.onnx", files, sees_files=False)
    assert model_path(f"{tmp_path}/outside.onnx") == tmp_path / "outside.onnx"


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    return write_classifier(tmp_path / "second.onnx")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("{0}", "is a classifier, which looks at faces and finds none: .*face\\+mobilenetv2"),
        ("face", "unknown model 'face'"),
        ("face+absent", "unknown model '(face.)?absent'"),
        ("traffic+{0}", "'traffic' finds no faces \\(person, .*truck\\)"),
        ("face+traffic", "'traffic' is no classifier"),
        ("{0}+{0}", "is a classifier, which"),
    ],
)
def test_two_models_that_are_no_two_stages_are_refused(
    name: str, complaint: str, classifier: Path, tmp_path: Path
) -> None:
    files, given = CameraFiles.of([tmp_path]), name.format(classifier)
    for refuse in (stage_paths, lambda one: check_named_model(one, files)):
        with pytest.raises(BadInputError, match=complaint):
            refuse(given)


def test_two_stages_may_ship_or_lie_in_the_folders(classifier: Path, tmp_path: Path) -> None:
    files, name = CameraFiles.of([tmp_path]), f"face+{classifier}"
    check_named_model(name, files)
    check_named_model(f"{tmp_path}/far.onnx+{tmp_path}/away.onnx", files, sees_files=False)
    assert stage_paths(name) == (model_path("mask"), classifier)
    assert stage_paths("traffic") == (model_path("traffic"), None)
    with pytest.raises(BadInputError, match="has two stages"):
        model_path(name)
    outside = {_refusal(f"face+/srv/{end}.onnx", files) for end in ("absent", "there")}
    assert outside == {_refusal("absent.onnx+x.onnx", files)}
    with pytest.raises(BadInputError, match="unknown model"):
        check_named_model(f"face+{tmp_path}/far.onnx", CameraFiles(), sees_files=False)


def test_the_name_of_a_model_that_ships_is_no_path(tmp_path: Path):
    (tmp_path / "mine.onnx").touch()
    with pytest.raises(BadInputError):
        model_path(f"{tmp_path}/mine")


@pytest.mark.parametrize("package", ["services", "model"])
def test_the_engine_tells_nobody_what_it_does(package: str, tmp_path: Path) -> None:
    """Where it does, it gives the machine a number and keeps its messages in files at home."""
    model = WEIGHTS / "traffic-n.onnx"
    code = f"import {package}, onnxruntime; onnxruntime.InferenceSession({str(model)!r})"
    home = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", code], env=home, cwd=REPOSITORY, check=True, timeout=60)
    assert not list(tmp_path.iterdir())
