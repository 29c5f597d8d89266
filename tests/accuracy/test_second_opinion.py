"""Mask states on a clip whose people are known: by the mask model alone, and with a classifier that ships."""

import json
from pathlib import Path

import pytest

from services.detector.infer.models import classifier_names, classifier_path
from tests.accuracy.second_opinion import faces_of, told_in_clip, ways

CLIP = "mask-demo.mp4"

pytestmark = [pytest.mark.data, pytest.mark.timeout(600)]


def test_nobody_of_a_clip_is_misread_with_a_second_opinion_or_two_stages(test_data: Path) -> None:
    """The slides, and scenes of entrances, are for the command: see the ADR on two stages."""
    clips = test_data / "clips"
    clip = next(
        one for one in json.loads((clips / "counts.json").read_text())["clips"] if one["file"] == CLIP
    )
    faces = faces_of(clip)
    assert [face.label for face in faces] == ["no_mask", "mask"]
    alone = ways("mask-n", Path("none"))[:1]
    helped = [way for name in classifier_names() for way in ways("mask-n", classifier_path(name))[1:]]
    for way in (*alone, *helped):
        outcome = told_in_clip(clips / CLIP, faces, way)
        assert (outcome.wrong, outcome.unseen) == (0, 0), way.name
