"""Ids from names."""

import pytest

from services.core.identifiers import clean_name, id_from_name, is_id


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Gate", "gate"),
        ("Tür Süd", "tuer-sued"),
        ("Straße 7 / Nord", "strasse-7-nord"),
        ("Café Ångström", "cafe-angstroem"),
        ("  --x--  ", "x"),
        ("東京", "item"),
        ("", "item"),
        ("a" * 200, "a" * 63),
    ],
)
def test_ids_are_made_from_names(name: str, id: str) -> None:
    assert id_from_name(name) == id
    assert is_id(id_from_name(name))


def test_taken_ids_get_a_number() -> None:
    assert id_from_name("Gate", {"gate"}) == "gate-2"
    assert id_from_name("Gate", {"gate", "gate-2"}) == "gate-3"
    numbered = id_from_name("a" * 63, {"a" * 63})
    assert numbered == "a" * 61 + "-2"
    assert is_id(numbered)


KEPT = {
    "a full-width space": "東京\u3000駅前",
    "a no-break space": "Quai\u00a0n°\u202f4",
    "a joined sign": "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 Familie",
    "a sign of a later Unicode": "\U0001fae9 \U0001fa77",
    "a flag of tags": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "a script from the right": "בוואבה \u200fמערב\u200e 2",
    "a joiner within a word": "می\u200cخواهم",
    "marks on letters": "ทางเข้า क्षि Ẩ",
    "a part of private use": "\ue000",
}


@pytest.mark.parametrize("name", KEPT.values(), ids=KEPT)
def test_names_of_every_script_are_kept(name: str) -> None:
    assert clean_name(name, 200) == name


REFUSED = [
    *"\x00\x07\t\n\r\x1b\x7f\x85\x9f\u2028\u2029",
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    "\ud800",
    "\udfff",
]


@pytest.mark.parametrize("character", REFUSED, ids=[f"U+{ord(one):04X}" for one in REFUSED])
def test_what_forges_lines_or_turns_them_is_in_no_name(character: str) -> None:
    assert clean_name(f"a{character}b", 200) is None
    assert clean_name(character, 200) is None


def test_a_name_is_the_same_from_every_keyboard() -> None:
    assert clean_name("Tu\u0308r", 200) == clean_name("T\u00fcr", 200) == "T\u00fcr"
    assert clean_name("\u3000Tür\u00a0", 200) == "Tür"
    assert id_from_name("Tu\u0308r") == id_from_name("T\u00fcr")


def test_a_name_has_something_to_see_and_an_end() -> None:
    assert clean_name("\u3000\u200b\u200d\ufeff", 200) == ""
    assert clean_name("e\u0301" * 200, 200) == "é" * 200
    assert clean_name("a" * 201, 200) is None
    assert clean_name("a" * 10_000_000, 200) is None
