"""A sentence: its text is made of the catalogue, its parameters are flat and bounded."""

import math

import pytest

from services.common.secrets import redact
from services.core.errors import BadInputError, StreamError, ThrottledError
from services.core.sentences.sentence import (
    LONGEST_VALUE,
    OTHER,
    Sentence,
    is_sayable,
    plain,
    sentence,
    sentence_from,
)

SECRET = "s3cret"
URL = f"rtsp://user:{SECRET}@cam/live"


def test_an_error_says_its_code_its_parameters_and_the_text_of_both() -> None:
    error = BadInputError("line-limit", camera="gate", most=64)
    assert str(error) == "camera 'gate' has 64 lines already: remove some first"
    assert (error.sentence.code, error.sentence.params) == ("line-limit", {"camera": "gate", "most": 64})
    throttled = ThrottledError("answers-own-limit", 5.0, most=2, what=sentence("streams"))
    assert (throttled.wait_s, throttled.sentence.params["what_code"]) == (5.0, "streams")


def test_a_text_without_a_code_is_kept_as_it_is() -> None:
    error = StreamError("the camera is on holiday")
    assert (str(error), error.sentence.code) == ("the camera is on holiday", OTHER)
    assert error.sentence.params == {"text": "the camera is on holiday"}
    assert StreamError(error.sentence).sentence is error.sentence


def test_a_sentence_within_a_sentence_is_laid_flat() -> None:
    inner = sentence("picture-too-large", width=9000, height=10, megapixels=16.8, side=8192)
    outer = sentence("stream-too-large", reason=inner)
    assert outer.text == f"the stream is too large: {inner.text}"
    assert outer.params["reason"] == inner.text
    assert (outer.params["reason_code"], outer.params["reason_width"]) == ("picture-too-large", 9000)
    again = sentence("camera-no-picture-because", camera="gate", reason=outer)
    assert again.params["reason_reason_code"] == "picture-too-large"


def test_a_missing_parameter_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        sentence("camera-missing")


@pytest.mark.parametrize("length", [LONGEST_VALUE, LONGEST_VALUE + 1, 100_000])
def test_parameters_are_bounded(length: int) -> None:
    said = sentence("camera-missing", camera="x" * length)
    assert len(str(said.params["camera"])) == min(length, LONGEST_VALUE)
    assert len(said.text) < LONGEST_VALUE + 50


def test_a_parameter_is_never_cut_within_an_address() -> None:
    for place in range(LONGEST_VALUE - len(URL), LONGEST_VALUE + 1):
        cut = str(plain("x" * place + f" {URL} and more").params["text"])
        assert SECRET not in redact(cut), place


def test_masking_reaches_text_and_parameters() -> None:
    said = sentence("stream-broken", reason=plain(f"cannot read {URL}")).masked(redact)
    assert SECRET not in said.text
    assert SECRET not in str(said.params)
    assert said.code == "stream-broken"


def test_a_number_that_json_lacks_is_said_as_a_text() -> None:
    said = sentence("fps-invalid", name="fps", fps=math.nan, least=4.0, most=60.0, fewest=4.0)
    assert said.params["fps"] == "nan"
    assert said.text.startswith("fps is nan: give 4 to 60 frames")


def test_what_an_older_release_said_has_no_code() -> None:
    assert sentence_from("the stream ended", "", {}) == plain("the stream ended")
    newer = sentence_from("of tomorrow", "code-of-tomorrow", {"a": 1})
    assert newer == Sentence("code-of-tomorrow", {"a": 1}, "of tomorrow")


@pytest.mark.parametrize(
    ("code", "params", "is_good"),
    [
        ("", {}, True),
        ("camera-missing", {"camera": "gate", "most": 1, "rate": 0.5}, True),
        ("Camera Missing", {}, False),
        ("x" * 64, {}, False),
        ("up", {"$where": "x"}, False),
        ("up", {"a": "x" * (LONGEST_VALUE + 1)}, False),
        ("up", {"a": "\0"}, False),
        ("up", {f"a{n}": n for n in range(100)}, False),
    ],
)
def test_codes_from_elsewhere_are_bounded(
    code: str, params: dict[str, str | int | float], is_good: bool
) -> None:
    assert is_sayable(code, params) is is_good
