import pytest
import torch

from model.network.build import (
    ARCHITECTURES,
    Architecture,
    Size,
    TaskHead,
    build,
    build_joint,
    multiplications,
    parameter_count,
)
from model.network.gbyolo.backbone import Conv, GhostModule
from model.network.gbyolo.head import AnchorHead
from model.network.gbyolo.neck import NODE_INPUTS, BiFPN, WeightedAdd, WeightedConcat
from model.network.yolov4 import CspDarknet, PlainAggregation


def test_fusion_weights_are_normalised_and_never_negative() -> None:
    fusion = WeightedAdd(3)
    fusion.raw_weights.data = torch.tensor([2.0, -1.0, 6.0])
    weights = fusion.weights()
    assert torch.allclose(weights, torch.tensor([0.25, 0.0, 0.75]), atol=1e-4)
    assert (weights >= 0).all() and 0.999 < float(weights.sum()) < 1


def test_fusion_is_the_formula_and_the_order_of_inputs_is_irrelevant() -> None:
    first, second = torch.randn(2, 1, 4, 5, 5)
    fusion, swapped = WeightedAdd(2), WeightedAdd(2)
    fusion.raw_weights.data = torch.tensor([1.0, 3.0])
    swapped.raw_weights.data = torch.tensor([3.0, 1.0])
    assert torch.allclose(fusion((first, second)), (first + 3 * second) / 4.0001, atol=1e-6)
    assert torch.allclose(fusion((first, second)), swapped((second, first)))


def test_fusion_is_the_same_once_deployed_and_refuses_another_number_of_inputs() -> None:
    maps = torch.randn(2, 1, 4, 5, 5)
    fusion = WeightedAdd(2)
    before = fusion(list(maps))
    fusion.deploy()
    assert torch.allclose(before, fusion(list(maps)), atol=1e-6)
    with pytest.raises(ValueError, match="3 maps for 2"):
        fusion([*maps, maps[0]])


def test_a_ghost_module_costs_about_half_of_a_convolution() -> None:
    plain, ghost = Conv(128, 128), GhostModule(128, 128)
    ratio = parameter_count(plain) / parameter_count(ghost)
    assert 1.75 < ratio < 2
    assert ghost(torch.zeros(1, 128, 4, 4)).shape == plain(torch.zeros(1, 128, 4, 4)).shape


def test_a_ghost_module_refuses_an_odd_width() -> None:
    with pytest.raises(ValueError, match="even"):
        GhostModule(8, 7)


def test_bifpn_has_the_skip_edge_and_no_node_with_a_single_input() -> None:
    assert list(NODE_INPUTS) == ["p4_top_down", "p3_out", "p4_out", "p5_out"]
    assert NODE_INPUTS["p4_out"] == ("p4", "p4_top_down", "p3_out")
    neck = BiFPN((64, 128, 256), 64)
    assert {name: len(node.add.raw_weights) for name, node in neck.nodes.items()} == {
        "p4_top_down": 2,
        "p3_out": 2,
        "p4_out": 3,
        "p5_out": 2,
    }


def test_every_bifpn_edge_carries_information() -> None:
    neck = BiFPN((8, 8, 8), 8).eval()
    levels = [torch.randn(1, 8, size, size, requires_grad=True) for size in (16, 8, 4)]
    p3_out, _, p5_out = neck(*levels)
    gradients = torch.autograd.grad(p3_out.sum() + p5_out.sum(), levels)
    assert all(float(gradient.abs().sum()) > 0 for gradient in gradients)


@pytest.mark.parametrize(
    ("architecture", "size", "millions", "gflops"),
    [
        ("gbyolo", "n", 0.875, 2.69),
        ("gbyolo", "s", 3.172, 8.53),
        ("gbyolo-concat", "n", 1.133, 2.78),
        ("gbyolo-concat", "s", 4.464, 10.23),
        ("yolov5", "n", 1.768, 4.14),
        ("yolov5", "s", 7.028, 15.77),
    ],
)
def test_parameters_and_multiplications(
    architecture: Architecture, size: Size, millions: float, gflops: float
) -> None:
    network = build(architecture, size, 3)
    assert parameter_count(network) / 1e6 == pytest.approx(millions, abs=0.001)
    assert 2 * multiplications(network) / 1e9 == pytest.approx(gflops, abs=0.01)
    assert network.training


def test_yolov4_at_full_width_and_depth_is_as_published() -> None:
    backbone = CspDarknet(1, 1)
    neck = PlainAggregation(backbone.channels_out)
    parts = (backbone, neck, AnchorHead(neck.channels_out, 80))
    assert sum(map(parameter_count, parts)) == 64_363_101


def test_the_baseline_is_yolov5_as_published() -> None:
    assert parameter_count(build("yolov5", "n", 80)) == 1_872_157
    assert parameter_count(build("yolov5", "s", 80)) == 7_235_389


def test_equal_weights_concatenate_plainly_and_unequal_ones_scale() -> None:
    first, second = torch.randn(1, 2, 5, 5), torch.randn(1, 3, 5, 5)
    fusion = WeightedConcat(2)
    assert torch.allclose(fusion((first, second)), torch.cat((first, second), 1), atol=1e-3)
    fusion.raw_weights.data = torch.tensor([3.0, 1.0])
    assert torch.allclose(fusion((first, second))[:, :2], first * 1.5, atol=1e-3)


def test_the_paper_s_form_has_the_skip_edge_and_the_baseline_has_not() -> None:
    paper, baseline = build("gbyolo-concat", "n", 3).neck, build("yolov5", "n", 3).neck
    assert len(paper.joins["middle_out"].raw_weights) == 3
    assert not [name for name, _ in baseline.named_parameters() if "raw_weights" in name]


def test_tasks_share_all_but_their_heads() -> None:
    joint = build_joint("gbyolo", "n", (TaskHead("traffic", ("car", "bus")), TaskHead("mask", ("mask",))))
    one, other = joint.detector("traffic"), joint.detector("mask")
    assert one.backbone is other.backbone and one.neck is other.neck
    pictures = torch.rand(1, 3, 64, 64)
    assert one.eval()(pictures).shape[-1] == 6 and other.eval()(pictures).shape[-1] == 5


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_output_shape_and_fusing_changes_nothing(architecture: Architecture) -> None:
    torch.manual_seed(0)
    network = build(architecture, "n", 6)
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, 3, 64, 96))
        network.eval()
        pictures = torch.rand(1, 3, 64, 96)
        before = network(pictures)
        assert before.shape == (1, 3 * (8 * 12 + 4 * 6 + 2 * 3), 10)
        after = network.fuse().fuse()(pictures)
    assert torch.allclose(before, after, atol=1e-3)


def test_an_unknown_size_and_architecture_are_refused() -> None:
    with pytest.raises(ValueError, match="no size"):
        build("gbyolo", "x", 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no architecture"):
        build("resnet", "n", 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one class"):
        build_joint("gbyolo", "n", ())
