"""PCA + ANN: as many principal components as explain a share of the variance, and one hidden layer on them.

scikit-learn fits both. What is kept is the same computation as a network, so that it is measured, timed and
exported like the others.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from model.data.samples import Picture
from model.files import replacing
from model.zoo.classifiers.augment import plain
from model.zoo.classifiers.lessons import CropLesson
from model.zoo.classifiers.networks import GREY_SHARES, Brightness, NetworkKind
from model.zoo.classifiers.training import (
    HISTORY_ROWS,
    WEIGHTS_NAME,
    check_plan,
    is_trained,
    plan_of,
    read_weights,
    write_rows,
)
from services.core.errors import BadInputError

EXPLAINED, HIDDEN = 0.95, 64
SIDE_PX = 48

FloatArray = npt.NDArray[np.float32]


def pca_ann(side_px: int, classes: int, components: int = 1) -> nn.Module:
    """The computation of both: brightness, the components, a hidden layer of ReLU, the classes."""
    return nn.Sequential(
        Brightness(),
        nn.Flatten(),
        nn.Linear(side_px * side_px, components),
        *(nn.Linear(components, HIDDEN), nn.ReLU()),
        nn.Linear(HIDDEN, classes),
    )


PCA_ANN = NetworkKind("pca-ann", "PCA + ANN", pca_ann, SIDE_PX)


def train_pca_ann(
    lesson: CropLesson, seed: int, run: Path, step: Callable[[float], None] = lambda share: None
) -> nn.Module:
    """Fit the components to crops as they are, and the layers to as many augmented ones as the others see.

    It takes seconds, so that one that was killed begins again. Writes weights and history.csv; ConflictError
    where the folder holds another training.
    """
    from sklearn.decomposition import PCA
    from sklearn.neural_network import MLPClassifier

    run.mkdir(parents=True, exist_ok=True)
    plan = plan_of(lesson, seed)
    if is_trained(run):
        check_plan(read_weights(run), plan, run)
        return load_pca_ann(lesson.kind, run)
    side_px = lesson.kind.side_px
    pca = PCA(EXPLAINED, svd_solver="full")
    pca.fit(brightness(np.stack([plain(crop, side_px) for crop in lesson.train])))
    layers = MLPClassifier((HIDDEN,), batch_size=lesson.batch, random_state=seed)
    rows = []
    for part in range(1, HISTORY_ROWS + 1):
        rng = np.random.default_rng((seed, part))
        count = lesson.steps * lesson.batch // HISTORY_ROWS
        pictures, labels = lesson.draw(max(count, lesson.batch), rng)
        fields = pca.transform(brightness(pictures))
        layers.partial_fit(fields, labels, classes=np.arange(lesson.kind.classes))
        network = as_network(lesson.kind, pca, layers)
        rows.append(
            {
                "epoch": part * len(labels) / lesson.pool,
                "shown": part * len(labels),
                "loss": float(layers.loss_),
                "accuracy": float(layers.score(fields, labels)),
                **lesson.measure(network),
            }
        )
        step(part / HISTORY_ROWS)
    write_rows(run, rows)
    with replacing(run / WEIGHTS_NAME) as partial:
        torch.save({"plan": plan, "standing": {"finished": True}, "network": network.state_dict()}, partial)
    return network


def brightness(pictures: Picture) -> FloatArray:
    """Crops (n, S, S, 3) BGR as rows (n, S * S) from -1 to 1, as the network's first layer makes them."""
    shares = np.array(GREY_SHARES[::-1], np.float32)
    grey = (pictures.astype(np.float32) / np.float32(255)) @ shares
    rows: FloatArray = (2 * grey - 1).reshape(len(pictures), -1).astype(np.float32)
    return rows


def as_network(kind: NetworkKind, pca: Any, layers: Any) -> nn.Module:
    """What scikit-learn has fitted, as a network in evaluation mode."""
    network = pca_ann(kind.side_px, kind.classes, len(pca.components_))
    values = [(pca.components_, -pca.components_ @ pca.mean_)]
    values += [(weight.T, bias) for weight, bias in zip(layers.coefs_, layers.intercepts_, strict=True)]
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(linear, values, strict=True):
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight, np.float32)))
            layer.bias.copy_(torch.from_numpy(np.ascontiguousarray(bias, np.float32)))
    return network.eval()


def load_pca_ann(kind: NetworkKind, run: Path) -> nn.Module:
    """The network of a run, with as many components as it kept; BadInputError where there is none."""
    weights = read_weights(run)["network"]
    if "2.weight" not in weights:
        raise BadInputError(f"{run} holds weights of another network")
    network = pca_ann(kind.side_px, kind.classes, len(weights["2.weight"]))
    network.load_state_dict(weights)
    return network.eval()
