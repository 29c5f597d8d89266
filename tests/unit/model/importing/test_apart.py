"""A stranger's network gets so much memory and time, and no more."""

import os
import time

import pytest

from model.importing.apart import apart
from services.core.errors import BadInputError


def greet(name: str) -> str:
    return f"good day, {name}"


def refuse() -> None:
    raise BadInputError("it is none")


def go_on() -> None:
    while True:
        time.sleep(0.01)


def take(size: int) -> int:
    return len(bytearray(size))


def break_off() -> None:
    os._exit(3)


def test_what_is_given_and_refused_comes_back() -> None:
    assert apart(greet, "neighbour") == "good day, neighbour"
    with pytest.raises(BadInputError, match="it is none"):
        apart(refuse)


def test_what_does_not_end_takes_too_much_or_breaks_off_is_refused() -> None:
    with pytest.raises(BadInputError, match="not done after 1 s"):
        apart(go_on, longest_s=1.0)
    with pytest.raises(BadInputError, match="more than 1024 MB"):
        apart(take, 2 << 30, memory_bytes=1 << 30)
    with pytest.raises(BadInputError, match="its process ended"):
        apart(break_off)
