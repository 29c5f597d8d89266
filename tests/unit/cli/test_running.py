"""The tasks of a process."""

import gc

from services.cli.running import RunningTasks


async def test_what_is_loaded_is_left_out_of_collections() -> None:
    tasks = RunningTasks()
    tasks.stop()
    try:
        await tasks.until_stopped()
        assert gc.get_freeze_count() > 50_000
    finally:
        gc.unfreeze()
