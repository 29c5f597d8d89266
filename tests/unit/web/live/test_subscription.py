"""What a page may ask for over its WebSocket."""

import json
from typing import Any

import pytest

from services.core.errors import BadInputError
from services.web.live.subscription import MOST_CAMERAS, MOST_PICTURES, PictureWork, TrackWork, Work, works_of
from tests.makers import GATE


def _ask(*cameras: dict[str, Any]) -> list[Work]:
    return works_of(json.dumps({"cameras": cameras}))


def test_what_is_left_out_has_its_default() -> None:
    assert _ask() == []
    assert _ask({"camera": "gate"}) == [PictureWork(GATE, "plain", None, 2.0)]


@pytest.mark.parametrize(
    ("more", "works"),
    [
        ({"width": 320, "fps": 0.2}, [PictureWork(GATE, "plain", 320, 0.2)]),
        ({"overlay": True}, [PictureWork(GATE, "boxes", None, 2.0)]),
        ({"overlay": True, "lines": True}, [PictureWork(GATE, "boxes and lines", None, 2.0)]),
        ({"pictures": False, "tracks": True}, [TrackWork(GATE)]),
        ({"tracks": True}, [PictureWork(GATE, "plain", None, 2.0), TrackWork(GATE)]),
        ({"pictures": False}, []),
    ],
)
def test_each_kind_of_work_is_asked_for_on_its_own(more: dict[str, Any], works: list[Work]) -> None:
    assert _ask({"camera": "gate", **more}) == works


def test_pictures_are_bounded_by_number_and_so_are_cameras() -> None:
    names = [
        {"camera": f"gate-{number}", "pictures": number < MOST_PICTURES} for number in range(MOST_CAMERAS)
    ]
    assert len(_ask(*names)) == MOST_PICTURES
    with pytest.raises(BadInputError, match="16 cameras at once are the most"):
        _ask(*names[:-1], {"camera": "another"})
    with pytest.raises(BadInputError, match="at most 64 items"):
        _ask(*names, {"camera": "another", "pictures": False})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "JSON"),
        ("[]", "object"),
        ('{"cameras":[{"camera":"s3cret","width":63}]}', "width"),
        ('{"cameras":[{"camera":"s3cret","width":1921}]}', "width"),
        ('{"cameras":[{"camera":"s3cret","fps":0}]}', "fps"),
        ('{"cameras":[{"camera":"s3cret","fps":Infinity}]}', "fps"),
        ('{"cameras":[{"camera":""}]}', "camera"),
        ('{"cameras":[{"camera":"s3cret","other":1}]}', "other"),
        ('{"cameras":[{"camera":"s3cret"},{"camera":"s3cret"}]}', "once"),
        ('{"cameras":[{"camera":"\\ud800"}]}', "."),
    ],
)
def test_what_cannot_be_used_is_named_without_what_it_holds(text: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason) as error:
        works_of(text)
    assert "s3cret" not in str(error.value)
