"""What the API tells of the watched street, and how it is compared with the script."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.common.wire import parse_time, time_text
from tests.chaos.judge import TOLERANCE_S, Happening, Span, edges, judge, overlap_s
from tests.chaos.scene import ChaosScene
from tests.cluster import Cluster
from tests.processes import wait_until

CAMERA = "street"

LONGEST_EXTRA_S = 5.0
"""A gap may be longer than the outage that explains it by this much."""

WHOLE_SECONDS_S = 2.0
"""And by this, for it is told in whole seconds and takes in those at its ends that are analysed in part."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a part of the system was away."""

    part: str
    from_s: float
    to_s: float

    def __str__(self) -> str:
        return f"{self.part} away for {self.to_s - self.from_s:.1f} s"


@dataclass
class Witness:
    """Asks for crossings all the time, and notices when one that was shown is gone."""

    api: httpx.Client
    from_s: float
    shown: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            try:
                now = {item["id"] for item in crossings(self.api, self.from_s)}
            except (httpx.HTTPError, KeyError):
                continue
            self.lost |= self.shown - now
            self.shown |= now


def crossings(api: httpx.Client, from_s: float) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"camera": CAMERA, "from": time_text(from_s), "limit": 500}
    while True:
        answer = api.get("/api/v1/crossings", params=query).raise_for_status().json()
        found += answer["items"]
        if not answer.get("next"):
            return found
        query["cursor"] = answer["next"]


def gaps(api: httpx.Client, from_s: float, to_s: float) -> list[Span]:
    span = {"from": time_text(from_s), "to": time_text(to_s)}
    answer = api.get(f"/api/v1/cameras/{CAMERA}/gaps", params=span).raise_for_status()
    return [(parse_time(item["from"]), parse_time(item["to"])) for item in answer.json()["items"]]


def set_up(api: httpx.Client, url: str, scene: ChaosScene) -> None:
    camera = {"id": CAMERA, "name": "Street", "url": url, "fps": 10}
    api.post("/api/v1/cameras", json=camera).raise_for_status()
    for line in scene.lines:
        points = [list(point) for point in line.points]
        body = {"id": line.id, "name": line.name, "points": points}
        api.post(f"/api/v1/cameras/{CAMERA}/lines", json=body).raise_for_status()


def check(
    scene: ChaosScene,
    began_s: float,
    span: Span,
    api: httpx.Client,
    outages: Sequence[Outage],
) -> None:
    """Compare what the API tells with the script."""
    from_s, to_s = span
    items = crossings(api, from_s)
    found_gaps = gaps(api, from_s, to_s)
    print(
        f"{len(items)} crossings, gaps: {[f'{a - began_s:.0f}..{b - began_s:.0f} s' for a, b in found_gaps]}"
    )

    counted = [Happening(parse_time(item["time"]), item["line"], item["direction"]) for item in items]
    counted = [item for item in counted if from_s <= item.time_s < to_s]
    scripted = [
        Happening(began_s + item.time_s, item.line, item.direction)
        for item in scene.crossings
        if from_s - TOLERANCE_S <= began_s + item.time_s < to_s + TOLERANCE_S
    ]
    verdict = judge(scripted, counted, [*found_gaps, *edges(span)])
    print(f"expected {verdict.expected}, in gaps and not counted {verdict.excused}")
    assert not verdict.missed, f"missed: {verdict.missed}"
    assert not verdict.surplus, f"too many: {verdict.surplus}"
    assert verdict.expected >= 4 * max(1, len(outages))

    for gap in found_gaps:
        owners = [one for one in outages if overlap_s(gap, (one.from_s - LONGEST_EXTRA_S, one.to_s + 30)) > 0]
        assert owners, f"a gap at {gap[0] - began_s:.0f} s that no kill explains"
        outage_s = max(one.to_s - one.from_s for one in owners)
        assert gap[1] - gap[0] < outage_s + LONGEST_EXTRA_S + WHOLE_SECONDS_S, f"{gap} after {owners}"
    wait_until(lambda: do_minutes_agree(api, from_s, to_s), 20, "minutes hold what the crossings say")


def do_minutes_agree(api: httpx.Client, from_s: float, to_s: float) -> bool:
    """Whether minutes hold what the crossings say, line by line; in between, the street goes on."""
    first_s, last_s = from_s // 60 * 60, to_s // 60 * 60 + 60
    items = crossings(api, first_s)
    return all(
        minutes_of(api, line, first_s, last_s)
        == Counter(
            (item["direction"], item["class"])
            for item in items
            if item["line"] == line and parse_time(item["time"]) < last_s
        )
        for line in {item["line"] for item in items}
    )


def minutes_of(api: httpx.Client, line: str, first_s: float, last_s: float) -> dict[tuple[str, str], int]:
    """Give what the minutes of a line hold, by direction and class."""
    query = {"camera": CAMERA, "line": line, "from": time_text(first_s), "to": time_text(last_s)}
    answer = api.get("/api/v1/counts", params=query | {"bucket": "1m"})
    total = answer.raise_for_status().json()["total"]
    return {
        (direction, class_name): number
        for direction in ("forward", "backward")
        for class_name, number in total[direction].items()
    }


def owner_of(system: Cluster, *detectors: str) -> str:
    """Give the detector that analyses the camera now."""
    for name in detectors:
        if system[name].metric("sightline_cameras_owned"):
            return name
    raise AssertionError("nobody analyses the camera")
