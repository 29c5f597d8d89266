"""Two models on the same pictures: the difference of their figures, and how sure it is."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from model.data.samples import SPLITS, DataSource, load_split
from model.evaluation.evaluate import judge_samples, load_model
from model.evaluation.judging import Judged
from model.evaluation.metrics import measure

Figure = Callable[[Sequence[Judged]], float]
"""A figure over pictures, such as mAP50."""


@dataclass(frozen=True)
class Difference:
    """Second minus first, with the interval in which 95 of 100 draws of the pictures lie."""

    difference: float
    low: float
    high: float


def bootstrap_difference(
    first: Sequence[Sequence[Judged]],
    second: Sequence[Sequence[Judged]],
    figure: Figure,
    rounds: int = 1000,
    seed: int = 0,
) -> Difference:
    """Compares two models over the same pictures, each trained with one or more seeds.

    The figure of a model is the mean over its seeds. Each round draws pictures with replacement, the same
    for both models, so that what is hard for both does not widen the interval, and seeds too.
    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, the percentile interval.
    """
    pictures = {len(judged) for judged in (*first, *second)}
    if len(pictures) != 1:
        raise ValueError("both models have to be judged on the same pictures")
    (count,) = pictures
    rng = np.random.default_rng(seed)

    def mean(runs: Sequence[Sequence[Judged]], chosen: Sequence[int]) -> float:
        return float(np.mean([figure([run[index] for index in chosen]) for run in runs]))

    def drawn(runs: Sequence[Sequence[Judged]]) -> list[Sequence[Judged]]:
        return [runs[index] for index in rng.integers(0, len(runs), len(runs))]

    everything = range(count)
    values = []
    for _ in range(rounds):
        chosen = rng.integers(0, count, count).tolist()
        values.append(mean(drawn(second), chosen) - mean(drawn(first), chosen))
    low, high = np.percentile(values, (2.5, 97.5))
    return Difference(mean(second, everything) - mean(first, everything), float(low), float(high))


def _map50(judged: Sequence[Judged], classes: Sequence[str]) -> float:
    return measure(judged, classes).map50


def _map50_95(judged: Sequence[Judged], classes: Sequence[str]) -> float:
    return measure(judged, classes).map50_95


FIGURES = {"mAP50": _map50, "mAP50-95": _map50_95}


def compare(
    first: Sequence[Path], second: Sequence[Path], data: Path, split: str = "test", rounds: int = 1000
) -> str:
    """A table of the second model's figures minus the first's, each trained with one or more seeds.

    The models are checkpoints or .onnx files for one input size and one list of classes.
    """
    models = [[load_model(path) for path in paths] for paths in (first, second)]
    classes = models[0][0].classes
    samples = load_split([DataSource(data)], split, max(640, *models[0][0].input_size))
    before, after = ([judge_samples(model, samples) for model in seeds] for seeds in models)
    lines = [
        f"| {split}, {len(samples)} pictures | first ({len(first)}) | second ({len(second)}) | difference | "
        "95 % interval |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for name, figure in FIGURES.items():
        of_classes = partial(figure, classes=classes)
        means = [float(np.mean([of_classes(one) for one in seeds])) for seeds in (before, after)]
        result = bootstrap_difference(before, after, of_classes, rounds)
        interval = f"{result.low:+.3f} to {result.high:+.3f}"
        lines.append(f"| {name} | {means[0]:.3f} | {means[1]:.3f} | {result.difference:+.3f} | {interval} |")
    return "\n".join(lines)


def main() -> None:
    """python -m model.evaluation.comparing --first MODEL... --second MODEL... --data FOLDER [--split test]"""
    parser = argparse.ArgumentParser(description="Compare two models, each trained with several seeds")
    parser.add_argument("--first", type=Path, nargs="+", required=True)
    parser.add_argument("--second", type=Path, nargs="+", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--rounds", type=int, default=1000)
    values = parser.parse_args()
    print(compare(values.first, values.second, values.data, values.split, values.rounds))


if __name__ == "__main__":
    main()
