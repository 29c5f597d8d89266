from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from model.data.batches import Batch
from model.zoo.detectors.networks import (
    PROPOSALS,
    FasterRcnn,
    RetinaNet,
    Ssd,
    TorchvisionNetwork,
    decoded,
    rows_of,
)
from model.zoo.detectors.torchvision_rival import TorchvisionRival
from model.zoo.detectors.training import examples
from model.zoo.torchvision_ops import import_torchvision
from services.core.errors import BadInputError
from services.detector.infer.detector import Detector
from services.detector.infer.engines import OnnxRuntimeDetector

SIDE_PX = 64


@pytest.fixture(scope="module", params=[Ssd, RetinaNet, FasterRcnn])
def network(request: pytest.FixtureRequest) -> TorchvisionNetwork:
    torch.manual_seed(0)
    made: TorchvisionNetwork = request.param(3, SIDE_PX)
    return made


def test_rows_are_those_of_every_network_here(network: TorchvisionNetwork) -> None:
    with torch.inference_mode():
        rows = network.eval()(torch.rand(2, 3, SIDE_PX, SIDE_PX))
    assert rows.shape[0] == 2 and rows.shape[2] == 4 + 3
    assert rows[..., 4:].min() >= 0 and rows[..., 4:].max() <= 1 and rows[..., 2:4].min() >= 0
    if isinstance(network, FasterRcnn):
        assert rows.shape[1] == PROPOSALS


def test_the_loss_falls_on_what_is_shown_again_and_again(network: TorchvisionNetwork) -> None:
    pictures = torch.zeros(2, 3, SIDE_PX, SIDE_PX)
    pictures[0, :, 16:48, 8:40] = 1
    nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long)}
    face = {"boxes": torch.tensor([[8.0, 16, 40, 48]]), "labels": torch.tensor([2])}
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3)
    losses = []
    for _ in range(8):
        torch.manual_seed(0)
        loss = network.train().loss(pictures, [face, nothing])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all() and min(losses[-3:]) < 0.7 * losses[0]


def test_boxes_are_read_as_torchvision_writes_them() -> None:
    coder = import_torchvision().models.detection._utils.BoxCoder((10.0, 10.0, 5.0, 5.0))
    anchors = torch.tensor([[0.0, 0, 20, 20], [10, 10, 50, 30]])
    boxes = torch.tensor([[2.0, 3, 30, 18], [12, 0, 44, 40]])
    assert decoded(coder.encode_single(boxes, anchors)[None], anchors, coder)[0] == pytest.approx(
        boxes, abs=1e-4
    )
    rows = rows_of(boxes, torch.tensor([[0.1, 0.9], [0.8, 0.2]]))
    assert rows[0].tolist() == pytest.approx([16, 10.5, 28, 15, 0.1, 0.9])


def test_what_is_to_be_ignored_is_painted_over_but_for_the_objects_in_it() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (2, 40, 40, 3), np.uint8)
    former = pictures.copy()
    targets = np.array(
        [[0, -1, 0.25, 0.25, 0.5, 0.5], [0, 1, 0.4, 0.4, 0.2, 0.2], [1, 0, 0.5, 0.5, 0.1, 0.1]], np.float32
    )
    inputs, wanted = examples(Batch("mask", pictures, targets))
    assert (pictures == former).all()
    shown = (inputs * 255).round().flip(1).permute(0, 2, 3, 1).numpy().astype(np.uint8)
    assert len(np.unique(shown[0, :10, :10].reshape(-1, 3), axis=0)) == 1
    assert (shown[0, 12:20, 12:20] == former[0, 12:20, 12:20]).all()
    assert (shown[0, 21:, :] == former[0, 21:, :]).all() and (shown[1] == former[1]).all()
    assert wanted[0]["boxes"].tolist() == [pytest.approx([12, 12, 20, 20])]
    assert wanted[0]["labels"].tolist() == [1] and wanted[1]["labels"].tolist() == [0]


@pytest.mark.parametrize("kind", [Ssd, RetinaNet])
def test_an_exported_network_computes_the_same_and_the_detector_takes_it(
    kind: type[Ssd] | type[RetinaNet], tmp_path: Path
) -> None:
    rival = TorchvisionRival("row", "Row", kind)
    rival.build(0)
    path = tmp_path / "row.onnx"
    rival.export(path)
    pictures = np.random.default_rng(0).random((1, 3, 320, 320), np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (rows,) = session.run(None, {"images": pictures})
    again = TorchvisionRival("row", "Row", kind)
    again.build(0)
    with torch.inference_mode():
        expected = again._at_hand()(torch.from_numpy(pictures)).numpy()
    assert np.abs(rows - expected).max() < 1e-2
    detector: Detector = OnnxRuntimeDetector(path)
    assert detector.info.classes == ("mask", "no_mask", "mask_incorrect")
    assert rival.cost().size_bytes == path.stat().st_size


def test_faster_rcnn_says_why_it_is_not_exported(tmp_path: Path) -> None:
    rival = TorchvisionRival("faster-rcnn", "Faster R-CNN", FasterRcnn)
    with pytest.raises(BadInputError, match="no weights yet"):
        rival.export(tmp_path / "row.onnx")
    rival.build(0)
    with pytest.raises(BadInputError, match="second stage looks at boxes that are chosen while it runs"):
        rival.export(tmp_path / "row.onnx")
    cost = rival.cost()
    assert cost.size_bytes > 4 * cost.parameters and cost.gflops > 1
