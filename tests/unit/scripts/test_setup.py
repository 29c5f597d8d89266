"""`scripts/setup.sh` on other people's machines: it ends in one line that helps, or heals what it finds.

The interpreters are this one behind a wrapper, which pretends to be another and answers for venv and pip.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import REPOSITORY

TOOLS = (
    *("awk", "bash", "cat", "cp", "cut", "dirname", "grep", "head", "id", "mkdir", "mktemp", "rm", "sed"),
    *("sha256sum", "tail"),
)
PREAMBLES = {
    "3.9": "sys.version_info = (3, 9, 2)",
    "3.10": "sys.version_info = (3, 10, 12)",
    "3.12": "sys.version_info = (3, 12, 4)",
    "3.14": "sys.version_info = (3, 14, 0)",
    "3.15": "sys.version_info = (3, 15, 0)",
    "32-bit": "sys.version_info, sys.maxsize = (3, 12, 4), 2**31 - 1",
    "no venv": "sys.version_info = (3, 12, 4); sys.modules['venv'] = None",
    "no ensurepip": "sys.version_info = (3, 13, 4); sys.modules['ensurepip'] = None",
    "riscv": "import platform; platform.machine = lambda: 'riscv64'",
    "musl": "import sysconfig; sysconfig.get_config_var = lambda name: 'cpython-312-x86_64-linux-musl'",
    "PyPy": "import platform; platform.python_implementation = lambda: 'PyPy'",
    "free-threaded": "import sysconfig; sysconfig.get_config_var = str; sys.abiflags = 't'",
}
WRAPPER = """\
#!/bin/bash
case "$1 $2" in
-c\\ *) code="$2"; shift 2; exec {real} -c "import sys; {preamble}
$code" "$@" ;;
"-m venv")
    rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python; echo "$0" >>calls ;;
"-m pip")
    echo "pip $*" >>calls
    if [[ -s pip-says && (! -s pip-says-to || "$*" == *"$(<pip-says-to)"*) ]]; then cat pip-says; exit 1; fi
    echo "#!$PWD/.venv/bin/python" >.venv/bin/sightline ;;
