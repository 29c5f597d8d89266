"""Texts in the encodings in which programs save them."""

import codecs

import pytest

from services.core.texts import text_of

TEXT = '{"name": "Straße",\n "lines": []}\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_text_is_read_in_its_encoding(encoding: str, ending: str) -> None:
    assert text_of(TEXT.replace("\n", ending).encode(encoding)) == TEXT


@pytest.mark.parametrize("data", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, b"\xff\xfe\xff", b"a\xff", b"\x80"])
def test_what_is_no_text(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        text_of(data)


def test_nothing_is_an_empty_text() -> None:
    assert text_of(b"") == ""
