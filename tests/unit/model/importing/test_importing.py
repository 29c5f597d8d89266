"""A foreign ONNX becomes a model of ours: the boxes that it gives are those that our pipeline finds."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from model.importing.importing import ImportConfig, import_model
from model.importing.source import Wanted
from services.cli.detect_command import detections_in
from services.core.errors import BadInputError
from services.core.types import Detection
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.metadata import read_metadata
from services.detector.infer.models import read_info
from tests.foreign_models import (
    CELLS,
    CLASSES,
    HEIGHT,
    LAYOUTS,
    TRUTH,
    WIDTH,
    by_class,
    centred,
    filled,
    logits,
    rt_detr,
    shares,
    ssd_torch,
    torchvision,
    with_background,
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
        check_truth(detections_in(picture(width, height), detector, 0.25), width, height)


def check_truth(found: list[Detection], width: int, height: int) -> None:
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


@pytest.mark.parametrize("found", [0, 1])
def test_a_picture_with_next_to_nothing_on_it(tmp_path: Path, found: int) -> None:
    outputs = {name: values[:found] for name, values in torchvision().outputs.items()}
    path = imported(write_model(tmp_path / "a.onnx", outputs), tmp_path, classes=CLASSES)
    detections = detections_in(picture(), OnnxRuntimeDetector(path), 0.5)
    assert [one.class_name for one in detections] == ["helmet"][:found]


@pytest.mark.parametrize("form", [shares, lambda rows: centred(shares(rows)), lambda rows: rows[:, :4]])
@pytest.mark.parametrize("is_first", [True, False])
def test_four_columns_of_scores_are_not_taken_for_boxes(
    tmp_path: Path, form: Callable[[np.ndarray], np.ndarray], is_first: bool
) -> None:
    rows = filled(120)
    for scores, names in (
        (by_class(rows, 4), (*CLASSES, "boots")),
        (with_background(rows, True), CLASSES),
        (np.log(with_background(rows, True).clip(1e-6)), CLASSES),
    ):
        values = [scores[None], form(rows)[None]][:: 1 if is_first else -1]
        outputs = {"412": values[0], "419": values[1]}
        path = imported(write_model(tmp_path / "a.onnx", outputs), tmp_path, classes=names)
        check_truth(detections_in(picture(), OnnxRuntimeDetector(path), 0.5), 120, 50)


def other_tasks() -> dict[str, np.ndarray]:
    """What networks of other tasks give, each without a word about its task."""
    rows, rng = filled(CELLS), np.random.default_rng(2)
    keypoints = rng.uniform(0, WIDTH, (CELLS, 51)).astype(np.float32)
    outlines = rng.normal(0, 1, (CELLS, 32)).astype(np.float32)
    angles = rng.uniform(-0.7, 2.3, (CELLS, 1)).astype(np.float32)
    return {
        "pose": np.hstack([centred(rows), rows[:, 5:], keypoints]).T[None],
        "outlines": np.hstack([centred(rows), by_class(rows), outlines]).T[None],
        "turned boxes": np.hstack([centred(rows), by_class(rows), angles]).T[None],
        "classifier": rng.dirichlet(np.ones(20), 1).astype(np.float32),
    }


@pytest.mark.parametrize("task", other_tasks())
def test_what_is_no_detector_is_refused_whatever_classes_are_named(tmp_path: Path, task: str) -> None:
    values = other_tasks()[task]
    source = write_model(tmp_path / "a.onnx", {"output0": values})
    most = max(values.shape[1:]) if values.ndim == 2 else values.shape[1]
    for count in (1, 3, most - 4, most - 5):
        with pytest.raises(BadInputError, match="is in no layout"):
            imported(source, tmp_path, classes=tuple(f"c{number}" for number in range(count)))


@pytest.mark.parametrize(("offset", "refused"), [(-0.25, True), (0.0, False)])
def test_an_angle_that_happens_to_be_a_share_is_no_score(
    tmp_path: Path, offset: float, refused: bool
) -> None:
    """Turned boxes of one class have as many columns as upright ones with objectness."""
    path = write_gated_model(tmp_path / "a.onnx", offset)
    if refused:
        with pytest.raises(BadInputError, match=r"does not stay within 0\.\.1.*turned boxes"):
            imported(path, tmp_path, classes=("ship",))
    else:
        assert imported(path, tmp_path, classes=("ship",)).is_file()


def write_gated_model(path: Path, offset: float) -> Path:
    """Write a network without training, whose last column is a sigmoid and an offset."""
    rng = np.random.default_rng(3)
    boxes = np.tile(np.float32([40, 30, 20, 10]).reshape(1, 4, 1), (1, 1, CELLS))
    constants = {
        "weights": rng.normal(0, 0.02, (2, 3, 8, 8)).astype(np.float32),
        "shape": np.int64([1, 2, -1]),
        "offset": np.float32([0, offset]).reshape(1, 2, 1),
        "boxes": boxes[..., : (HEIGHT // 8) * (WIDTH // 8)],
    }
    nodes = [
        onnx.helper.make_node("Conv", ["images", "weights"], ["seen"], strides=[8, 8]),
        onnx.helper.make_node("Sigmoid", ["seen"], ["shares"]),
        onnx.helper.make_node("Reshape", ["shares", "shape"], ["columns"]),
        onnx.helper.make_node("Add", ["columns", "offset"], ["moved"]),
        onnx.helper.make_node("Concat", ["boxes", "moved"], ["output0"], axis=1),
    ]
    places = constants["boxes"].shape[2]
    graph = onnx.helper.make_graph(
        nodes,
        "gated",
        [onnx.helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, HEIGHT, WIDTH))],
        [onnx.helper.make_tensor_value_info("output0", TensorProto.FLOAT, (1, 6, places))],
        [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def test_numbers_without_a_class_among_the_91_of_coco(tmp_path: Path) -> None:
    names = json.dumps({0: "N/A", 1: "helmet", 2: "head", 3: "N/A"})
    rows = filled(30)
    outputs = {"logits": logits(by_class(rows + np.float32([0, 0, 0, 0, 1, 0]), 4))[None]}
    outputs["pred_boxes"] = centred(shares(rows))[None]
    source = write_model(tmp_path / "a.onnx", outputs, metadata={"id2label": names})
    assert read_info(imported(source, tmp_path)).classes == ("N/A 0", "helmet", "head", "N/A 3")


@pytest.mark.parametrize("shape", [(1, 3, 100_000, 100_000), (1, 3, -1, -1), (1, 3, 1, 1)])
def test_an_input_of_no_usual_size_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    source = write_model(tmp_path / "a.onnx", yolov8().outputs, shape=shape)
    with pytest.raises(BadInputError, match=r"its input is|--input"):
        imported(source, tmp_path, classes=CLASSES)


@pytest.mark.parametrize("shape", [(3, HEIGHT, WIDTH), (HEIGHT, WIDTH, 3)])
def test_a_network_that_takes_pictures_one_by_one(tmp_path: Path, shape: tuple[int, ...]) -> None:
    source = write_model(tmp_path / "a.onnx", torchvision().outputs, shape=shape)
    detector = OnnxRuntimeDetector(imported(source, tmp_path, classes=CLASSES))
    assert len(detections_in(picture(), detector, 0.5)) == len(TRUTH)


def test_weights_of_a_constant_that_lie_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_model(tmp_path / "a.onnx", yolov8().outputs)
    model = onnx.load(str(source))
    weights = model.graph.initializer.pop()
    (tmp_path / "beside.bin").write_bytes(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="beside.bin")
    model.graph.node.insert(0, onnx.helper.make_node("Constant", [], [weights.name], value=weights))
    source.write_bytes(model.SerializeToString())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = imported(source, tmp_path, classes=CLASSES)
    moved = path.rename(tmp_path / "elsewhere" / "moved.onnx")
    assert len(detections_in(picture(), OnnxRuntimeDetector(moved), 0.5)) == len(TRUTH)
