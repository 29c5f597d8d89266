"""What RetinaNet for small faces minimises: a class loss that easy background does not drown, and boxes.

Sources: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, equation 5; Shrivastava et al.,
"Training Region-based Object Detectors with Online Hard Example Mining", CVPR 2016, in the form of Liu et
al., "SSD", ECCV 2016: the hardest negatives, so many times as the positives; Deng et al., "RetinaFace", 2019,
for the weight of the boxes.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from model.zoo.small_faces.anchors import BACKGROUND, assign, encode

ALPHA, GAMMA = 0.25, 2.0
"""The best of Lin et al., table 1b."""
HARD_NEGATIVES = 10
"""Background anchors that count, for each that is for a face. Three in SSD, whose loss does not weigh easy
ones down itself; with more the scores stay shares of what is right."""
LEAST_NEGATIVES = 64
"""Background anchors of a picture that count however few faces there are."""
BOX_WEIGHT = 0.25


@dataclass(frozen=True)
class FacesLoss:
    """`total` to minimise; its parts to look at."""

    total: Tensor
    class_: float
    box: float


@dataclass(frozen=True)
class Assigned:
    """What the anchors of a batch are for."""

    wanted: Tensor
    """(B, N) class, BACKGROUND or IGNORED."""
    offsets: Tensor
    """(positives, 4) of the anchors that are for a face, picture by picture."""


def focal_loss(logits: Tensor, wanted: Tensor, alpha: float = ALPHA, gamma: float = GAMMA) -> Tensor:
    """FL(p_t) = -alpha_t (1 - p_t)^gamma log(p_t) of each logit; `wanted` is 0 or 1, of the same shape.

    p_t is the probability that was given to what is so: p where 1 is wanted, else 1 - p; alpha_t likewise.
    """
    cross_entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    right = torch.exp(-cross_entropy)
    weight = alpha * wanted + (1 - alpha) * (1 - wanted)
    return weight * (1 - right) ** gamma * cross_entropy


def hardest_negatives(losses: Tensor, wanted: Tensor, times: int = HARD_NEGATIVES) -> Tensor:
    """Which background anchors (B, N) count: for each for a face `times` of those with the largest loss.

    Of the whole batch, whose faces are not spread evenly over its pictures.
    """
    background = wanted == BACKGROUND
    positives = int((wanted >= 0).sum())
    count = min(int(background.sum()), max(times * positives, LEAST_NEGATIVES * len(wanted)))
    chosen = torch.zeros(wanted.numel(), dtype=torch.bool, device=wanted.device)
    hardness = losses.detach().masked_fill(~background, -1.0).flatten()
    chosen[hardness.topk(count).indices] = True
    return chosen.view_as(wanted)


def assign_batch(anchors: Tensor, targets: Tensor, batch: int, width: int, height: int) -> Assigned:
    """What the anchors of a batch of pictures are for; targets (n, 6) as in Batch."""
    size = torch.tensor((width, height) * 2, dtype=torch.float32, device=targets.device)
    wanted, offsets = [], []
    for picture in range(batch):
        of_picture = targets[targets[:, 0] == picture]
        boxes = of_picture[:, 2:] * size
        classes, rows = assign(anchors, boxes, of_picture[:, 1])
        positive = classes >= 0
        wanted.append(classes)
        offsets.append(encode(boxes[rows[positive]], anchors[positive]))
    return Assigned(torch.stack(wanted), torch.cat(offsets))


def small_faces_loss(
    logits: Tensor, offsets: Tensor, assigned: Assigned, *, focal: bool = True, hard_negatives: bool = True
) -> FacesLoss:
    """The loss of a batch from logits (B, N, classes) and offsets (B, N, 4), for each anchor of a face.

    Without `focal` cross-entropy; without `hard_negatives` all background counts.
    """
    wanted = assigned.wanted
    positive = wanted >= 0
    one_hot = torch.zeros_like(logits)
    one_hot[positive] = F.one_hot(wanted[positive], logits.shape[-1]).float()
    measure = focal_loss if focal else partial(F.binary_cross_entropy_with_logits, reduction="none")
    losses = measure(logits, one_hot).sum(-1)
    counted = positive | (hardest_negatives(losses, wanted) if hard_negatives else wanted == BACKGROUND)
    count = max(1, int(positive.sum()))
    class_ = losses[counted].sum() / count
    box = F.smooth_l1_loss(offsets[positive], assigned.offsets, reduction="sum") / count
    return FacesLoss(class_ + BOX_WEIGHT * box, class_.item(), box.item())
