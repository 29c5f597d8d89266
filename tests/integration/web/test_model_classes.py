"""What a camera's model finds, as web learns it, and what follows for lines, questions and models."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.core.types import CameraId
from services.detector.infer.models import named_classes
from services.web.system import ModelEntry
from tests.makers import analysis_cost
from tests.stand_in_models import write_finder
from tests.tables import Tables
from tests.web_app import SYSTEM, web_over

MODEL = "/srv/models/site.onnx"
CLASSES = ("Helm", "head", "=1+1", "Weste für Gäste")
POINTS = [[0.1, 0.5], [0.9, 0.5]]


def any_model(name: str) -> None:
    """Take every name, as where only detectors see the files."""


ELSEWHERE = replace(SYSTEM, check_model=any_model)


def cost(model: str = MODEL, classes: tuple[str, ...] = CLASSES):
    return analysis_cost().with_classes(model, classes)


async def test_classes_are_learned_from_the_detector_that_runs_the_camera(tables: Tables) -> None:
    async with web_over(tables, system=ELSEWHERE) as web:
        made = await web.client.post(
            "/api/v1/cameras", json={"id": "site", "url": "demo://traffic", "model": MODEL}
        )
        assert (made.status_code, made.json()["classes"]) == (201, None)
        lines = "/api/v1/cameras/site/lines"
        early = await web.client.post(lines, json={"id": "early", "points": POINTS, "classes": ["anything"]})
        assert early.status_code == 201

        web.bus.states.publish_cost(CameraId("site"), cost("traffic", ("person",)))
        assert (await web.client.get("/api/v1/cameras/site")).json()["classes"] is None
        web.bus.states.publish_cost(CameraId("site"), cost())
        assert (await web.client.get("/api/v1/cameras/site")).json()["classes"] == [*CLASSES]

        refused = await web.client.post(lines, json={"id": "late", "points": POINTS, "classes": ["car"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "line-class-never")
        good = await web.client.post(
            lines, json={"id": "late", "points": POINTS, "classes": ["Helm", "=1+1"]}
        )
        assert good.json()["classes"] == ["Helm", "=1+1"]
        for name, status in (("Weste für Gäste", 200), ("anything", 200), ("helm", 422)):
            asked = await web.client.get("/api/v1/counts", params={"camera": "site", "class": name})
            assert asked.status_code == status
        wanted = {"camera": "site", "format": "csv", "class": "=1+1"}
        sheet = await web.client.get("/api/v1/counts", params=wanted)
        assert ",=1+1" not in sheet.text

        web.bus.states.withdraw_rate(CameraId("site"))
        assert (await web.client.get("/api/v1/cameras/site")).json()["classes"] == [*CLASSES]
        changed = await web.client.patch("/api/v1/cameras/site", json={"model": "mask"})
        assert (changed.status_code, changed.json()["code"]) == (422, "line-class-never")


async def test_models_are_listed_with_their_tasks_and_classes(tables: Tables) -> None:
    shipped = ModelEntry("traffic-n", ("person",), ("traffic",), "traffic")
    entries = (shipped, ModelEntry(MODEL, CLASSES, (), "detect", True))
    async with web_over(tables, system=replace(SYSTEM, models=lambda: entries)) as web:
        items = (await web.client.get("/api/v1/models")).json()["items"]
    assert [(one["name"], one["task"], one["aliases"]) for one in items] == [
        ("traffic-n", "traffic", ["traffic"]),
        (MODEL, "detect", []),
    ]
    assert items[1]["classes"] == [*CLASSES]


@pytest.mark.parametrize(
    "wrong",
    [
        cost(classes=("x" * 61,)),
        replace(cost(), classes=tuple(f"class number {number} of many" for number in range(400))),
        replace(cost(), classes=("a\nb",)),
        replace(cost(), model="x" * 201),
    ],
    ids=["long", "many", "lines", "model"],
)
def test_what_a_process_reports_of_classes_is_bounded(wrong) -> None:
    assert cost().is_bounded
    assert not wrong.is_bounded


def test_too_many_names_are_not_reported() -> None:
    assert cost(classes=tuple(f"class number {number} of many" for number in range(400))).classes == ()
    assert cost("mask-n", ("mask",)).classes == ()


async def test_a_second_opinion_on_a_model_that_finds_no_masks_is_refused(
    tables: Tables, tmp_path: Path
) -> None:
    path = write_finder(tmp_path / "site.onnx", [(0, 0, 0, 0, 0, 0)], ("helmet", "head"))
    body = {"id": "site", "url": "demo://traffic", "model": str(path), "verify": True}
    async with web_over(tables, system=replace(ELSEWHERE, classes_of=named_classes)) as web:
        refused = await web.client.post("/api/v1/cameras", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "verify-not-masks")
        (await web.client.post("/api/v1/cameras", json={**body, "verify": False})).raise_for_status()
        refused = await web.client.patch("/api/v1/cameras/site", json={"verify": True})
        assert (refused.status_code, refused.json()["code"]) == (422, "verify-not-masks")
        assert (await web.client.patch("/api/v1/cameras/site", json={"name": "Site"})).status_code == 200