esac
"""
LACKING = """\
ERROR: Could not find a version that satisfies the requirement {name}==0.7.0b3 (from versions: none)
ERROR: No matching distribution found for {name}==0.7.0b3
"""


@dataclass(frozen=True)
class Machine:
    """A checkout of the repository on a machine that has some interpreters and hardly anything else."""

    folder: Path

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    def has(self, name: str, kind: str, place: str = "bin") -> Path:
        """Give the machine an interpreter."""
        path = self.folder / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(WRAPPER.format(real=sys.executable, preamble=PREAMBLES[kind]))
        path.chmod(0o755)
        return path

    def pip_says(self, text: str, only_to: str = "") -> None:
        """Let pip fail with a text, whatever it is asked or where that holds a word."""
        (self.checkout / "pip-says").write_text(text)
        (self.checkout / "pip-says-to").write_text(only_to)

    def set_up(self, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder / "home"), **variables}
        command = [self.folder / "bin/bash", self.checkout / "scripts/setup.sh"]
        return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60)

    def refused(self, **variables: str) -> str:
        """Give the one line after which it ended."""
        done = self.set_up(**variables)
        lines = [line for line in done.stderr.splitlines() if not line.startswith(("Making", "Installing p"))]
        assert done.returncode == 1 and len(lines) == 1 and not done.stdout, (done.stderr, done.stdout)
        return lines[0]

    def chosen(self, **variables: str) -> str:
        """Give the interpreter of which .venv was made."""
        done = self.set_up(**variables)
        assert done.returncode == 0, done.stderr
        return self.calls()[0]

    def calls(self) -> list[str]:
        return (self.checkout / "calls").read_text().splitlines()

    def forget_calls(self) -> None:
        (self.checkout / "calls").write_text("")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    found = Machine(tmp_path)
    (found.checkout / "scripts").mkdir(parents=True)
    for name in ("lib.sh", "setup.sh", "build-page.sh"):
        shutil.copy(REPOSITORY / "scripts" / name, found.checkout / "scripts")
    for name in ("pyproject.toml", "requirements.lock", "requirements-torch.lock"):
        shutil.copy(REPOSITORY / name, found.checkout)
    (tmp_path / "bin").mkdir()
    for name in TOOLS:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "/absent")
    return found


def test_an_older_interpreter_comes_before_one_without_wheels(machine: Machine) -> None:
    machine.has("python3", "3.14")
    older = machine.has("python3.12", "3.12")
    assert machine.chosen() == str(older)


@pytest.mark.parametrize(
    "place",
    [
        "home/.pyenv/versions/3.12.4/bin/python",
        "home/.local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu/bin/python3",
    ],
)
def test_so_does_one_that_pyenv_or_uv_keeps(machine: Machine, place: str) -> None:
    machine.has("python3", "3.14")
    folder, _, name = place.rpartition("/")
    kept = machine.has(name, "3.12", folder)
    assert machine.chosen() == str(kept)


def test_a_newer_one_alone_does_without_the_embedded_database_where_there_is_mongodb(
    machine: Machine,
) -> None:
    newer = machine.has("python3", "3.14")
    machine.pip_says(LACKING.format(name="secantusdb"), "-r requirements.lock")
    assert machine.chosen(SIGHTLINE_MONGODB_URI="mongodb://192.0.2.1/") == str(newer)
    assert "--only-binary :all: -r .venv/without-embedded.lock" in machine.calls()[2]
    whole = (machine.checkout / "requirements.lock").read_text()
    rest = (machine.checkout / ".venv/without-embedded.lock").read_text()
    assert "secantusdb==" in whole and "secantusdb==" not in rest
    assert rest.count("==") == whole.count("==") - 1 and "shapely==2" in rest
    assert whole.count("--hash") > rest.count("--hash") > whole.count("--hash") - 60


def test_mongod_itself_is_enough(machine: Machine) -> None:
    machine.has("python3", "3.14")
    machine.pip_says(LACKING.format(name="secantusdb"), "-r requirements.lock")
    (machine.folder / "bin/mongod").symlink_to(machine.folder / "bin/cat")
    assert machine.set_up().stderr.splitlines()[-1].endswith("MongoDB is taken in its place")


def test_without_mongodb_it_says_what_to_install(machine: Machine) -> None:
    machine.has("python3", "3.14")
    machine.pip_says(LACKING.format(name="secantusdb"))
    line = machine.refused()
    assert line.startswith("There is no embedded database for Python ")
    assert "apt-get install python3.13 python3.13-venv" in line and "mongod" in line
    (machine.checkout / "pip-says").unlink()
    older = machine.has("python3.12", "3.12")
    machine.forget_calls()
    assert machine.chosen() == str(older), "what was made of the newer one is made anew"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("3.9", "needs Python 3.11 or later, and .*/python3 is 3.9: install Python 3.13"),
        ("3.10", "is 3.10: install Python 3.13"),
        ("no venv", "has no venv module: apt-get install python3.12-venv"),
        ("no ensurepip", "has no venv module: apt-get install python3.13-venv"),
        ("32-bit", "is a 32-bit Python"),
        ("riscv", "this machine is riscv64"),
        ("musl", "not built for musl.*container image"),
        ("PyPy", "PyPy, or free-threaded"),
        ("free-threaded", "PyPy, or free-threaded"),
    ],
)
def test_an_interpreter_that_does_not_serve_is_named(machine: Machine, kind: str, words: str) -> None:
    machine.has("python3", kind)
    line = machine.refused()
    assert re.search(words, line), line


def test_no_interpreter_at_all(machine: Machine) -> None:
    assert "none was found: install Python 3.13" in machine.refused()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "is full",
        ),
        ("ERROR: [Errno 122] Disk quota exceeded: '/x'\n", "is full, or the quota"),
        ("ERROR: [Errno 13] Permission denied: '/x/.venv/lib'\n", ".venv cannot be written"),
        (
            "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken\n"
            + LACKING.format(name="secantusdb"),
            "index cannot be reached",
        ),
        (LACKING.format(name="numpy"), "index has no numpy of the pinned version"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n", "another file"),
        ("Traceback\n  x\nKeyError: 'y'\n", "Installing failed: KeyError: 'y' (all of it: build/setup.log)"),
    ],
)
def test_what_pip_says_becomes_one_line(machine: Machine, said: str, words: str) -> None:
    machine.has("python3.12", "3.12")
    machine.pip_says(said)
    assert words in machine.refused()
    (machine.checkout / "pip-says").unlink()
    assert machine.set_up().returncode == 0


def test_a_python_that_is_newer_still_is_told_by_what_it_lacks(machine: Machine) -> None:
    machine.has("python3", "3.15")
    machine.pip_says(LACKING.format(name="numpy"))
    line = machine.refused(SIGHTLINE_MONGODB_URI="mongodb://192.0.2.1/")
    assert line.startswith("There is no numpy for Python ") and "install Python 3.13" in line


def test_what_is_whole_is_left_alone(machine: Machine) -> None:
    machine.has("python3.12", "3.12")
    machine.chosen()
    machine.forget_calls()
    assert machine.set_up().returncode == 0 and not machine.calls()


def _broken_off(machine: Machine) -> None:
    (machine.checkout / ".venv/.unfinished").touch()


def _never_finished(machine: Machine) -> None:
    (machine.checkout / ".venv/.installed-1").unlink()


def _of_another_version(machine: Machine) -> None:
    """As after an upgrade of the system: the interpreter that .venv leads to is gone."""
    (machine.checkout / ".venv/bin/python").unlink()
    (machine.checkout / ".venv/bin/python").symlink_to("/usr/bin/python3.absent")


def _too_old(machine: Machine) -> None:
    machine.has("python", "3.10", "checkout/.venv/bin")


def _moved(machine: Machine) -> None:
    (machine.checkout / ".venv/bin/sightline").write_text("#!/elsewhere/.venv/bin/python\n")


@pytest.mark.parametrize("damage", [_broken_off, _never_finished, _of_another_version, _too_old, _moved])
def test_what_is_not_whole_is_made_anew(machine: Machine, damage: object) -> None:
    python = machine.has("python3.12", "3.12")
    machine.chosen()
    machine.forget_calls()
    assert callable(damage)
    damage(machine)
    assert machine.chosen() == str(python)
    assert len(machine.calls()) == 3


def test_an_upgrade_without_a_network_leaves_what_is_there(machine: Machine) -> None:
    machine.has("python3.12", "3.12")
    machine.chosen()
    machine.forget_calls()
    (machine.checkout / "requirements.lock").write_text("numpy==3 --hash=sha256:0\n")
    machine.pip_says("WARNING: Retrying (Retry(total=0)) after 'ConnectTimeoutError'\n")
    assert "index cannot be reached" in machine.refused()
    (machine.checkout / "pip-says").unlink()
    assert machine.set_up().returncode == 0
    assert not [call for call in machine.calls() if not call.startswith("pip ")], ".venv is kept"
