"""Names of users."""

import pytest

from services.common.access.accounts import folded_name, user_name_from


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("anna.b-c_2", "anna.b-c_2"),
        ("Anna", "anna"),
        ("Ａｎｎａ", "anna"),
        ("anna\u3000maria", "anna maria"),
        ("anna\u00a0maria", "anna maria"),
        ("Ju\u0308rgen", "jürgen"),
        ("田中", "田中"),
        ("דנה", "דנה"),
        ("अनिता", "अनिता"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("a" * 63, "a" * 63),
    ],
)
def test_a_user_may_have_the_name_of_a_person(typed: str, kept: str) -> None:
    assert user_name_from(typed) == kept
    assert folded_name(typed) == folded_name(kept) == kept


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            " ",
            "..",
            ".a",
            "-a",
            "a:b",
            "a/b",
            "a／b",
            "a：b",
            "a\\b",
            "a  b",
            "a\nb",
            "a\u2028b",
            "a\u202eb",
        ),
        *("a\ud800", "a?b", "a%2fb", "a" * 64, "\ufdfa" * 60),
    ],
)
def test_what_parts_names_from_passwords_and_paths_is_in_none(name: str) -> None:
    assert user_name_from(name) is None
