"""Mask wearing and what the models of each task can find."""

import pytest

from services.core.errors import BadInputError
from services.core.model_classes import (
    MaskCompliance,
    check_classes,
    checked_class_names,
    classes_of_model,
    counts_all_states,
    has_mask_states,
    listed,
    mask_state,
    may_be_verified,
    model_for,
    stages_of,
)
from services.core.types import MASK_CLASSES, TRAFFIC_CLASSES, Line, LineId


def test_only_faces_have_a_mask_state() -> None:
    assert [mask_state(name) for name in MASK_CLASSES] == list(MASK_CLASSES)
    assert mask_state("person") is None


def test_who_wears_a_mask_wrongly_does_not_comply() -> None:
    found = MaskCompliance.of({"mask": 6, "no_mask": 1}, {"mask_incorrect": 1, "person": 50})
    assert (found.counted, found.compliant, found.rate) == (8, 6, 0.75)


@pytest.mark.parametrize("counts", [{}, {"car": 7}, {"mask": 0}])
def test_nobody_counted_gives_no_rate(counts: dict[str, int]) -> None:
    assert MaskCompliance.of(counts).rate is None


def test_a_rate_of_zero_is_a_rate() -> None:
    assert MaskCompliance.of({"no_mask": 3}).rate == 0.0


def test_a_line_that_leaves_out_a_state_tells_no_share() -> None:
    assert counts_all_states(None)
    assert counts_all_states(("car", "bus"))
    assert counts_all_states(MASK_CLASSES)
    assert not counts_all_states(("no_mask", "mask_incorrect"))


@pytest.mark.parametrize(
    ("model", "classes"),
    [
        ("traffic", TRAFFIC_CLASSES),
        ("traffic-n", TRAFFIC_CLASSES),
        ("mask", MASK_CLASSES),
        ("mask-s", MASK_CLASSES),
        ("mask-of-mine.onnx", None),
        ("models/own.onnx", None),
        ("face+mobilenetv2", MASK_CLASSES),
        ("mask-s+mine.onnx", MASK_CLASSES),
        ("/srv/faces.onnx+mobilenetv2", MASK_CLASSES),
        ("/srv/a+b.onnx", None),
        ("face+", None),
        ("+", None),
    ],
)
def test_a_models_name_tells_its_classes(model: str, classes: tuple[str, ...] | None) -> None:
    assert classes_of_model(model) == classes


@pytest.mark.parametrize(
    ("url", "given", "model"),
    [
        ("rtsp://host/s", None, "traffic"),
        ("rtsp://host/s", "traffic-s", "traffic-s"),
        ("demo://traffic", None, "traffic"),
        ("demo://masks", None, "mask"),
        ("demo://masks?seed=4", "traffic-n", "mask"),
        ("demo://masks", "mask-s", "mask-s"),
        ("demo://masks", "own.onnx", "own.onnx"),
    ],
)
def test_the_demo_of_masks_gets_a_model_for_masks(url: str, given: str | None, model: str) -> None:
    assert model_for(url, given) == model


@pytest.mark.parametrize(
    ("model", "stages"),
    [
        ("face+mobilenetv2", ("face", "mobilenetv2")),
        ("mask-s+a+b.onnx", ("mask-s", "a+b.onnx")),
        ("/srv/a+b.onnx+mobilenetv2", ("/srv/a+b.onnx", "mobilenetv2")),
        ("/srv/a+b.onnx", None),
        ("helmet+mobilenetv2", None),
        ("face", None),
        ("x" * 300 + ".onnx+y", None),
    ],
)
def test_a_model_of_two_stages_is_named_by_both(model: str, stages: tuple[str, str] | None) -> None:
    assert stages_of(model) == stages


def test_a_second_opinion_is_for_the_mask_model_of_one_stage() -> None:
    assert [
        name for name in ("traffic", "mask", "mask-s", "face+x", "own.onnx") if may_be_verified(name)
    ] == [
        "mask",
        "mask-s",
        "own.onnx",
    ]


def test_a_line_counts_only_what_its_cameras_model_finds() -> None:
    door = Line(LineId("door"), "Door", ((0.1, 0.5), (0.9, 0.5)), classes=("mask", "car"))
    with pytest.raises(BadInputError, match="line 'door' counts car, which model 'mask' never finds"):
        check_classes([door], "mask", classes_of_model("mask"))
    with pytest.raises(BadInputError, match="its classes are person, bicycle"):
        check_classes([door], "traffic-n", classes_of_model("traffic-n"))
    with pytest.raises(BadInputError, match=r"never finds: its classes are mask, helmet$"):
        check_classes([door], "own.onnx", ("mask", "helmet"))
    check_classes([door], "own.onnx", None)
    check_classes([Line(LineId("all"), "All", door.points)], "mask", ("mask",))


def test_mask_states_are_those_of_a_model_that_finds_nothing_else() -> None:
    assert has_mask_states(MASK_CLASSES)
    assert has_mask_states(("no_mask", "mask"))
    for classes in (("mask", "helmet"), ("mask", "no_mask", "helmet"), ("mask",), ("person", "car"), ()):
        assert not has_mask_states(classes)


def test_names_of_classes_are_bounded_and_each_its_own() -> None:
    assert checked_class_names([" Helm ", "Gabelstapler für Paletten"]) == (
        "Helm",
        "Gabelstapler für Paletten",
    )
    assert checked_class_names(["A\u0308rmel"]) == ("Ärmel",)
    for names in (["a", "a"], ["a", " a"], ["x" * 61], [""], ["a\nb"], [7], [], map(str, range(1001))):
        with pytest.raises(BadInputError):
            checked_class_names(names)
    assert listed(map(str, range(101))).endswith("99, …")
