from services.core.types import Detection, Line, PositionSeconds, Trajectory
from services.detector.analyser import Analyser

LINE = Line("main", "Main", ((0.1, 0.5), (0.9, 0.5)))


def car(y: float, name: str = "car") -> Detection:
    return Detection((0.4, y - 0.05, 0.5, y + 0.05), name, 0.8)


def drive(analyser: Analyser, first_frame: int = 0, name: str = "car") -> list:
    return [
        analyser.update(first_frame + i, (first_frame + i) / 10, [car(0.3 + 0.02 * i, name)])
        for i in range(20)
    ]


def crossings(analyses: list) -> list:
    return [crossing for analysis in analyses for crossing in analysis.crossings]


def test_a_replay_gives_the_same_crossings():
    one, two = (crossings(drive(Analyser("c", 1.6, [LINE], epoch=3, connection=2))) for _ in range(2))
    assert len(one) == 1
    assert one == two
    assert (one[0].direction, one[0].line_version, one[0].epoch) == ("forward", 1, 3)


def test_identities_differ_between_epochs_connections_starts_and_versions():
    runs = [
        drive(Analyser("c", 1.6, [LINE], epoch=1)),
        drive(Analyser("c", 1.6, [LINE], epoch=2)),
        drive(Analyser("c", 1.6, [LINE], epoch=1, connection=1)),
        drive(Analyser("c", 1.6, [LINE], epoch=1), first_frame=500),
        drive(Analyser("c", 1.6, [Line("main", "Main", LINE.points, version=2)], epoch=1)),
    ]
    identities = [crossings(run)[0].id for run in runs]
    assert len(set(identities)) == len(runs)


def test_a_line_counts_only_its_classes():
    only_buses = Line("main", "Main", LINE.points, classes=("bus",))
    assert crossings(drive(Analyser("c", 1.6, [only_buses]))) == []
    assert len(crossings(drive(Analyser("c", 1.6, [only_buses]), name="bus"))) == 1


def test_a_line_that_does_not_change_keeps_what_it_knows():
    analyser = Analyser("c", 1.6, [LINE])
    found = []
    for i in range(20):
        if i == 8:
            analyser.set_lines([LINE, Line("second", "Second", ((0.1, 0.6), (0.9, 0.6)))])
        found += analyser.update(i, i / 10, [car(0.3 + 0.02 * i)]).crossings
    assert sorted(crossing.line for crossing in found) == ["main", "second"]


def test_a_closed_track_leaves_its_last_piece_and_the_word_for_its_seconds():
    analyser = Analyser("c", 1.6, [LINE], epoch=3, connection=2)
    drive(analyser)
    analyser.update(20, 2.0, [car(0.7)])
    piece, word = analyser.finish()
    assert isinstance(piece, Trajectory)
    assert (piece.class_name, piece.piece, piece.epoch) == ("car", 1, 3)
    assert (piece.points[0].time_s, piece.points[-1].time_s) == (0.2, 2.0), "confirmed with its third frame"
    assert word == PositionSeconds("c", (1,), 3, 2), (
        "neither the first second nor the last is seen as a whole"
    )
    assert analyser.finish() == ()


def test_what_may_still_become_a_crossing_is_pending():
    analyser = Analyser("c", 1.6, [LINE])
    found = []
    for i, y in enumerate((0.3, 0.34, 0.38, 0.42, 0.46, 0.5, 0.515, None, 0.518, 0.53)):
        analyser.update(i, i / 10, [car(y)] if y is not None else [])
        found.append(analyser.pending())
    assert [pending.has_appeared for pending in found] == [i == 2 for i in range(10)]
    assert [round(pending.unseen_since_s, 1) for pending in found[2:]] == [
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.6,
        0.8,
        0.9,
    ]
    assert [len(pending.undecided_s) for pending in found] == [0, 0, 0, 0, 0, 0, 1, 1, 1, 0]


def test_what_comes_in_at_the_border_has_not_appeared():
    analyser = Analyser("c", 1.6, [LINE])
    for i in range(5):
        analyser.update(i, i / 10, [car(0.06 + 0.01 * i)])
        assert not analyser.pending().has_appeared


def test_a_crossing_names_the_mask_state_voted_until_then_and_the_trajectory_the_whole_vote():
    analyser = Analyser("c", 1.6, [LINE])
    names = ["no_mask"] * 3 + ["mask"] * 12 + ["no_mask"] * 25
    found = []
    for i, name in enumerate(names):
        found += analyser.update(i, i / 10, [car(min(0.3 + 0.02 * i, 0.7), name)]).crossings
    (crossing,) = found
    assert (crossing.mask, crossing.class_name) == ("mask", "mask")
    assert [item.class_name for item in analyser.finish() if isinstance(item, Trajectory)] == ["no_mask"]


def test_a_line_counts_by_mask_state():
    only_bare = Line("main", "Main", LINE.points, classes=("no_mask", "mask_incorrect"))
    for name, number in (("mask", 0), ("no_mask", 1), ("mask_incorrect", 1)):
        assert len(crossings(drive(Analyser("c", 1.6, [only_bare]), name=name))) == number
