"""File descriptors: raised at the start, shared among the ports, and one kept."""

import errno
import os
import subprocess
import sys

import pytest

from services.common.connections import descriptors
from services.common.connections.descriptors import SpareDescriptor, affordable
from tests.processes import REPOSITORY


def run(code: str, soft: int, hard: int) -> str:
    command = f"ulimit -Sn {soft}; ulimit -Hn {hard}; exec {sys.executable} -c '{code}'"
    ran = subprocess.run(["/bin/bash", "-c", command], cwd=REPOSITORY, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_the_command_line_raises_them_to_what_is_allowed() -> None:
    code = (
        "import resource, sys; from services.cli import main\n"
        'sys.argv = ["sightline", "up", "--help"]\n'
        "try: main.main()\n"
        "except SystemExit: pass\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    assert run(code, 256, 1000).splitlines()[-1] == "(1000, 1000)"


@pytest.mark.parametrize(
    ("limit", "wanted", "given"), [(20_000, 500, 500), (1128, 500, 250), (64, 500, 8), (20_000, 4, 4)]
)
def test_few_descriptors_mean_fewer_connections(
    monkeypatch: pytest.MonkeyPatch, limit: int, wanted: int, given: int
) -> None:
    monkeypatch.setattr(descriptors.resource, "getrlimit", lambda _: (limit, limit))
    assert affordable(wanted) == given


def test_what_has_to_be_left_is_only_looked_at() -> None:
    code = (
        "import os; from services.common.connections.descriptors import ensure_left\n"
        'before = os.listdir("/proc/self/fd")\n'
        "ensure_left(16)\n"
        "try: ensure_left(100)\n"
        "except OSError as error: print(error.errno)\n"
        'print(before == os.listdir("/proc/self/fd"))'
    )
    assert run(code, 64, 64).split() == [str(errno.EMFILE), "True"]


def test_the_spare_one_is_let_go_once_and_taken_again() -> None:
    spare = SpareDescriptor()
    before = len(os.listdir("/proc/self/fd"))
    assert spare.release() and not spare.release()
    assert len(os.listdir("/proc/self/fd")) == before - 1
    assert spare.hold() and spare.hold()
    assert len(os.listdir("/proc/self/fd")) == before
    spare.release()
