import random

from services.core.types import Detection
from services.detector.track.bytetrack import ByteTracker
from services.detector.track.classes import ClassVote, merge_same_objects

ASPECT = 16 / 9


def at(x: float, y: float, name: str = "car", confidence: float = 0.8, size: float = 0.08) -> Detection:
    return Detection((x - size / 2, y - size / 2, x + size / 2, y + size / 2), name, confidence)


def run(frames: list[list[Detection]], fps: float = 10) -> list[tuple[int, ...]]:
    tracker = ByteTracker(ASPECT)
    return [tuple(o.track for o in tracker.update(i / fps, d).observed) for i, d in enumerate(frames)]


def test_one_object_is_one_track():
    seen = run([[at(0.1 + 0.02 * i, 0.5)] for i in range(30)])
    assert {track for frame in seen for track in frame} == {1}
    assert all(seen[2:])


def test_a_van_called_car_and_truck_is_one_track_with_the_class_of_most_votes():
    tracker = ByteTracker(ASPECT)
    for i in range(20):
        x = 0.1 + 0.02 * i
        both = [at(x, 0.5, "car", 0.7), at(x + 0.004, 0.5, "truck", 0.5 if i % 3 else 0.75)]
        update = tracker.update(i / 10, both)
        if i >= 2:
            assert [o.track for o in update.observed] == [1]
    assert update.observed[0].class_name == "car"


def test_a_rider_is_a_person_and_a_bicycle():
    frames = [[at(0.1 + 0.02 * i, 0.5, "person"), at(0.1 + 0.02 * i, 0.53, "bicycle")] for i in range(20)]
    assert {track for frame in run(frames) for track in frame} == {1, 2}


def test_a_hidden_object_keeps_its_track():
    frames = [[] if 10 <= i < 18 else [at(0.1 + 0.015 * i, 0.5)] for i in range(40)]
    seen = run(frames)
    assert {track for frame in seen for track in frame} == {1}
    assert all(not seen[i] for i in range(10, 18)), "predicted positions must not be told"


def test_a_lost_object_is_closed_once():
    tracker = ByteTracker(ASPECT)
    closed: list[int] = []
    for i in range(60):
        closed += tracker.update(i / 10, [at(0.1 + 0.01 * i, 0.5)] if i < 10 else []).closed
    assert closed == [1]


def test_a_single_flicker_is_no_track():
    assert run([[at(0.5, 0.5)], [], [], [at(0.2, 0.2)], []]) == [(), (), (), (), ()]


def test_weak_detections_go_on_but_do_not_begin():
    assert run([[at(0.5, 0.5, confidence=0.2)] for _ in range(10)]) == [()] * 10
    frames = [[at(0.3 + 0.01 * i, 0.5, confidence=0.8 if i < 5 else 0.15)] for i in range(12)]
    assert all(frame == (1,) for frame in run(frames)[2:])


def test_two_vehicles_that_pass_each_other_keep_their_tracks():
    tracker = ByteTracker(ASPECT)
    for i in range(40):
        update = tracker.update(i / 15, [at(0.1 + 0.02 * i, 0.5), at(0.9 - 0.02 * i, 0.56)])
    lanes = {o.track: (o.box[1] + o.box[3]) / 2 for o in update.observed}
    assert len(lanes) == 2
    assert lanes[min(lanes)] < lanes[max(lanes)]


def test_same_input_same_tracks():
    random.seed(3)
    frames = [
        [at(random.random(), random.random(), confidence=random.random()) for _ in range(12)]
        for _ in range(40)
    ]
    assert run(frames) == run(frames)


def test_merge_keeps_the_strongest_and_leaves_small_far_cars():
    big = at(0.5, 0.5, "truck", 0.9, size=0.4)
    cab = at(0.42, 0.5, "car", 0.5, size=0.22)
    far = at(0.5, 0.35, "car", 0.4, size=0.05)
    walker = at(0.5, 0.5, "person", 0.4, size=0.38)
    assert merge_same_objects([cab, far, walker, big], ASPECT) == [big, far, walker]


def test_vote_is_by_confidence_and_size():
    vote = ClassVote()
    vote.add("truck", 0.5, 1.0)
    vote.add("truck", 0.5, 1.0)
    vote.add("car", 0.9, 2.0)
    assert vote.winner == "car"


def test_what_left_the_picture_does_not_come_back_as_another_object():
    leaving = [[at(0.1 - 0.02 * i, 0.5, "truck")] for i in range(5)]
    entering = [[at(0.02 + 0.02 * i, 0.5, "car")] for i in range(15)]
    tracker = ByteTracker(ASPECT)
    frames = [*leaving, [], [], [], [], [], *entering]
    updates = [tracker.update(i / 10, frame) for i, frame in enumerate(frames)]
    (last,) = updates[-1].observed
    assert (last.track, last.class_name) == (2, "car")


def face(y: float, size: float, name: str, confidence: float = 0.7) -> Detection:
    """A square face of a picture 16 by 9, `size` as a share of its height."""
    half = size / 2
    return Detection((0.5 - half / ASPECT, y - half, 0.5 + half / ASPECT, y + half), name, confidence)


def approach(names: list[str]) -> list[str | None]:
    """The mask state told in each frame while a face comes nearer and grows from 16 to 80 pixels of 360."""
    tracker = ByteTracker(ASPECT)
    told: list[str | None] = []
    for i, name in enumerate(names):
        share = i / (len(names) - 1)
        update = tracker.update(i / 10, [face(0.2 + 0.5 * share, (16 + 64 * share) / 360, name)])
        assert all(item.track == 1 and item.mask == item.class_name for item in update.observed)
        told += [item.mask for item in update.observed]
    return told


def test_a_few_far_frames_do_not_decide_whether_a_mask_is_worn():
    told = approach(["no_mask"] * 12 + ["mask"] * 28)
    assert told[0] == "no_mask"
    assert told[-1] == "mask"
    assert approach(["mask_incorrect", "no_mask", "mask"] * 5 + ["mask"] * 25)[-1] == "mask"


def test_one_wrong_frame_nearby_does_not_turn_the_vote():
    assert approach(["mask"] * 39 + ["no_mask"])[-1] == "mask"


def test_a_face_that_the_border_cuts_hardly_votes():
    tracker = ByteTracker(ASPECT)
    for i in range(12):
        update = tracker.update(i / 10, [face(0.55 + 0.03 * i, 0.2, "mask")])
    for i in range(12, 18):
        y = 0.9 + 0.005 * (i - 12)
        cut = face(y, 0.2, "no_mask", 0.9)
        box = (*cut.box[:3], 1.0)
        update = tracker.update(i / 10, [Detection(box, cut.class_name, cut.confidence)])
    assert [item.mask for item in update.observed] == ["mask"]


def test_traffic_has_no_mask_state():
    tracker = ByteTracker(ASPECT)
    for i in range(4):
        update = tracker.update(i / 10, [at(0.5, 0.5)])
    assert [item.mask for item in update.observed] == [None]
