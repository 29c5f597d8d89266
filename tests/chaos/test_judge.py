from tests.chaos.judge import Happening, edges, judge

SPAN = (100.0, 130.0)


def happening(time_s: float) -> Happening:
    return Happening(time_s, "road", "forward")


def test_what_happens_at_an_end_may_be_counted_beyond_it() -> None:
    for time_s in (99.1, 100.9, 129.1, 130.9):
        assert not judge([happening(time_s)], [], edges(SPAN)).missed
        assert not judge([happening(time_s)], [happening(round(time_s, -1))], edges(SPAN)).surplus


def test_what_happens_within_is_counted_there_once() -> None:
    for time_s in (101.1, 128.9):
        assert judge([happening(time_s)], [], edges(SPAN)).missed == (happening(time_s),)
        verdict = judge([happening(time_s)], [happening(time_s + 0.9), happening(time_s - 0.9)], edges(SPAN))
        assert (verdict.expected, len(verdict.surplus)) == (1, 1)
