"""The comparison of cards: rounding passes, anything else is named."""

import pytest

from tests.accuracy.card_figures import differences

ROW = "| person | 51 | 0.439 | 0.431 | 1.0000 (of 22) | mAP50-95 0.119"


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (ROW, True),
        (ROW.replace("0.439", "0.444"), True),
        (ROW.replace("0.439", "0.445"), False),
        (ROW.replace("0.119", "0.129"), False),
        (ROW.replace("of 22", "of 24"), True),
        (ROW.replace("of 22", "of 25"), False),
        (ROW.replace("| 51 ", "| 52 "), False),
        (ROW.replace("0.431", "–"), False),
        (ROW.replace("person", "car"), False),
        (ROW + "\nmore", False),
    ],
)
def test_one_line(other: str, is_same: bool) -> None:
    assert (not differences(ROW, other)) == is_same


def test_a_hash_is_compared_as_it_is() -> None:
    assert differences(f"`{'1.5' * 20}ab`", f"`{'1.5' * 20}ac`")
    assert differences("`8b3d4c67`", "`8b3d4c68`")


def test_it_says_which_line_and_what_it_should_be() -> None:
    assert differences("a\nb 0.1", "a\nb 0.2") == ["2: 'b 0.1' should be 'b 0.2'"]
