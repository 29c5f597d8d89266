"""Spreads a run over the cores: what computes beside what waits, then what measures, by itself.

`pytest -n N -p tests.lanes`, with more workers than cores: each second worker begins with tests that mostly
wait (for leases to expire, servers to notice, cameras to come back), the others with those that compute.
Tests that measure the machine, or judge what a camera's clock brings, need it for themselves.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

IMAGES = "tests/containers/"
"""One unit of work: they share the images, which the first that needs them builds."""

IMAGELESS = (
    "tests/containers/test_compose_file.py",
    "tests/containers/test_compose_schema.py",
    "tests/containers/test_dockerfiles.py",
)

WAITING = (
    IMAGES,
    "tests/chaos/",
    "tests/integration/test_disk_full.py",
    "tests/e2e/",
    "tests/integration/cluster/",
    "tests/integration/rtsp/",
    "tests/integration/ingest/",
    "tests/integration/test_platform_outages.py",
    "tests/integration/common/",
    "tests/integration/detector/",
)
"""In the order in which they begin: the longest first. Each keeps less than a third of a core busy."""

MEASURING = (
    "tests/integration/ingest/test_hostile_cameras.py",
    "tests/integration/test_demo_live.py",
    "tests/integration/test_live_count.py",
    "tests/perf/",
)
"""What a camera brings in real time is to be complete, or costs and limits of processor time are compared."""

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
        if nodeid.startswith(IMAGES) and not nodeid.startswith(IMAGELESS):
            return IMAGES
        return nodeid if nodeid.startswith(ONE_BY_ONE) else nodeid.partition("::")[0]

    def _only_measuring_is_left(self) -> bool:
        return list(self.workqueue) == [ALONE]

    def _waits_first(self, node: WorkerController) -> bool:
        return int(node.gateway.id.removeprefix("gw")) % 2 == 1

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self._only_measuring_is_left() and len(self.nodes) > 1:
            return
        wanted = self._wanted(self._waits_first(node)) or self._wanted(not self._waits_first(node))
        if wanted:
            self.workqueue.move_to_end(wanted[0], last=False)
        super()._assign_work_unit(node)

    def _wanted(self, waiting: bool) -> list[str]:
        """Give the units of one kind that nobody has, in the order in which they are to begin."""
        if not waiting:
            return [scope for scope in self.workqueue if scope != ALONE and not scope.startswith(WAITING)]
        return [scope for start in WAITING for scope in self.workqueue if scope.startswith(start)]

    def _reschedule(self, node: WorkerController) -> None:
        if self._only_measuring_is_left() and len(self.nodes) > 1:
            if any(not other.shutting_down for other in self.nodes if other is not node):
                node.shutdown()
            return
        waiting = len(self.workqueue)
        super()._reschedule(node)
        if len(self.workqueue) < waiting and self._pending_of(self.assigned_work[node]) < 2:
            self._reschedule(node)  # a worker keeps its last test back until it knows what follows

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a worker that has ended, hand on what it leaves, and give the test that ended it.

        A unit without tests that are left would be sent as nothing, and its worker would wait for ever.
        """
        workload = self.assigned_work.pop(node)
        left = {scope: [test for test, done in unit.items() if not done] for scope, unit in workload.items()}
        crashed = next((test for tests in left.values() for test in tests), None)
        for scope, tests in left.items():
            unit = {test: False for test in tests if test != crashed}
            if unit:
                self.workqueue[scope] = unit
        for other in self.nodes:
            self._reschedule(other)
        return crashed


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """Put the lanes in the place of xdist's own ways."""
    return Lanes(config, log)
