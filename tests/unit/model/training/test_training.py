import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from model.data.batches import EpochPlan, make_batches
from model.data.samples import DataSource, Sample, load_split
from model.evaluation.comparing import compare
from model.evaluation.evaluate import evaluate_model, load_model
from model.export.writing import ExportConfig, export_model
from model.network.build import build
from model.network.checkpoint import averaged_network, read_checkpoint
from model.training.config import TrainConfig
from model.training.loss import ciou, detection_loss
from model.training.train import train
from model.training.trainer import LONGEST_STEP_S, Trainer, to_tensor
from services.core.errors import BadInputError, ConflictError


def config(folder: Path, run: Path, epochs: int, **changes: object) -> TrainConfig:
    values = {"task": "mask", "input_px": 96, "batch": 4, "minutes": None, "evaluate_every": 1, "threads": 1}
    return TrainConfig((DataSource(folder),), run, epochs=epochs, **(values | changes))  # type: ignore[arg-type]


def test_ciou_is_one_for_equal_boxes_and_falls_with_distance() -> None:
    box = torch.tensor([[10.0, 10.0, 4.0, 4.0]])
    assert float(ciou(box, box)) == pytest.approx(1, abs=1e-5)
    near, far = (ciou(box + torch.tensor([[shift, 0.0, 0.0, 0.0]]), box) for shift in (5.0, 20.0))
    assert 0 > float(near) > float(far) > -1


def test_the_loss_falls_on_a_tiny_set(squares: list[Sample]) -> None:
    torch.manual_seed(0)
    network = build("gbyolo", "n", 3)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    _, batch = next(make_batches({"mask": squares}, {"mask": np.ones(16)}, EpochPlan(0, 0, 8, 96, 0.0)))
    pictures, targets = to_tensor(batch, torch.device("cpu")), torch.from_numpy(batch.targets)
    losses = []
    for _ in range(25):
        loss = detection_loss(network(pictures), targets, network.head, 96)
        optimizer.zero_grad()
        loss.total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.box)
    assert np.mean(losses[-3:]) < 0.8 * losses[0]


