from collections import Counter

import pytest

from services.core.sharding import chosen_member

CAMERAS = [f"camera-{number}" for number in range(600)]
MEMBERS = ["detector-a", "detector-b", "detector-c"]


def chosen(members: list[str]) -> dict[str, str | None]:
    return {camera: chosen_member(camera, members) for camera in CAMERAS}


def test_nobody_without_members():
    assert chosen_member("gate", []) is None


def test_the_choice_depends_on_the_names_alone():
    assert chosen_member("gate", MEMBERS) == chosen_member("gate", list(reversed(MEMBERS)))
    assert chosen(MEMBERS) == chosen([*MEMBERS[1:], MEMBERS[0]])


def test_the_choice_is_the_same_in_every_version_of_the_program():
    assert [chosen_member(camera, MEMBERS) for camera in ("gate", "yard", "street")] == [
        "detector-a",
        "detector-c",
        "detector-b",
    ]


def test_cameras_spread_evenly():
    counts = Counter(chosen(MEMBERS).values())
    assert all(150 <= counts[member] <= 250 for member in MEMBERS)


@pytest.mark.parametrize("newcomer", ["detector-d", "0", "z"])
def test_a_newcomer_takes_its_share_and_nothing_else_moves(newcomer):
    before, after = chosen(MEMBERS), chosen([*MEMBERS, newcomer])
    moved = {camera for camera in CAMERAS if before[camera] != after[camera]}
    assert {after[camera] for camera in moved} == {newcomer}
    assert 100 <= len(moved) <= 200


@pytest.mark.parametrize("gone", MEMBERS)
def test_when_a_member_goes_only_its_cameras_move(gone):
    before, after = chosen(MEMBERS), chosen([member for member in MEMBERS if member != gone])
    assert {camera for camera in CAMERAS if before[camera] != after[camera]} == {
        camera for camera in CAMERAS if before[camera] == gone
    }
