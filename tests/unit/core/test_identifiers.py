"""Ids from names."""

import pytest

from services.core.identifiers import id_from_name, is_id


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
