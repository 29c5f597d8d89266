from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from model.zoo.small_faces.anchors import (
    ANCHOR_SIDES_PX,
    BACKGROUND,
    IGNORED,
    STRIDES,
    anchor_overlaps,
    assign,
    decode,
    encode,
    make_anchors,
)
from model.zoo.small_faces.network import SmallFacesNetwork
from model.zoo.small_faces.rows import RetinaNetRow
from services.core.errors import BadInputError

CPU = torch.device("cpu")


def test_there_is_an_anchor_for_every_cell_and_side() -> None:
    anchors = make_anchors(96, 160, CPU)
    cells = [-(-96 // stride) * -(-160 // stride) for stride in STRIDES]
    assert len(anchors) == sum(c * len(sides) for c, sides in zip(cells, ANCHOR_SIDES_PX, strict=True))
    assert anchors[0].tolist() == [2, 2, 8, 8] and anchors[3, :2].tolist() == [6, 2]


@pytest.mark.parametrize("side_px", [8, 11, 16, 23, 40, 64, 100, 180, 300, 400])
def test_faces_of_every_size_have_an_anchor_that_fits_wherever_they_are(side_px: float) -> None:
    anchors = make_anchors(480, 480, CPU)
    places = torch.tensor([[241.0, 239.0], [243.5, 242.0], [226.0, 255.0]])
    boxes = torch.cat((places, torch.full((3, 2), float(side_px))), 1)
    assert (anchor_overlaps(anchors, boxes).max(0).values >= 0.5).all()


def test_boxes_come_back_from_their_offsets() -> None:
    anchors = make_anchors(64, 64, CPU)[:50]
    boxes = anchors + torch.rand(50, 4, generator=torch.manual_seed(0)) * 5
    assert torch.allclose(decode(encode(boxes, anchors), anchors), boxes, atol=1e-4)


def test_anchors_are_for_faces_they_fit_and_a_face_that_none_fits_gets_the_best() -> None:
    anchors = make_anchors(128, 128, CPU)
    boxes = torch.tensor([[34.0, 34, 16, 16], [100, 100, 10, 30], [34, 100, 20, 20]])
    wanted, row = assign(anchors, boxes, torch.tensor([1.0, 2, -1]))
    overlap = anchor_overlaps(anchors, boxes)
    assert (wanted[overlap[:, 0] >= 0.5] == 1).all() and (row[wanted == 1] == 0).all()
    assert overlap[:, 1].max() < 0.5 and (wanted == 2).sum() >= 1
    assert (overlap[wanted == 2, 1] == overlap[:, 1].max()).all()
    assert (wanted[overlap[:, 2] >= 0.3] == IGNORED).all()
    assert (wanted[overlap.max(1).values == 0] != 1).all() and (wanted == BACKGROUND).sum() > 1000


def test_training_gives_logits_and_offsets_at_the_prior_and_evaluation_boxes() -> None:
    torch.manual_seed(0)
    network, pictures = SmallFacesNetwork(3), torch.rand(1, 3, 96, 128)
    anchors = make_anchors(96, 128, CPU)
    logits, offsets = network.train()(pictures)
    assert logits.shape == (1, len(anchors), 3) and offsets.shape == (1, len(anchors), 4)
    assert logits.sigmoid().mean().item() == pytest.approx(0.01, abs=0.005)
    predictions = network.eval()(pictures)
    assert predictions.shape == (1, len(anchors), 7)
    assert (anchor_overlaps(anchors[:99], predictions[0, :99, :4].detach()).diagonal() > 0.8).all()


def test_without_context_there_are_fewer_parameters() -> None:
    counts = [sum(p.numel() for p in SmallFacesNetwork(3, context=c).parameters()) for c in (True, False)]
    assert counts[0] > counts[1]


def test_export_computes_what_torch_does(tmp_path: Path) -> None:
    row = RetinaNetRow("retinanet", "RetinaNet")
    row.input_px = 96
    row.build(0)
    network = row.network()
    for parameter in network.parameters():
        parameter.data += torch.randn(parameter.shape) * 0.01
    row.take(network)
    make_anchors.cache_clear()
    row.predict(np.zeros((96, 96, 3), np.uint8))  # what it leaves behind is no hindrance
    row.export(tmp_path / "faces.onnx")
    pictures = np.random.default_rng(0).random((1, 3, 96, 96), np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "faces.onnx"), providers=["CPUExecutionProvider"])
    (exported,) = session.run(None, {"images": pictures})
    with torch.inference_mode():
        expected = network(torch.from_numpy(pictures)).numpy()
    assert np.abs(exported - expected).max() < 1e-3
    cost = row.cost()
    assert cost.parameters > 1e6 and cost.size_bytes > 4e6


def test_a_row_without_weights_says_so() -> None:
    row = RetinaNetRow("retinanet", "RetinaNet")
    with pytest.raises(BadInputError, match="load it"):
        row.predict(np.zeros((64, 64, 3), np.uint8))
