"""Each figure that is described is given by some service, and each that is given is described."""

import re

from services.common.metrics import METRICS
from tests.structure.conftest import Source

GIVEN = re.compile(r'\bFigure\(\s*"(\w+)"')


def test_each_figure_is_given_and_described(sources: list[Source]) -> None:
    assert {name for source in sources for name in GIVEN.findall(source.text)} == METRICS.keys()
