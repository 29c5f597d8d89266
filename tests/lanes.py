"""Spreads a run over the cores: what computes beside what waits, then what measures, by itself.

`pytest -n N -p tests.lanes`, with more workers than cores: each second worker begins with tests that mostly
wait (for leases to expire, servers to notice, cameras to come back), the others with those that compute.
Tests that measure the machine, or judge what a camera's clock brings, need it for themselves.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

WAITING = (
    "tests/integration/cluster/",
    "tests/integration/common/",
    "tests/integration/detector/",
    "tests/integration/ingest/",
    "tests/integration/rtsp/",
)
"""Each keeps less than a third of a core busy."""

MEASURING = (
    "tests/chaos/test_",
    "tests/containers/test_compose.py",
    "tests/containers/test_healthcheck.py",
    "tests/containers/test_image_scripts.py",
    "tests/containers/test_manifests.py",
    "tests/containers/test_node.py",
    "tests/containers/test_operations.py",
    "tests/containers/test_pin_images.py",
    "tests/containers/test_player.py",
    "tests/docs/test_shell.py",
    "tests/docs/test_troubleshooting.py",
    "tests/e2e/test_masks_page.py",
    "tests/e2e/test_page.py",
    "tests/e2e/test_retention_notice.py",
    "tests/integration/test_",
    "tests/perf/",
)
"""Of the tests that use the images only one file is not here: it builds them, and these find them built."""

ONE_BY_ONE = (
    "tests/integration/cli/test_bad_input.py",
    "tests/integration/cli/test_serve_bad_input.py",
)
"""Long files whose tests share nothing."""

ALONE = "alone"
"""The one unit of work of the last phase."""


class Lanes(LoadScopeScheduling):
    """Gives workers files to compute or to wait in; the last worker that is left measures."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(MEASURING):
            return ALONE
        return nodeid if nodeid.startswith(ONE_BY_ONE) else nodeid.partition("::")[0]

    def _only_measuring_is_left(self) -> bool:
        return list(self.workqueue) == [ALONE]

    def _waits_first(self, node: WorkerController) -> bool:
        return int(node.gateway.id.removeprefix("gw")) % 2 == 1

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self._only_measuring_is_left() and len(self.nodes) > 1:
            return
        wanted = [
            s for s in self.workqueue if s.startswith(WAITING) == self._waits_first(node) and s != ALONE
        ]
        if wanted:
            self.workqueue.move_to_end(wanted[0], last=False)
        elif ALONE in self.workqueue:
            self.workqueue.move_to_end(ALONE)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if self._only_measuring_is_left() and len(self.nodes) > 1:
            if any(not other.shutting_down for other in self.nodes if other is not node):
                node.shutdown()
            return
        super()._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a worker that has ended, and let the last one begin with the last phase."""
        crashed = super().remove_node(node)
        for other in self.nodes:
            self._reschedule(other)
        return crashed


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """Put the lanes in the place of xdist's own ways."""
    return Lanes(config, log)
