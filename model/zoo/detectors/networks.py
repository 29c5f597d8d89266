"""SSD, RetinaNet and Faster R-CNN from torchvision, with a light backbone and anchors for small faces.

Each takes pictures (B, 3, S, S), RGB 0..1, of the one side S that it is made for. In evaluation mode it gives
rows as every network here: (B, N, 4 + classes), centre x, y, width, height in pixels, then a score a class.
All three stand on MobileNetV3 (large), its maps at strides 8, 16 and 32, with random weights at first: no
weights of ImageNet are fetched.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from model.zoo.torchvision_ops import import_torchvision

Target = dict[str, Tensor]
"""The true boxes of a picture: `boxes` (n, 4; corners in pixels) and `labels` (n,), from 0 on."""

FEATURES = {"6": "0", "12": "1", "15": "2"}
"""The layers of MobileNetV3 whose maps are taken, the last at each of the strides."""
FEATURE_CHANNELS = (40, 112, 160)
FUSED_WIDTH = 96
"""Of a feature pyramid, in place of 256 channels."""
NORM_MOMENTUM = 0.03
EXTRA_WIDTH = 128
"""Of SSD's additional map at stride 64."""
ANCHOR_SIDES = ((8, 11, 16), (22, 32, 45), (64, 90, 128), (180, 240, 320))
"""In pixels, by stride, where pictures have 320: faces are nearly square, one shape will do."""
SSD_SCALES = (0.03, 0.075, 0.2, 0.45, 0.9)
"""Sides of SSD's boxes as shares of the picture's, by stride, and the end of the series."""
SSD_RATIO = 1.4
PROPOSALS_TRAINING, PROPOSALS = 200, 100
ROI_SIDE, ROI_WIDTH, ROI_BATCH = 5, 256, 64


class TorchvisionNetwork(nn.Module, ABC):
    """What the three have in common for training and evaluation."""

    @abstractmethod
    def loss(self, pictures: Tensor, targets: Sequence[Target]) -> Tensor:
        """The sum of the method's losses on a batch, a scalar; in training mode."""

    @abstractmethod
    def forward(self, pictures: Tensor) -> Tensor:
        """Rows (B, N, 4 + classes)."""


def rows_of(corners: Tensor, scores: Tensor) -> Tensor:
    """Boxes (…, 4; corners) and scores (…, classes) as rows."""
    low, high = corners[..., :2], corners[..., 2:]
    return torch.cat(((low + high) / 2, high - low, scores), -1)


def layers() -> nn.Module:
    """MobileNetV3's layers; their normalisations follow as fast as those of the other networks."""
    found: nn.Module = import_torchvision().models.mobilenet_v3_large(weights=None).features
    for module in found.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = NORM_MOMENTUM
    return found


def backbone() -> nn.Module:
    """MobileNetV3's layers up to its last map at stride 32; gives its maps by name."""
    getter = import_torchvision().models._utils.IntermediateLayerGetter(layers(), FEATURES)
    return cast(nn.Module, getter)


def pyramid() -> nn.Module:
    """The backbone with a feature pyramid of four levels; gives its maps by name."""
    backbones = import_torchvision().models.detection.backbone_utils
    fused: nn.Module = backbones.BackboneWithFPN(layers(), FEATURES, list(FEATURE_CHANNELS), FUSED_WIDTH)
    return fused


def image_list(pictures: Tensor) -> Any:
    """The pictures in the form in which torchvision's parts take them."""
    sides = [(int(pictures.shape[2]), int(pictures.shape[3]))] * len(pictures)
    return import_torchvision().models.detection.image_list.ImageList(pictures, sides)


class SsdMaps(nn.Module):
    """The backbone's maps, and one more at stride 64."""

    def __init__(self) -> None:
        super().__init__()
        self.body = backbone()
        self.extra = nn.Sequential(
            nn.Conv2d(FEATURE_CHANNELS[-1], EXTRA_WIDTH, 3, 2, 1, bias=False),
            nn.BatchNorm2d(EXTRA_WIDTH, momentum=NORM_MOMENTUM),
            nn.ReLU6(inplace=True),
        )

    def forward(self, pictures: Tensor) -> "OrderedDict[str, Tensor]":
        """Maps by name, from the largest on."""
        maps: OrderedDict[str, Tensor] = self.body(pictures)
        maps["extra"] = self.extra(maps["2"])
        return maps


