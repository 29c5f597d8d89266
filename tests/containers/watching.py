"""Every port of the system, as those see it who are known to it, and as those who are not."""

import json
from urllib.parse import quote, urljoin

import av
import cv2
import httpx
import numpy as np
import pytest

from tests.containers.running_system import RunningSystem
from tests.containers.visitor import USER
from tests.rtsp_clients import take, watching

SHAPE = (360, 640, 3)

JPEG_BEGIN, JPEG_END = b"\xff\xd8", b"\xff\xd9"


def check_ports(system: RunningSystem, api: httpx.Client, camera: str) -> None:
    """Fail unless each port shows the camera to whom it should, and to nobody else."""
    check_page(api)
    token = api.headers["Authorization"].removeprefix("Bearer ")
    check_json(f"http://127.0.0.1:{system.port(8070)}/{camera}", token)
    check_mjpeg(f"http://127.0.0.1:{system.port(8090)}/{camera}", system.admin_password())
    for port in (8554, 8555):
        check_rtsp(f"127.0.0.1:{system.port(port)}/{camera}", f"{USER}:{quote(system.admin_password(), '')}")
    check_rtsp(f"127.0.0.1:{system.port(8554)}/{camera}", f"token:{token}")


def check_page(api: httpx.Client) -> None:
    """Fail unless the page comes without a login, with its script."""
    page = httpx.get(f"{api.base_url}").raise_for_status()
    assert page.headers["content-type"].startswith("text/html")
    script = page.text.partition('<script type="module"')[2].partition('src="')[2].partition('"')[0]
    assert len(httpx.get(urljoin(str(page.url), script)).raise_for_status().content) > 1000


def check_json(url: str, token: str) -> None:
    """Fail unless a program reads the live tracks as lines of JSON."""
    assert httpx.get(url).status_code == 401
    with httpx.stream("GET", url, headers={"Authorization": f"Bearer {token}"}, timeout=10) as answer:
        lines = answer.raise_for_status().iter_lines()
        assert next(lines) == "["
        frame = json.loads(next(lines).rstrip(","))
    assert frame["frame_id"] == 0 and "objects" in frame


def check_mjpeg(url: str, password: str) -> None:
    """Fail unless a player gets pictures."""
    assert httpx.get(url).status_code == 401
    with httpx.stream("GET", url, auth=(USER, password), timeout=10) as answer:
        received = b""
        for part in answer.raise_for_status().iter_raw():
            received += part
            if JPEG_END in received:
                break
    picture = received[received.index(JPEG_BEGIN) : received.index(JPEG_END) + len(JPEG_END)]
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == SHAPE


def check_rtsp(place: str, login: str) -> None:
    """Fail unless a player shows the stream to whoever logs in."""
    with pytest.raises(av.error.HTTPUnauthorizedError), watching(f"rtsp://{place}") as frames:
        take(frames, 1)
    with watching(f"rtsp://{login}@{place}") as frames:
        assert take(frames, 1)[0].shape == SHAPE