@pytest.mark.parametrize("has_bf16", [True, False])
def test_bf16_is_used_where_the_processor_has_it(
    has_bf16: bool, yolo_folder: Path, squares: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": has_bf16})
    for wanted in (True, False):
        settings = config(yolo_folder, tmp_path, 1, bf16=wanted)
        trainer = Trainer(settings, {"mask": squares}, {"mask": squares}, "test")
        assert trainer.bf16 == (wanted and has_bf16)


def test_ignored_boxes_do_not_push_objectness_down() -> None:
    network = build("gbyolo", "n", 3).train()
    raw = [torch.zeros(1, 24, side, side) + 5.0 for side in (12, 6, 3)]
    nothing = torch.zeros(0, 6)
    ignored = torch.tensor([[0, -1, 0.5, 0.5, 0.05, 0.05]])
    without = detection_loss(raw, nothing, network.head, 96)
    assert detection_loss(raw, ignored, network.head, 96).objectness < without.objectness
    assert without.box == without.class_ == 0


def test_a_training_goes_on_where_it_was_killed(yolo_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(config(yolo_folder, run, 1))
    first = read_checkpoint(run / "checkpoint.pt")
    train(config(yolo_folder, run, 2))
    second = read_checkpoint(run / "checkpoint.pt")
    assert first["progress"]["step"] == 2 and second["progress"]["step"] == 4
    assert second["progress"]["elapsed_s"] > first["progress"]["elapsed_s"] > 0
    assert second["optimizer"]["state"][0]["step"] == 4
    rows = (run / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["1", "2"], ["2", "4"]]
    for plot in ("curves.png", "precision_recall.png", "confusion.png", "examples.jpg"):
        picture = cv2.imread(str(run / plot))
        assert picture is not None and picture.std() > 10, plot
    assert json.loads((run / "config.json").read_text())["input_px"] == 96


def test_a_stop_in_mid_epoch_saves_the_batch_to_go_on_with(
    yolo_folder: Path, tmp_path: Path, squares: list[Sample]
) -> None:
    settings = config(yolo_folder, tmp_path, 3)
    trainer = Trainer(settings, {"mask": squares}, {"mask": squares[:2]}, "test")
    trainer.stop_requested = True
    trainer.run_epoch(lambda share: None)
    again = Trainer(settings, {"mask": squares}, {"mask": squares[:2]}, "test")
    assert (again.progress.epoch, again.progress.batch, again.progress.step) == (0, 1, 1)


def test_a_stop_in_the_last_step_still_evaluates(yolo_folder: Path, tmp_path: Path) -> None:
    settings = config(yolo_folder, tmp_path, 1, batch=8)
    samples = load_split([DataSource(yolo_folder)], "train", 96)
    trainer = Trainer(settings, {"mask": samples}, {"mask": samples[:2]}, "test")

    def stop(share: float) -> None:
        trainer.stop_requested = share >= 1

    trainer.run_epoch(stop)
    assert trainer.done and trainer.stop_requested and (tmp_path / "best.pt").is_file()


def test_another_run_in_the_folder_and_a_foreign_start_are_refused(yolo_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(config(yolo_folder, run, 1))
    others = {"input_px": 128, "seed": 1, "learning_rate": 1e-3, "data": (DataSource(yolo_folder, 2.0),)}
    for name, value in others.items():
        with pytest.raises(ConflictError, match=rf"run holds a run with other settings \({name}\)"):
            train(replace(config(yolo_folder, run, 1), **{name: value}))
    (run / "config.json").unlink()
    with pytest.raises(ConflictError, match="other settings"):
        train(config(yolo_folder, run, 1, input_px=128))
    with pytest.raises(BadInputError, match="no checkpoint"):
        train(config(yolo_folder, tmp_path / "new", 1, init=tmp_path / "none.pt"))
    started = train(config(yolo_folder, tmp_path / "fine", 1, init=run / "best.pt"))
    heads = [averaged_network(folder / "checkpoint.pt")[1].heads for folder in (run, started)]
    assert heads[0] == heads[1]


def test_pictures_without_any_label_are_refused(yolo_folder: Path, tmp_path: Path) -> None:
    (yolo_folder / "labels").rename(yolo_folder / "annotations")
    with pytest.raises(BadInputError, match="no training picture has a label"):
        train(config(yolo_folder, tmp_path / "run", 1))


def test_a_joint_training_is_the_start_of_each_task(yolo_folder: Path, tmp_path: Path) -> None:
    sources = (DataSource(yolo_folder, task="mask"), DataSource(yolo_folder, task="traffic"))
    joint = train(replace(config(yolo_folder, tmp_path / "joint", 1), task="joint", data=sources))
    start = read_checkpoint(joint / "checkpoint.pt")["averaged"]
    with pytest.raises(BadInputError, match="mask"):
        averaged_network(joint / "checkpoint.pt")
    settings = config(yolo_folder, tmp_path / "mask", 1, init=joint / "checkpoint.pt")
    samples = load_split([DataSource(yolo_folder)], "train", 96)
    trainer = Trainer(settings, {"mask": samples}, {"mask": samples}, "test")
    for name, value in trainer.network.state_dict().items():
        assert torch.equal(value, start[name]), name
    assert [head.task for head in trainer.description.heads] == ["mask"]
    rows = (joint / "metrics.csv").read_text().splitlines()
    assert "ap50_mask_incorrect" in rows[0] and "ap50_truck" in rows[0]


def test_the_time_of_a_pause_is_no_time_of_training(
    yolo_folder: Path, tmp_path: Path, squares: list[Sample]
) -> None:
    calls = 0

    def clock() -> float:
        """A second passes at each look, and an hour once."""
        nonlocal calls
        calls += 1
        return calls + (3600.0 if calls > 4 else 0.0)

    settings = replace(config(yolo_folder, tmp_path / "run", 1), minutes=30.0, batch=4)
    settings.run.mkdir()
    trainer = Trainer(settings, {"mask": squares}, {"mask": squares}, "test", clock)
    trainer.run_epoch(lambda share: None)
    assert trainer.progress.epoch == 1
    assert LONGEST_STEP_S <= trainer.progress.elapsed_s < 600


def test_the_exported_file_computes_what_the_network_computes(yolo_folder: Path, tmp_path: Path) -> None:
    run = train(config(yolo_folder, tmp_path / "run", 1))
    output = tmp_path / "squares-n.onnx"
    values = export_model(ExportConfig(run / "checkpoint.pt", output, width=128, height=96))
    assert values["classes"] == ["mask", "no_mask", "mask_incorrect"] and values["input"] == [128, 96]
    session = onnxruntime.InferenceSession(str(output), providers=["CPUExecutionProvider"])
    assert json.loads(session.get_modelmeta().custom_metadata_map["sightline"]) == values
    assert (session.get_inputs()[0].name, session.get_outputs()[0].name) == ("images", "predictions")
    pictures = np.random.default_rng(0).random((1, 3, 96, 128), np.float32)
    expected = load_model(run / "checkpoint.pt").predict(pictures)
    assert np.abs(session.run(None, {"images": pictures})[0] - expected).max() < 1e-3
    assert evaluate_model(output, yolo_folder).metrics.boxes["no_mask"] == 1


def test_bad_files_are_refused_with_a_clear_word(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no checkpoint")
    with pytest.raises(BadInputError, match="no checkpoint that can be read"):
        read_checkpoint(broken)
    with pytest.raises(BadInputError, match="multiples of 32"):
        ExportConfig(broken, tmp_path / "out.onnx", width=650)


def test_hard_examples_stay_known_over_a_kill(
    yolo_folder: Path, tmp_path: Path, squares: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "model.training.trainer.emphasise", lambda counts, judged: counts * (1 + np.arange(len(judged)))
    )
    settings = config(yolo_folder, tmp_path, 4, mine_at=(0.4,))
    trainer = Trainer(settings, {"mask": squares}, {"mask": squares[:2]}, "test")
    shown = []
    for _ in range(3):
        trainer.run_epoch(lambda share: None)
        again = Trainer(settings, {"mask": squares}, {"mask": squares[:2]}, "test")
        assert again.progress == trainer.progress
        shown.append(again._counts["mask"].sum())
    ones = len(squares) + sum(sample.labels[0, 0] == 2 for sample in squares)
    assert shown[0] == ones and shown[1] == shown[2] > 5 * ones
    assert again.progress.mined == 1


def test_nothing_is_mined_that_no_epoch_would_show(
    yolo_folder: Path, tmp_path: Path, squares: list[Sample]
) -> None:
    trainer = Trainer(
        config(yolo_folder, tmp_path, 2, mine_at=(0.9,)), {"mask": squares}, {"mask": squares}, ""
    )
    while not trainer.done:
        trainer.run_epoch(lambda share: None)
    assert trainer.progress.epoch == 2 and trainer.progress.mined == 0


def test_two_models_are_compared_over_their_seeds(yolo_folder: Path, tmp_path: Path) -> None:
    runs = [train(config(yolo_folder, tmp_path / str(seed), 1, seed=seed)) / "best.pt" for seed in (0, 1)]
    table = compare(runs, runs, yolo_folder, "val", rounds=20)
    assert "val, 3 pictures | first (2) | second (2)" in table
    assert "| mAP50 |" in table and "| +0.000 |" in table


def test_a_run_that_has_no_place_is_refused(yolo_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match="file cannot be made: File exists"):
        train(config(yolo_folder, tmp_path / "file", 1))
