from pathlib import Path

import onnx
import openvino
import pytest

from model.evaluation import speed as timing
from model.evaluation.speed import (
    CONTENDERS,
    ENGINES,
    ONNX_RUNTIME,
    OPENVINO_BF16,
    WARM_UP_ROUNDS,
    Speed,
    interleaved,
    measure,
    ratios,
    why_missing,
)
from model.export.writing import write_onnx
from model.network.build import build


def test_contenders_are_measured_side_by_side_in_every_engine() -> None:
    at_hand = [engine for engine in ENGINES if why_missing(engine) is None]
    speeds = list(measure(sizes=("n",), inputs_px=(64,), engines=at_hand, rounds=3))
    assert [speed.architecture for speed in speeds] == list(CONTENDERS) * len(at_hand)
    assert all(len(speed.samples_ms) == 3 and speed.median_ms > 0 for speed in speeds)
    assert len({speed.weights_sha256 for speed in speeds}) == 3
    assert ONNX_RUNTIME in at_hand


def test_every_round_runs_each_once_in_an_order_of_its_own() -> None:
    calls: list[str] = []
    samples = interleaved([lambda: calls.append("a"), lambda: calls.append("b")], 20)
    rounds = [calls[start : start + 2] for start in range(0, len(calls), 2)]
    assert len(rounds) == WARM_UP_ROUNDS + 20 and all(sorted(one) == ["a", "b"] for one in rounds)
    assert {one[0] for one in rounds} == {"a", "b"}
    assert [len(of_run) for of_run in samples] == [20, 20]


def test_the_ratio_is_that_of_the_medians_of_one_size_engine_and_input() -> None:
    baseline = Speed("yolov5", "n", "e", 320, 1_000_000, 1.0, "a", (8.0, 9.0, 100.0))
    other = Speed("gbyolo", "n", "e", 320, 500_000, 0.5, "b", (6.0, 5.0, 6.0))
    slow = Speed("yolov5", "n", "e", 640, 1_000_000, 4.0, "c", (90.0,))
    assert ratios([baseline, other, slow]) == [1.0, 1.5, 1.0]


def test_activation_input_and_output_are_the_same(tmp_path: Path) -> None:
    """A cheaper activation or a smaller output would be measured as a faster network."""
    seen = []
    for name in CONTENDERS:
        write_onnx(build(name, "n", 3).eval().fuse(), path := tmp_path / f"{name}.onnx", 64, 64)
        graph = onnx.load(str(path)).graph
        kinds = {node.op_type for node in graph.node}
        activations = kinds & {"Relu", "LeakyRelu", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh"}
        ends = [
            [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (graph.input[0], graph.output[0])
        ]
        seen.append((activations, ends))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] == {"Sigmoid"}


def test_bf16_is_not_measured_on_a_processor_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Core:
        def get_property(self, device: str, name: str) -> list[str]:
            return ["FP32", "INT8"]

    monkeypatch.setattr(openvino, "Core", Core)
    assert why_missing(OPENVINO_BF16) == "this processor does not compute in bf16"
    monkeypatch.setattr(timing, "find_spec", lambda name: None)
    assert why_missing(OPENVINO_BF16) == "openvino is not installed"
