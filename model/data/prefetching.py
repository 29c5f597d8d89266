"""Batches made by processes of their own, so that the training never waits long for them."""

import multiprocessing
import os
import queue
import signal
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from multiprocessing.context import ForkProcess
from multiprocessing.queues import Queue

import cv2
import numpy as np
import numpy.typing as npt

from model.data.batches import Batch, EpochPlan, make_batches
from model.data.samples import Sample

PARENT_POLL_S = 5.0
DEPTH = 4
"""Batches that wait for the training, of each process."""

Counts = Mapping[str, npt.NDArray[np.float64]]
Item = tuple[int, Batch]


class Prefetcher:
    """Runs `make_batches` in forked processes, which share the pictures' memory, one epoch at a time.

    The batches come in the order of the plan, however many processes make them. The processes end by
    themselves when their parent is gone.
    """

    def __init__(self, samples: Mapping[str, Sequence[Sample]], workers: int = 1) -> None:
        self._samples, self._workers = samples, workers
        # A forked process waits for ever for OpenCV's threads, which stay behind in its parent.
        cv2.setNumThreads(1)

    def epoch(self, plan: EpochPlan, counts: Counts) -> Iterator[Item]:
        """As make_batches. Raises RuntimeError when a process dies before its epoch is done."""
        makers = [Maker(self._samples, plan, counts, part, self._workers) for part in range(self._workers)]
        try:
            for maker in cycle(makers):
                item = maker.next()
                if item is None:
                    return
                yield item
        finally:
            for maker in makers:
                maker.stop()


class Maker:
    """A process that makes every `parts`-th batch."""

    def __init__(
        self,
        samples: Mapping[str, Sequence[Sample]],
        plan: EpochPlan,
        counts: Counts,
        part: int,
        parts: int,
    ) -> None:
        context = multiprocessing.get_context("fork")
        self._ready: Queue[Item | None] = context.Queue(DEPTH)
        given = (samples, counts, plan, part, parts)
        self._process: ForkProcess = context.Process(
            target=_work, args=(given, self._ready, os.getpid()), daemon=True
        )
        self._process.start()

    def next(self) -> Item | None:
        """The next batch; None when there is no further one."""
        while True:
            try:
                return self._ready.get(timeout=PARENT_POLL_S)
            except queue.Empty:
                if not self._process.is_alive():
                    status = self._process.exitcode
                    raise RuntimeError(f"the augmentation process ended with {status}") from None

    def stop(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join()
        self._ready.close()


def _work(
    given: tuple[Mapping[str, Sequence[Sample]], Counts, EpochPlan, int, int],
    ready: "Queue[Item | None]",
    parent: int,
) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.nice(1)
    for item in make_batches(*given):
        if not _put(ready, item, parent):
            ready.cancel_join_thread()
            return
    _put(ready, None, parent)


def _put(ready: "Queue[Item | None]", item: Item | None, parent: int) -> bool:
    """False when the parent is gone, so that nobody will ever take the item."""
    while os.getppid() == parent:
        try:
            ready.put(item, timeout=PARENT_POLL_S)
        except queue.Full:
            continue
        return True
    return False
