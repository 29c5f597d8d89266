"""A shell that a reader would have open: what one block sets, the next one finds."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.docs.commands import Block

END = "--- end of the block ---"
PAUSE_S = 1.0
AS_IT_IS: Mapping[str, str] = MappingProxyType({})


class Shell:
    """Runs blocks of a document in order, in one bash that ends with the first command that fails."""

    def __init__(self, process: subprocess.Popen[str], replaced: Mapping[str, str]) -> None:
        self._process, self._replaced = process, replaced

    def run(self, block: Block) -> str:
        """Run a block until its output is as expected, and give the output; AssertionError when it is not."""
        until_s = time.monotonic() + block.within_s
        while True:
            output = self._output(block)
            unmet = [expected for expected in block.expectations if not expected.is_met(output)]
            if not unmet:
                return output
            assert time.monotonic() < until_s, f"line {block.line}: {unmet} is not so: {output}"
            time.sleep(PAUSE_S)

    def _output(self, block: Block) -> str:
        text = block.text
        for written, meant in self._replaced.items():
            text = text.replace(written, meant)
        assert self._process.stdin is not None and self._process.stdout is not None
        # As one command, so that what it starts does not read the blocks that follow.
        self._process.stdin.write(f"{{\n{text}}} </dev/null\necho; echo '{END}'\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            if line.rstrip("\n") == END:
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"line {block.line}: a command failed: {''.join(lines)}")


@contextmanager
def open_shell(
    folder: Path, environment: Mapping[str, str], replaced: Mapping[str, str] = AS_IT_IS
) -> Iterator[Shell]:
    """Open a shell in a folder; `replaced` tells what stands for what in the blocks."""
    process = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eu"],
        cwd=folder,
        env={**environment, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Shell(process, replaced)
    finally:
        assert process.stdin is not None and process.stdout is not None
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.wait()
        process.stdin.close()
        process.stdout.close()
