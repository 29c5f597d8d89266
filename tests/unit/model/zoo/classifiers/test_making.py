"""The table is made from a folder by one call: trained, measured, timed, drawn, and again from its runs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.data.samples import DataSource
from model.zoo.classifiers.card import accuracy, measure_classifier, refreshed_card
from model.zoo.classifiers.exporting import export_classifier
from model.zoo.classifiers.making import make_table
from model.zoo.classifiers.measuring import CropFigures
from model.zoo.classifiers.networks import KINDS
from model.zoo.table import TableSettings, write_table
from services.core.errors import BadInputError

ROWS = ("lenet5", "feed-forward", "window-rcnn")


@pytest.fixture(scope="module")
def settings(face_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TableSettings:
    folder = tmp_path_factory.mktemp("table")
    return TableSettings(
        data=(DataSource(face_folder),),
        runs=folder / "runs",
        document=folder / "benchmarks.md",
        only=ROWS,
        shown=320,
        rounds=2,
        samples_file=folder / "samples.json",
    )


def test_a_finder_that_is_none_is_refused_before_anything_is_trained(settings: TableSettings) -> None:
    with pytest.raises(BadInputError, match=r"give a \.caffemodel file"):
        make_table(
            replace(settings, finder_file=settings.runs / "absent.caffemodel"),
            lambda name, share: pytest.fail("it was trained"),
        )


def test_the_table_is_made_from_nothing_and_again_from_its_runs(settings: TableSettings) -> None:
    seen: list[str] = []
    table = make_table(settings, lambda name, share: seen.append(name))
    assert set(ROWS) <= set(seen)
    assert [row[0] for row in table.rows] == ["Feed-forward net on small windows", "LeNet-5"]
    assert all(len(row) == len(table.columns) for row in table.rows)
    for title in ("GB-YOLO n, one stage", "GB-YOLO n as a finder + LeNet-5", "R-CNN on proposed windows"):
        assert title in table.notes
    write_table(table, settings.document)
    text = settings.document.read_text()
    for plot in table.plots:
        assert plot.file in text
        assert (settings.document.parent / "benchmarks" / plot.file).read_text().startswith("<?xml")
    assert settings.samples_file is not None
    samples = json.loads(settings.samples_file.read_text())
    assert {len(times) for times in samples["crop_ms"].values()} == {2}
    again = make_table(replace(settings, trains=False, only=(*ROWS, "vgg16")), lambda name, share: None)
    accuracy_column = table.columns.index("accuracy")
    assert [row[accuracy_column] for row in again.rows] == [row[accuracy_column] for row in table.rows]
    assert "Left out, since not trained: vgg16" in again.notes


def test_a_row_that_there_is_not_is_named(settings: TableSettings) -> None:
    with pytest.raises(BadInputError, match=r"'lenet6'.*lenet5"):
        make_table(replace(settings, only=("lenet6",)), lambda name, share: None)


def test_shares_of_a_confusion_matrix() -> None:
    figures = CropFigures.of(np.array([[8, 1, 1], [2, 6, 2], [0, 0, 0]]))
    assert figures.accuracy == pytest.approx(0.7)
    assert figures.two_classes == pytest.approx(16 / 20)
    assert figures.by_class[:2] == pytest.approx((0.8, 0.6))
    assert np.isnan(figures.by_class[2])
    assert figures.precision == pytest.approx((8 / 10 + 6 / 7) / 2)
    assert figures.f1 == pytest.approx((0.8 + 12 / 17) / 2)


def test_a_card_is_made_from_the_file(settings: TableSettings, tmp_path: Path) -> None:
    kind = next(one for one in KINDS if one.name == "lenet5")
    path = tmp_path / "lenet.onnx"
    export_classifier(kind.build().eval(), path, kind.side_px, "lenet", kind.title)
    figures = measure_classifier(path, [settings.data[0].folder], threads=1)
    card = refreshed_card("---\nlicence: x\n---\n# Model card: lenet\n", figures, "lenet")
    assert accuracy(figures) in card
    assert figures.sha256 in card
    assert "### On the validation part" in card
    assert refreshed_card(card, figures, "lenet") == card
    assert int(figures.parts["val"].sum() + figures.parts["test"].sum()) == 9
    with pytest.raises(BadInputError, match="no classifier"):
        measure_classifier(Path("model/weights/mask-n.onnx"), [settings.data[0].folder])


def test_a_table_without_any_weights_is_refused(settings: TableSettings, tmp_path: Path) -> None:
    without = replace(settings, runs=tmp_path, trains=False)
    with pytest.raises(BadInputError, match="no row of the table has weights"):
        make_table(without, lambda name, share: None)
