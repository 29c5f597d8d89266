import math

import pytest
import torch

from model.zoo.small_faces.anchors import BACKGROUND, IGNORED, make_anchors
from model.zoo.small_faces.loss import (
    Assigned,
    assign_batch,
    focal_loss,
    hardest_negatives,
    small_faces_loss,
)


@pytest.mark.parametrize(
    ("probability", "wanted", "alpha", "gamma", "loss"),
    [
        (0.9, 1.0, 0.25, 2.0, -0.25 * 0.1**2 * math.log(0.9)),
        (0.9, 0.0, 0.25, 2.0, -0.75 * 0.9**2 * math.log(0.1)),
        (0.5, 1.0, 0.25, 2.0, 0.25 * 0.25 * math.log(2)),
        (0.2, 0.0, 0.5, 0.0, -0.5 * math.log(0.8)),
    ],
)
def test_focal_loss_is_as_computed_by_hand(
    probability: float, wanted: float, alpha: float, gamma: float, loss: float
) -> None:
    logit = torch.tensor([math.log(probability / (1 - probability))])
    assert focal_loss(logit, torch.tensor([wanted]), alpha, gamma).item() == pytest.approx(loss, rel=1e-4)


def test_of_the_negatives_those_with_the_largest_loss_count() -> None:
    wanted = torch.tensor([[0, BACKGROUND, IGNORED, *[BACKGROUND] * 197], [BACKGROUND] * 200])
    losses = torch.zeros(2, 200)
    losses[0, 2], losses[0, 1], losses[1, 50:] = 9.0, 5.0, 1.0
    chosen = hardest_negatives(losses, wanted, times=3)
    assert chosen.sum() == 128  # the least of two pictures
    assert chosen[0, 1] and not chosen[0, 0] and not chosen[0, 2] and chosen[1].sum() == 127
    many = torch.where(torch.arange(200) < 30, 1, BACKGROUND).repeat(2, 1)
    assert hardest_negatives(torch.rand(2, 200), many, times=3).sum() == 180


def test_what_is_ignored_does_not_count_and_all_background_does_without_hard_negatives() -> None:
    wanted = torch.full((1, 300), BACKGROUND)
    wanted[0, 0], wanted[0, 1] = 1, IGNORED
    assigned = Assigned(wanted, torch.zeros(1, 4))
    logits, offsets = torch.zeros(1, 300, 3), torch.zeros(1, 300, 4)
    every = small_faces_loss(logits, offsets, assigned, focal=False, hard_negatives=False)
    some = small_faces_loss(logits, offsets, assigned, focal=False)
    assert every.class_ == pytest.approx(299 * 3 * math.log(2), rel=1e-5)
    assert some.class_ == pytest.approx(65 * 3 * math.log(2), rel=1e-5)
    assert every.box == 0
    logits[0, 1] = 50.0
    assert small_faces_loss(logits, offsets, assigned, focal=False).class_ == pytest.approx(some.class_)


def test_a_batch_without_faces_is_all_background() -> None:
    anchors = make_anchors(64, 64, torch.device("cpu"))
    assigned = assign_batch(anchors, torch.zeros(0, 6), 2, 64, 64)
    assert (assigned.wanted == BACKGROUND).all() and assigned.offsets.shape == (0, 4)
    logits = torch.zeros(2, len(anchors), 3, requires_grad=True)
    loss = small_faces_loss(logits, torch.zeros(2, len(anchors), 4, requires_grad=True), assigned)
    loss.total.backward()  # type: ignore[no-untyped-call]
    assert loss.class_ > 0 and loss.box == 0 and logits.grad is not None
