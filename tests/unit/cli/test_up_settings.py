"""Settings: the shipped file loads, mistakes are named with their line, the environment wins."""

from pathlib import Path

import pytest

from services.cli.up_settings import CameraSettings, UpConfig
from services.common.settings.files import load_settings
from services.core.errors import BadInputError
from services.core.types import LineId

SHIPPED = Path(__file__).resolve().parents[3] / "configmaps" / "up.yaml"

CAMERA = "cameras:\n  - id: gate\n    name: Gate\n    url: demo://traffic\n"


def _load(tmp_path: Path, text: str, **environment: str) -> UpConfig:
    path = tmp_path / "up.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(UpConfig, path, environment)


def test_the_shipped_file_documents_the_defaults() -> None:
    shipped = load_settings(UpConfig, SHIPPED, {})
    assert shipped.model_copy(update={"cameras": ()}) == UpConfig()
    camera = shipped.cameras[0]
    assert camera.camera().url == "demo://traffic"
    assert camera.lines[0].id == LineId("main")


def test_the_shipped_file_names_every_key() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    keys = [*UpConfig.model_fields, *CameraSettings.model_fields]
    assert not [key for key in keys if f"{key}:" not in text]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "host: 127.0.0.1\nprot: 80\n",
            "line 2: unknown key 'prot' (known: annotated_port, camera_patience_s, cameras,",
        ),
        ("port: 99999\n", "line 1: port: Input should be less than or equal to 65535"),
        (CAMERA + "    ulr: x\n", "line 5: unknown key 'cameras.0.ulr'"),
        (CAMERA + "    fps: 2\n", "line 5: cameras.0.fps: fps is 2: give 4 to 60 frames to analyse a second"),
        (CAMERA + "    fps: 0\n", "line 5: cameras.0.fps: fps is 0: give 4 to 60 frames to analyse a second"),
        (CAMERA + "    url_env: GATE\n", "line 2: cameras.0: give exactly one of url, url_env and url_file"),
        (CAMERA + "    lines:\n      - {id: a, points: [[0, 0], [0, 0]]}\n", "points 1 and 2 are the same"),
        (CAMERA + "    lines:\n      - {id: a, points: [[0, .nan], [1, 1]]}\n", "y of point 1 is nan"),
        (CAMERA + CAMERA.removeprefix("cameras:\n"), "two cameras have the id 'gate'"),
        ("tls_cert: a.pem\n", "tls_cert and tls_key belong together"),
        ("- a\n- b\n", "line 1: settings are keys with values"),
        ("host: [\n", "not YAML"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInputError) as error:
        _load(tmp_path, text)
    assert message in str(error.value)
    assert "up.yaml" in str(error.value)


def test_no_value_is_shown_since_it_might_be_a_secret(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as error:
        _load(tmp_path, "cameras:\n  - id: gate\n    url: [rtsp://u:s3cret@host]\n    name: Gate\n")
    assert "s3cret" not in str(error.value)


def test_the_environment_wins_and_is_named_in_its_errors(tmp_path: Path) -> None:
    assert _load(tmp_path, "port: 8081\n", SIGHTLINE_PORT="8082", SIGHTLINE_OTHER="x").port == 8082
    with pytest.raises(BadInputError, match="SIGHTLINE_PORT: port: "):
        _load(tmp_path, "", SIGHTLINE_PORT="many")


def test_ids_come_from_names(tmp_path: Path) -> None:
    lines = "    lines:\n      - name: In & Out\n        points: [[0, 0], [1, 1]]\n"
    text = f"cameras:\n  - name: Main Gate (N)\n    url: a.mp4\n{lines}"
    camera = _load(tmp_path, text).cameras[0]
    assert camera.id == "main-gate-n"
    assert camera.lines[0].id == LineId("in-out")


def test_addresses_from_environment_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE_URL", "rtsp://u:p@192.0.2.1/")
    secret = tmp_path / "secret"
    secret.write_text("rtsp://file/\n", encoding="utf-8")
    text = f"cameras:\n  - id: a\n    url_env: GATE_URL\n  - id: b\n    url_file: {secret}\n"
    cameras = _load(tmp_path, text).cameras
    assert [camera.camera().url for camera in cameras] == ["rtsp://u:p@192.0.2.1/", "rtsp://file/"]
    monkeypatch.delenv("GATE_URL")
    with pytest.raises(BadInputError, match="GATE_URL is not set"):
        cameras[0].camera()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read: No such file"):
        load_settings(UpConfig, tmp_path / "none.yaml", {})


def test_a_camera_that_names_no_model_gets_that_of_its_demo(tmp_path: Path) -> None:
    rows = ("{id: a, url: demo://masks}", "{id: b, url: a.mp4}", "{id: c, url: a.mp4, model: mask-s}")
    settings = _load(tmp_path, "cameras:\n" + "".join(f"  - {row}\n" for row in rows))
    assert [camera.camera().model for camera in settings.cameras] == ["mask", "traffic", "mask-s"]


def test_up_keeps_records_as_its_file_says(tmp_path: Path) -> None:
    kept = _load(tmp_path, "retention:\n  trajectories_days: 7\n").retention.retention
    assert (kept.trajectories_days, kept.crossings_days) == (7, 400)
    with pytest.raises(BadInputError, match=r"line 2: retention\.trajectories_days: Input should be greater"):
        _load(tmp_path, "retention:\n  trajectories_days: 0\n")


def test_the_environment_may_hold_whatever_a_key_may(tmp_path: Path) -> None:
    cameras = "[{name: Gate, url: 'rtsp://192.0.2.1/a', fps: 5, verify: true}, {id: yard, url_env: YARD}]"
    settings = _load(
        tmp_path,
        CAMERA,
        SIGHTLINE_CAMERAS=cameras,
        SIGHTLINE_RETENTION="{crossings_days: 30}",
        SIGHTLINE_MJPEG_PORT="null",
        SIGHTLINE_RELAY_PORT="",
        SIGHTLINE_JSON_PORT="18070",
    )
    assert [(camera.id, camera.fps) for camera in settings.cameras] == [("gate", 5.0), ("yard", 10.0)]
    assert [camera.verify for camera in settings.cameras] == [True, False]
    assert settings.retention.crossings_days == 30
    assert (settings.mjpeg_port, settings.relay_port, settings.json_port) == (None, None, 18070)
    assert _load(tmp_path, CAMERA, SIGHTLINE_CAMERAS="", SIGHTLINE_RETENTION="").cameras == ()


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("SIGHTLINE_CAMERAS", "[{name: 'Gate, url: s3cret", "SIGHTLINE_CAMERAS: not YAML"),
        ("SIGHTLINE_CAMERAS", "rtsp://u:s3cret@h/", "SIGHTLINE_CAMERAS: cameras: Input should be"),
        (
            "SIGHTLINE_CAMERAS",
            "[{name: Gate, ulr: s3cret}]",
            "SIGHTLINE_CAMERAS: unknown key 'cameras.0.ulr'",
        ),
        ("SIGHTLINE_PORT", "null", "SIGHTLINE_PORT: port: Input should be a valid integer"),
    ],
)
def test_mistakes_of_the_environment_are_named_by_their_variable(
    tmp_path: Path, variable: str, text: str, words: str
) -> None:
    with pytest.raises(BadInputError) as error:
        _load(tmp_path, "", **{variable: text})
    assert words in str(error.value) and "s3cret" not in str(error.value)
