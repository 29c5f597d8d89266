"""Class numbers of the models that cameras name, and of no others."""

from pathlib import Path

from services.detector.infer.file_watch import LOOK_S
from services.detector.ports.frames import ClassIds
from tests.stand_in_models import write_finder


async def test_models_that_no_camera_names_any_more_are_forgotten() -> None:
    ids = ClassIds()
    for number in range(20):
        await ids.of(f"/models/gone-{number}.onnx")
    assert (await ids.of("traffic"))["car"] == 2
    ids.keep({"traffic"})
    assert list(ids._known) == ["traffic"]


async def test_classes_have_the_numbers_of_the_file_that_is_there(tmp_path: Path) -> None:
    times_s = iter(range(0, 100, round(LOOK_S)))
    ids, path = ClassIds(lambda: next(times_s)), tmp_path / "site.onnx"
    assert await ids.of(str(path)) == {}
    write_finder(path, [(0, 0, 0, 0, 0, 0)], ("helmet", "head"))
    assert await ids.of(str(path)) == {"helmet": 0, "head": 1}
    write_finder(path, [(0, 0, 0, 0, 0, 0, 0)], ("bare head", "vest", "helmet"))
    assert (await ids.of(str(path)))["helmet"] == 2
    path.unlink()
    assert (await ids.of(str(path)))["helmet"] == 2, "who has loaded it goes on with it"
