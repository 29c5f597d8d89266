import numpy as np
import pytest
import torch

from model.zoo import torchvision_ops
from model.zoo.torchvision_ops import import_torchvision, nms, roi_align
from services.core.boxes import overlaps
from services.core.errors import BadInputError


def test_torchvision_opens_and_its_own_functions_work() -> None:
    torchvision = import_torchvision()
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10]])
    classes = torch.tensor([0, 0, 1])
    kept = torchvision.ops.batched_nms(boxes, torch.tensor([0.5, 0.9, 0.4]), classes, 0.5)
    assert kept.tolist() == [1, 2]
    maps = torch.ones(1, 2, 8, 8)
    assert torchvision.ops.roi_align(maps, [torch.tensor([[0.0, 0, 4, 4]])], 2).shape == (1, 2, 2, 2)


def test_no_kept_box_overlaps_a_better_one_and_every_other_does() -> None:
    rng = np.random.default_rng(0)
    corners = rng.random((60, 2)) * 50
    boxes = np.hstack((corners, corners + 5 + rng.random((60, 2)) * 30)).astype(np.float32)
    scores = rng.random(60).astype(np.float32)
    kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.4).tolist()
    assert sorted(kept, key=lambda row: -scores[row]) == kept and 0 < len(kept) < 60
    among = overlaps(boxes, boxes)
    for row in range(60):
        better = [other for other in kept if scores[other] > scores[row]]
        suppressed = bool(better) and among[row, better].max() > 0.4
        assert suppressed == (row not in kept)


def test_a_slope_is_read_at_the_middle_of_each_bin_of_its_own_picture() -> None:
    slope = torch.arange(16.0).expand(1, 1, 16, 16)
    maps = torch.cat((slope, slope.transpose(2, 3) * 10))
    rois = torch.tensor([[1.0, 4, 4, 12, 12], [0, 4, 4, 12, 12]])
    across = roi_align(maps, rois, 0.5, 2, 2, 2, aligned=False)
    assert across[1, 0] == pytest.approx(torch.tensor([[3.0, 5.0], [3.0, 5.0]]))
    assert across[0, 0] == pytest.approx(torch.tensor([[30.0, 30.0], [50.0, 50.0]]))
    shifted = roi_align(maps, rois, 0.5, 2, 2, 2, aligned=True)
    assert shifted[1, 0] == pytest.approx(torch.tensor([[2.5, 4.5], [2.5, 4.5]]))


def test_gradients_reach_the_maps() -> None:
    maps = torch.rand(1, 1, 8, 8, requires_grad=True)
    roi_align(maps, torch.tensor([[0.0, 1, 1, 5, 5]]), 1.0, 2, 2, 2, aligned=False).sum().backward()
    assert maps.grad is not None and maps.grad.sum() == pytest.approx(4)


def test_without_torchvision_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_ops, "find_spec", lambda name: None)
    with pytest.raises(BadInputError, match=r"scripts/setup\.sh --train"):
        import_torchvision()
