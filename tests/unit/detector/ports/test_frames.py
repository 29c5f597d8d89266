"""Class numbers of the models that cameras name, and of no others."""

from services.detector.ports.frames import ClassIds


async def test_models_that_no_camera_names_any_more_are_forgotten() -> None:
    ids = ClassIds()
    for number in range(20):
        await ids.of(f"/models/gone-{number}.onnx")
    assert (await ids.of("traffic"))["car"] == 2
    ids.keep({"traffic"})
    assert list(ids._known) == ["traffic"]
