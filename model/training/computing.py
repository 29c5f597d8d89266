"""The number of threads that is fastest now, found by trying.

On an idle machine two threads train faster than one; beside other work the second waits for a busy
core at every operation and the pair is several times slower than one thread alone.
"""

import statistics
import time
from collections.abc import Callable

import torch

PERIOD_S = 90.0
TRIAL_STEPS = 6
HOPELESS_RATIO = 2.0
"""A trial ends early when a step takes this many times the median of the best count so far."""


class ThreadTuner:
    """Tries 1 to `most` threads every `period_s` seconds for a few steps each and keeps the fastest.

    Steps are compared by their time for a unit of work.
    """

    def __init__(
        self,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        set_threads: Callable[[int], None] = torch.set_num_threads,
        period_s: float = PERIOD_S,
    ) -> None:
        self._most, self._clock, self._set_threads, self._period_s = most, clock, set_threads, period_s
        self._steps_s: dict[int, list[float]] = {}
        self._last = self._settled_at = clock()
        self._settled = True
        self.threads = most
        self._use(most)
        if most > 1:
            self._start_trial()

    def after_step(self, work: float = 1.0) -> None:
        """To be called after every training step with its amount of work, in any unit."""
        now = self._clock()
        step_s, self._last = (now - self._last) / work, now
        if self._settled:
            if self._most > 1 and now - self._settled_at >= self._period_s:
                self._start_trial()
            return
        steps = self._steps_s.setdefault(self.threads, [])
        steps.append(step_s)
        if len(steps) >= TRIAL_STEPS or step_s > HOPELESS_RATIO * self._best_s():
            self._next_trial()

    def _start_trial(self) -> None:
        self._steps_s, self._settled = {}, False
        self._use(1)

    def _next_trial(self) -> None:
        if self.threads < self._most:
            self._use(self.threads + 1)
            return
        medians = {count: statistics.median(steps) for count, steps in self._steps_s.items()}
        self._use(min(medians, key=lambda count: medians[count]))
        self._settled, self._settled_at = True, self._last

    def _best_s(self) -> float:
        others = [statistics.median(steps) for count, steps in self._steps_s.items() if count < self.threads]
        return min(others, default=float("inf"))

    def _use(self, threads: int) -> None:
        self.threads = threads
        self._set_threads(threads)


def computes_bf16(device: torch.device) -> bool:
    """Whether the device's own instructions multiply in bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return any(has for name, has in torch.cpu.get_capabilities().items() if name.endswith("bf16"))
