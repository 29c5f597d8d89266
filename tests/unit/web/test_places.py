"""Places for answers that go on."""

import pytest

from services.common.access.accounts import User, UserRole
from services.core.errors import StreamError, ThrottledError
from services.web.auth.caller import Caller
from services.web.auth.origin import Origin
from services.web.places import Places


def _caller(address: str, user: str | None = None, by: str = "") -> Caller:
    account = None if user is None else User(user, UserRole.VIEWER, "", 0.0, "id", "stamp")
    return Caller(UserRole.VIEWER, Origin(address, False, "here", None, True), account, by)


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        (_caller("10.0.0.1", "anna", "session"), _caller("10.0.0.2", "anna", "token phone"), True),
        (_caller("10.0.0.1", "anna"), _caller("10.0.0.1", "bert"), False),
        (_caller("10.0.0.1"), _caller("10.0.0.1"), True),
        (_caller("10.0.0.1"), _caller("10.0.0.2"), False),
        (_caller("2001:db8::1"), _caller("2001:db8::2"), True),
        (_caller("10.0.0.1", by="token a"), _caller("10.0.0.9", by="token a"), True),
    ],
)
def test_one_user_or_one_address_has_so_many_places(first: Caller, second: Caller, is_one: bool) -> None:
    places = Places("streams", most=10, most_each=1)
    place = places.take(first)
    if is_one:
        with pytest.raises(ThrottledError, match="1 streams at once") as error:
            places.take(second)
        assert (error.value.wait_s, places.refused) == (5.0, 1)
        place.close()
    places.take(second)


def test_all_together_have_so_many_places_and_one_is_given_back_once() -> None:
    places = Places("streams", most=2, most_each=2)
    first, _ = places.take(_caller("10.0.0.1")), places.take(_caller("10.0.0.2"))
    with pytest.raises(StreamError, match="2 streams are open already"):
        places.take(_caller("10.0.0.3"))
    first.close()
    first.close()
    assert places.taken == 1
    assert places.take(_caller("10.0.0.3")) is not None
