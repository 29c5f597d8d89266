"""Who gets a place, and who gives way."""

from services.common.connections.places import Place, PlaceLimits, Places, Standing


class Port:
    """Places with a clock, and who was ended."""

    def __init__(self, total: int = 4, per_client: int = 4, reserve: int = 0) -> None:
        self.now_s = 0.0
        self.ended: list[str] = []
        self.places = Places(PlaceLimits(total, per_client, reserve), lambda: self.now_s)

    def take(
        self, name: str, address: str | None, standing: Standing = Standing.STRANGER, scarce: bool = False
    ) -> Place | None:
        self.now_s += 1
        place = self.places.take(address, lambda: self.ended.append(name), scarce)
        if place is not None:
            self.places.set_standing(place, standing)
        return place


def test_the_oldest_stranger_of_the_largest_crowd_gives_way() -> None:
    port = Port()
    for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.2"), ("c", "10.0.0.2"), ("d", "10.0.0.3")):
        assert port.take(name, address)
    assert port.take("e", "10.0.0.4")
    assert port.ended == ["b"]
    assert port.take("f", "10.0.0.5")
    assert port.ended == ["b", "a"]
    assert (len(port.places), port.places.gave_way, port.places.refused) == (4, 2, 0)


def test_who_was_answered_gives_way_after_strangers_and_who_is_answered_never() -> None:
    port = Port(total=3)
    port.take("busy", "10.0.0.1", Standing.BUSY)
    port.take("known", "10.0.0.1", Standing.KNOWN)
    port.take("stranger", "10.0.0.2")
    port.take("next", "10.0.0.3", Standing.BUSY)
    port.take("last", "10.0.0.4", Standing.BUSY)
    assert port.ended == ["stranger", "known"]
    assert port.take("none", "10.0.0.5") is None
    assert port.places.refused == 1 and port.ended == ["stranger", "known"]


def test_an_address_that_has_its_share_takes_from_itself_alone() -> None:
    port = Port(total=10, per_client=2)
    port.take("other", "10.0.0.1")
    port.take("a", "10.0.0.2", Standing.BUSY)
    port.take("b", "10.0.0.2")
    assert port.take("c", "10.0.0.2", Standing.BUSY)
    assert port.ended == ["b"]
    assert port.take("d", "10.0.0.2") is None
    assert port.ended == ["b"]


def test_a_network_of_ipv6_is_one_address_and_a_proxy_has_no_share() -> None:
    port = Port(total=10, per_client=1)
    assert port.take("a", "2001:db8::1", Standing.BUSY)
    assert port.take("b", "2001:db8::2") is None
    assert port.take("c", "2001:db8:0:1::1")
    assert all(port.take(f"proxy {n}", None) for n in range(5))


def test_strangers_give_way_before_the_idle_connections_of_a_proxy() -> None:
    port = Port(total=3)
    port.take("proxy 1", None)
    port.take("proxy 2", None)
    port.take("stranger", "10.0.0.1")
    port.take("next", "10.0.0.2")
    assert port.ended == ["stranger"]


def test_the_reserve_is_beyond_the_limit_and_its_oldest_gives_way() -> None:
    port = Port(total=1, reserve=2)
    port.take("busy", "10.0.0.1", Standing.BUSY)
    reserve = [port.take(name, "10.0.0.2") for name in ("a", "b", "c")]
    assert [place is not None and place.is_reserve for place in reserve] == [True] * 3
    assert port.ended == ["a"] and len(port.places) == 3
    scarce = port.take("d", "10.0.0.3", scarce=True)
    assert scarce is not None and scarce.is_reserve


def test_a_place_that_was_left_is_free_and_leaving_twice_changes_nothing() -> None:
    port = Port(total=1)
    place = port.take("a", "10.0.0.1", Standing.BUSY)
    assert place is not None
    port.places.leave(place)
    port.places.leave(place)
    assert port.take("b", "10.0.0.1", Standing.BUSY)
    assert port.take("c", "10.0.0.1") is None


def test_room_is_made_of_whoever_asks_for_nothing() -> None:
    port = Port()
    port.take("busy", "10.0.0.1", Standing.BUSY)
    port.take("a", "10.0.0.1")
    port.take("b", "10.0.0.1", Standing.KNOWN)
    port.places.make_room(8)
    assert port.ended == ["a", "b"] and len(port.places) == 1
