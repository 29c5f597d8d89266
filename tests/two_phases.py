"""Spreads a run over the cores: what only computes runs side by side first, then all else by itself.

`pytest -n auto -p tests.two_phases`. Tests that watch the clock, or measure, need the machine for themselves.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

COMPUTING = (
    "tests/accuracy/",
    "tests/containers/test_compose_file.py",
    "tests/containers/test_compose_schema.py",
    "tests/containers/test_dockerfiles.py",
    "tests/containers/test_gpu_image.py",
    "tests/containers/test_images.py",
    "tests/containers/test_wheels.py",
    "tests/contract/",
    "tests/docs/test_documents.py",
    "tests/e2e/test_login.py",
    "tests/fuzz/",
    "tests/integration/ingest/test_container.py",
    "tests/integration/cli/",
    "tests/integration/store/",
    "tests/integration/web/",
    "tests/k8s/",
    "tests/structure/",
    "tests/unit/",
)
"""Of the tests that use the images only one file is here: it builds them, and the others find them built."""

ONE_BY_ONE = ("tests/integration/cli/test_bad_input.py", "tests/integration/cli/test_serve_bad_input.py")
"""Long files whose tests share nothing."""

ALONE = "alone"
"""The one unit of work of the second phase."""


class TwoPhases(LoadScopeScheduling):
    """Gives workers the computing tests, mostly file by file; the last that is left runs the others."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ONE_BY_ONE):
            return nodeid
        return nodeid.partition("::")[0] if nodeid.startswith(COMPUTING) else ALONE

    def _only_others_are_left(self) -> bool:
        return list(self.workqueue) == [ALONE]

    def _assign_work_unit(self, node: WorkerController) -> None:
        if ALONE in self.workqueue:
            self.workqueue.move_to_end(ALONE)
        if not self._only_others_are_left() or len(self.nodes) == 1:
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if self._only_others_are_left() and len(self.nodes) > 1:
            if any(not other.shutting_down for other in self.nodes if other is not node):
                node.shutdown()
            return
        super()._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a worker that has ended, and let the last one begin with the second phase."""
        crashed = super().remove_node(node)
        for other in self.nodes:
            self._reschedule(other)
        return crashed


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TwoPhases:
    """Put the two phases in the place of xdist's own ways."""
    return TwoPhases(config, log)