class Ssd(TorchvisionNetwork):
    """Boxes of set sizes on the backbone's own maps, hard negatives three to one.

    Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016.
    """

    def __init__(self, class_count: int, input_px: int) -> None:
        super().__init__()
        detection = import_torchvision().models.detection
        boxes = detection.anchor_utils.DefaultBoxGenerator([[SSD_RATIO]] * 4, scales=list(SSD_SCALES))
        side = (input_px, input_px)
        self.model = detection.ssd.SSD(SsdMaps(), boxes, side, class_count + 1)
        self.anchors: Tensor
        pictures = torch.zeros(1, 3, input_px, input_px)
        with torch.no_grad():
            anchors = boxes(image_list(pictures), list(self.model.backbone.eval()(pictures).values()))[0]
        self.register_buffer("anchors", anchors, persistent=False)

    def _outputs(self, pictures: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = self.model.head(list(self.model.backbone(pictures).values()))
        return outputs

    def loss(self, pictures: Tensor, targets: Sequence[Target]) -> Tensor:
        """See TorchvisionNetwork."""
        boxes = import_torchvision().ops.boxes
        matched = [
            self.model.proposal_matcher(boxes.box_iou(one["boxes"], self.anchors))
            if len(one["boxes"])
            else torch.full((len(self.anchors),), -1)
            for one in targets
        ]
        # The class 0 is what is no object.
        named = [{"boxes": one["boxes"], "labels": one["labels"] + 1} for one in targets]
        outputs = self._outputs(pictures)
        losses = self.model.compute_loss(named, outputs, [self.anchors] * len(targets), matched)
        return cast(Tensor, sum(losses.values()))

    def forward(self, pictures: Tensor) -> Tensor:
        """See TorchvisionNetwork."""
        outputs = self._outputs(pictures)
        scores = outputs["cls_logits"].softmax(-1)[..., 1:]
        return rows_of(decoded(outputs["bbox_regression"], self.anchors, self.model.box_coder), scores)


class RetinaNet(TorchvisionNetwork):
    """A feature pyramid with two heads of four convolutions, and the focal loss.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.
    """

    def __init__(self, class_count: int, input_px: int) -> None:
        super().__init__()
        detection = import_torchvision().models.detection
        sides = tuple(tuple(side * input_px / 320 for side in level) for level in ANCHOR_SIDES)
        generator = detection.anchor_utils.AnchorGenerator(sides, ((1.0,),) * len(sides))
        self.model = detection.RetinaNet(pyramid(), class_count, anchor_generator=generator)
        self.anchors: Tensor
        pictures = torch.zeros(1, 3, input_px, input_px)
        with torch.no_grad():
            anchors = generator(image_list(pictures), list(self.model.backbone.eval()(pictures).values()))[0]
        self.register_buffer("anchors", anchors, persistent=False)

    def _outputs(self, pictures: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = self.model.head(list(self.model.backbone(pictures).values()))
        return outputs

    def loss(self, pictures: Tensor, targets: Sequence[Target]) -> Tensor:
        """See TorchvisionNetwork."""
        outputs = self._outputs(pictures)
        losses = self.model.compute_loss(list(targets), outputs, [self.anchors] * len(targets))
        return cast(Tensor, sum(losses.values()))

    def forward(self, pictures: Tensor) -> Tensor:
        """See TorchvisionNetwork."""
        outputs = self._outputs(pictures)
        corners = decoded(outputs["bbox_regression"], self.anchors, self.model.box_coder)
        return rows_of(corners, outputs["cls_logits"].sigmoid())


class FasterRcnn(TorchvisionNetwork):
    """A network that proposes boxes, and a second one that looks at each of them.

    Source: Ren et al., "Faster R-CNN", NeurIPS 2015, on the feature pyramid of Lin et al., CVPR 2017. With
    fewer proposals and a narrower second stage than torchvision's own.
    """

    def __init__(self, class_count: int, input_px: int) -> None:
        super().__init__()
        torchvision = import_torchvision()
        detection = torchvision.models.detection
        faster = detection.faster_rcnn
        sides = tuple(tuple(side * input_px / 320 for side in level) for level in ANCHOR_SIDES)
        self.model = detection.FasterRCNN(
            pyramid(),
            rpn_anchor_generator=detection.anchor_utils.AnchorGenerator(sides, ((1.0,),) * len(sides)),
            rpn_pre_nms_top_n_train=2 * PROPOSALS_TRAINING,
            rpn_post_nms_top_n_train=PROPOSALS_TRAINING,
            rpn_pre_nms_top_n_test=2 * PROPOSALS,
            rpn_post_nms_top_n_test=PROPOSALS,
            rpn_batch_size_per_image=2 * ROI_BATCH,
            box_roi_pool=torchvision.ops.MultiScaleRoIAlign(["0", "1", "2"], ROI_SIDE, 2),
            box_head=faster.TwoMLPHead(FUSED_WIDTH * ROI_SIDE**2, ROI_WIDTH),
            box_predictor=faster.FastRCNNPredictor(ROI_WIDTH, class_count + 1),
            box_batch_size_per_image=ROI_BATCH,
        )

    def loss(self, pictures: Tensor, targets: Sequence[Target]) -> Tensor:
        """See TorchvisionNetwork."""
        named = [{"boxes": one["boxes"], "labels": one["labels"] + 1} for one in targets]
        images, maps = image_list(pictures), self.model.backbone(pictures)
        proposals, first = self.model.rpn(images, maps, named)
        _, second = self.model.roi_heads(maps, proposals, images.image_sizes, named)
        return cast(Tensor, sum((*first.values(), *second.values())))

    def forward(self, pictures: Tensor) -> Tensor:
        """See TorchvisionNetwork. N is the number of proposals; what is missing of them has no score."""
        images, maps = image_list(pictures), self.model.backbone(pictures)
        proposals, _ = self.model.rpn(images, maps)
        heads = self.model.roi_heads
        logits, regression = heads.box_predictor(
            heads.box_head(heads.box_roi_pool(maps, proposals, images.image_sizes))
        )
        scores = logits.softmax(-1)[:, 1:]
        corners = heads.box_coder.decode(regression, proposals)[
            torch.arange(len(scores)), scores.argmax(1) + 1
        ]
        counts = [len(one) for one in proposals]
        rows = torch.split(rows_of(corners, scores), counts)
        return torch.stack([nn.functional.pad(one, (0, 0, 0, PROPOSALS - len(one))) for one in rows])


def decoded(regression: Tensor, anchors: Tensor, coder: Any) -> Tensor:
    """Outputs (B, N, 4) for anchors (N, 4; corners) as corners (B, N, 4).

    Of the side of an anchor: the shift of its centre, and the logarithm of the growth of its sides.
    """
    sides = anchors[:, 2:] - anchors[:, :2]
    values = regression / torch.tensor(coder.weights, dtype=regression.dtype)
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + values[..., :2] * sides
    half = values[..., 2:].clamp(max=coder.bbox_xform_clip).exp() * sides / 2
    return torch.cat((centres - half, centres + half), -1)
