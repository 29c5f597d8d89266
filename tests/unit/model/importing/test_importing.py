"""A foreign ONNX becomes a model of ours: the boxes that it gives are those that our pipeline finds."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from model.importing.importing import ImportConfig, import_model
from model.importing.source import Wanted
from services.cli.detect_command import detections_in
from services.core.errors import BadInputError
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.metadata import read_metadata
from services.detector.infer.models import read_info
from tests.foreign_models import (
    CLASSES,
    HEIGHT,
    LAYOUTS,
    TRUTH,
    WIDTH,
    rt_detr,
    ssd_torch,
    torchvision,
    write_block_model,
    write_model,
    yolo26,
    yolov5,
    yolov8,
)

NAMES = {"names": str(dict(enumerate(CLASSES)))}


def picture(width: int = 120, height: int = 50) -> np.ndarray:
    """A picture of another shape than the input's: it is letterboxed."""
    return np.random.default_rng(3).integers(0, 255, (height, width, 3)).astype(np.uint8)


def imported(source: Path, folder: Path, **options) -> Path:
    output = folder / "ours.onnx"
    import_model(ImportConfig(source, output, **options), picture())
    return output


def expected(width: int, height: int) -> dict[tuple[str, float], list[float]]:
    """The truth in shares of a picture of this size, by class and score."""
    scale = min(WIDTH / width, HEIGHT / height)
    size = np.array([round(width * scale), round(height * scale)])
    offset = (np.array([WIDTH, HEIGHT]) - size) // 2
    found = {}
    for *box, name, score in TRUTH:
        corners = ((np.array(box).reshape(2, 2) - offset) / size).clip(0, 1).reshape(-1)
        found[CLASSES[int(name)], round(float(score), 2)] = [float(value) for value in corners]
    return found


@pytest.mark.parametrize("make", LAYOUTS, ids=lambda make: make.__name__)
def test_the_boxes_of_each_layout_come_out_as_they_are(make, tmp_path: Path) -> None:
    source = write_model(tmp_path / "theirs.onnx", make().outputs, metadata=NAMES)
    detector = OnnxRuntimeDetector(imported(source, tmp_path))
    for width, height in ((96, 64), (120, 50), (48, 64)):
        found = detections_in(picture(width, height), detector, 0.25)
        wanted = expected(width, height)
        assert {(one.class_name, round(one.confidence, 2)) for one in found} == set(wanted)
        for one in found:
            assert one.box == pytest.approx(wanted[one.class_name, round(one.confidence, 2)], abs=0.02)


