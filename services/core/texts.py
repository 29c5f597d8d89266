"""Texts of files that people give, in whatever encoding their program saves them. Pure."""

import json


def text_of(data: bytes) -> str:
    """Give the text of a file: UTF-8, UTF-16 or UTF-32, with a byte order mark or without.

    Its lines end with `\\n`. UnicodeDecodeError when it is none of these, or a mark with nothing behind it.
    """
    text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    if data and not text:
        raise UnicodeDecodeError("utf-8", data, 0, len(data), "nothing stands behind the byte order mark")
    return text.replace("\r\n", "\n").replace("\r", "\n")
