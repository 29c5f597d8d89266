from model.training.computing import TRIAL_STEPS, ThreadTuner


class Machine:
    """A clock whose steps take as long as the machine says for the threads in use."""

    def __init__(self, *step_s: float) -> None:
        self.step_s, self.now, self.threads = step_s, 0.0, 0

    def run(self, tuner: ThreadTuner, steps: int, work: tuple[float, ...] = (1.0,)) -> None:
        for number in range(steps):
            amount = work[number % len(work)]
            self.now += self.step_s[self.threads - 1] * amount
            tuner.after_step(amount)

    def set_threads(self, count: int) -> None:
        self.threads = count


def tuner(machine: Machine, most: int = 2) -> ThreadTuner:
    return ThreadTuner(most, lambda: machine.now, machine.set_threads, period_s=60)


def test_two_threads_where_they_are_faster() -> None:
    machine = Machine(1.0, 0.6)
    machine.run(tuner(machine), 2 * TRIAL_STEPS)
    assert machine.threads == 2


def test_one_thread_beside_other_work_and_two_again_when_it_is_gone() -> None:
    machine = Machine(1.0, 5.0)
    chosen = tuner(machine)
    machine.run(chosen, TRIAL_STEPS + 1)
    assert machine.threads == 1
    machine.step_s = (1.0, 0.6)
    machine.run(chosen, 60 + 2 * TRIAL_STEPS)
    assert machine.threads == 2


def test_a_single_thread_is_never_changed() -> None:
    machine = Machine(1.0)
    machine.run(tuner(machine, most=1), 200)
    assert machine.threads == 1


def test_large_steps_do_not_make_their_threads_look_slow() -> None:
    machine = Machine(1.0, 0.6)
    machine.run(tuner(machine), 2 * TRIAL_STEPS, work=(1.0,) * TRIAL_STEPS + (3.0,) * TRIAL_STEPS)
    assert machine.threads == 2