def test_what_was_made_says_what_it_is_and_where_it_comes_from(tmp_path: Path) -> None:
    source = write_model(tmp_path / "site.onnx", yolov8().outputs, metadata=NAMES)
    output = imported(source, tmp_path, confidence=0.4)
    info = read_info(output)
    assert (info.name, info.task, info.classes) == ("ours", "detect", CLASSES)
    assert (info.input_width, info.input_height, info.confidence) == (WIDTH, HEIGHT, 0.4)
    written = json.loads(read_metadata(output)["sightline"])
    assert written["source"] == "site.onnx"
    assert written["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    with pytest.raises(BadInputError, match="is a Sightline model already"):
        imported(output, tmp_path)


FORMS = {
    "float16": {"input_type": TensorProto.FLOAT16},
    "bytes, colours last": {"input_type": TensorProto.UINT8, "shape": (1, HEIGHT, WIDTH, 3)},
    "any size": {"shape": ("batch", 3, "height", "width")},
    "an old opset": {"opset": 9},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_inputs_of_each_form_are_fed(form, tmp_path: Path) -> None:
    source = write_model(tmp_path / "theirs.onnx", yolov8().outputs, metadata=NAMES, **form)
    output = imported(source, tmp_path, wanted=Wanted((WIDTH, HEIGHT)))
    assert len(detections_in(picture(), OnnxRuntimeDetector(output), 0.25)) == len(TRUTH)


def test_what_a_graph_takes_beside_the_picture_is_given(tmp_path: Path) -> None:
    sizes = {"orig_target_sizes": (TensorProto.INT64, (1, 2))}
    source = write_model(tmp_path / "theirs.onnx", rt_detr().outputs, metadata=NAMES, extra_inputs=sizes)
    assert len(detections_in(picture(), OnnxRuntimeDetector(imported(source, tmp_path)), 0.25)) == 4
    odd = write_model(
        tmp_path / "odd.onnx",
        rt_detr().outputs,
        metadata=NAMES,
        extra_inputs={"prompt": (TensorProto.INT64, (1, 9))},
    )
    with pytest.raises(BadInputError, match="it takes prompt beside the picture"):
        imported(odd, tmp_path)


def test_colours_come_as_the_network_is_trained_with(tmp_path: Path) -> None:
    """A detector that sees red finds what is red, and in the other order of colours what is blue."""
    source = write_block_model(tmp_path / "theirs.onnx")
    shown = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    shown[20:44, 40:64] = (0, 0, 255)
    for is_bgr, name in ((False, "helmet"), (True, "vest")):
        detector = OnnxRuntimeDetector(imported(source, tmp_path, wanted=Wanted(is_bgr=is_bgr)))
        (found,) = detections_in(shown, detector, 0.25)
        assert found.class_name == name
        assert found.box == pytest.approx((40 / 96, 20 / 64, 64 / 96, 44 / 64), abs=0.02)


def test_weights_beside_the_file_are_taken_in(tmp_path: Path) -> None:
    source = write_model(tmp_path / "theirs.onnx", yolov8().outputs, metadata=NAMES)
    apart = tmp_path / "apart"
    apart.mkdir()
    model = onnx.load(str(source))
    place = str(apart / "theirs.onnx")
    onnx.save(model, place, save_as_external_data=True, location="weights.bin", size_threshold=16)
    output = imported(apart / "theirs.onnx", tmp_path)
    assert len(detections_in(picture(), OnnxRuntimeDetector(output), 0.25)) == len(TRUTH)
    (apart / "weights.bin").unlink()
    with pytest.raises(BadInputError, match="which is not beside it"):
        imported(apart / "theirs.onnx", tmp_path)


def odd_grid() -> dict[str, np.ndarray]:
    return {"output0": np.random.default_rng(0).random((1, 40, 126)).astype(np.float32)}


REFUSED = {
    "names no classes": (yolov8().outputs, {}, {}, "give --classes with 3 names"),
    "names too many": (yolov8().outputs, {"classes": ("a", "b", "c", "d")}, {}, "no layout that is known"),
    "scores of others": (ssd_torch().outputs, {"classes": ("a",)}, {}, "scores 4 classes, but 1 are named"),
    "is segmentation": (odd_grid(), {"classes": CLASSES}, {}, "segmentation, keypoints"),
    "says so itself": (yolov8().outputs, {}, {"task": "pose"}, "made for the task pose"),
    "one number": ({"score": np.float32([0.5])}, {"classes": CLASSES}, {}, "gives no boxes"),
    "another size": (yolov8().outputs, {"wanted": Wanted((64, 64))}, NAMES, "is 96x64 for good"),
    "outside": (
        {"output0": yolo26().outputs["output0"] * np.float32([9, 9, 9, 9, 1, 1])},
        {},
        NAMES,
        "lie outside of the picture",
    ),
    "offsets": (
        {"boxes": np.random.default_rng(0).normal(0, 1, (1, 120, 4)).astype(np.float32)}
        | {"scores": ssd_torch().outputs["scores"]},
        {},
        NAMES,
        "offsets from anchors",
    ),
    "no numbers": (
        {"output0": np.where(yolov5().outputs["output0"] > 60, np.nan, yolov5().outputs["output0"])},
        {},
        NAMES,
        "values that are no numbers",
    ),
}


@pytest.mark.parametrize(("outputs", "options", "metadata", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_understood_is_refused_with_the_reason(
    outputs, options, metadata, words, tmp_path: Path
) -> None:
    source = write_model(tmp_path / "theirs.onnx", outputs, metadata=metadata)
    with pytest.raises(BadInputError, match=words):
        imported(source, tmp_path, **options)
    assert not (tmp_path / "ours.onnx").exists()


def test_a_label_can_begin_with_one(tmp_path: Path) -> None:
    labels = dict(torchvision().outputs) | {"labels": np.int64([1, 2, 1, 1])}
    source = write_model(tmp_path / "theirs.onnx", labels, metadata=NAMES)
    for first, name in ((None, "helmet"), (0, "head")):
        detector = OnnxRuntimeDetector(imported(source, tmp_path, first_label=first))
        found = detections_in(picture(96, 64), detector, 0.85)
        assert [one.class_name for one in found] == [name]


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    for content in (b"", b"no model", write_model(path, yolov8().outputs).read_bytes()[:-900]):
        path.write_bytes(content)
        with pytest.raises(BadInputError):
            imported(path, tmp_path)
    source = write_model(path, yolov8().outputs, shape=(1, 4, HEIGHT, WIDTH), metadata=NAMES)
    with pytest.raises(BadInputError, match="no colour picture"):
        imported(source, tmp_path)
    source = write_model(path, yolov8().outputs, shape=(1, 3, "h", "w"), metadata=NAMES)
    with pytest.raises(BadInputError, match="give the one to use, as --input 640x640"):
        imported(source, tmp_path)
    with pytest.raises(BadInputError, match="multiples of 32"):
        imported(source, tmp_path, wanted=Wanted((100, 64)))
