"""The video server keeps nothing of cameras that are gone."""

from services.common.video.hub import VideoHub
from services.core.types import AccessUnit, CameraId
from services.ingest.video_server import VideoServer


def test_figures_of_a_camera_end_with_it() -> None:
    hub = VideoHub()
    server = VideoServer(hub, "key")
    for number in range(50):
        camera = CameraId(f"c{number}")
        hub.publish(AccessUnit(camera, 0, 1.0, True, b"x"))
        server._dropped[camera] += 3
    assert server.dropped == 150
    for number in range(49):
        hub.forget(CameraId(f"c{number}"))
    figures = [f for f in server.figures() if f.name == "sightline_video_dropped_total"]
    assert [(figure.labels["camera"], figure.value) for figure in figures] == [("c49", 3)]
    assert len(server._dropped) == 1
