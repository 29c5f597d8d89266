"""Masking of credentials in texts of every kind, and what it costs."""

import pytest

from services.common.secrets import redact


@pytest.mark.parametrize("form", ["p@ss/w", "p%40ss%2Fw", "rtsp://u:p@ss/w@host/s"])
def test_texts_lose_the_secrets_of_an_address_in_any_form(form: str) -> None:
    for url in ("rtsp://u:p@ss/w@host/s", "rtsp://u:p%40ss%2Fw@host/s"):
        text = redact(f"cannot open '{form}': 401", url)
        assert "ss/w" not in text
        assert "ss%2Fw" not in text
        assert "401" in text


def test_several_addresses_in_one_text() -> None:
    text = redact("a rtsp://u:one@h1/x and rtsp://v:two@h2/y?key=three failed")
    assert text == "a rtsp://u:***@h1/x and rtsp://v:***@h2/y?key=*** failed"
