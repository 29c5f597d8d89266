"""An Ultralytics checkpoint turned into ONNX by their own program, in a process that can do little.

A checkpoint is a pickle: loading one runs whatever code stands in it. So it is loaded by the Python of
Ultralytics' own environment, as a copy in an empty folder, without this process's environment and secrets,
within bounds of memory, time and files, and without a network where the kernel lets an account take it away
from a process.
"""

import os
import shutil
import signal
import subprocess
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from services.core.errors import BadInputError

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = REPOSITORY / ".venv-ultralytics"
PROGRAM = REPOSITORY / "model" / "zoo" / "ultralytics" / "exporting.py"

LONGEST_S = 900.0
LARGEST_BYTES = 1 << 30
MOST_SHOWN_BYTES = 4000
WITHOUT_NETWORK = ("unshare", "--user", "--map-root-user", "--net", "--")
"""Util-linux's program: a user's and a network's namespace of their own, in which there is no device."""

OWN_KEYS = (b"averaged", b"description")

WORD = (
    "{name} is a pickle, which can run code on this machine when it is loaded: Ultralytics loads it in a "
    "process of its own, without network and secrets, but with this account's right to read files"
)


def is_own(path: Path) -> bool:
    """Return whether a checkpoint is one of `sightline train`, by its words: nothing of it is loaded."""
    try:
        with zipfile.ZipFile(path) as archive:
            pickle = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(pickle) as file:
                words = file.read(MOST_SHOWN_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, StopIteration, ValueError, RuntimeError):
        return False
    return all(key in words for key in OWN_KEYS)


def check_checkpoint(path: Path, environment: Path = ENVIRONMENT) -> None:
    """Refuse before anything is asked what cannot be turned into ONNX here; BadInputError says what to do."""
    if not path.is_file():
        raise BadInputError(f"there is no file {path}")
    if path.stat().st_size > LARGEST_BYTES:
        raise BadInputError(f"{path} has more than {LARGEST_BYTES >> 20} MB")
    if is_own(path):
        raise BadInputError(f"{path} is a checkpoint of ours: use `sightline export {path} OUTPUT.onnx`")
    if not (environment / "bin" / "python").exists():
        raise BadInputError("Ultralytics' environment is absent: make it with scripts/setup.sh --ultralytics")


@contextmanager
def exported(
    path: Path, size: tuple[int, int] | None, environment: Path = ENVIRONMENT, longest_s: float = LONGEST_S
) -> Iterator[Path]:
    """Give the ONNX file of a checkpoint while the body runs; BadInputError with the reason it has none."""
    with TemporaryDirectory(prefix="sightline-import-") as folder:
        place = Path(folder)
        checkpoint, output = place / "checkpoint.pt", place / "exported.onnx"
        shutil.copyfile(path, checkpoint)
        width, height = size or (0, 0)
        python = str(environment / "bin" / "python")
        words = [python, "-I", str(PROGRAM), str(checkpoint), str(output), str(width), str(height)]
        reason = _run([*_without_network(), *words], place, longest_s)
        if not output.is_file() or output.is_symlink():
            raise BadInputError(f"{path} gives no ONNX: {reason}")
        yield output


def _without_network() -> Sequence[str]:
    """Give what takes the network away, where it can be done."""
    with suppress(OSError, subprocess.SubprocessError):
        tried = subprocess.run([*WITHOUT_NETWORK, "true"], capture_output=True, timeout=10, check=False)
        if tried.returncode == 0:
            return WITHOUT_NETWORK
    return ()


def _run(command: Sequence[str], folder: Path, longest_s: float) -> str:
    """Run in a folder without an environment, end all of it in time, and give what it said last."""
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "YOLO_CONFIG_DIR": str(folder),
        "YOLO_AUTOINSTALL": "false",
        "YOLO_OFFLINE": "true",
        "OMP_NUM_THREADS": "1",
    }
    said = folder / "said"
    with said.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            start_new_session=True,
        )
        try:
            process.wait(longest_s)
        except subprocess.TimeoutExpired:
            return f"it was not done after {longest_s:.0f} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    text = said.read_bytes()[-MOST_SHOWN_BYTES:].decode("utf-8", "replace").strip()
    return text.splitlines()[-1] if text else f"its program ended with {process.returncode}"
